//! Signs in clients: addresses, networks, devices and sessions. It refuses to know of ranges
//! and services.

use super::case::Case;
use super::found::{Found, Values};
use super::statistics::surprise;
use crate::model::fraud::traffic::{Crowd, DAY, Narrow, Tries, half, letters};

const HOUR: u32 = 3_600;
const DAYS: u32 = 3 * DAY;
/// Different numbers that there are where many are asked for at once.
const AT_ONCE: f64 = 16.0;

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
    let crowd = case.crowd(kind, DAYS);
    let young = case.crowd(kind, HOUR / 6);
    // What was sent at once is told by its count: not all of it is kept.
    let at_once = tries.good(case.now) < 0.5
        && young.unverified() >= AT_ONCE
        && tries.sends(case.now) >= values.get("at_once");
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

/// Numbers of several countries from one address, network, device or session.
pub fn client_countries(case: &Case<'_>, values: &Values<'_>) -> Option<Found> {
    [Narrow::Address, Narrow::Subnet, Narrow::Device, Narrow::Session].into_iter().find_map(|kind| {
        let tries = case.tries(kind)?;
        let own = letters(case.about);
        let mut open: Vec<[u8; 2]> = Vec::new();
        let mut proven: Vec<[u8; 2]> = Vec::new();
        // Where nobody verifies at all, it is the same client for longer.
        let crowd = case.crowd(kind, DAYS);
        let seconds = if is_odd(case, tries, &crowd, values) { DAYS } else { DAY };
        for one in tries.others(half(case.about.number), case.now, seconds) {
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
