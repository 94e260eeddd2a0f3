//! Event Streams: CloudEvents, read into the model's reports.
//!
//! Whatever a webhook tells, its event tells too, in other words; and some events
//! have no webhook: the summary of a call, the error log of an account. This
//! module refuses to know whether a batch was proved to be Twilio's: that comes
//! first.
//!
//! Source: <https://www.twilio.com/docs/events/event-types>.

mod error_log;
mod said;
mod summary;
#[cfg(test)]
mod tests;

use super::callback::report;
use super::status;
use crate::model::delivery::{Report, Source};
use serde_json::Value;

pub use error_log::ErrorLog;
pub use said::time;
use said::{account_in_source, one_account};

/// What an event tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Something about a message or call.
    Report(Box<Report>),
    /// That something went wrong on the account.
    Error(ErrorLog),
    /// Nothing: it is a sink's test, with the word by which Twilio's console wants
    /// it confirmed.
    Test(String),
    /// Something that is not read here.
    Other,
}

/// Reads one CloudEvent.
pub fn read(event: &Value) -> Told {
    let Some((kind, data)) = event["type"].as_str().zip(event.get("data")) else {
        return Told::Other;
    };
    if let Some(test) = test_id(data) {
        return Told::Test(test);
    }
    if ERROR_LOGS.contains(&kind) {
        return error_log::read(event, data).map_or(Told::Other, Told::Error);
    }
    let report = match kind.strip_prefix("com.twilio.voice.insights.") {
        Some(insight) if insight.starts_with("call-summary.") => summary::read(event, data),
        // Metrics and single events of a call's signalling.
        Some(_) => None,
        None => cloud_event(event),
    };
    report.map_or(Told::Other, |report| Told::Report(Box::new(report)))
}

/// The kinds of error logs, by their name and by an older one.
const ERROR_LOGS: [&str; 2] = ["com.twilio.error-logs.error.logged", "com.twilio.errorlogs.error.logged"];

/// The id of a test event: <https://www.twilio.com/docs/events/event-streams/sink-resource/test>.
fn test_id(data: &Value) -> Option<String> {
    let id = data["test_id"].as_str().or(data["testId"].as_str())?;
    let is_plain = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_plain.then(|| id.to_owned())
}

/// Reads one CloudEvent of Event Streams about a message or a call; `None` for
/// events of other kinds, and for one that says it is of two accounts.
///
/// Source: Twilio, Event Streams, `com.twilio.messaging.message.*` and
/// `com.twilio.voice.status-callback.*`: the data's names are those of the
/// callbacks in camel case.
fn cloud_event(event: &Value) -> Option<Report> {
    let kind = event.get("type")?.as_str()?;
    if !(kind.starts_with("com.twilio.messaging.") || kind.starts_with("com.twilio.voice.")) {
        return None;
    }
    let data = event.get("data")?;
    // Events about calls repeat the whole callback, with its own parameters.
    let params = data.pointer("/request/parameters").unwrap_or(data);
    let mut pairs: Vec<(String, String)> = params.as_object()?.iter().filter_map(event_pair).collect();
    // The kind of a message's event says its status, and its data repeat it in
    // capitals. A call's says only that it came to its end; how, say the data.
    let is_status = |name: &str| matches!(name, "MessageStatus" | "CallStatus");
    let is_message = kind.starts_with("com.twilio.messaging.");
    let last = kind.rsplit('.').next().unwrap_or_default();
    let is_named = pairs.iter().any(|(name, _)| is_status(name));
    if status::read(last).is_some() && (is_message || !is_named) {
        pairs.retain(|(name, _)| !is_status(name));
        pairs.push(("MessageStatus".to_owned(), last.to_owned()));
    }
    pairs.iter_mut().filter(|(name, _)| is_status(name)).for_each(|(_, value)| value.make_ascii_lowercase());
    let mut report = report(&pairs, Source::EventStream, None).ok()?;
    let said = data.get("accountSid").and_then(|sid| sid.as_str());
    report.about.account_sid =
        one_account([report.about.account_sid.as_deref(), said, account_in_source(event)])?;
    report.fact.carrier_at = report.fact.carrier_at.or(time(event));
    Some(report)
}

/// The parameters of a text that a CloudEvent says came in, named as in the
/// webhook of inbound messages; `None` for all other events.
///
/// Source: Twilio, Event Streams, `com.twilio.messaging.inbound-message.received`.
pub fn inbound_text(event: &Value) -> Option<Vec<(String, String)>> {
    let kind = event.get("type")?.as_str()?;
    let data = event.get("data").filter(|_| kind == "com.twilio.messaging.inbound-message.received")?;
    Some(data.as_object()?.iter().filter_map(event_pair).collect())
}

/// `messageSid` to `MessageSid`; what is nested is not ours to keep.
fn event_pair((name, value): (&String, &Value)) -> Option<(String, String)> {
    let value = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    let mut letters = name.chars();
    let head = letters.next()?.to_ascii_uppercase();
    Some((format!("{head}{}", letters.as_str()), value))
}
