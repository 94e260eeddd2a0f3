//! Messages of their own, as a key may send and see them.

use crate::app::fault::Fault;
use crate::app::keyed::narrowed::Narrowed;
use crate::app::messages::{
    self, MessageError, MessageFilter, MessageRequest, RetryRequest, Statistics, StatisticsQuery,
};
use crate::app::services::among;
use crate::app::{Page, Window};
use crate::model::id::{MessageId, ServiceId};
use crate::model::message::Message;
use std::time::Duration;

/// See [`messages::send_message`].
///
/// # Errors
/// As there.
pub async fn send_message(key: &Narrowed, request: MessageRequest) -> Result<(Message, bool), MessageError> {
    let service = key.named(request.service.clone())?;
    let request = MessageRequest { service, caller: Some(key.actor.as_str().to_owned()), ..request };
    messages::send_message(&key.all.messages, request).await
}

/// See [`messages::fetch_message`].
///
/// # Errors
/// As there.
pub async fn fetch_message(key: &Narrowed, id: &MessageId) -> Result<Message, MessageError> {
    Ok(key.own(messages::fetch_message(&key.all.messages, id).await?).await?)
}

/// See [`messages::messages`].
///
/// # Errors
/// As there.
pub async fn messages(
    key: &Narrowed,
    filter: &MessageFilter,
    window: &Window,
) -> Result<Page<Message>, MessageError> {
    messages::messages(&key.all.messages, &key.services, filter, window).await
}

/// See [`messages::statistics`].
///
/// # Errors
/// As there.
pub async fn message_statistics(
    key: &Narrowed,
    query: &StatisticsQuery,
    longest: Duration,
) -> Result<Statistics, Fault> {
    messages::statistics(&key.all.messages, &key.services, query, longest).await
}

/// See [`messages::cancel_message`].
///
/// # Errors
/// As there.
pub async fn cancel_message(key: &Narrowed, id: &MessageId) -> Result<Message, MessageError> {
    messages::cancel_message(&key.all.messages, id, |one| key.has_message(one)).await
}

/// See [`messages::retry_message`].
///
/// # Errors
/// As there.
pub async fn retry_message(key: &Narrowed, request: &RetryRequest) -> Result<Message, MessageError> {
    messages::retry_message(&key.all.messages, request, |one| key.has_message(one)).await
}

impl Narrowed {
    /// Whether a message is of the key's services.
    fn has_message(&self, message: &Message) -> bool {
        among::has(&self.all.directory, &self.services, message.service.as_ref())
    }

    /// The service for what names none.
    pub fn default_service(&self) -> &ServiceId {
        &self.all.directory.services.default_service().id
    }
}
