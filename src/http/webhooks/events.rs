//! Event Streams: batches of CloudEvents, proved by `bodySHA256`.
//!
//! Twilio waits five seconds for an answer, sends a batch again after 5xx and 429,
//! and discards it after any other refusal.
//! <https://www.twilio.com/docs/events/faq/at-least-once-delivery>

use super::{Proved, inbound, prove_batch, record};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::model::account::Proof;
use crate::model::delivery::Report;
use crate::server::Rate;
use crate::twilio::errors;
use crate::twilio::stream::{self, ErrorLog, Told};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use warp::reply::Response;

/// Messages and calls that are written at once: a batch of thousands is to be on
/// the disk within Twilio's five seconds.
const AT_ONCE: usize = 64;

/// `POST /twilio/events`: a batch of an event stream, written down before it is answered.
pub async fn batch(context: Arc<Context>, mut request: Request) -> Result<Response, Error> {
    let Proved { proof, body, .. } = prove_batch(&context, &mut request).await?;
    let (mut reports, mut texts) = (HashMap::<String, Vec<Report>>::new(), Vec::new());
    for event in events(&body)? {
        // One at a time: the events as values take many times the room of their text.
        let event: Value = serde_json::from_str(event.get()).unwrap_or_default();
        let report = match stream::read(&event) {
            Told::Report(report) => Some(report),
            Told::Error(error) => {
                tell_error(&error);
                error.report
            }
            Told::Test(test_id) => {
                tracing::info!(test_id, "the test event of an event stream's sink");
                None
            }
            Told::Other => {
                tell_other(&context, event["type"].as_str());
                None
            }
        };
        let Some(report) = report else { continue };
        // A text is a text, whichever way it came.
        if let Some(text) = stream::inbound_text(&event) {
            texts.push((stream::time(&event), report.sid.to_string(), text));
        }
        reports.entry(report.sid.to_string()).or_default().push(*report);
    }
    // All of them, for 204 says that all are recorded.
    let taken = record_all(&context, proof.as_ref(), reports).await?;
    // A wish holds until the next one, so these go by their own time.
    texts.sort_by_key(|(at, ..)| *at);
    for (_, sid, text) in texts {
        if let (Some(true), Some(proof)) = (taken.get(&sid), &proof) {
            inbound::record_opt_out(&context, proof, &text, inbound::keyword(&text)).await?;
        }
    }
    Ok(reply::no_content())
}

#[derive(serde::Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    _kind: serde::de::IgnoredAny,
}

/// The events of a batch as they are written: a list, or a single one.
fn events(body: &[u8]) -> Result<Vec<&RawValue>, Error> {
    let is_single = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let read = match is_single {
        // An event says what kind it is of.
        true => serde_json::from_slice::<Kind>(body)
            .and_then(|_| serde_json::from_slice(body))
            .map(|event| vec![event]),
        false => serde_json::from_slice(body),
    };
    read.map_err(|error| Error::Invalid {
        field: None,
        detail: format!("a batch is a JSON array of events: {error}"),
    })
}

/// Records what a batch reports, many messages and calls at once, of each one
/// after the other. Says of each whether it was proved and taken.
async fn record_all(
    context: &Context,
    proof: Option<&Proof>,
    reports: HashMap<String, Vec<Report>>,
) -> Result<HashMap<String, bool>, Error> {
    let one = |(sid, reports): (String, Vec<Report>)| async move {
        let mut is_taken = true;
        for report in reports {
            is_taken &= record(context, proof, report).await?;
        }
        Ok::<_, Error>((sid, is_taken))
    };
    let all: Vec<(String, Vec<Report>)> = reports.into_iter().collect();
    futures_util::stream::iter(all).map(one).buffer_unordered(AT_ONCE).try_collect().await
}

/// Error logs may come by the thousand, and are told a few of them.
fn tell_error(error: &ErrorLog) {
    static RATE: Rate = Rate::new();
    let Some(untold) = RATE.pass(Instant::now()) else { return };
    let sid = error.report.as_ref().map(|report| report.sid.as_str());
    let (code, said) = (error.code, error.words.as_deref());
    let name = errors::lookup(code).name;
    tracing::warn!(
        code,
        name,
        sid,
        said,
        docs = errors::docs(code),
        untold,
        "twilio logged an error on the account"
    );
}

/// An event of a kind that is not read: counted, and told the first time.
fn tell_other(context: &Context, kind: Option<&str>) {
    let is_plain = |kind: &&str| {
        kind.len() <= 120 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let kind = kind.filter(is_plain).unwrap_or("unnamed");
    if context.count_unread(kind) {
        tracing::info!(
            kind,
            "an event stream sends events of a kind that is not read here: it can be left out of the subscription"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_a_list_or_a_single_event() {
        let count = |body: &str| events(body.as_bytes()).map(|events| events.len()).ok();
        assert_eq!(
            [count("[]"), count(r#"[{"a":1}, {"b":2}]"#), count(r#" {"type":"a"}"#)],
            [Some(0), Some(2), Some(1)]
        );
        assert_eq!([count(""), count("[{"), count("17"), count("{}")], [None; 4]);
    }
}
