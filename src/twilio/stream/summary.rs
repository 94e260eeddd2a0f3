//! The summary of a call, which Voice Insights makes after its end: it says what
//! the last status callback says, and comes also where that was lost.
//!
//! Its names are in snake case; those of older schemas were in camel case, and
//! are read as well.
//!
//! Source: <https://www.twilio.com/docs/voice/voice-insights/event-streams/call-insights-events>,
//! <https://www.twilio.com/docs/voice/voice-insights/api/call/call-summary-resource>.

use super::said::{account_in_source, one_account, time};
use crate::model::delivery::{About, Fact, Report, Source};
use crate::model::status::Status;
use serde_json::Value;

/// Reads a summary; `None` when it names no call, or two accounts.
pub fn read(event: &Value, data: &Value) -> Option<Report> {
    let sid = text(data, "callSid")?.parse().ok().filter(crate::model::id::Sid::is_call)?;
    let account_sid = one_account([text(data, "accountSid"), account_in_source(event)])?;
    let properties = field(data, "properties").unwrap_or(&Value::Null);
    let direction = text(properties, "direction").or(text(data, "direction"));
    let about = About {
        account_sid,
        from: party(data, "from", "caller"),
        to: party(data, "to", "callee"),
        direction: direction.map(|direction| direction.replace('_', "-")),
        ..About::default()
    };
    let fact = Fact {
        status: text(data, "callState").and_then(status),
        source: Source::EventStream,
        carrier_at: text(data, "endTime").and_then(|at| at.parse().ok()).or(time(event)),
        answered_by: text(data, "answeredBy").map(str::to_owned),
        sip_code: number(properties, "lastSipResponseNum").or(number(data, "lastSipResponseNum")),
        // The other one, `duration`, counts from before it was answered.
        duration_seconds: number(data, "connectDuration"),
        ..Fact::default()
    };
    Some(Report { sid, id: None, about, fact })
}

/// A call's state in the words of its summary.
fn status(word: &str) -> Option<Status> {
    Some(match word {
        "completed" => Status::Completed,
        "busy" => Status::Busy,
        "fail" | "failed" | "undialed" => Status::Failed,
        "noanswer" | "no-answer" => Status::NoAnswer,
        "canceled" => Status::Canceled,
        "ringing" => Status::Ringing,
        "answered" | "in-progress" => Status::InProgress,
        _ => return None,
    })
}

/// One of the two parties: an object, or the address itself.
fn party(data: &Value, name: &str, role: &str) -> Option<String> {
    let party = field(data, name)?;
    party.as_str().or_else(|| text(party, role)).map(str::to_owned)
}

/// A field by its name in camel case, however its words are joined.
fn field<'a>(of: &'a Value, name: &str) -> Option<&'a Value> {
    let bare = |name: &str| {
        name.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>()
    };
    let wanted = bare(name);
    of.as_object()?.iter().find(|(other, _)| bare(other) == wanted).map(|(_, value)| value)
}

fn text<'a>(of: &'a Value, name: &str) -> Option<&'a str> {
    field(of, name)?.as_str().filter(|text| !text.is_empty())
}

fn number(of: &Value, name: &str) -> Option<u32> {
    match field(of, name)? {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
