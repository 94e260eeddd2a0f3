//! Doing a request once, however often it comes with the same key: what was
//! answered is kept for a day.
//!
//! The key is taken by a write before the request is done, and the answer is
//! written after it. Whoever dies between leaves a key that is taken for
//! [`LEASE`] and then free again: the request may be done twice then, and what
//! it does must bear that.

use crate::app::admission::AdmissionError;
use crate::app::base::Base;
use crate::app::hash::hash;
use crate::app::verification::request::{Idempotency, KEPT};
use crate::app::verification::{VerificationError, Verifying};
use crate::model::idempotency::IdempotencyRecord;
use crate::store::records::{self, Versioned};
use crate::store::{CommitError, Key, Kind};
use jiff::SignedDuration;

/// How long a request may be under way before another may be done in its place.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// A key that was taken, or what was answered to it.
#[derive(Debug)]
pub enum Repeat {
    /// Do it, then hand the claim back.
    First(Box<Claim>),
    /// It was done: this was the answer.
    Again(String),
}

/// A key that was taken.
#[derive(Debug)]
pub struct Claim(IdempotencyRecord);

/// Takes an idempotency key for a request, which may hold a code.
///
/// # Errors
/// [`AdmissionError::KeyReused`] for a key of another request,
/// [`VerificationError::InProgress`], or the store's.
pub async fn claim(
    verifying: &Verifying,
    key: &Idempotency,
    request: &str,
) -> Result<Repeat, VerificationError> {
    let claim = IdempotencyRecord {
        id: hash(&[&key.caller, &key.key]),
        fingerprint: verifying.codes.fingerprint(request),
        verification: None,
        is_same: false,
        until: None,
        reply: None,
        expires_at: verifying.base.now().checked_add(LEASE).unwrap_or(verifying.base.now()),
    };
    match records::save(verifying.base.store(), None, &claim).await {
        Ok(()) => return Ok(Repeat::First(Box::new(Claim(claim)))),
        Err(CommitError::Conflict) => {}
        Err(CommitError::Store(error)) => return Err(error.into()),
    }
    let Some(found): Option<Versioned<IdempotencyRecord>> =
        records::get(verifying.base.store(), &claim.id).await?
    else {
        return Err(VerificationError::InProgress);
    };
    let found = found.record;
    if found.expires_at <= verifying.base.now() {
        // A job takes it away in a moment.
        verifying.base.board.want(Key::new(Kind::IdempotencyRecord, &claim.id), found.expires_at);
        return Err(VerificationError::InProgress);
    }
    if found.fingerprint != claim.fingerprint {
        return Err(AdmissionError::KeyReused.into());
    }
    found.reply.map(Repeat::Again).ok_or(VerificationError::InProgress)
}

/// Keeps the answer for a key that was taken; without one the key is free
/// again, for a request that failed may be tried again.
///
/// # Errors
/// The store's.
pub async fn settle_claim(
    base: &Base,
    claim: Box<Claim>,
    reply: Option<String>,
) -> Result<(), VerificationError> {
    let found: Option<Versioned<IdempotencyRecord>> = records::get(base.store(), &claim.0.id).await?;
    let Some(old) = found.filter(|found| found.record == claim.0) else {
        tracing::warn!("a request took so long that its idempotency key was given up");
        return Ok(());
    };
    let change = match reply {
        None => records::delete(&old),
        Some(reply) => {
            let expires_at = base.now().checked_add(KEPT).unwrap_or(old.record.expires_at);
            records::put(
                Some(&old),
                &IdempotencyRecord { reply: Some(reply), expires_at, ..old.record.clone() },
            )
        }
    };
    match base.store().commit(vec![change]).await {
        Ok(()) => Ok(()),
        Err(CommitError::Conflict) => {
            tracing::warn!("a request took so long that its idempotency key was given up");
            Ok(())
        }
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}
