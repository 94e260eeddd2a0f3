//! An event as it is told: the body of a webhook, the data of a stream's
//! event, an item of the API's list. One form for all three.

use super::{Decided, Event, EventBody, EventType, Reason};
use crate::model::id::given;
use crate::model::opt_out::OF_TYPE;
use crate::model::phone::mask;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// An event, as applications are told of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Event")]
pub struct Payload {
    /// Its id, `EV` and 32 hexadecimal digits, which sort by time. A repetition
    /// has the same id.
    pub id: String,
    /// What happened, by its name.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What it is about.
    pub data: Data,
}

/// What an event is about; fields that do not apply are left out.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "EventData")]
pub struct Data {
    /// The id of the verification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<String>,
    /// The id of the message of its own, `OM…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What sort of message it is: a type of the service's `message_types`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// The verification's or the message's service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The session of the pages that the verification was begun in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Your own name for the person, as it was given where the verification or
    /// its session began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Your own marks of the verification or the message.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The message or call, `DL…` or `DM…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// The message or call as Twilio names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// How: `sms`, `call`, `whatsapp`; of a delivery of anybody's also `rcs`,
    /// `messenger`, `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The person's number, masked unless the endpoint asks for it in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The sender that an opt-out is about, masked likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Where the verification or the delivery stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why it failed, or was not heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What the other side said about the failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
    /// True when the number is a test number.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// The endpoint that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The decision about a request for a code that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admission: Option<Decided>,
}

/// An error with what it means.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "EventError")]
pub struct Fault {
    /// Twilio's code, where there is one.
    pub code: Option<u32>,
    /// Its name, or the reason where there is no code.
    pub name: String,
    /// What it means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// What can be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What exactly happened, where the name does not say it: in Twilio's own
    /// words, or how the tries went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Twilio's page about the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

impl Payload {
    /// An event as it is told. `explain` knows what went wrong, and what that means.
    pub fn new(event: &Event, full_numbers: bool, explain: impl Fn(&EventBody) -> Option<Fault>) -> Self {
        let body = event.body.clone();
        let error = explain(&body);
        let shown = |address: String| if full_numbers { address } else { mask(&address) };
        Self {
            id: event.id.to_string(),
            event_type: body.event_type,
            timestamp: body.at,
            data: Data {
                verification: body.verification.map(String::from),
                message: body.message.map(String::from),
                message_type: body.message_type,
                service: body.service.map(String::from),
                session: body.session.map(String::from),
                user: body.user,
                tags: body.tags,
                delivery: body.delivery.map(String::from),
                sid: body.sid.map(String::from),
                channel: body.channel.map(|channel| channel.to_string()),
                to: body.to.map(shown),
                sender: body.sender.map(|sender| match is_nobodys(&sender) {
                    // A messaging service, or a type of messages, is nobody's number.
                    true => sender,
                    false => shown(sender),
                }),
                status: body.status,
                reason: body.reason,
                error,
                test: body.test,
                endpoint: body.endpoint,
                admission: body.admission.map(|decided| *decided),
            },
        }
    }
}

fn is_nobodys(sender: &str) -> bool {
    sender.starts_with(given::MESSAGING_SERVICE) || sender.starts_with(OF_TYPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_masked_unless_it_is_asked_for() {
        let body = EventBody {
            to: Some("+14155550123".into()),
            error_code: Some(30003),
            ..EventBody::new(EventType::Failed, Timestamp::UNIX_EPOCH)
        };
        let id = "EV000000000000000000000000000000ab".parse().unwrap();
        let event = Event { id, body, expires_at: Timestamp::MAX };
        let explain =
            |body: &EventBody| Some(Fault { code: body.error_code, name: "gone".into(), ..Fault::default() });
        let told = |full| serde_json::to_value(Payload::new(&event, full, explain)).unwrap();
        assert_eq!(told(true)["data"]["to"], "+14155550123");
        assert_eq!(
            told(false),
            serde_json::json!({
                "id": "EV000000000000000000000000000000ab",
                "type": "verification.failed",
                "timestamp": "1970-01-01T00:00:00Z",
                "data": { "to": "+1********23", "error": { "code": 30003, "name": "gone" } },
            })
        );
        assert!(!format!("{event:?}").contains("4155550123"));
    }
}
