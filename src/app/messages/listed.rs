//! Looking messages of their own up.

use super::happen;
use crate::app::admission::numbers;
use crate::app::listing::{Page, Window, scan_of};
use crate::app::messages::MessageError;
use crate::app::messages::Messages;
use crate::app::services::{Directory, among};
use crate::model::id::{MessageId, ServiceId};
use crate::model::key::ServiceSet;
use crate::model::message::{Message, MessageStatus};
use crate::store::{Index, Scan};
use jiff::Timestamp;

/// Which messages to list.
#[derive(Clone, Default)]
pub struct MessageFilter {
    /// To the person with this number, in any writing.
    pub to: Option<String>,
    /// In this status now.
    pub status: Option<MessageStatus>,
    /// Of this type.
    pub message_type: Option<String>,
    /// Of this service.
    pub service: Option<ServiceId>,
    /// Taken at this time or later.
    pub since: Option<Timestamp>,
    /// Taken before this time.
    pub until: Option<Timestamp>,
}

/// One message.
///
/// # Errors
/// Not found, or the store's.
pub async fn fetch_message(messages: &Messages, id: &MessageId) -> Result<Message, MessageError> {
    Ok(happen::message(&messages.admission.base, id).await?.record)
}

/// Lists messages of these services, newest first. A page may be short, or even empty, while
/// `next` says that there is more.
///
/// # Errors
/// A number that is none, or the store's.
pub async fn messages(
    messages: &Messages,
    services: &ServiceSet,
    filter: &MessageFilter,
    window: &Window,
) -> Result<Page<Message>, MessageError> {
    let index = if filter.to.is_some() { Index::MessagesTo } else { Index::Messages };
    let scopes = numbers::scopes(&messages.admission, filter.to.as_deref())?;
    let scan = Scan { since: filter.since, until: filter.until, ..scan_of(index, "") };
    let takes = |message: &Message| takes(&messages.admission.directory, filter, message);
    Ok(among::page_among(&messages.admission.directory, services, scan, &scopes, window, takes).await?)
}

fn takes(directory: &Directory, filter: &MessageFilter, message: &Message) -> bool {
    let is_of = |service: &ServiceId| happen::is_of(directory, message, service);
    filter.status.is_none_or(|status| message.status == status)
        && filter.message_type.as_ref().is_none_or(|name| message.message_type == *name)
        && filter.service.as_ref().is_none_or(is_of)
}
