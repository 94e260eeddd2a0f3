//! Asks the provider about what it has not reported: a receipt that was lost leaves a
//! delivery where it was.
//!
//! When a delivery is due is the model's to say. It is claimed by a write first, which puts
//! it off by a minute, so no two processes ask at one time; what is told goes the way of a
//! callback's report, marked as what was asked for. It refuses to send anything.

use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::messaging::{Messaging, MessagingError, callback};
use crate::app::once;
use crate::app::transact::{self, Draft, transact};
use crate::gateway::SendError;
use crate::model::delivery::Delivery;
use crate::model::id::{DeliveryId, SentFor, Sid};
use crate::model::message::Message;
use crate::model::verification::Verification;
use crate::store::Change;
use crate::store::records::{self, Versioned};
use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};

/// How many deliveries are asked for in one go, which lasts `AT_LEAST` and has one
/// question under way: so a process asks five times a second at most.
pub const MOST_ASKED: usize = 5;
/// How long one go lasts at least, when anything was asked in it.
const AT_LEAST: Duration = Duration::from_secs(1);
/// How long a delivery that somebody asks for is left alone by others.
const CLAIMED: SignedDuration = SignedDuration::from_secs(60);
/// How far what is put off is spread behind the time it is put off to, in milliseconds.
const SPREAD: u64 = 30_000;
/// For how long what only hides other work is put off.
const OUT_OF_THE_WAY: Duration = Duration::from_secs(60);

/// Asks what became of deliveries that are due, [`MOST_ASKED`] of them; what is not due any
/// more is passed over.
///
/// # Errors
/// The store's. What was not asked then is due again in a minute.
pub async fn ask(messaging: &Messaging, sids: &[&str]) -> Result<(), MessagingError> {
    let begun = Instant::now();
    let mut has_asked = false;
    for delivery in due(messaging, sids).await? {
        let rest = messaging.courtesy.left();
        if !rest.is_zero() {
            put_off(&messaging.base, &delivery, rest).await?;
        } else if !may_ask(messaging, &delivery.record).await? {
            tracing::debug!(sid = %delivery.record.sid, "not asked for: it was never sent by this account");
            once::commits(&messaging.base, vec![over(&delivery)]).await?;
        } else if claim(&messaging.base, &delivery).await? {
            has_asked = true;
            ask_for(messaging, &delivery.record).await?;
        }
    }
    if has_asked {
        tokio::time::sleep(AT_LEAST.saturating_sub(begun.elapsed())).await;
    }
    Ok(())
}

/// Puts off deliveries that hide other work; no turn of theirs is spent.
///
/// # Errors
/// The store's.
pub async fn defer_asking(base: &Base, sids: &[&str]) -> Result<(), MessagingError> {
    let mut changes = Vec::with_capacity(sids.len());
    for old in records::get_many::<Delivery>(base.store(), sids.iter().copied()).await?.into_iter().flatten()
    {
        if old.record.ask_at().is_some() {
            changes.push(records::put(Some(&old), &old.record.put_off(later(base, OUT_OF_THE_WAY))));
        }
    }
    // Whoever was at one of them has moved it; the rest is put off the next time.
    if !changes.is_empty() {
        once::commits(base, changes).await?;
    }
    Ok(())
}

/// Those that are due by now.
async fn due(messaging: &Messaging, sids: &[&str]) -> Result<Vec<Versioned<Delivery>>, Fault> {
    let (store, now) = (messaging.base.store(), messaging.base.now());
    let found = records::get_many::<Delivery>(store, sids.iter().copied()).await?;
    let is_due = |one: &Versioned<Delivery>| one.record.ask_at().is_some_and(|at| at <= now);
    Ok(found.into_iter().flatten().filter(is_due).collect())
}

/// Whether the provider can know of it: not of what was only pretended, of a test number's,
/// and of another account's. Where the verification is gone nobody can say, and nobody asks.
async fn may_ask(messaging: &Messaging, delivery: &Delivery) -> Result<bool, Fault> {
    let account = delivery.about.account_sid.as_deref();
    if !messaging.accounts.is_ours(account) {
        return Ok(false);
    }
    let store = messaging.base.store();
    match delivery.id.as_ref().map(DeliveryId::parts) {
        None => Ok(false),
        Some((SentFor::Verification(id), number)) => {
            let found = records::get::<Verification>(store, id.as_str()).await?;
            let Some(verification) = found.map(|found| found.record) else { return Ok(false) };
            let is_real = verification.send(number).is_some_and(|send| !send.shadow);
            Ok(is_real && !verification.test)
        }
        Some((SentFor::Message(id), number)) => {
            let found = records::get::<Message>(store, id.as_str()).await?;
            Ok(found.is_some_and(|found| !found.record.test && found.record.send(number).is_some()))
        }
    }
}

/// Makes it this process's to ask for; false when somebody else was at it.
async fn claim(base: &Base, old: &Versioned<Delivery>) -> Result<bool, Fault> {
    let until = base.now().checked_add(CLAIMED).unwrap_or(Timestamp::MAX);
    once::commits(base, vec![records::put(Some(old), &old.record.put_off(until))]).await
}

/// Asks for one that was claimed, and writes down what came of it.
async fn ask_for(messaging: &Messaging, delivery: &Delivery) -> Result<(), MessagingError> {
    let sid = &delivery.sid;
    match messaging.gateway.fetch(sid, delivery.about.account_sid.as_deref()).await {
        Ok(Some(mut report)) => {
            messaging.courtesy.answered();
            report.id.clone_from(&delivery.id);
            if delivery.learns(&report) {
                match callback::merge(messaging, &report).await {
                    Err(MessagingError::OtherAccount) => {
                        return settle(&messaging.base, sid, Delivery::not_asked_again).await;
                    }
                    merged => drop(merged?),
                }
            }
            let now = messaging.base.now();
            settle(&messaging.base, sid, |delivery| delivery.asked_for(now)).await
        }
        Ok(None) => {
            messaging.courtesy.answered();
            tracing::warn!(%sid, "the provider knows no such message or call, or no longer: it is not asked for again");
            settle(&messaging.base, sid, Delivery::not_asked_again).await
        }
        Err(error) => {
            // A refusal says nothing of what other accounts would answer.
            let rest = match &error {
                SendError::Refused { .. } => OUT_OF_THE_WAY,
                _ => messaging.courtesy.refused(error.after()),
            };
            tracing::warn!(%sid, %error, rest_seconds = rest.as_secs(), "cannot ask what became of it: asked later");
            let until = later(&messaging.base, rest);
            settle(&messaging.base, sid, |delivery| delivery.put_off(until)).await
        }
    }
}

/// Writes down how the asking goes on, of what is still asked for.
async fn settle(base: &Base, sid: &Sid, how: impl Fn(&Delivery) -> Delivery) -> Result<(), MessagingError> {
    let look = || async {
        let old: Option<Versioned<Delivery>> = records::get(base.store(), sid.as_str()).await?;
        let Some(old) = old.filter(|old| old.record.asking.is_some()) else { return Ok(Draft::Settled(())) };
        let new = how(&old.record);
        Ok(Draft::Write(vec![records::put(Some(&old), &new)], ()))
    };
    transact(base, &transact::DELIVERY, look).await
}

/// Puts one off that nobody has claimed; who was faster has moved it.
async fn put_off(base: &Base, old: &Versioned<Delivery>, rest: Duration) -> Result<(), Fault> {
    let new = old.record.put_off(later(base, rest));
    once::commits(base, vec![records::put(Some(old), &new)]).await.map(drop)
}

fn over(old: &Versioned<Delivery>) -> Change {
    records::put(Some(old), &old.record.not_asked_again())
}

/// So much later, and up to half a minute more.
fn later(base: &Base, span: Duration) -> Timestamp {
    let span = span + Duration::from_millis(base.entropy.below(SPREAD));
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    base.now().checked_add(span).unwrap_or(Timestamp::MAX)
}
