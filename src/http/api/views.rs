//! What the API shows of verifications and deliveries.

use crate::model::delivery::{Delivery, Event};
use crate::model::id::DeliveryId;
use crate::model::verification::{Send, SendState, Verification};
use crate::service::{Found, View};
use crate::twilio::errors;
use serde_json::{Map, Value, json};

/// A verification, as its owner sees it: the number in full, never the code.
pub fn verification(view: &View) -> Value {
    let record = &view.verification;
    let deliveries: Vec<Value> =
        view.deliveries.iter().map(|(send, delivery)| send_line(record, send, delivery.as_ref())).collect();
    json!({
        "id": record.id,
        "to": record.to,
        "channel": record.channel(),
        "locale": record.locale,
        "status": view.status,
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "ended_at": record.ended_at,
        "checks_left": view.checks_left,
        "sends_left": view.sends_left,
        "resend_at": view.resend_at,
        "deliveries": deliveries,
    })
}

fn send_line(verification: &Verification, send: &Send, delivery: Option<&Delivery>) -> Value {
    let id = verification.delivery_id(send.number);
    let (status, error) = standing(send, delivery);
    json!({
        "id": id,
        "sid": send.sid,
        "channel": send.channel,
        "status": status,
        "created_at": send.asked_at,
        "error": error,
    })
}

/// Where a send stands: Twilio's word for it once Twilio knows it, ours before.
fn standing(send: &Send, delivery: Option<&Delivery>) -> (String, Value) {
    if let Some(status) = delivery.and_then(Delivery::status) {
        let code = delivery.and_then(Delivery::error_code);
        return (status.to_string(), code.map_or(Value::Null, error));
    }
    match &send.state {
        SendState::Waiting => ("pending".into(), Value::Null),
        SendState::Sending => ("sending".into(), Value::Null),
        SendState::Accepted => ("accepted".into(), Value::Null),
        SendState::Failed { code: Some(code), .. } => ("failed".into(), error(*code)),
        SendState::Failed { code: None, reason } => {
            ("failed".into(), json!({ "code": null, "name": reason }))
        }
        SendState::Dropped => ("canceled".into(), Value::Null),
        SendState::Test => ("test".into(), Value::Null),
    }
}

/// An error code with what it means and what to do.
pub fn error(code: u32) -> Value {
    let meaning = errors::lookup(code);
    json!({
        "code": code,
        "name": meaning.name,
        "meaning": meaning.explanation(),
        "advice": meaning.advice(),
        "docs": format!("https://www.twilio.com/docs/api/errors/{code}"),
    })
}

/// What was found under a delivery's name.
pub fn found(found: &Found) -> Value {
    match found {
        Found::Delivery(record) => delivery(record),
        Found::Send(verification, send) => {
            let mut line = send_line(verification, send, None);
            if let Value::Object(line) = &mut line {
                line.insert("to".into(), json!(verification.to));
                line.insert("verification".into(), json!(verification.id));
                line.insert("events".into(), json!([]));
            }
            line
        }
    }
}

/// A delivery with its history.
pub fn delivery(record: &Delivery) -> Value {
    let id = record.id.as_ref();
    json!({
        "sid": record.sid,
        "id": id,
        "verification": id.map(|id| DeliveryId::parts(id).0),
        "channel": record.channel(),
        "direction": record.about.direction,
        "status": record.status(),
        "final": record.status().is_some_and(|status| status.is_final()),
        "to": record.about.to,
        "from": record.about.from,
        "account_sid": record.about.account_sid,
        "messaging_service_sid": record.about.messaging_service_sid,
        "segments": record.about.segments(),
        "encoding": record.about.encoding,
        "answered_by": record.answered_by(),
        "created_at": record.first_seen,
        "updated_at": record.updated_at(),
        "error": record.error_code().map_or(Value::Null, error),
        "events": record.history().into_iter().map(event).collect::<Vec<_>>(),
    })
}

fn event(event: &Event) -> Value {
    let fact = &event.fact;
    let mut line = Map::new();
    line.insert("received_at".into(), json!(event.received_at));
    line.insert("source".into(), json!(fact.source));
    line.insert("status".into(), json!(fact.status));
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            line.insert(name.to_owned(), value);
        }
    };
    add("carrier_at", fact.carrier_at.map(|at| json!(at)));
    // The carrier's own clock, in a zone that nobody states: text.
    add("carrier_time", fact.carrier_time.as_ref().map(|time| json!(time)));
    add("error", fact.error_code.map(error));
    add("sequence", fact.sequence.map(|n| json!(n)));
    add("answered_by", fact.answered_by.as_ref().map(|who| json!(who)));
    add("sip_code", fact.sip_code.map(|code| json!(code)));
    add("duration_seconds", fact.duration_seconds.map(|n| json!(n)));
    add("billed_minutes", fact.billed_minutes.map(|n| json!(n)));
    add("detection_ms", fact.detection_ms.map(|n| json!(n)));
    add("other", (!fact.other.is_empty()).then(|| json!(fact.other)));
    Value::Object(line)
}
