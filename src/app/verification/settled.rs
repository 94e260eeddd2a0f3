//! What counters and the log of decisions are told when a verification that is there already becomes another: of a
//! code that was offered, of an approval, of an end, and of sends that certainly never left.
//!
//! It compares the record as it was with the one that is written, so that whoever writes
//! it, a check, a job or a report of Twilio's, counts the same. It refuses to know whether
//! there is room, which the commit alone decides.

use crate::app::admission::limits::counted::{proved, unsent};
use crate::app::admission::limits::counters::CountedFor;
use crate::app::admission::{Admission, limits::checks::checked};
use crate::app::fraud::became::became;
use crate::app::fraud::lines::Lines;
use crate::model::service::Service;
use crate::model::verification::{OutboxStep, Send, SendState, Status, Verification};
use crate::store::Counting;
use jiff::Timestamp;

/// Sends of one verification that are given back in one commit, so that what a commit may
/// add is never too much. One that drops more of them gives back fewer than it could.
const MOST_SENDS: usize = 10;

/// What goes with a verification that becomes another.
#[derive(Default)]
pub(in crate::app) struct Settled {
    /// What is added to counters.
    pub(in crate::app) additions: Vec<Counting>,
    /// What the log of decisions is told once it is done.
    pub(in crate::app) lines: Lines,
}

/// What goes with it when a verification of a service becomes another.
pub(in crate::app) fn settled(
    admission: &Admission,
    service: &Service,
    (old, new): (&Verification, &Verification),
    now: Timestamp,
) -> Settled {
    // Nothing of a test number counts.
    if new.test {
        return Settled::default();
    }
    let limiting = &admission.limiting;
    let limits = limiting.of(&service.settings.limits);
    let mut all: Vec<Counting> =
        checked(&limiting.names, &limits, &service.settings, (old, new), now).into_iter().collect();
    let is_proved = new.status == Status::Approved && old.status != Status::Approved;
    // What was never to leave counts as what it was answered as.
    let is_shadow = new.admitted.as_ref().is_some_and(|admitted| admitted.shadow);
    let unsent_sends: Vec<&Send> =
        never_left((&old.sends, &old.outbox), &new.sends).filter(|_| !is_shadow).take(MOST_SENDS).collect();
    let lines = became(&admission.fraud, (service, &admission.senders), (old, new), &unsent_sends, now);
    if let Some(admitted) = new.admitted.as_ref().filter(|_| is_proved || !unsent_sends.is_empty()) {
        let who = CountedFor::new(&limiting.names, &service.id, new, admitted);
        if is_proved {
            all.extend(proved(limiting, &limits, &who, now));
        }
        for send in unsent_sends {
            all.extend(unsent(limiting, &limits, &who, send, now));
        }
    }
    Settled { additions: joined(all), lines: Lines::new(&admission.fraud, lines) }
}

/// The sends that have come to nothing by this change, and are certainly not at the
/// provider's: refused before they were made, or never begun. One that is looked up may
/// be there, unless nothing was found and it was dropped for that.
pub(in crate::app) fn never_left<'v>(
    (old, outbox): (&'v [Send], &'v [OutboxStep]),
    new: &'v [Send],
) -> impl Iterator<Item = &'v Send> {
    let is_looked_up = |number: u8| outbox.iter().any(|step| step.number() == number && step.is_look_up());
    new.iter().filter(move |send| {
        let before = old.iter().find(|one| one.number == send.number).map(|send| &send.state);
        match (before, &send.state) {
            (Some(SendState::Waiting), SendState::Dropped | SendState::Failed { .. })
            | (Some(SendState::Sending), SendState::Dropped) => true,
            (Some(SendState::Sending), SendState::Failed { .. }) => !is_looked_up(send.number),
            _ => false,
        }
    })
}

/// The same with each counter once.
pub(in crate::app) fn joined(all: Vec<Counting>) -> Vec<Counting> {
    let mut joined: Vec<Counting> = Vec::with_capacity(all.len());
    for counting in all {
        match joined.iter_mut().find(|one| one.counter == counting.counter) {
            None => joined.push(counting),
            Some(one) => {
                one.additions.extend(counting.additions);
                for limit in counting.limits {
                    if one.limits.iter().all(|known| known.name != limit.name) {
                        one.limits.push(limit);
                    }
                }
            }
        }
    }
    joined
}
