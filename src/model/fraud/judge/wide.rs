//! Signs in what is wide: ranges, countries, services, senders and keys. Where one is under
//! attack, not everybody out of it is refused, but who is probably of the attack.

use super::case::{Case, Course};
use super::found::{Found, Values};
use super::statistics::surprise;
use super::suspicion::{evidence, share, suspicion};
use crate::model::fraud::traffic::{Seen, Wide};
use std::cell::OnceCell;

/// All that is wide about a request, looked at when a rule asks, and once for all of them.
#[derive(Default)]
pub struct Sight {
    courses: [OnceCell<Option<Course>>; Wide::ALL.len()],
    evidence: OnceCell<f64>,
}

impl Sight {
    fn course(&self, case: &Case<'_>, kind: Wide) -> Option<&Course> {
        self.courses[kind as usize].get_or_init(|| case.course(kind)).as_ref()
    }

    /// Something where a request out of this is of an attack with this probability.
    fn probable(&self, case: &Case<'_>, course: &Course, least: f64) -> Option<()> {
        let evidence = *self.evidence.get_or_init(|| evidence(case));
        let narrower = [Wide::Market, Wide::Range, Wide::Lane].map(|kind| self.course(case, kind));
        let probability = suspicion(share(course), &narrower, evidence);
        (probability >= least).then_some(())
    }
}

/// Fewer verify than its own history has it, by more than chance.
pub fn conversion(case: &Case<'_>, sight: &Sight, kind: Wide, values: &Values<'_>) -> Option<Found> {
    let course = sight.course(case, kind)?;
    let usual = usual(course, values.get("share"));
    let low = course.windows.iter().find(|seen| {
        seen.ripe + seen.kept_back() >= values.get("least") && is_low(seen, usual, values.get("odds"))
    })?;
    sight.probable(case, course, values.get("suspicion"))?;
    Some(named(case, kind, Found::new(low.verified / (low.ripe + low.kept_back()).max(1.0), usual)))
}

/// What is low for signals that look at counts first.
const LOW: f64 = 0.85;

/// What is low at most: this share of what is usual. What is new has no history of its own,
/// and has to be far below all others.
fn usual(course: &Course, share: f64) -> f64 {
    let known = course.habit.samples / (course.habit.samples + 30.0);
    course.habit.conversion * (share * known + 0.4_f64.min(share) * (1.0 - known))
}

/// Whether chance does not explain that so few verify. What was refused counts as if nobody
/// had verified it: so an attack that goes on and is refused is still one.
fn is_low(seen: &Seen, usual: f64, odds: f64) -> bool {
    let all = seen.ripe + seen.kept_back();
    surprise(all, usual * all, seen.verified) >= odds.ln()
}

/// Many numbers of a range at once, against what it usually has.
pub fn range_burst(case: &Case<'_>, sight: &Sight, values: &Values<'_>) -> Option<Found> {
    let course = sight.course(case, Wide::Range)?;
    let [minutes, ..] = &course.windows;
    // Three times the mean of the day's twenty minutes are usual at noon.
    let usual = 3.0 * course.habit.day / course.habit.conversion / 72.0;
    let value = minutes.asked - minutes.verified + minutes.refused;
    let threshold = values.get("numbers").max(values.get("times") * usual);
    let is_odd = minutes.verified <= 0.4 * course.habit.conversion * minutes.ripe;
    let found = Found::at_least(value, threshold).filter(|_| is_odd)?;
    sight.probable(case, course, values.get("suspicion"))?;
    Some(named(case, Wide::Range, found))
}

/// More unverified codes of a country within a day than its verified ones allow.
pub fn country_day(case: &Case<'_>, sight: &Sight, values: &Values<'_>) -> Option<Found> {
    country(case, sight, values, (|course| &course.windows[2], 1.0))
}

/// The same within an hour.
pub fn country_hour(case: &Case<'_>, sight: &Sight, values: &Values<'_>) -> Option<Found> {
    country(case, sight, values, (|course| &course.hour, 6.0))
}

/// The same within a window, to which one of so many parts of the best day is usual.
fn country(
    case: &Case<'_>,
    sight: &Sight,
    values: &Values<'_>,
    (window, parts): (fn(&Course) -> &Seen, f64),
) -> Option<Found> {
    let course = sight.course(case, Wide::Country)?;
    let (seen, share) = (window(course), values.get("share"));
    let by_day = share * course.habit.most / parts;
    let threshold = values.get("least").max(by_day).max(share * seen.verified);
    let found = Found::at_least(seen.unverified() + seen.refused, threshold)?;
    if !is_low(seen, usual(course, LOW), values.get("odds")) {
        return None;
    }
    sight.probable(case, course, values.get("suspicion"))?;
    Some(named(case, Wide::Country, found))
}

/// What a country lost over a week comes near what it usually has in one.
pub fn country_slow(case: &Case<'_>, sight: &Sight, values: &Values<'_>) -> Option<Found> {
    let course = sight.course(case, Wide::Country)?;
    let week = &course.windows[3];
    // The best week is a little better than is usual.
    let missing = week.ripe - week.verified / (0.92 * course.habit.conversion);
    let day = course.habit.day / course.habit.conversion;
    let found = Found::at_least(missing, values.get("least").max(values.get("days") * day))?;
    if !is_low(week, usual(course, LOW), values.get("odds")) {
        return None;
    }
    // The more is lost, the less is asked of what speaks against a request.
    let pressure = (found.value / found.threshold).sqrt();
    sight.probable(case, course, (values.get("suspicion") / pressure).max(0.65))?;
    Some(named(case, Wide::Country, found))
}

fn named(case: &Case<'_>, kind: Wide, found: Found) -> Found {
    Found { subject: kind.name(case.about).map(str::to_owned), ..found }
}
