//! Telling the operator of failures that only they can mend: in the log, and once an hour for
//! each service, code and sender as an event, over all processes. It refuses to know what is done
//! about the message itself.

use crate::app::admission::Admission;
use crate::gateway;
use crate::model::channel::Channel;
use crate::model::event::{EventBody, EventType, Once};
use crate::model::id::ServiceId;
use crate::model::message::Send;
use crate::model::phone::mask;
use crate::model::remedy::Remedy;
use crate::model::service::Service;
use jiff::SignedDuration;

/// How long nobody is told again of the same.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Tells of a failure with that code, where its remedy says so.
pub(in crate::app) fn alert(
    admission: &Admission,
    service: &Service,
    send: &Send,
    code: Option<u32>,
    remedy: Remedy,
) {
    let Some(code) = code.filter(|_| remedy.alerts()) else { return };
    let (name, advice) = gateway::in_words(code);
    let (service, channel) = (&service.id, send.channel);
    // Of several senders each may have to be mended.
    let sender = send.route.as_ref().map(|route| route.sender.as_str());
    let by = sender.map(|sender| format!(":{sender}")).unwrap_or_default();
    let mark = format!("alert:{service}:{code}{by}");
    if tell(admission, (service, channel, sender), code, mark) {
        let sender = sender.map(mask);
        tracing::warn!(%service, %channel, sender, error_code = code, remedy = remedy.as_str(), advice, "messages fail until somebody mends it: {name}");
    }
}

/// Tells of an error code of a service, by a channel and a sender where there was a choice,
/// once an hour under that mark; false where this process has told it already.
pub(in crate::app) fn tell(
    admission: &Admission,
    (service, channel, sender): (&ServiceId, Channel, Option<&str>),
    code: u32,
    mark: String,
) -> bool {
    let now = admission.base.now();
    let body = EventBody {
        service: Some(service.clone()),
        channel: Some(channel.into()),
        error_code: Some(code),
        sender: sender.map(str::to_owned),
        ..EventBody::new(EventType::OperatorAlert, now)
    };
    let until = now.checked_add(AGAIN_AFTER).unwrap_or(now);
    admission.alerts.note_once(&admission.telling, Once { name: mark, until, body })
}
