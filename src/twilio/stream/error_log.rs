//! Error logs: what Twilio's debugger shows. Some are about a message or call.
//!
//! Source: <https://www.twilio.com/docs/events/event-types/errors/error-logs>,
//! <https://www.twilio.com/docs/usage/troubleshooting/debugging-event-webhooks>.

use super::said::{account_in_source, one_account, time};
use crate::model::delivery::{self, About, Fact, Report, Source};
use crate::model::id::Sid;
use crate::twilio::errors;
use serde_json::Value;

/// Something that went wrong on the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorLog {
    /// Twilio's error code.
    pub code: u32,
    /// What Twilio says, without numbers.
    pub words: Option<String>,
    /// The message or call that it is about, with the error as a fact of it.
    pub report: Option<Box<Report>>,
}

/// How deep in an event its message or call is looked for.
const DEEPEST: usize = 6;

/// Reads an error log; `None` for what is logged for information, for what has
/// no code, and where two accounts are named.
pub fn read(event: &Value, data: &Value) -> Option<ErrorLog> {
    let text = |name: &str| data[name].as_str().filter(|text| !text.is_empty());
    if text("level").is_some_and(|level| level.eq_ignore_ascii_case("info")) {
        return None;
    }
    let account_sid = one_account([text("account_sid").or(text("accountSid")), account_in_source(event)])?;
    let payload = payload(data);
    let code = [data, &payload].into_iter().find_map(|from| {
        let code = from.get("error_code").or(from.get("errorCode"))?;
        errors::lenient_code(code).ok().flatten()
    })?;
    let said = ["error_message", "errorMessage", "description", "message"].into_iter().find_map(text);
    let words = said.or(payload["more_info"]["Msg"].as_str()).and_then(errors::own_words);
    let sid = sid_in(data, DEEPEST).or_else(|| sid_in(&payload, DEEPEST));
    let report = sid.map(|sid| {
        let other = words.clone().map(|words| (delivery::ERROR_TEXT.to_owned(), words)).into_iter().collect();
        let carrier_at = time(event);
        let fact = Fact {
            source: Source::EventStream,
            error_code: Some(code),
            carrier_at,
            other,
            ..Fact::default()
        };
        let about = About { account_sid, ..About::default() };
        Box::new(Report { sid, id: None, about, fact })
    });
    Some(ErrorLog { code, words, report })
}

/// What happened in particular: an object, or one as text.
fn payload(data: &Value) -> Value {
    match data.get("payload") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(other) => other.clone(),
        None => Value::Null,
    }
}

/// The first message or call that a field of that meaning names.
fn sid_in(value: &Value, deep: usize) -> Option<Sid> {
    const NAMES: [&str; 5] = ["resourcesid", "callsid", "messagesid", "smssid", "correlationsid"];
    match value {
        Value::Object(fields) => {
            let is_name = |name: &str| {
                let bare = name.replace('_', "").to_ascii_lowercase();
                NAMES.contains(&bare.as_str())
            };
            let named = fields.iter().filter(|(name, _)| is_name(name));
            let mut own = named.filter_map(|(_, sid)| sid.as_str()?.parse().ok());
            own.next()
                .or_else(|| fields.values().filter(|_| deep > 0).find_map(|field| sid_in(field, deep - 1)))
        }
        Value::Array(items) if deep > 0 => items.iter().find_map(|item| sid_in(item, deep - 1)),
        _ => None,
    }
}
