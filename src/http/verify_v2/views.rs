//! A verification as Verify shows it.

use super::call::{Call, time};
use crate::app::verification::View;
use crate::model::id::VerificationId;
use crate::model::service::Service;
use crate::model::verification::{Send, Status, Verification};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The Verification resource.
pub fn verification(call: &Call, service: &Service, view: &View) -> Value {
    with_attempts(call, service, view, &view.verification.sends)
}

/// The same for a caller that may send and not read: what it asked for now, and
/// nothing of what was sent to the number before.
pub fn begun(call: &Call, service: &Service, view: &View) -> Value {
    let sends = &view.verification.sends;
    let mut shown = with_attempts(call, service, view, &sends[sends.len().saturating_sub(1)..]);
    shown["date_created"] = shown["date_updated"].clone();
    shown
}

fn with_attempts(call: &Call, service: &Service, view: &View, sends: &[Send]) -> Value {
    let record = &view.verification;
    let attempts = sends.iter().map(|send| {
        json!({
            "time": time(send.asked_at),
            "channel": send.channel.as_str().to_uppercase(),
            "attempt_sid": attempt_sid(&record.id, send.number),
        })
    });
    let mut shown = common(call, service, view);
    shown["lookup"] = json!({});
    shown["send_code_attempts"] = attempts.collect();
    shown["sna"] = Value::Null;
    shown["url"] = json!(call.url(&format!("/v2/Services/{}/Verifications/{}", service.id, record.id)));
    shown
}

/// The VerificationCheck resource.
pub fn check(call: &Call, service: &Service, view: &View) -> Value {
    let mut shown = common(call, service, view);
    shown["sna_attempts_error_codes"] = json!([]);
    shown
}

/// The VerificationCheck resource for a caller that may check and not read,
/// when the code was not right: what it said itself, and nothing else. It is
/// what Twilio says to a wrong code, so that libraries take it for that.
pub fn no(call: &Call, service: &Service) -> Value {
    let named = call.text("VerificationSid");
    json!({
        "sid": named,
        "service_sid": service.id,
        "account_sid": call.caller.account,
        "to": call.text("To").filter(|_| named.is_none()),
        "channel": null,
        "status": Status::Pending,
        "valid": false,
        "amount": null,
        "payee": null,
        "date_created": null,
        "date_updated": null,
        "sna_attempts_error_codes": [],
    })
}

fn common(call: &Call, service: &Service, view: &View) -> Value {
    let record = &view.verification;
    json!({
        "sid": record.id,
        "service_sid": service.id,
        "account_sid": call.caller.account,
        "to": record.to,
        "channel": record.channel(),
        "status": view.status,
        "valid": view.status == Status::Approved,
        "amount": record.details.amount,
        "payee": record.details.payee,
        "date_created": time(record.created_at),
        "date_updated": time(changed_at(record)),
    })
}

fn changed_at(record: &Verification) -> Timestamp {
    let sent = record.sends.last().map(|send| send.asked_at);
    record.ended_at.into_iter().chain(sent).fold(record.created_at, Timestamp::max)
}

/// An attempt's name: the random digits of its verification, and its number
/// there in two hexadecimal digits.
pub fn attempt_sid(id: &VerificationId, number: u8) -> String {
    format!("VL{}", &id.delivery(number).as_str()[2..])
}
