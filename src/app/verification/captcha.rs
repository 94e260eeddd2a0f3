//! Proofs that a person is there: what is asked for where a rule wants one, and whether
//! what was brought is one, which counts once.
//!
//! A proof is bound to a number and the session, or else the caller, by a name for both.
//! It is written down as used before anybody is asked about it, in a write that one of
//! two racing requests wins. This module refuses to know which rule wants one, and what
//! providers say.

use crate::app::admission::Admission;
use crate::app::fault::Fault;
use crate::app::hash::hash;
use crate::app::verification::Verifying;
use crate::app::verification::request::CaptchaOffer;
use crate::gateway::captcha::{Captcha, CaptchaError, Offered};
use crate::model::captcha::{CaptchaDemand, CaptchaFault};
use crate::model::channel::Channel;
use crate::model::idempotency::IdempotencyRecord;
use crate::model::phone::PhoneNumber;
use crate::model::session::Session;
use crate::store::CommitError;
use crate::store::records::{self, Versioned};
use jiff::SignedDuration;
use std::net::IpAddr;

/// How long it is kept that a proof was used: twice as long as any may live.
const KEPT: SignedDuration = SignedDuration::from_mins(12);

/// What a proof has to be for.
#[derive(Debug, Clone, Copy)]
pub(in crate::app) struct Bound<'b> {
    /// The number that a code is to go to.
    pub(in crate::app) number: &'b PhoneNumber,
    /// The session of the pages, or else the caller; empty where neither is known.
    pub(in crate::app) whose: &'b str,
}

/// What came of looking at a proof.
#[derive(Debug)]
pub(in crate::app) enum Looked {
    /// A person is there.
    Passed,
    /// It is none, for this reason.
    Wrong(CaptchaFault),
    /// Nobody can say.
    Away,
}

impl Bound<'_> {
    /// The name of both, which tells nobody what they are.
    pub(in crate::app) fn name(&self, admission: &Admission) -> String {
        let person = self.number.person();
        let value = format!("{}\0{}", person.number().in_full(), self.whose);
        admission.limiting.names.of("captcha", &value)
    }
}

/// What a session's pages ask for; nothing where nobody's proofs count here, or there is
/// no number yet.
pub fn captcha_of(verifying: &Verifying, session: &Session) -> Option<CaptchaDemand> {
    let bound = Bound { number: session.number.as_ref()?, whose: session.id.as_str() };
    demand(verifying, bound, None)
}

/// What is asked for, by which channel the code is to go; nothing where nobody's proofs
/// count here.
pub(in crate::app) fn demand(
    verifying: &Verifying,
    bound: Bound<'_>,
    channel: Option<Channel>,
) -> Option<CaptchaDemand> {
    let captcha = verifying.captcha.as_deref()?;
    Some(CaptchaDemand {
        provider: captcha.provider(),
        site_key: captcha.site_key().map(str::to_owned),
        action: captcha.action().map(str::to_owned),
        bound_to: bound.name(&verifying.admission),
        channel,
        why: None,
    })
}

/// Looks at a proof, which is used from then on; where nobody can say what it is, it is
/// as it was.
///
/// # Errors
/// The store's.
pub(in crate::app) async fn look_at(
    verifying: &Verifying,
    captcha: &Captcha,
    offer: &CaptchaOffer,
    (bound_to, address): (String, Option<IpAddr>),
) -> Result<Looked, Fault> {
    if offer.made_for.as_ref().is_some_and(|made_for| *made_for != bound_to) {
        return Ok(Looked::Wrong(CaptchaFault::Elsewhere));
    }
    let offered = Offered { token: offer.token.clone(), bound_to, address };
    let now = verifying.base.now();
    let name = match captcha.name_of(&offered, now) {
        Ok(name) => name,
        Err(error) => return Ok(looked(Err(error))),
    };
    let Some(used) = used(verifying, captcha, &name, &offered.bound_to).await? else {
        return Ok(Looked::Wrong(CaptchaFault::Used));
    };
    let asked = captcha.ask(&offered, now).await;
    if let Err(CaptchaError::Away(why)) = &asked {
        tracing::warn!(provider = %captcha.provider(), why, "a proof could not be looked at, so nothing is sent");
        // Whoever holds it may try it again once somebody can say.
        match verifying.base.store().commit(vec![records::delete(&used)]).await {
            Ok(()) | Err(CommitError::Conflict) => {}
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Ok(looked(asked))
}

fn looked(asked: Result<(), CaptchaError>) -> Looked {
    match asked {
        Ok(()) => Looked::Passed,
        Err(CaptchaError::Wrong(fault)) => Looked::Wrong(fault),
        Err(CaptchaError::Away(_)) => Looked::Away,
    }
}

/// Writes down that a proof is used; nothing where it was before.
async fn used(
    verifying: &Verifying,
    captcha: &Captcha,
    name: &str,
    bound_to: &str,
) -> Result<Option<Versioned<IdempotencyRecord>>, Fault> {
    let now = verifying.base.now();
    // No caller has a name with a blank in it, so this is no key of anybody's.
    let record = IdempotencyRecord {
        id: hash(&["a captcha", captcha.provider().as_str(), name]),
        fingerprint: bound_to.to_owned(),
        verification: None,
        is_same: false,
        reply: None,
        until: None,
        expires_at: now.checked_add(KEPT).unwrap_or(now),
    };
    let store = verifying.base.store();
    match records::save(store, None, &record).await {
        Ok(()) => Ok(records::get(store, &record.id).await?),
        Err(CommitError::Conflict) => Ok(None),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}
