//! How probable it is that a request is of an attack, where something wide that it comes
//! out of is under one: by everything narrower that it comes out of. It refuses to know
//! what follows.

use super::case::{Case, Course};
use super::statistics::{odds, probability};
use crate::model::fraud::traffic::{DAY, Narrow, Number, Seen};

/// The share of codes that somebody verifies whose numbers are all made up, or their own.
const ATTACK: f64 = 0.1;

/// What a number weighs that was verified once.
const PROVEN: f64 = -5.0;

/// The share of what is asked for now that is an attack's, as the whole of a window has
/// it: what is missing of the verified, and what was refused. What long windows say stands
/// for so many requests in the shorter ones.
pub fn share(course: &Course) -> f64 {
    let [minutes, hours, day, week] = &course.windows;
    let part = |seen: &Seen, days: f64, weight: f64, other: f64| part(course, seen, days, (weight, other));
    let weekly = part(&unrefused(week), 7.0, 3.0, 0.0);
    let daily = part(&unrefused(day), 1.0, 3.0, weekly);
    let hourly = part(hours, 0.0, 3.0, daily);
    part(minutes, 0.0, 5.0, hourly).max(hourly.min(daily))
}

/// The share of an attack in a window: of what is missing and what was refused, beside
/// honest people as those who verified tell them, or as so many days have them. So many
/// requests stand for another share.
fn part(course: &Course, seen: &Seen, days: f64, (weight, other): (f64, f64)) -> f64 {
    // Some days are quieter.
    const QUIET: f64 = 0.7;
    let usual = course.habit.conversion;
    let honest = (seen.verified / usual).min(seen.ripe);
    let attack = seen.ripe - honest + seen.kept_back();
    let honest = honest.max(QUIET * days * course.habit.day / usual);
    ((attack + weight * other) / (attack + honest + weight)).clamp(0.0, 1.0)
}

fn unrefused(seen: &Seen) -> Seen {
    Seen { refused: 0.0, doubted: 0.0, ..*seen }
}

/// How probable it is that a request is of an attack, where so large a share is an attack's
/// of what is asked for in something wide; where more is known of the narrower that the
/// request is also of, the widest first, that stands instead.
pub fn suspicion(share: f64, narrower: &[Option<&Course>], evidence: f64) -> f64 {
    let narrowed = narrower.iter().flatten().fold(share, |share, course| share_within(course, share));
    probability(odds(narrowed) + evidence)
}

/// What everything narrow about a request weighs together: the logarithm by which it
/// changes the odds.
pub fn evidence(case: &Case<'_>) -> f64 {
    let proven = if case.traffic.is_proven(case.about) { PROVEN } else { tried(case) };
    let blocks = strongest([Narrow::Hundred, Narrow::Thousand].map(|kind| weight(case, kind)));
    let clients =
        [Narrow::Address, Narrow::Subnet, Narrow::Device, Narrow::Session].map(|kind| weight(case, kind));
    proven + blocks + strongest(clients) + strangeness(case)
}

/// What it weighs that the number itself was asked for before, and nobody verified.
fn tried(case: &Case<'_>) -> f64 {
    let is_old = |number: &&Number| number.is_open && case.now.saturating_sub(number.asked_at) > 3_600;
    if case.number().filter(is_old).is_some() { 1.0 } else { 0.0 }
}

/// What it weighs that nothing about a request is familiar: much where nearly all honest
/// people are.
fn strangeness(case: &Case<'_>) -> f64 {
    if case.traffic.is_familiar(case.about, case.now) {
        return 0.0;
    }
    -(1.0 - case.traffic.familiar(case.about).min(0.95)).ln()
}

/// The share of an attack in a part of something: what its last tries say, and where there
/// are few of them what the whole's do.
fn share_within(course: &Course, share: f64) -> f64 {
    let [minutes, hours, day, _] = &course.windows;
    let daily = part(course, day, 1.0, (1.0, share));
    let hourly = part(course, hours, 0.0, (3.0, daily));
    part(course, minutes, 0.0, (5.0, hourly))
}

/// What the last tries out of something narrow say: for each that somebody verified, and
/// each that nobody did.
fn weight(case: &Case<'_>, kind: Narrow) -> f64 {
    let Some(tries) = case.tries(kind) else { return 0.0 };
    // Behind an address and in a block there may be others too.
    let trust = if matches!(kind, Narrow::Device | Narrow::Session) { 4.0 } else { 3.0 };
    let crowd = case.crowd(kind, 3 * DAY);
    let usual = case.conversion;
    let against = ((1.0 - ATTACK) / (1.0 - usual)).ln().max(0.3);
    let speaks_for = (ATTACK / usual).ln().min(-0.3);
    let refused = tries.refused(case.now).min(3.0);
    let open = (crowd.ripe - crowd.verified).max(0.0) + refused;
    (open * against + crowd.verified * speaks_for - (1.0 + tries.good(case.now)).ln() * 0.5)
        .clamp(-trust, 5.0)
}

/// The one that says most, for or against: they are not each other's witnesses.
fn strongest<const N: usize>(weights: [f64; N]) -> f64 {
    weights.into_iter().fold(0.0, |most: f64, one| if one.abs() > most.abs() { one } else { most })
}
