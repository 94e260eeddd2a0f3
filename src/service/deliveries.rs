//! Looking deliveries up.

use super::{Service, ServiceError};
use crate::model::channel::Channel;
use crate::model::delivery::Delivery;
use crate::model::id::{DeliveryId, Sid};
use crate::model::phone::PhoneNumber;
use crate::model::status::Status;
use crate::model::verification::{Send, Verification};
use crate::store::records::{self, Versioned};
use crate::store::{Index, Scan, Store};
use jiff::Timestamp;

/// Which deliveries to list.
#[derive(Clone, Default)]
pub struct DeliveryFilter {
    /// Sent to this address: a number in any writing, or an address like `whatsapp:+…`.
    pub to: Option<String>,
    /// In this status now.
    pub status: Option<Status>,
    /// By this channel.
    pub channel: Option<Channel>,
    /// First seen at this time or later.
    pub since: Option<Timestamp>,
    /// First seen before this time.
    pub until: Option<Timestamp>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most so many, up to [`DeliveryFilter::MAX_LIMIT`]; 0 for the default.
    pub limit: usize,
}

impl DeliveryFilter {
    /// Deliveries on a page unless asked otherwise.
    pub const DEFAULT_LIMIT: usize = 50;
    /// Most deliveries on a page.
    pub const MAX_LIMIT: usize = 200;
}

/// Deliveries, the newest first.
#[derive(Debug, Clone)]
pub struct DeliveryPage {
    /// What was found.
    pub deliveries: Vec<Delivery>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
}

/// What a delivery's name led to.
#[derive(Debug, Clone)]
pub enum Found {
    /// Twilio knows it.
    Delivery(Box<Delivery>),
    /// It stands in our outbox, or never left.
    Send(Box<Verification>, Send),
}

/// Entries that one request reads at most, whatever the filter passes over.
const MOST_READ: usize = 2_000;

impl Service {
    /// A delivery by Twilio's name or by ours.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn delivery(&self, name: &str) -> Result<Found, ServiceError> {
        find_delivery(self.store(), name).await
    }

    /// Lists deliveries, newest first. A page may be short, or even empty,
    /// while `next` says that there is more.
    ///
    /// # Errors
    /// A number or cursor that is none, or the store's.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<DeliveryPage, ServiceError> {
        let limit = match filter.limit {
            0 => DeliveryFilter::DEFAULT_LIMIT,
            limit => limit.min(DeliveryFilter::MAX_LIMIT),
        };
        let mut scan = self.scan(filter)?;
        let mut page = DeliveryPage { deliveries: Vec::new(), next: None };
        let mut read = 0;
        loop {
            let entries = self.store().scan(&scan).await?;
            let is_last = entries.len() < scan.limit;
            for entry in entries {
                read += 1;
                let found: Option<Versioned<Delivery>> = records::get(self.store(), &entry.id).await?;
                page.deliveries
                    .extend(found.map(|found| found.record).filter(|delivery| filter.takes(delivery)));
                scan.after = Some((entry.at, entry.id));
                if page.deliveries.len() == limit || read == MOST_READ {
                    page.next = scan.after.as_ref().map(write_cursor);
                    return Ok(page);
                }
            }
            if is_last {
                return Ok(page);
            }
        }
    }

    fn scan(&self, filter: &DeliveryFilter) -> Result<Scan, ServiceError> {
        let scope = match &filter.to {
            None => String::new(),
            // Addresses of other channels and short codes are taken as they are.
            Some(to) if to.contains(':') || to.len() <= 6 => to.clone(),
            Some(to) => PhoneNumber::parse(to, &self.0.numbers)
                .map(|number| number.in_full().to_owned())
                .or_else(|_| to.parse::<PhoneNumber>().map(|number| number.in_full().to_owned()))?,
        };
        Ok(Scan {
            index: if filter.to.is_some() { Index::DeliveriesTo } else { Index::Deliveries },
            scope,
            since: filter.since,
            until: filter.until,
            after: filter.cursor.as_deref().map(read_cursor).transpose()?,
            limit: 100,
        })
    }
}

/// A delivery by Twilio's name or by ours, straight from a store.
///
/// # Errors
/// Not found, or the store's.
pub async fn find_delivery(store: &dyn Store, name: &str) -> Result<Found, ServiceError> {
    if let Ok(sid) = name.parse::<Sid>() {
        return by_sid(store, &sid).await;
    }
    let (id, number) = name.parse::<DeliveryId>().map_err(|_| ServiceError::NotFound)?.parts();
    let found = records::get::<Verification>(store, id.as_str()).await?.ok_or(ServiceError::NotFound)?;
    let send = found.record.send(number).cloned().ok_or(ServiceError::NotFound)?;
    match &send.sid {
        Some(sid) => by_sid(store, sid).await,
        None => Ok(Found::Send(Box::new(found.record), send)),
    }
}

async fn by_sid(store: &dyn Store, sid: &Sid) -> Result<Found, ServiceError> {
    let found: Option<Versioned<Delivery>> = records::get(store, sid.as_str()).await?;
    found.map(|found| Found::Delivery(Box::new(found.record))).ok_or(ServiceError::NotFound)
}

impl DeliveryFilter {
    fn takes(&self, delivery: &Delivery) -> bool {
        self.status.is_none_or(|status| delivery.status() == Some(status))
            && self.channel.is_none_or(|channel| delivery.channel() == channel)
    }
}

fn write_cursor((at, id): &(Timestamp, String)) -> String {
    format!("{}.{id}", at.as_millisecond())
}

fn read_cursor(text: &str) -> Result<(Timestamp, String), ServiceError> {
    let parse = || {
        let (at, id) = text.split_once('.')?;
        let at = Timestamp::from_millisecond(at.parse().ok()?).ok()?;
        Some((at, id.parse::<Sid>().ok()?.to_string()))
    };
    parse().ok_or(ServiceError::Malformed("cursor: use the next_cursor of the page before, as it was given"))
}
