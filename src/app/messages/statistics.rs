//! How many messages of each type came to what. It counts the records there are, so it
//! reaches back as far as these are kept.

use super::happen;
use crate::app::fault::Fault;
use crate::app::listing::{Window, scan_of};
use crate::app::messages::Messages;
use crate::app::services::among;
use crate::model::id::ServiceId;
use crate::model::key::ServiceSet;
use crate::model::message::{Message, MessageStatus, SendState};
use crate::store::{Index, Scan};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Messages that are read at once.
const PAGE: usize = 1000;

/// What messages came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// By the type's name.
    pub types: BTreeMap<String, OfType>,
    /// Whether all of them were counted; else the newest alone, for the time was over.
    pub is_whole: bool,
}

/// What messages of one type came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfType {
    /// How many stand so.
    pub statuses: BTreeMap<&'static str, u64>,
    /// What their sends cost by the price table, in millionths of a dollar.
    pub micros: u64,
}

/// Which messages are counted.
#[derive(Debug, Clone, Default)]
pub struct StatisticsQuery {
    /// Of this service alone.
    pub service: Option<ServiceId>,
    /// Taken at this time or later.
    pub since: Option<Timestamp>,
    /// Taken before this time.
    pub until: Option<Timestamp>,
}

/// Counts the messages of these services, for so long at most.
///
/// # Errors
/// The store's.
pub async fn statistics(
    messages: &Messages,
    services: &ServiceSet,
    query: &StatisticsQuery,
    longest: Duration,
) -> Result<Statistics, Fault> {
    let (begun, directory) = (Instant::now(), &messages.admission.directory);
    let mut all = Statistics::default();
    let mut window = Window { limit: PAGE, after: None };
    loop {
        let scan = Scan { since: query.since, until: query.until, ..scan_of(Index::Messages, "") };
        let is_of = |message: &Message| {
            query.service.as_ref().is_none_or(|service| happen::is_of(directory, message, service))
        };
        let page = among::page_among(directory, services, scan, &[String::new()], &window, is_of).await?;
        page.items.iter().for_each(|message| all.add(message));
        match page.next {
            None => return Ok(Statistics { is_whole: true, ..all }),
            Some(_) if begun.elapsed() >= longest => return Ok(all),
            next => window.after = next,
        }
    }
}

impl Statistics {
    fn add(&mut self, message: &Message) {
        let of_type = self.types.entry(message.message_type.clone()).or_default();
        *of_type.statuses.entry(message.status.as_str()).or_default() += 1;
        let has_left = message.sends.iter().filter(|send| send.state == SendState::Accepted);
        of_type.micros = of_type.micros.saturating_add(has_left.map(|send| send.micros).sum());
    }
}

impl OfType {
    /// How many stand so.
    pub fn of(&self, status: MessageStatus) -> u64 {
        self.statuses.get(status.as_str()).copied().unwrap_or(0)
    }
}
