//! Signs in what is narrow: blocks of numbers, addresses, networks, devices and sessions.
//! It refuses to know of countries and services.

use super::case::Case;
use super::found::{Found, Values};
use super::statistics::surprise;
use crate::model::fraud::traffic::{Crowd, DAY, Narrow, Tries, half};

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
        let threshold = crowded(values.get(name), crowding);
        Found::at_least(crowd.unverified() + approved + refused, threshold)
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

/// Many numbers from one address, device or session.
pub fn client_numbers(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    [Narrow::Address, Narrow::Device, Narrow::Session]
        .into_iter()
        .find_map(|kind| crowd_of(case, values, kind))
}

/// Many numbers from one network.
pub fn subnet_numbers(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    crowd_of(case, values, Narrow::Subnet)
}

/// Many numbers of which hardly any was verified; or so many at once, and nobody ever.
fn crowd_of(case: &Case<'_>, values: &Values<'_>, kind: Narrow) -> Option<Found> {
    let tries = case.tries(kind)?;
    let refused = tries.refused(case.now);
    let crowd = case.crowd(kind, DAY);
    let young = case.crowd(kind, HOUR / 6);
    let at_once = tries.good(case.now) < 0.5 && young.unverified() + refused >= values.get("at_once");
    Found::at_least(crowd.unverified() + refused, values.get("numbers"))
        .filter(|_| at_once || (is_odd(case, tries, &crowd, values) && !is_probe(case, tries)))
}

/// Whether so few are verified that chance does not explain it. The more were looked at,
/// the more are odd by chance alone.
fn is_odd(case: &Case<'_>, tries: &Tries, crowd: &Crowd, values: &Values<'_>) -> bool {
    let odds = values.get("odds").ln() + 1.5 * (1.0 + tries.good(case.now)).ln();
    surprise(crowd.ripe, case.conversion * crowd.ripe, crowd.verified) >= odds
}

/// Whether a request may show that it was wrong to refuse: where people did verify before,
/// and nothing was sent for minutes.
fn is_probe(case: &Case<'_>, tries: &Tries) -> bool {
    const EVERY: u32 = 300;
    tries.good(case.now) >= 1.0 && tries.last().is_none_or(|at| case.now.saturating_sub(at) >= EVERY)
}

/// Numbers of several countries from one address or network, of which none was verified.
pub fn client_countries(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    [Narrow::Address, Narrow::Subnet, Narrow::Device, Narrow::Session].into_iter().find_map(|kind| {
        let tries = case.tries(kind)?;
        let own = letters(case);
        let mut open: Vec<[u8; 2]> = Vec::new();
        let mut proven: Vec<[u8; 2]> = Vec::new();
        for one in tries.others(half(case.about.number), case.now, DAY) {
            let list = if one.is_verified { &mut proven } else { &mut open };
            if !list.contains(&one.country) {
                list.push(one.country);
            }
        }
        open.retain(|country| !proven.contains(country));
        if proven.contains(&own) {
            return None;
        }
        if !open.contains(&own) {
            open.push(own);
        }
        // Where many verify, some are from anywhere.
        let allowed = values.get("countries") + values.get("share") * tries.good(case.now);
        let refused = f64::from(u8::from(tries.refused(case.now) >= 1.0));
        Found::at_least(open.len() as f64 + refused, allowed + 1.0)
    })
}

/// More unverified codes to one address within a day than its verified ones allow.
pub fn address_day(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    address(case, values, DAY, 1.0)
}

/// The same within an hour.
pub fn address_hour(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    address(case, values, HOUR, 6.0)
}

fn address(case: &Case<'_>, values: &Values<'_>, seconds: u32, parts: f64) -> Option<Found> {
    let crowd = case.crowd(Narrow::Address, seconds);
    let tries = case.tries(Narrow::Address)?;
    // A count that halves in a day holds 1.44 days of a steady stream.
    let verified = tries.good(case.now) / 1.44;
    let threshold = values.get("least").max(values.get("share") * verified / parts);
    let unverified = (crowd.ripe - crowd.verified).max(0.0) + tries.refused(case.now);
    Found::at_least(unverified, threshold)
        .filter(|_| is_odd(case, tries, &crowd, values) && !is_probe(case, tries))
}

fn letters(case: &Case<'_>) -> [u8; 2] {
    crate::model::fraud::traffic::letters(case.about)
}
