//! What speaks against a request. It refuses to know what follows.

mod blocks;
mod case;
mod clients;
mod found;
mod number;
mod statistics;
mod suspicion;
mod wide;

use super::traffic::{Traffic, Wide, seconds};
use super::{About, SignalSpec};
use case::Case;
use found::{Found, Values};
use jiff::Timestamp;
use wide::Sight;

/// A request, looked at once for every rule.
pub struct Judge<'a> {
    case: Case<'a>,
    sight: Sight,
}

impl<'a> Judge<'a> {
    pub fn new(traffic: &'a Traffic, about: &'a About, now: Timestamp) -> Self {
        let case = Case::new(traffic, about, seconds(now));
        Self { case, sight: Sight::default() }
    }

    /// What a rule finds with its thresholds.
    pub fn find(&self, spec: &'static SignalSpec, values: &[f64]) -> Option<Found> {
        let (case, sight, values) = (&self.case, &self.sight, &Values { spec, values });
        match spec.name {
            "provider_number" => number::provider_number(case, values),
            "provider_range" => number::provider_range(case, values),
            "sim_swap" => number::sim_swap(case, values),
            "pumping_risk" => number::pumping_risk(case, values),
            "number_repeats" => number::number_repeats(case, values),
            "client_repeats" => number::client_repeats(case, values),
            "block_burst" => blocks::block_burst(case, values),
            "block_day" => blocks::block_day(case, values),
            "client_numbers" => clients::client_numbers(case, values),
            "subnet_numbers" => clients::subnet_numbers(case, values),
            "client_countries" => clients::client_countries(case, values),
            "address_hour" => clients::address_hour(case, values),
            "address_day" => clients::address_day(case, values),
            "range_burst" => wide::range_burst(case, sight, values),
            "range_conversion" => wide::conversion(case, sight, Wide::Range, values),
            "country_conversion" => wide::conversion(case, sight, Wide::Country, values),
            "service_conversion" => wide::conversion(case, sight, Wide::Service, values),
            "sender_conversion" => wide::conversion(case, sight, Wide::Sender, values),
            "key_conversion" => wide::conversion(case, sight, Wide::Key, values),
            "country_hour" => wide::country_hour(case, sight, values),
            "country_day" => wide::country_day(case, sight, values),
            "country_slow" => wide::country_slow(case, sight, values),
            _ => {
                debug_assert!(false, "nothing looks for {}", spec.name);
                None
            }
        }
    }

    /// When something ends that holds so many seconds, from its beginning on or from now;
    /// nothing where it is over.
    pub fn until(&self, since: Option<u32>, seconds: u32) -> Option<Timestamp> {
        let end = since.unwrap_or(self.case.now).saturating_add(seconds);
        let is_over = end <= self.case.now;
        if is_over { None } else { Timestamp::from_second(end.into()).ok() }
    }

    /// Since when the request's number has been told to come again later.
    pub fn slowed_since(&self) -> Option<u32> {
        self.case.number().map(|number| number.slowed_at).filter(|at| *at > 0)
    }
}
