//! Signs in blocks of consecutive numbers. It refuses to know who asks.

use super::case::Case;
use super::found::{Found, Values};
use super::statistics::surprise;
use crate::model::fraud::traffic::{DAY, Narrow};

const HOUR: u32 = 3_600;

/// Many numbers of one block within an hour.
pub fn block_burst(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    let [hundred, thousand] = case.traffic.crowding(case.about);
    let kinds = [(Narrow::Hundred, "hundred", hundred), (Narrow::Thousand, "numbers", thousand)];
    kinds.into_iter().find_map(|(kind, name, crowding)| {
        let crowd = case.crowd(kind, HOUR);
        // Approval does not forgive a crowd: whoever owns the numbers can approve.
        let approved = crowd.verified * values.get("approved");
        let refused = case.tries(kind)?.refused(case.now);
        let fewer = if case.is_range_new() { values.get("fewer") } else { 0.0 };
        let threshold = crowded(values.get(name), crowding) - fewer;
        Found::at_least(crowd.unverified() + approved + refused, threshold.max(2.0))
    })
}

/// Many numbers of one block within a day, of which hardly any was verified.
pub fn block_day(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    let [hundred, thousand] = case.traffic.crowding(case.about);
    let kinds = [(Narrow::Hundred, "hundred", hundred), (Narrow::Thousand, "numbers", thousand)];
    kinds.into_iter().find_map(|(kind, name, crowding)| {
        let crowd = case.crowd(kind, DAY);
        let refused = case.tries(kind)?.refused(case.now);
        let is_odd =
            surprise(crowd.ripe, case.conversion * crowd.ripe, crowd.verified) >= values.get("odds").ln();
        let value = crowd.unverified() + refused;
        Found::at_least(value, crowded(values.get(name), crowding)).filter(|_| is_odd)
    })
}

/// What is a crowd where honest people have so many neighbours: they raise it, though not
/// beyond what three times as many were.
fn crowded(numbers: f64, neighbours: f64) -> f64 {
    numbers + (3.0 * neighbours).min(2.0 * numbers)
}
