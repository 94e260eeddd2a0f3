//! What is kept for an idempotency key of a start: the answer, in the commit of what was
//! begun, so that the same request again begins nothing.

use crate::app::fault::Fault;
use crate::app::hash::hash;
use crate::app::verification::Verifying;
use crate::app::verification::request::{Idempotency, KEPT, StartRequest};
use crate::model::idempotency::IdempotencyRecord;
use crate::model::verification::Verification;
use crate::store::records::{self, Ahead, Versioned};
use crate::store::{Change, Key, Kind};
use jiff::Timestamp;

/// An idempotency key and its request as they are stored: hashed, for a key may
/// hold anything and a request holds a number.
pub(in crate::app) struct Kept {
    id: String,
    fingerprint: String,
}

/// What is known of a key.
pub(in crate::app) enum Replay {
    /// Nothing is kept under it.
    Nothing,
    /// It was used for another request.
    Reused,
    /// The verification as it was answered, whether it stood open before, and until when
    /// nothing is sent where that was said.
    Answer(Box<Verification>, bool, Option<Timestamp>),
    /// An answer that is too old and was not forgotten yet.
    Outdated,
}

impl Kept {
    /// The key of a request.
    pub(in crate::app) fn new(idempotency: &Idempotency, request: &StartRequest) -> Self {
        // Plain data with text keys: writing it cannot fail.
        let request = serde_json::to_string(request).unwrap_or_default();
        Self { id: hash(&[&idempotency.caller, &idempotency.key]), fingerprint: hash(&[&request]) }
    }

    /// Wants what is kept for it.
    pub(in crate::app) fn want(&self, ahead: &mut Ahead) {
        ahead.want::<IdempotencyRecord>(&self.id);
    }

    /// What is kept for it.
    ///
    /// # Errors
    /// The store's.
    pub(in crate::app) async fn replay(&self, verifying: &Verifying, ahead: &Ahead) -> Result<Replay, Fault> {
        let found: Option<Versioned<IdempotencyRecord>> = ahead.get(verifying.base.store(), &self.id).await?;
        let Some(found) = found else { return Ok(Replay::Nothing) };
        if found.record.expires_at <= verifying.base.now() {
            // A job alone takes it away. To write over it might meet the answer of somebody
            // who came after the job, under the same version.
            verifying.base.board.want(Key::new(Kind::IdempotencyRecord, &self.id), found.record.expires_at);
            return Ok(Replay::Outdated);
        }
        // An answer to something else has another request's fingerprint.
        Ok(match found.record.verification {
            Some(verification) if found.record.fingerprint == self.fingerprint => {
                Replay::Answer(Box::new(verification), found.record.is_same, found.record.until)
            }
            _ => Replay::Reused,
        })
    }

    /// The change that keeps an answer; `until` is from when on the next send may be, where
    /// nothing was sent.
    pub(in crate::app) fn answer(
        &self,
        verifying: &Verifying,
        verification: &Verification,
        (is_same, until): (bool, Option<Timestamp>),
    ) -> Change {
        let now = verifying.base.now();
        let answer = IdempotencyRecord {
            id: self.id.clone(),
            fingerprint: self.fingerprint.clone(),
            verification: Some(verification.clone()),
            is_same,
            until,
            reply: None,
            expires_at: now.checked_add(KEPT).unwrap_or(verification.expires_at),
        };
        records::put(None, &answer)
    }
}
