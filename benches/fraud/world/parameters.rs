//! Everything about the world, as its file says it. What each key means stands in
//! `benches/fraud/world.toml`, beside its value.

use super::attack::Attack;
use super::chance::Chance;
use dialback::model::channel::Channel;
use serde::Deserialize;

/// The world.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    pub start: String,
    pub days: u32,
    pub record_days: u32,
    pub seeds: Vec<u64>,
    pub scale: f64,
    pub clock: Clock,
    pub people: People,
    pub networks: Networks,
    pub provider: Provider,
    pub aims: Aims,
    pub brands: Vec<Brand>,
    pub countries: Vec<Country>,
    #[serde(default)]
    pub launches: Vec<Launch>,
    #[serde(default)]
    pub campaigns: Vec<Campaign>,
    #[serde(default)]
    pub crowds: Vec<Crowd>,
    #[serde(default)]
    pub outages: Vec<Outage>,
    pub attacks: Vec<Attack>,
}

/// When people are awake.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    pub hours: [f64; 24],
    pub weekdays: [f64; 7],
}

/// How long something takes: half of all less than the median.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    pub median: f64,
    pub sigma: f64,
}

impl Delay {
    /// One of them, in milliseconds.
    pub fn draw(&self, chance: &mut Chance) -> i64 {
        let seconds = self.median * (self.sigma * chance.normal()).exp();
        (seconds.clamp(1.0, 86_400.0) * 1000.0) as i64
    }
}

/// What honest people do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    pub returning: f64,
    pub customers_days: f64,
    pub verify_delay: Delay,
    pub resend_delay: Delay,
    pub resend_verified: f64,
    pub resend_abandoned: f64,
    pub resend_by_call: f64,
    pub wrong_number: f64,
    pub correct_delay: Delay,
    pub retry: f64,
    pub retry_seconds: u32,
    pub patience_seconds: u32,
    pub voip: f64,
}

/// Behind which addresses people stand.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Networks {
    pub mobile: f64,
    pub mobile_carriers: u64,
    pub mobile_addresses: u64,
    pub office: f64,
    pub office_addresses: u64,
    pub vpn: f64,
    pub vpn_addresses: u64,
    pub ipv6: f64,
    pub home_subnets: u64,
}

/// What the provider does, and how soon its word and that of other processes is known.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub unsent: f64,
    pub verdict_delay: Delay,
    pub stale_seconds: u32,
}

/// What is to be reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aims {
    pub refused: f64,
    pub hindered: f64,
    pub first_refusal: u64,
    pub normal_days: f64,
}

/// One of the services.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    pub name: String,
    pub share: f64,
    pub face: String,
    pub channel: Channel,
    pub key: Option<String>,
    pub sender: Option<String>,
    pub addresses: bool,
    pub devices: bool,
}

/// A country with its people.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Country {
    pub code: String,
    pub offset: i32,
    pub rate: f64,
    pub conversion: f64,
    pub price: f64,
    pub ranges: Vec<Range>,
}

/// What a range begins with, how many digits follow, and its share.
#[derive(Debug, Clone, Deserialize)]
pub struct Range(pub String, pub u32, pub f64);

impl Range {
    /// How many numbers it has.
    pub fn size(&self) -> u64 {
        10_u64.pow(self.1)
    }

    /// One of its numbers, as a number.
    pub fn number(&self, place: u64) -> u64 {
        let first: u64 = self.0.trim_start_matches('+').parse().unwrap_or(0);
        first * self.size() + place % self.size()
    }
}

/// A country where nobody asked before that day.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    pub country: String,
    pub day: u32,
    pub hour: u32,
    pub first_day: f64,
}

/// Hours when there is more traffic.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    pub day: u32,
    pub hour: u32,
    pub hours: u32,
    pub factor: f64,
    pub brand: Option<String>,
}

/// Many people behind one address.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crowd {
    pub country: String,
    pub brand: String,
    pub people: u64,
    pub day: u32,
    pub hour: u32,
    pub hours: u32,
}

/// Hours when messages to some ranges do not arrive.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    pub country: String,
    pub ranges: Vec<String>,
    pub day: u32,
    pub hour: u32,
    pub hours: u32,
    pub conversion: f64,
}

impl World {
    /// The place of a country, by its code.
    pub fn country(&self, code: &str) -> Option<usize> {
        self.countries.iter().position(|country| country.code == code)
    }

    /// The place of a brand, by its name.
    pub fn brand(&self, name: &str) -> Option<usize> {
        self.brands.iter().position(|brand| brand.name == name)
    }
}
