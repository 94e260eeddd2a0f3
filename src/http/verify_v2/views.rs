//! A verification as Verify shows it.

use super::call::{Call, time};
use crate::model::brand::Brand;
use crate::model::id::VerificationId;
use crate::model::verification::{Status, Verification};
use crate::service::View;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The Verification resource.
pub fn verification(call: &Call, brand: &Brand, view: &View) -> Value {
    let record = &view.verification;
    let attempts = record.sends.iter().map(|send| {
        json!({
            "time": time(send.asked_at),
            "channel": send.channel.as_str().to_uppercase(),
            "attempt_sid": attempt_sid(&record.id, send.number),
        })
    });
    let mut shown = common(call, brand, view);
    shown["lookup"] = json!({});
    shown["send_code_attempts"] = attempts.collect();
    shown["sna"] = Value::Null;
    shown["url"] = json!(call.url(&format!("/v2/Services/{}/Verifications/{}", brand.id, record.id)));
    shown
}

/// The VerificationCheck resource.
pub fn check(call: &Call, brand: &Brand, view: &View) -> Value {
    let mut shown = common(call, brand, view);
    shown["sna_attempts_error_codes"] = json!([]);
    shown
}

fn common(call: &Call, brand: &Brand, view: &View) -> Value {
    let record = &view.verification;
    json!({
        "sid": record.id,
        "service_sid": brand.id,
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
