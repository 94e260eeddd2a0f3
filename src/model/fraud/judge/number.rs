//! Signs in one number, and in one client that repeats.

use super::case::Case;
use super::found::{Found, Values};
use crate::model::fraud::traffic::{DAY, Narrow};

const HOUR: u32 = 3_600;

/// The provider took the number for fraud.
pub fn provider_number(case: &Case<'_>, _: &Values<'_>) -> Option<Found> {
    let at = case.number()?.verdict_at;
    (at > 0).then(|| Found { since: Some(at), ..Found::new(1.0, 1.0) })
}

/// It took several numbers of the range for fraud.
pub fn provider_range(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    let minutes = values.get("minutes") as u32;
    let (count, last) = case.traffic.verdicts(case.about, 60 * minutes);
    let subject = Some(case.about.range.clone());
    let found = Found::at_least(count as f64, values.get("numbers"))?;
    Some(Found { subject, since: Some(last), ..found })
}

/// Its SIM was changed lately: whoever has it may be another.
pub fn sim_swap(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    let ago = f64::from(case.about.looked_up?.swapped_hours?);
    let hours = values.get("hours");
    (ago < hours).then(|| Found::new(ago, hours))
}

/// Texts to it are probably pumped, as its provider's other customers have found.
pub fn pumping_risk(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    Found::at_least(f64::from(case.about.looked_up?.risk?), values.get("score"))
}

/// One number is sent codes again and again, and nobody verifies.
pub fn number_repeats(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    let number = case.number()?;
    let hour = || Found::at_least(number.unverified_sends(case.now, HOUR), values.get("hour"));
    let day = || Found::at_least(number.unverified_sends(case.now, DAY), values.get("day"));
    let all = || Found::at_least(number.day_sends(case.now), values.get("all"));
    hour().or_else(day).or_else(all)
}

/// One client asks for codes for the same few numbers again and again.
pub fn client_repeats(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    [Narrow::Address, Narrow::Device, Narrow::Session].into_iter().find_map(|kind| {
        let tries = case.tries(kind)?;
        let sends = tries.sends(case.now).ceil();
        let numbers = tries.open();
        let many =
            || Found::at_least(sends, values.get("sends")).filter(|_| sends >= values.get("each") * numbers);
        // Behind an address there may be others, and people retry; but not where nobody
        // ever verified.
        let is_one = tries.good(case.now) < 0.1 && !case.traffic.is_proven(case.about);
        let few =
            || Found::at_least(sends, values.get("device")).filter(|_| sends > numbers && numbers >= 2.0);
        many().or_else(|| few().filter(|_| is_one))
    })
}
