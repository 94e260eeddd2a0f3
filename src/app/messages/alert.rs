//! Telling the operator of failures that only they can mend: in the log, and once an hour for
//! each service and code as an event, over all processes. It refuses to know what is done
//! about the message itself.

use crate::app::admission::Admission;
use crate::gateway;
use crate::model::channel::Channel;
use crate::model::event::{EventBody, EventType, Once};
use crate::model::id::ServiceId;
use crate::model::remedy::Remedy;
use jiff::SignedDuration;

/// How long nobody is told again of the same.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Tells of a failure with that code, where its remedy says so.
pub(in crate::app) fn alert(
    admission: &Admission,
    (service, channel): (&ServiceId, Channel),
    code: Option<u32>,
    remedy: Remedy,
) {
    let Some(code) = code.filter(|_| remedy.alerts()) else { return };
    let now = admission.base.now();
    let (name, advice) = gateway::in_words(code);
    let body = EventBody {
        service: Some(service.clone()),
        channel: Some(channel.into()),
        error_code: Some(code),
        ..EventBody::new(EventType::OperatorAlert, now)
    };
    let until = now.checked_add(AGAIN_AFTER).unwrap_or(now);
    let once = Once { name: format!("alert:{service}:{code}"), until, body };
    if admission.alerts.note_once(&admission.telling, once) {
        tracing::warn!(%service, %channel, error_code = code, remedy = remedy.as_str(), advice, "messages fail until somebody mends it: {name}");
    }
}
