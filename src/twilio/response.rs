//! Answers of Twilio's REST API, 2010-04-01, as values.

use super::callback::rfc2822;
use super::{errors, status};
use crate::model::delivery::{self, About, Charge, Fact, Report, Source};
use crate::model::id::{DeliveryId, Sid};
use crate::model::price::micros;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;

/// A message or call, as far as we need to know it. Twilio adds fields at
/// will; what is not named here is passed over.
#[derive(Clone, Deserialize)]
pub struct Resource {
    /// Its SID, by which Twilio knows it.
    pub sid: Sid,
    /// `queued`, `accepted`, ….
    pub status: Option<String>,
    /// The recipient's address: E.164, or a channel's.
    pub to: Option<String>,
    /// Sender; null until a messaging service has picked one.
    pub from: Option<String>,
    /// The SID of the account that it belongs to.
    pub account_sid: Option<String>,
    /// The SID of the messaging service that sends it, if one does.
    pub messaging_service_sid: Option<String>,
    /// Who began it.
    pub direction: Option<String>,
    /// A message's text.
    pub body: Option<String>,
    /// A message's segments as text; `"0"` until a sender is decided on.
    pub num_segments: Option<String>,
    /// Why it failed.
    #[serde(default, deserialize_with = "errors::lenient_code")]
    pub error_code: Option<u32>,
    /// The same in Twilio's words. They may repeat numbers: not for the log.
    pub error_message: Option<String>,
    /// When it was made, RFC 2822.
    pub date_created: Option<String>,
    /// When a message was sent, likewise; null while it waits.
    pub date_sent: Option<String>,
    /// When a call began, likewise; null while it waits.
    pub start_time: Option<String>,
    /// What it costs, with a minus, as text; null until that is known.
    #[serde(default, deserialize_with = "lenient_text")]
    pub price: Option<String>,
    /// The currency of that.
    pub price_unit: Option<String>,
    /// Who answered a call.
    pub answered_by: Option<String>,
    /// A call's length in seconds, as text.
    pub duration: Option<String>,
}

impl Resource {
    /// When Twilio made it.
    pub fn created_at(&self) -> Option<Timestamp> {
        self.date_created.as_deref().and_then(rfc2822)
    }

    /// When it left, or where it has not when Twilio made it: what lists are filtered by.
    pub fn left_at(&self) -> Option<Timestamp> {
        let left = self.date_sent.as_deref().or(self.start_time.as_deref());
        left.and_then(rfc2822).or_else(|| self.created_at())
    }

    /// What Twilio charges for it.
    fn charge(&self) -> Option<Charge> {
        let price = self.price.as_deref()?;
        let micros = micros(price.strip_prefix('-').unwrap_or(price))?;
        Charge::new(micros, self.price_unit.as_deref()?)
    }

    fn own_words(&self) -> Option<String> {
        self.error_message.as_deref().filter(|_| self.error_code.is_some()).and_then(errors::own_words)
    }

    /// What it says about the delivery.
    pub fn report(&self, id: Option<DeliveryId>) -> Report {
        Report {
            sid: self.sid.clone(),
            id,
            about: About {
                account_sid: self.account_sid.clone(),
                from: self.from.clone(),
                to: self.to.clone(),
                messaging_service_sid: self.messaging_service_sid.clone(),
                direction: self.direction.clone(),
                num_segments: self.num_segments.as_deref().and_then(|segments| segments.parse().ok()),
                charge: self.charge(),
                ..About::default()
            },
            fact: Fact {
                status: self.status.as_deref().and_then(status::read),
                source: Source::Api,
                error_code: self.error_code,
                other: self
                    .own_words()
                    .map(|words| (delivery::ERROR_TEXT.to_owned(), words))
                    .into_iter()
                    .collect(),
                answered_by: self.answered_by.clone(),
                duration_seconds: self.duration.as_deref().and_then(|seconds| seconds.parse().ok()),
                ..Fact::default()
            },
        }
    }
}

/// A page of a list.
#[derive(Clone, Deserialize)]
pub struct Page {
    /// Messages, in a list of messages.
    #[serde(default)]
    pub messages: Vec<Resource>,
    /// Calls, in a list of calls.
    #[serde(default)]
    pub calls: Vec<Resource>,
    /// Where the next page is, relative to the host; null on the last.
    pub next_page_uri: Option<String>,
}

/// A page of a list, with items that may not read: one of them is no reason to pass over
/// all others.
#[derive(Clone, Deserialize)]
pub struct RawPage {
    /// Messages, in a list of messages.
    pub messages: Option<Vec<Value>>,
    /// Calls, in a list of calls.
    pub calls: Option<Vec<Value>>,
    /// Where the next page is, relative to the host; null on the last.
    pub next_page_uri: Option<String>,
}

/// A text, or a number written as one; anything else is nothing.
fn lenient_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Twilio's error document.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct ErrorDocument {
    /// Twilio's error code.
    #[serde(default, deserialize_with = "errors::lenient_code")]
    pub code: Option<u32>,
    /// What Twilio says. It may repeat numbers: not for the log.
    pub message: Option<String>,
}

impl fmt::Debug for ErrorDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, message: _ } = self;
        f.debug_struct("ErrorDocument").field("code", code).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::status::Status;

    #[test]
    fn a_created_message_is_a_report_of_its_first_status() {
        let text = r#"{"account_sid":"ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","body":"x","date_created":"Thu, 24 Aug 2023 05:01:45 +0000",
            "error_code":null,"from":null,"num_segments":"0","sid":"SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","status":"accepted","to":"+15558675310"}"#;
        let resource: Resource = serde_json::from_str(text).unwrap();
        assert_eq!(resource.created_at().unwrap().to_string(), "2023-08-24T05:01:45Z");
        let report = resource.report(None);
        assert_eq!((report.fact.status, report.fact.source), (Some(Status::Accepted), Source::Api));
        assert_eq!((report.about.from, report.about.num_segments), (None, Some(0)));
    }

    #[test]
    fn a_price_is_read_once_it_is_known() {
        let charge = |price: &str, unit: &str| {
            let text = format!(
                r#"{{"sid":"CAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","price":{price},"price_unit":{unit}}}"#
            );
            serde_json::from_str::<Resource>(&text).unwrap().report(None).about.charge
        };
        let known = |micros, currency| Charge::new(micros, currency);
        assert_eq!(charge("\"-0.00750\"", "\"USD\""), known(7_500, "USD"));
        assert_eq!(charge("-0.03", "\"eur\""), known(30_000, "EUR"));
        assert_eq!(charge("\"0\"", "\"USD\""), known(0, "USD"));
        for (price, unit) in [
            ("null", "\"USD\""),
            ("\"free\"", "\"USD\""),
            ("\"-0.01\"", "null"),
            ("\"-0.01\"", "\"dollars\""),
            ("{}", "\"USD\""),
            ("\"--1\"", "\"USD\""),
        ] {
            assert_eq!(charge(price, unit), None, "{price} {unit}");
        }
    }

    #[test]
    fn an_error_document_reads() {
        let text = r#"{"code":21211,"message":"The 'To' number is not valid.","more_info":"https://www.twilio.com/docs/errors/21211","status":400}"#;
        let document: ErrorDocument = serde_json::from_str(text).unwrap();
        assert_eq!(document.code, Some(21211));
        for text in [
            r#"{"code":-5,"message":null}"#,
            r#"{"code":99999999999999999999}"#,
            r#"{"code":{},"x":1}"#,
            "{}",
        ] {
            assert_eq!(serde_json::from_str::<ErrorDocument>(text).unwrap().code, None, "{text}");
        }
    }
}
