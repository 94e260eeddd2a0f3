//! What a start, a send, an approval and a send that never left add to counters.
//!
//! Each is a list for the commit of what it counts: one addition for each counter, under
//! all limits that count it. It refuses to know whether there is room, which the commit
//! alone decides.

use super::Limiting;
use super::addition::addition_of;
use super::checks;
use super::counters::{CountedFor, number_counter};
use crate::app::admission::AdmissionError;
use crate::app::leases::{Bound, Tickets, Wanted};
use crate::model::counter::Addition;
use crate::model::limits::{Action, Counted, LimitRule, Limits, Subject};
use crate::model::service::Settings;
use crate::model::verification::Send;
use crate::store::{Counting, Limited};
use jiff::Timestamp;

/// What a commit adds for limits: as it is, and what is taken of this process's blocks.
#[derive(Default)]
pub(in crate::app) struct Additions {
    pub(in crate::app) countings: Vec<Counting>,
    pub(in crate::app) tickets: Tickets,
    /// The rules that mark what is one too many and were full, by name.
    pub(in crate::app) flags: Vec<&'static str>,
}

/// What the last send of a verification counts, and what its start counts where that is
/// the first; and what it asks of the number's wrong codes. It counts at the time when it
/// was asked for, so that it can be given back there.
pub(in crate::app) fn asked(
    limiting: &Limiting,
    limits: &Limits,
    settings: &Settings,
    who: &CountedFor<'_>,
) -> Additions {
    let Some(send) = who.sends.last() else { return Additions::default() };
    let at = send.asked_at;
    let mut added = Added { limiting, limits, who, now: at, all: Additions::default() };
    added.add(|rule, of| addition_of(rule, who, of));
    if who.is_of_codes {
        let number = added.counting(number_counter(who.names, who.to));
        checks::ask(number, limits, settings, send.number == 1);
    }
    added.all
}

/// What approval gives back: that it was not proved.
pub(in crate::app) fn proved(
    limiting: &Limiting,
    limits: &Limits,
    who: &CountedFor<'_>,
    now: Timestamp,
) -> Vec<Counting> {
    let added_at = who.began_at;
    let amount = |rule: &LimitRule| u64::from(rule.counted == Counted::Unverified);
    given_back(limiting, limits, who, (&amount, added_at), now)
}

/// What a send gives back that certainly never left: that it was sent, and what it would
/// have cost.
pub(in crate::app) fn unsent(
    limiting: &Limiting,
    limits: &Limits,
    who: &CountedFor<'_>,
    send: &Send,
    now: Timestamp,
) -> Vec<Counting> {
    let amount = |rule: &LimitRule| match rule.counted {
        counted if !who.counts(counted) => 0,
        Counted::Sends => 1,
        Counted::UnaskedCalls => u64::from(send.unasked),
        Counted::FailoverCalls => u64::from(send.is_failover_call()),
        Counted::Money => send.micros,
        Counted::Unverified | Counted::WrongCodes | Counted::Countries => 0,
    };
    given_back(limiting, limits, who, (&amount, send.asked_at), now)
}

fn given_back(
    limiting: &Limiting,
    limits: &Limits,
    who: &CountedFor<'_>,
    (amount, added_at): (&dyn Fn(&LimitRule) -> u64, Timestamp),
    now: Timestamp,
) -> Vec<Counting> {
    let mut added = Added { limiting, limits, who, now, all: Additions::default() };
    added.add(|rule, of| {
        let amount = amount(rule);
        (amount > 0).then_some(Addition::GiveBack { of, amount, added_at })
    });
    added.all.countings
}

/// What is added so far.
struct Added<'a> {
    limiting: &'a Limiting,
    limits: &'a Limits,
    who: &'a CountedFor<'a>,
    now: Timestamp,
    all: Additions,
}

impl Added<'_> {
    /// What is added to a counter so far.
    fn counting(&mut self, counter: String) -> &mut Counting {
        let countings = &mut self.all.countings;
        let found = countings.iter().position(|counting| counting.counter == counter);
        let at = found.unwrap_or_else(|| {
            countings.push(Counting { counter, now: self.now, additions: Vec::new(), limits: Vec::new() });
            countings.len() - 1
        });
        &mut countings[at]
    }

    /// Adds to the counter of each subject what it comes to by each rule, under its word.
    fn add(&mut self, addition: impl Fn(&LimitRule, String) -> Option<Addition>) {
        for rule in self.limits.rules().iter().filter(|rule| !rule.windows.is_empty()) {
            let Some(place) = self.who.counter(rule.subject) else { continue };
            let of = rule.word(&place.part);
            let Some(addition) = addition(rule, of.clone()) else { continue };
            if let Addition::Amount { amount, .. } = addition
                && rule.subject.is_shared()
                && rule.action == Action::Refuse
            {
                let (leases, tickets) = (&self.limiting.leases, &mut self.all.tickets);
                let bounds: Vec<Bound> = rule.bounds().collect();
                let wanted = Wanted { of: &of, bounds: &bounds, amount, at: self.now };
                if leases.take(tickets, &place.counter, wanted, || rule.limits(&place.part)) {
                    continue;
                }
            }
            let is_new = !matches!(addition, Addition::GiveBack { .. });
            let counting = self.counting(place.counter.clone());
            if !counting.additions.contains(&addition) {
                counting.additions.push(addition);
            }
            if rule.subject == Subject::NumberOfService && is_new {
                // A number may have to do with any number of services in its time.
                counting.additions.push(Addition::ForgetOthers);
            }
            counting.limits.extend(rule.limits(&place.part));
        }
    }
}

/// What a limit of ours that refused a commit comes to; nothing where the limit is
/// another's, by its name.
pub(in crate::app) fn refused(limited: &Limited, now: Timestamp) -> Option<AdmissionError> {
    // No bucket of a rate limit has a colon in its name.
    let (_, rest) = limited.reached.limit.split_once(':')?;
    // Where there never is room, as long as its window.
    Some(checks::reached(limited, now, rest.split(':').next()?.parse().ok()?))
}
