//! What Twilio reports, recorded before it is acknowledged.

use crate::app::admission::opt_outs;
use crate::app::base::Base;
use crate::app::messages::{news, settle};
use crate::app::messaging::pace::Leg;
use crate::app::messaging::{Messaging, MessagingError, failover, reported};
use crate::app::services::find;
use crate::app::transact::{self, Draft, transact};
use crate::app::verification::happen;
use crate::app::verification::settled::{Settled, settled};
use crate::gateway;
use crate::model::account::{AccountSid, Proof};
use crate::model::address;
use crate::model::channel::{Channel, DeliveryChannel};
use crate::model::delivery::{Delivery, Report};
use crate::model::id::SentFor;
use crate::model::phone::{PhoneNumber, mask};
use crate::model::status::Status;
use crate::model::verification::{Outcome, SendState, Verification};
use crate::store::records::{self, Versioned};
use crate::store::{Change, Commit, Lane};
use jiff::Timestamp;
use std::time::Duration;

/// What recording a report did.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The delivery with it.
    pub delivery: Delivery,
    /// False when everything in it was known already.
    pub is_new: bool,
}

/// Merges a report into its delivery, durably, whether we sent it or not.
///
/// A report that names a send of ours also settles that send: it may come
/// before the answer to our own request, or instead of it. Sends are the account's by which
/// they left; what another account says of one is a message of its own.
///
/// # Errors
/// [`MessagingError::OtherAccount`] when the delivery belongs to another account
/// than the proof, [`MessagingError::OtherMessage`] when the provider has another name for
/// it than the report; else the store's, and then the report is not recorded and
/// must not be acknowledged.
pub async fn record(
    messaging: &Messaging,
    proof: &Proof,
    mut report: Report,
) -> Result<Recorded, MessagingError> {
    if let Some(account) = proof.account().map(AccountSid::as_str) {
        let named = report.about.account_sid.get_or_insert_with(|| account.to_owned());
        if named != account {
            return Err(MessagingError::OtherAccount);
        }
    }
    if !messaging.accounts.sends(proof) {
        report.id = None;
    }
    let Merged { before, recorded } = merged(messaging, &report, None).await?;
    // What is told late, again or by another way has taken no time of its own.
    let was = before.and_then(|before| before.status());
    let status = report.fact.status.filter(|status| was != Some(*status));
    if let Some(status) = status.filter(|status| recorded.delivery.status() == Some(*status)) {
        learn(messaging, &recorded.delivery, status);
    }
    Ok(recorded)
}

/// Learns how long a message or call of ours takes to come so far.
fn learn(messaging: &Messaging, delivery: &Delivery, status: Status) {
    let leg = Leg::to(status, delivery.sid.is_call());
    let age = Duration::try_from(messaging.base.now().duration_since(delivery.first_seen));
    if let (Some(leg), Ok(age), Some(_)) = (leg, age, &delivery.id) {
        messaging.pace.learn(leg, age);
        learn_arrival(messaging, delivery, (leg, age));
    }
}

/// Learns how long it took to arrive, where a service goes by silence.
fn learn_arrival(messaging: &Messaging, delivery: &Delivery, (leg, age): (Leg, Duration)) {
    let arrivals = messaging.pace.arrivals();
    if leg != Leg::Delivered || !arrivals.is_wanted() {
        return;
    }
    let channel = match delivery.channel() {
        DeliveryChannel::Sms => Channel::Sms,
        DeliveryChannel::Whatsapp => Channel::Whatsapp,
        _ => return,
    };
    let (_, number) = address::split(delivery.about.to.as_deref().unwrap_or_default());
    if let Ok(number) = number.parse::<PhoneNumber>() {
        arrivals.learn(&number.region().unwrap_or_default(), channel, age);
    }
}

/// Merges a report that needs no proof, for nobody outside gave it.
///
/// # Errors
/// As [`record`].
pub(in crate::app) async fn merge(
    messaging: &Messaging,
    report: &Report,
) -> Result<Recorded, MessagingError> {
    Ok(merged(messaging, report, None).await?.recorded)
}

/// The same of a message or call that left then: one that was never heard of stands in
/// listings at that time, and is kept from then on.
///
/// # Errors
/// As [`record`].
pub(in crate::app) async fn merge_that_left(
    messaging: &Messaging,
    report: &Report,
    at: Timestamp,
) -> Result<Recorded, MessagingError> {
    Ok(merged(messaging, report, Some(at)).await?.recorded)
}

/// A delivery before and after a report.
struct Merged {
    /// As it was; nothing where it was not known.
    before: Option<Delivery>,
    recorded: Recorded,
}

/// Merges a report into its delivery, with what else it settles. `left_at` is when it left,
/// where that is known.
async fn merged(
    messaging: &Messaging,
    report: &Report,
    left_at: Option<Timestamp>,
) -> Result<Merged, MessagingError> {
    let received_at = messaging.base.now();
    let look = || async {
        let old: Option<Versioned<Delivery>> =
            records::get(messaging.base.store(), report.sid.as_str()).await?;
        if old.as_ref().is_some_and(|old| is_anothers(messaging, &old.record, report)) {
            return Err(MessagingError::OtherAccount);
        }
        if old.as_ref().is_some_and(|old| old.record.about.is_another_than(&report.about)) {
            return Err(MessagingError::OtherMessage);
        }
        let delivery = match &old {
            None => Delivery::new(report.clone(), received_at).asked_at(left_at.unwrap_or(received_at)),
            // What is read is durable already, so a repetition can be
            // acknowledged without writing anything.
            Some(old) => match old.record.merge(report.clone(), received_at) {
                Some(merged) => merged,
                None => {
                    let recorded = Recorded { delivery: old.record.clone(), is_new: false };
                    return Ok(Draft::Settled(Merged { before: Some(old.record.clone()), recorded }));
                }
            },
        };
        let before = old.as_ref().map(|old| &old.record);
        let is_named = delivery.id.is_some() && before.is_none_or(|before| before.id.is_none());
        let has_failed = delivery.id.is_some() && news::has_failed(before, &delivery);
        if has_failed {
            hear_stop(messaging, &delivery).await?;
        }
        let has_arrived = settle::has_arrived(before, &delivery);
        let (delivery, settled) = match is_named || has_failed || has_arrived {
            true => Box::pin(settle_by(messaging, before, delivery)).await?,
            false => (delivery, None),
        };
        let (mut changes, mut lines) =
            reported::written(&messaging.admission, old.as_ref(), &delivery).await?;
        let mut additions = Vec::new();
        if let Some((more, settled)) = settled {
            changes.extend(more);
            additions = settled.additions;
            lines = lines.and(settled.lines);
        }
        let recorded = Recorded { delivery, is_new: true };
        let merged = Merged { before: old.map(|old| old.record), recorded };
        Ok(Draft::Tracked(Commit { changes, additions }, lines, merged))
    };
    let merged = transact(&messaging.base, &transact::DELIVERY, look).await?;
    let delivery = &merged.recorded.delivery;
    // Something else may be to be sent now.
    if delivery.id.is_some() && news::has_failed(merged.before.as_ref(), delivery) {
        messaging.base.board.wake();
        // A message of its own may wait in a lane of its own.
        messaging.base.board.wake_lane(Lane::Bulk);
    }
    log(&merged);
    Ok(merged)
}

/// Writes down that the person has told the sender to stop, where that is what became of a
/// message of ours by one of several senders: the others would not know.
async fn hear_stop(messaging: &Messaging, delivery: &Delivery) -> Result<(), MessagingError> {
    let admission = &messaging.admission;
    let is_stop = delivery.error_code().is_some_and(gateway::is_opt_out);
    let Some(to) = delivery.about.to.as_deref().filter(|_| is_stop && admission.senders.is_list()) else {
        return Ok(());
    };
    let about = &delivery.about;
    for sender in about.messaging_service_sid.iter().chain(&about.from) {
        opt_outs::stopped(admission, (to, sender), delivery.first_seen).await?;
    }
    Ok(())
}

/// Keeps a report that nothing proves, marked as such and told to nobody:
/// in report-only mode it says what would be known. It changes nothing that
/// is proved and says nothing of what we sent.
///
/// # Errors
/// The store's.
pub async fn hear(base: &Base, mut report: Report) -> Result<(), MessagingError> {
    report.id = None;
    let heard = Delivery::unproved(report, base.now());
    let look = || async {
        let old: Option<Versioned<Delivery>> = records::get(base.store(), heard.sid.as_str()).await?;
        let new = old.as_ref().map_or_else(|| heard.clone(), |old| old.record.join(&heard));
        if old.as_ref().is_some_and(|old| old.record == new) {
            return Ok(Draft::Settled(()));
        }
        Ok(Draft::Write(vec![records::put(old.as_ref(), &new)], ()))
    };
    transact(base, &transact::DELIVERY, look).await
}

/// Whether a delivery is another account's than the report. What we sent is the main
/// account's where nothing has said whose it is; whose a delivery is once stays so.
pub(in crate::app) fn is_anothers(messaging: &Messaging, delivery: &Delivery, report: &Report) -> bool {
    if delivery.unproved {
        return false;
    }
    let ours = messaging.accounts.main.as_ref().filter(|_| delivery.id.is_some()).map(AccountSid::as_str);
    let owner = delivery.about.account_sid.as_deref().or(ours);
    let reporter = report.about.account_sid.as_deref();
    owner.zip(reporter).is_some_and(|(owner, reporter)| owner != reporter)
}

/// A delivery that carries our name, with the time at which it was asked for, and what
/// becomes of its verification or message by it: its send is settled, or did not arrive.
async fn settle_by(
    messaging: &Messaging,
    before: Option<&Delivery>,
    delivery: Delivery,
) -> Result<(Delivery, Option<(Vec<Change>, Settled)>), MessagingError> {
    let (admission, nothing) = (&messaging.admission, None);
    let directory = &admission.directory;
    let Some(id) = &delivery.id else {
        return Ok((delivery, nothing));
    };
    let (verification, number) = match id.parts() {
        (SentFor::Verification(id), number) => (id, number),
        (SentFor::Message(_), _) => {
            let (delivery, settled) =
                Box::pin(settle::settle_by(&messaging.messages, &messaging.accounts, before, delivery))
                    .await?;
            let settled =
                settled.map(|(changes, additions)| (changes, Settled { additions, ..Settled::default() }));
            return Ok((delivery, settled));
        }
    };
    let Some(old) = records::get::<Verification>(admission.base.store(), verification.as_str()).await? else {
        return Ok((delivery, nothing));
    };
    let Some(send) = old.record.send(number) else {
        return Ok((delivery, nothing));
    };
    if !messaging.accounts.made(delivery.about.account_sid.as_deref(), send.account()) {
        return Ok((delivery.of_nobody(), nothing));
    }
    let asked_at = send.asked_at;
    let is_others = send.state == SendState::Accepted && send.sid.as_ref() != Some(&delivery.sid);
    if is_others {
        return Ok((delivery, nothing));
    }
    let service = find::service_of(directory, &old.record).await?;
    let (name, becomes) = ((number, &delivery.sid), (before, Some(&delivery)));
    let decision = failover::settled_by(messaging, &service, &old.record, name, becomes);
    if send.state != SendState::Accepted && decision.outcome != Outcome::Done {
        return Ok((delivery, nothing));
    }
    let next = decision.verification;
    let delivery = delivery.asked_at(asked_at);
    if next == old.record {
        return Ok((delivery, nothing));
    }
    let changes = happen::written(&admission.telling, Some(&old), &next);
    let settled = settled(admission, &service, (&old.record, &next), admission.base.now());
    Ok((delivery, Some((changes, settled))))
}

fn log(Merged { before, recorded: Recorded { delivery, is_new } }: &Merged) {
    let status = delivery.status().map_or("unknown", |status| status.as_str());
    if !is_new {
        tracing::debug!(sid = %delivery.sid, "delivery reported again");
    } else if before.as_ref().and_then(Delivery::status) == delivery.status() {
        tracing::debug!(sid = %delivery.sid, status, "delivery reported");
    } else {
        let to = delivery.about.to.as_deref().map(mask);
        let error_code = delivery.error_code();
        // What lies between is in the delivery itself, and is most of what is reported.
        if delivery.status().is_some_and(Status::is_final) || error_code.is_some() {
            tracing::info!(sid = %delivery.sid, status, error_code, to, "delivery changed");
        } else {
            tracing::debug!(sid = %delivery.sid, status, error_code, to, "delivery changed");
        }
    }
}
