//! What the other side tells of a message: proved first, then read. It refuses to know
//! whether the message is one that was sent.

use super::Relay;
use super::answer::{REFERENCE, is_reference};
use crate::gateway::callbacks::{CallbackHead, Callbacks, NotHeard};
use crate::gateway::webhook::is_signed;
use crate::model::account::{AccountSid, Proof};
use crate::model::delivery::{About, ERROR_TEXT, Fact, Report, Source};
use crate::model::id::DeliveryId;
use crate::model::status::Status;
use crate::twilio::errors::own_words;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// How far the time of a signature may be from ours.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// What logs call the secrets.
const SIGNER: &str = "gateway.http";
/// The longest `webhook-id` that is looked at, in bytes.
const LONGEST_NAME: usize = 256;

/// What a message may have come to.
const STATUSES: [Status; 5] =
    [Status::Queued, Status::Sent, Status::Delivered, Status::Undelivered, Status::Failed];

/// A callback's body. What else is in it is left alone.
#[derive(Deserialize)]
struct Told {
    delivery: String,
    id: String,
    status: String,
    #[serde(default)]
    error: Option<Fault>,
    #[serde(default)]
    at: Option<String>,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(default)]
    code: Option<u32>,
    #[serde(default)]
    reason: Option<String>,
}

impl Callbacks for Relay {
    fn judge_head(&self, head: &CallbackHead<'_>, now: Timestamp) -> Result<(), NotHeard> {
        signed_at(head, now).map(drop)
    }

    fn hear(
        &self,
        head: &CallbackHead<'_>,
        body: &[u8],
        now: Timestamp,
        account: Option<AccountSid>,
    ) -> Result<(Proof, Report), NotHeard> {
        let seconds = signed_at(head, now)?;
        if !is_signed(head.id, seconds, body, &self.settings.secrets, head.signature) {
            return Err(NotHeard::Unproved("mismatch"));
        }
        let told: Told = serde_json::from_slice(body).map_err(|error| {
            // Its own words may repeat what stands there.
            let (line, column) = (error.line(), error.column());
            let what = format!(
                "the body is a JSON object with delivery, id and status; it is not at line {line}, column {column}"
            );
            NotHeard::Malformed { field: None, what }
        })?;
        Ok((Proof::new(account, SIGNER.into()), told.report()?))
    }
}

/// When a callback says that it was signed, in seconds, if that is now.
fn signed_at(head: &CallbackHead<'_>, now: Timestamp) -> Result<i64, NotHeard> {
    let unproved = |cause| Err(NotHeard::Unproved(cause));
    if head.id.is_empty() || head.id.len() > LONGEST_NAME || head.signature.is_empty() {
        return unproved("missing_header");
    }
    let seconds = head.timestamp.parse::<i64>().ok();
    let Some((seconds, at)) = seconds.and_then(|at| Some((at, Timestamp::from_second(at).ok()?))) else {
        return unproved("missing_header");
    };
    if at.duration_since(now).abs() > TOLERANCE {
        return unproved("other_time");
    }
    Ok(seconds)
}

impl Told {
    fn report(self) -> Result<Report, NotHeard> {
        let wrong = |field, what: &str| NotHeard::Malformed { field: Some(field), what: what.to_owned() };
        let id: DeliveryId = self.delivery.parse().map_err(|_| {
            wrong("delivery", "is the delivery of the request, DL or DM and 32 hexadecimal digits")
        })?;
        // However its digits are written, it is one delivery.
        let id = id.normalized();
        if !is_reference(&self.id) {
            return Err(wrong("id", REFERENCE));
        }
        let status = STATUSES.into_iter().find(|status| status.as_str() == self.status);
        let status = status
            .ok_or_else(|| wrong("status", "is one of queued, sent, delivered, undelivered and failed"))?;
        let carrier_at = match self.at.as_deref().map(str::parse) {
            None => None,
            Some(Ok(at)) => Some(at),
            Some(Err(_)) => return Err(wrong("at", "is a time such as 2026-11-20T09:00:00Z")),
        };
        let (code, reason) = self.error.map_or((None, None), |error| (error.code, error.reason));
        let mut fact = Fact { status: Some(status), source: Source::StatusCallback, ..Fact::default() };
        fact.carrier_at = carrier_at;
        fact.error_code = code.filter(|code| *code > 0);
        let words = reason.and_then(|reason| own_words(&reason));
        fact.other.extend(words.map(|words| (ERROR_TEXT.to_owned(), words)));
        let about = About { reference: Some(self.id), ..About::default() };
        Ok(Report { sid: id.message_sid(), id: Some(id), about, fact })
    }
}
