//! What codes that are offered count for their number, and what a number refuses that has
//! had too many wrong ones.
//!
//! Wrong codes are counted for the number, over all services and faces. A number that is
//! locked gets no new verification and no send, and no check beyond the first five of a
//! verification. These five are each verification's own: they are set aside when it
//! begins and never refused, so that nobody locks out who has begun already (ASVS 6.1.1).
//! What is set aside and what was wrong within a day are by default never more than a
//! hundred together: as many as lock a number where that is more, and any number where
//! nothing locks it or no limit of its sends refuses.
//!
//! With `psd2` five wrong codes in a row, over all verifications, block the number's
//! payments for a while: starts, sends and checks (RTS (EU) 2018/389, Art. 4(3)(b)).
//!
//! It refuses to know how codes are compared, and how a refusal is told.

use super::counters::number_counter;
use crate::app::admission::AdmissionError;
use crate::app::admission::request::seconds_between;
use crate::model::counter::{Addition, Backoff, Counter, Limit};
use crate::model::limits::{Action, Counted, LimitRule, Limits, Subject};
use crate::model::pseudonym::Pseudonyms;
use crate::model::service::Settings;
use crate::model::verification::{Status, Verification};
use crate::store::{Counting, Limited};
use jiff::{SignedDuration, Timestamp};

/// The checks that are a verification's own, whatever else happens to its number.
pub(in crate::app) const OWN: u32 = 5;
/// The rule that makes a number wait, as `[limits]` names it.
pub(in crate::app) const LOCK: &str = "number_lock_after";
/// The rule that blocks payments.
pub(in crate::app) const BLOCK: &str = "psd2_block";

/// Wrong codes, in a row and within the windows of their rules.
const WRONG: &str = "wrong_codes";
/// Codes that were set aside, and that were wrong within a day.
const CODES: &str = "codes";
/// Wrong codes for payments, in a row.
const PAYMENT: &str = "payment_codes";

/// Seconds of a day: the longest wait of a lock.
const DAY: u32 = 86_400;
/// For how long wrong codes in a row are remembered since the last of them.
const REMEMBERED: u32 = 90 * DAY;
/// So many codes of a number may be set aside and wrong within a day, or as many as lock it
/// where these are more.
const MOST_IN_A_DAY: u64 = 100;
/// After so many wrong codes in a row a payment is blocked.
const MOST_FOR_PAYMENTS: u64 = 5;

/// What a start or a send asks of its number's wrong codes, and what a start sets aside.
pub(in crate::app) fn ask(counting: &mut Counting, limits: &Limits, settings: &Settings, begins: bool) {
    let room = |of: &str| Addition::Room { of: of.to_owned() };
    counting.additions.push(room(WRONG));
    counting.limits.extend(of_wrong(limits));
    if begins && is_bounded(limits) {
        counting.additions.push(Addition::Amount { of: CODES.to_owned(), amount: OWN.into() });
        counting.limits.extend(of_codes(limits));
    }
    if settings.psd2 {
        counting.additions.push(room(PAYMENT));
        counting.limits.push(of_payments(settings));
    }
}

/// Whether codes are set aside: where anybody may send a number any amount, no day has a
/// bound that could be kept.
fn is_bounded(limits: &Limits) -> bool {
    limits.of(Subject::Number, Counted::Sends).any(|rule| rule.action == Action::Refuse)
}

/// What a verification that has become another counts for its number.
pub(in crate::app) fn checked(
    names: &Pseudonyms,
    limits: &Limits,
    settings: &Settings,
    (old, new): (&Verification, &Verification),
    now: Timestamp,
) -> Option<Counting> {
    let (additions, is_tracked) = additions(old, new, (settings.psd2, is_bounded(limits)));
    if additions.is_empty() {
        return None;
    }
    let mut all: Vec<Limit> = of_wrong(limits).chain(of_codes(limits)).collect();
    if is_tracked {
        all = all.into_iter().map(Limit::tracked).collect();
    }
    if settings.psd2 {
        all.push(of_payments(settings));
    }
    Some(Counting { counter: number_counter(names, &new.to), now, additions, limits: all })
}

/// What is added, and whether no limit of wrong codes may refuse it: it is the verification's
/// own, or has room that was asked for before.
fn additions(
    old: &Verification,
    new: &Verification,
    (is_payment, is_set_aside): (bool, bool),
) -> (Vec<Addition>, bool) {
    let mut all = Vec::new();
    let mut add = |addition: fn(String) -> Addition, of: &str| all.push(addition(of.to_owned()));
    // One that the provider is asked about asks for room before that, and counts afterwards.
    let is_begun = new.open_checks.iter().any(|open| !old.open_checks.contains(open));
    let is_checked = new.settled_checks() > old.settled_checks();
    let is_asking = is_begun || is_checked && new.open_checks.len() == old.open_checks.len();
    let is_approved = new.status == Status::Approved && old.status != Status::Approved;
    let is_own = !is_asking && !is_checked || new.checks <= OWN;
    if is_asking && !is_own {
        add(|of| Addition::Room { of }, WRONG);
        add(|of| Addition::Room { of }, CODES);
    }
    if is_asking && is_payment {
        add(|of| Addition::Room { of }, PAYMENT);
    }
    if is_approved {
        add(|of| Addition::Success { of }, WRONG);
        if is_payment {
            add(|of| Addition::Success { of }, PAYMENT);
        }
    } else if is_checked {
        add(|of| Addition::Failure { of }, WRONG);
        add(|of| Addition::Amount { of, amount: 1 }, WRONG);
        add(|of| Addition::Amount { of, amount: 1 }, CODES);
        if is_payment {
            add(|of| Addition::Failure { of }, PAYMENT);
        }
    }
    // What was set aside is spent by a check, and left over at the end.
    let is_wrong = is_checked && !is_approved;
    let was_pending = old.status == Status::Pending;
    let spent = u64::from(is_wrong && is_own && was_pending);
    let left = match was_pending && new.status != Status::Pending {
        true => u64::from(OWN.saturating_sub(old.settled_checks())).saturating_sub(spent),
        false => 0,
    };
    if spent + left > 0 && is_set_aside {
        let (of, added_at) = (CODES.to_owned(), new.created_at);
        all.push(Addition::GiveBack { of, amount: spent + left, added_at });
    }
    (all, is_own || !is_asking)
}

/// What a limit of a number's wrong codes that refused a commit comes to: where there never
/// is room, as long as any wait.
pub(in crate::app) fn locked(limited: &Limited, now: Timestamp) -> AdmissionError {
    reached(limited, now, DAY.into())
}

/// What a limit of ours that refused a commit comes to; where there never is room it is so
/// many seconds until the next try.
pub(in crate::app) fn reached(limited: &Limited, now: Timestamp, never: i64) -> AdmissionError {
    let never = || now.checked_add(SignedDuration::from_secs(never)).unwrap_or(Timestamp::MAX);
    let retry_at = limited.reached.passes_at.unwrap_or_else(never);
    AdmissionError::LimitReached {
        rule: LimitRule::name_of(&limited.reached.limit).to_owned(),
        retry_at,
        seconds: seconds_between(now, retry_at),
    }
}

/// The limits of wrong codes of a number: within a time, and in a row.
fn of_wrong(limits: &Limits) -> impl Iterator<Item = Limit> {
    let windows: Vec<Limit> =
        limits.of(Subject::Number, Counted::WrongCodes).flat_map(|rule| rule.limits("")).collect();
    windows.into_iter().chain(lock(limits))
}

/// The limit of wrong codes in a row; nothing where a number never locks.
fn lock(limits: &Limits) -> Option<Limit> {
    let backoff = Backoff { first_seconds: 60, longest_seconds: DAY, anew: false };
    locks(limits).map(|after| Limit::new(format!("{LOCK}:{DAY}"), WRONG, REMEMBERED, after).streak(backoff))
}

/// How many wrong codes in a row a limit of a number takes, by its name, and from when on
/// one that they have filled has room again: of a block of payments that is not known here,
/// for its length is the service's.
pub(in crate::app) fn in_a_row(
    limits: &Limits,
    counter: &Counter,
    name: &str,
    now: Timestamp,
) -> (u64, Option<Timestamp>) {
    if LimitRule::name_of(name) == BLOCK {
        return (MOST_FOR_PAYMENTS, None);
    }
    let room = [Addition::Room { of: WRONG.to_owned() }];
    let full = lock(limits).and_then(|lock| counter.add(now, &room, &[lock]).err());
    (limits.lock_after().into(), full.and_then(|full| full.passes_at))
}

/// The limit of codes that are set aside and were wrong within a day.
fn of_codes(limits: &Limits) -> impl Iterator<Item = Limit> {
    let most = locks(limits).map(|after| after.max(MOST_IN_A_DAY));
    most.map(|most| Limit::new(format!("{LOCK}:{DAY}:day"), CODES, DAY, most).exact()).into_iter()
}

/// After how many wrong codes a number locks; nothing where it never does.
fn locks(limits: &Limits) -> Option<u64> {
    Some(u64::from(limits.lock_after())).filter(|after| *after > 0)
}

fn of_payments(settings: &Settings) -> Limit {
    let seconds = settings.psd2_block_seconds;
    let backoff = Backoff { first_seconds: seconds, longest_seconds: seconds, anew: true };
    Limit::new(format!("{BLOCK}:{DAY}"), PAYMENT, DAY, MOST_FOR_PAYMENTS).streak(backoff)
}
