//! Everything about the hour, as its file says it. What each key means stands in
//! `benches/hour/hour.toml`, beside its value.

use super::chance::Chance;
use dialback::model::channel::Channel;
use dialback::model::limits::LimitChanges;
use jiff::Timestamp;
use serde::Deserialize;

/// The hour.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    pub start: Timestamp,
    pub minutes: u32,
    pub seeds: Vec<u64>,
    pub people_per_minute: f64,
    pub countries: Vec<Country>,
    pub services: Vec<Service>,
    #[serde(default)]
    pub limits: LimitChanges,
    pub people: People,
    pub network: Network,
    #[serde(default)]
    pub carriers: Vec<Carrier>,
    #[serde(default)]
    pub filtered: Vec<Filtered>,
    #[serde(default)]
    pub busy: Vec<Busy>,
    #[serde(default)]
    pub away: Vec<Away>,
    #[serde(default)]
    pub paused: Vec<Span>,
}

/// A country, and its people's numbers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Country {
    pub code: String,
    pub share: f64,
    pub prefix: String,
    pub digits: u32,
    pub whatsapp: f64,
}

/// What people verify for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub name: String,
    pub share: f64,
    pub sender: String,
    pub channels: Vec<Channel>,
}

/// How long something takes: half of all less than the median.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    pub median: f64,
    pub sigma: f64,
    pub most: f64,
}

impl Delay {
    /// One of them, in milliseconds.
    pub fn draw(&self, chance: &mut Chance) -> u64 {
        let seconds = self.median * (self.sigma * chance.normal()).exp();
        (seconds.clamp(0.1, self.most.max(0.1)) * 1000.0) as u64
    }
}

/// What people do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    pub answers_calls: f64,
    pub picks_up: Delay,
    pub listens_seconds: u64,
    pub types: Delay,
    pub asks_again: f64,
    pub patience: Delay,
    pub by_call: f64,
    pub begins_anew: f64,
    pub begins_anew_seconds: u64,
    pub mistypes: f64,
}

/// What becomes of messages and of what is told of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    pub arrives: Delay,
    pub receipt: Delay,
    pub gives_up: Delay,
    pub receipts_lost: f64,
    pub receipts_repeated: f64,
}

/// When something is so: from this minute of the hour on, for so many.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    pub from: f64,
    pub minutes: f64,
}

impl Span {
    /// Whether it is so in that millisecond of the hour.
    pub fn holds(&self, ms: u64) -> bool {
        (self.begins()..self.ends()).contains(&ms)
    }

    /// Its first millisecond of the hour.
    pub fn begins(&self) -> u64 {
        (self.from * 60_000.0) as u64
    }

    /// The first millisecond of the hour after it.
    pub fn ends(&self) -> u64 {
        ((self.from + self.minutes) * 60_000.0) as u64
    }
}

/// A country whose carriers give texts up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carrier {
    pub country: String,
    pub share: f64,
    pub codes: Vec<u32>,
    pub from: f64,
    pub minutes: f64,
}

/// A service whose sender's texts are filtered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filtered {
    pub service: String,
    pub share: f64,
    pub code: u32,
    pub from: f64,
    pub minutes: f64,
}

/// A service whose account is busy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Busy {
    pub service: String,
    pub share: f64,
    pub from: f64,
    pub minutes: f64,
}

/// When nobody is there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Away {
    pub unanswered: f64,
    pub from: f64,
    pub minutes: f64,
}

impl Carrier {
    /// When it is so.
    pub fn span(&self) -> Span {
        Span { from: self.from, minutes: self.minutes }
    }
}

impl Filtered {
    /// When it is so.
    pub fn span(&self) -> Span {
        Span { from: self.from, minutes: self.minutes }
    }
}

impl Busy {
    /// When it is so.
    pub fn span(&self) -> Span {
        Span { from: self.from, minutes: self.minutes }
    }
}

impl Away {
    /// When it is so.
    pub fn span(&self) -> Span {
        Span { from: self.from, minutes: self.minutes }
    }
}

impl World {
    /// The same hour with nothing that goes wrong; slow, it may be still.
    pub fn healthy(mut self) -> Self {
        self.carriers.clear();
        self.filtered.clear();
        self.busy.clear();
        self.away.clear();
        self.paused.clear();
        (self.network.receipts_lost, self.network.receipts_repeated) = (0.0, 0.0);
        self
    }

    /// What cannot be, each with its key.
    pub fn mistakes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut must = |is_so: bool, what: String| {
            if !is_so {
                wrong.push(what);
            }
        };
        must((1..=1440).contains(&self.minutes), "minutes: 1 to 1440".to_owned());
        must(!self.seeds.is_empty(), "seeds: one at least".to_owned());
        must((0.0..=600.0).contains(&self.people_per_minute), "people_per_minute: 0 to 600".to_owned());
        must(!self.countries.is_empty(), "countries: one at least".to_owned());
        must(!self.services.is_empty(), "services: one at least".to_owned());
        for (name, share) in self.shares() {
            must((0.0..=1.0).contains(&share), format!("{name}: a share is from 0 to 1"));
        }
        for country in &self.countries {
            let is_long = (2..=10).contains(&country.digits);
            must(is_long, format!("countries, {}: digits is 2 to 10", country.code));
        }
        for service in &self.services {
            let has = !service.channels.is_empty();
            must(has, format!("services, {}: channels has one at least", service.name));
        }
        for carrier in &self.carriers {
            let is_known = self.countries.iter().any(|country| country.code == carrier.country);
            must(is_known, format!("carriers: {} is none of the countries", carrier.country));
            must(!carrier.codes.is_empty(), format!("carriers, {}: codes has one at least", carrier.country));
        }
        let named = self.filtered.iter().map(|one| ("filtered", &one.service));
        for (key, name) in named.chain(self.busy.iter().map(|one| ("busy", &one.service))) {
            let is_known = self.services.iter().any(|service| service.name == *name);
            must(is_known, format!("{key}: {name} is none of the services"));
        }
        wrong.extend(self.limits.mistakes().into_iter().map(|(key, what)| format!("limits.{key}: {what}")));
        wrong
    }

    fn shares(&self) -> Vec<(String, f64)> {
        let people = &self.people;
        let mut shares = vec![
            ("people.answers_calls".to_owned(), people.answers_calls),
            ("people.asks_again".to_owned(), people.asks_again),
            ("people.by_call".to_owned(), people.by_call),
            ("people.begins_anew".to_owned(), people.begins_anew),
            ("people.mistypes".to_owned(), people.mistypes),
            ("network.receipts_lost".to_owned(), self.network.receipts_lost),
            ("network.receipts_repeated".to_owned(), self.network.receipts_repeated),
        ];
        shares.extend(self.countries.iter().flat_map(|one| {
            let name = |key: &str| format!("countries, {}: {key}", one.code);
            [(name("share"), one.share), (name("whatsapp"), one.whatsapp)]
        }));
        shares.extend(self.services.iter().map(|one| (format!("services, {}", one.name), one.share)));
        shares.extend(self.carriers.iter().map(|one| (format!("carriers, {}", one.country), one.share)));
        shares.extend(self.filtered.iter().map(|one| (format!("filtered, {}", one.service), one.share)));
        shares.extend(self.busy.iter().map(|one| (format!("busy, {}", one.service), one.share)));
        shares.extend(self.away.iter().map(|one| ("away.unanswered".to_owned(), one.unanswered)));
        shares
    }
}
