//! Authgear's model of fraud, with its action set to deny: what is sent and not verified, by
//! country and by address, against what was verified; and the countries of an address.
//!
//! After `pkg/lib/fraudprotection` of authgear-server at commit fa7a7d55 (21 August 2026):
//! its thresholds with the ratios where nobody says otherwise, its buckets, its set of
//! countries, its exemption for numbers that were verified before, and its cache of five
//! minutes. What a verification took is drained when it is verified, as its flow does at
//! its end. Where a request has no address, its rules of addresses are not asked.

mod bucket;
pub mod verified;

use super::models::{Judged, Model};
use bucket::Bucket;
use dialback::model::counter::Pseudonym;
use dialback::model::fraud::{About, Entry, Outcome};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use verified::Verified;

const DAILY_RATIO: f64 = 0.3;
const HOURLY_RATIO: f64 = 0.2;
const HOURS_PER_DAY: f64 = 6.0;
const COUNTRIES: usize = 3;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// Authgear's model, with what it has seen. Times are in seconds since 1970, as its own.
#[derive(Default)]
pub struct Authgear {
    countries: HashMap<String, Seen>,
    addresses: HashMap<Pseudonym, Address>,
    /// Numbers that somebody verified: they are never denied.
    claims: HashSet<Pseudonym>,
    tidied_at: i64,
}

/// What was seen of a country, or of an address.
#[derive(Default)]
pub struct Seen {
    pub verified: Verified,
    hourly: Bucket,
    daily: Bucket,
}

#[derive(Default)]
struct Address {
    seen: Seen,
    /// When a country was last sent to, and when it was last verified.
    sent: HashMap<String, i64>,
    proved: HashMap<String, i64>,
    used_at: i64,
}

/// How much a bucket may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    pub daily: f64,
    pub hourly: f64,
}

impl Seen {
    pub fn of_country(&mut self, now: i64) -> Thresholds {
        let most = f64::from(self.verified.most_in_a_day(now));
        let (day, hour) = (self.verified.within(DAY, now), self.verified.within(HOUR, now));
        Thresholds {
            daily: 20_f64.max(most * DAILY_RATIO).max(f64::from(day) * DAILY_RATIO),
            hourly: 3_f64.max(most / HOURS_PER_DAY * HOURLY_RATIO).max(f64::from(hour) * HOURLY_RATIO),
        }
    }

    pub fn of_address(&mut self, now: i64) -> Thresholds {
        let day = f64::from(self.verified.within(DAY, now));
        Thresholds {
            daily: 10_f64.max(day * DAILY_RATIO),
            hourly: 5_f64.max(day / HOURS_PER_DAY * HOURLY_RATIO),
        }
    }

    /// Fills both buckets, or drains them: the words of those that are too full.
    fn add(&mut self, now: i64, thresholds: Thresholds, count: f64) -> [bool; 2] {
        [
            self.hourly.add(now, thresholds.hourly, HOUR, count),
            self.daily.add(now, thresholds.daily, DAY, count),
        ]
    }
}

impl Address {
    /// Whether too many countries were sent to within a day that nobody verified from here.
    fn mixes(&mut self, country: &str, now: i64) -> bool {
        self.sent.insert(country.to_owned(), now);
        self.sent.retain(|_, at| *at > now - DAY);
        self.proved.retain(|_, at| *at > now - DAY);
        let unproved = self.sent.keys().filter(|country| !self.proved.contains_key(*country));
        unproved.count() > COUNTRIES
    }
}

impl Authgear {
    fn warning(&mut self, about: &About, now: i64) -> Option<&'static str> {
        let country = self.countries.entry(about.country.clone()).or_default();
        let thresholds = country.of_country(now);
        let [hourly, daily] = country.add(now, thresholds, 1.0);
        let mut fired = vec![("country_hourly", hourly), ("country_daily", daily)];
        if let Some(address) = about.address {
            let address = self.addresses.entry(address).or_default();
            address.used_at = now;
            let thresholds = address.seen.of_address(now);
            let [hourly, daily] = address.seen.add(now, thresholds, 1.0);
            let mixes = address.mixes(&about.country, now);
            fired.extend([
                ("address_hourly", hourly),
                ("address_daily", daily),
                ("address_countries", mixes),
            ]);
        }
        fired.into_iter().find(|(_, fired)| *fired).map(|(name, _)| name)
    }

    fn verified(&mut self, about: &About, sends: u32, now: i64) {
        self.claims.insert(about.number);
        let drained = -f64::from(sends);
        let country = self.countries.entry(about.country.clone()).or_default();
        country.verified.add(now);
        let thresholds = country.of_country(now);
        country.add(now, thresholds, drained);
        let Some(address) = about.address else { return };
        let address = self.addresses.entry(address).or_default();
        address.used_at = now;
        address.seen.verified.add(now);
        address.proved.insert(about.country.clone(), now);
        let thresholds = address.seen.of_address(now);
        address.seen.add(now, thresholds, drained);
    }

    /// Forgets addresses of which nothing counts any more.
    fn tidy(&mut self, now: i64) {
        if now - self.tidied_at > DAY {
            self.tidied_at = now;
            self.addresses.retain(|_, address| address.used_at > now - 2 * DAY);
        }
    }
}

impl Model for Authgear {
    fn judge(&mut self, about: &About, now: Timestamp) -> Judged {
        self.tidy(now.as_second());
        let warning = self.warning(about, now.as_second());
        match warning.filter(|_| !self.claims.contains(&about.number)) {
            None => Judged::taken(),
            Some(rule) => {
                Judged { outcome: Outcome::Refused, code: Some(rule.to_owned()), ..Judged::taken() }
            }
        }
    }

    fn record(&mut self, entry: Entry, now: Timestamp) {
        if let Entry::Verified { about, sends, .. } = entry {
            self.verified(&about, sends, now.as_second());
        }
    }
}
