//! Small traffic, told in a line: people who verify, and people who do not.

use crate::model::channel::Channel;
use crate::model::counter::Pseudonym;
use crate::model::fraud::{
    About, Action, Decision, DecisionId, Entry, FraudPolicy, Outcome, Reason, Signal, Traffic,
};
use jiff::Timestamp;

/// A Monday at noon, in seconds since 1970.
pub const NOON: i64 = 1_772_452_800;
pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 86_400;

/// Traffic with a policy that refuses.
pub struct Scene {
    pub policy: FraudPolicy,
    pub traffic: Traffic,
}

/// A request: of a number of a country, from an address.
pub fn about(number: u64, address: u64) -> About {
    About {
        number: name(1, number),
        block100: name(2, number / 100),
        block1000: name(3, number / 1000),
        range: "+4479".to_owned(),
        country: "GB".to_owned(),
        is_voip: false,
        looked_up: None,
        address: Some(name(4, address)),
        subnet: Some(name(5, address / 256)),
        device: None,
        session: None,
        key: Some("key".to_owned()),
        service: "shop".to_owned(),
        sender: None,
        channel: Channel::Sms,
        face: "api".to_owned(),
        is_resend: false,
        micros: 40_000,
    }
}

/// A number of its own block, and an address of its own network.
pub fn stranger(place: u64) -> About {
    about(7_000_000_000 + place * 1_003, 1_000_000 + place * 300)
}

pub fn of_country(country: &str, range: &str, about: About) -> About {
    About { country: country.to_owned(), range: range.to_owned(), ..about }
}

pub fn time(at: i64) -> Timestamp {
    Timestamp::from_second(at).unwrap()
}

impl Scene {
    pub fn new() -> Self {
        Self { policy: FraudPolicy::default().with_action(Action::Refuse), traffic: Traffic::default() }
    }

    /// Two weeks of honest people, so many a day, of whom four in five verify.
    pub fn usual(a_day: u64) -> Self {
        let mut scene = Self::new();
        for place in 0..14 * a_day {
            let at = NOON - 14 * DAY - HOUR + (place as i64 * DAY) / a_day as i64;
            let about = about(5_000_000_000 + place * 977, 50_000_000 + (place % (3 * a_day)) * 200);
            scene.send(&about, at);
            if place % 5 != 0 {
                scene.verify(&about, at, at + 30);
            }
        }
        scene
    }

    pub fn judge(&self, about: &About, at: i64) -> Vec<Signal> {
        self.policy.judge(&self.traffic, about, time(at))
    }

    pub fn names(&self, about: &About, at: i64) -> Vec<&'static str> {
        self.judge(about, at).iter().map(|signal| signal.name).collect()
    }

    pub fn send(&mut self, about: &About, at: i64) {
        self.decide(about, at, Outcome::Taken, Vec::new());
    }

    pub fn decide(&mut self, about: &About, at: i64, outcome: Outcome, reasons: Vec<Reason>) {
        self.traffic.record(&decision(about, at, outcome, reasons));
    }

    pub fn verify(&mut self, about: &About, asked_at: i64, at: i64) {
        self.traffic.record(&verified(about, asked_at, at));
    }

    /// Judges and records what comes of it, as the program does; whether it was sent.
    pub fn ask(&mut self, about: &About, at: i64) -> bool {
        let signals = self.judge(about, at);
        let is_sent = signals.iter().all(|signal| signal.action == Action::Record);
        let outcome = if is_sent { Outcome::Taken } else { Outcome::Refused };
        self.decide(about, at, outcome, signals.iter().map(Reason::from).collect());
        is_sent
    }

    /// So many requests, one each so many seconds; how many of them are sent.
    pub fn attack(&mut self, count: u64, from: i64, each: i64, of: impl Fn(u64) -> About) -> u64 {
        (0..count).filter(|place| self.ask(&of(*place), from + *place as i64 * each)).count() as u64
    }
}

pub fn decision(about: &About, at: i64, outcome: Outcome, reasons: Vec<Reason>) -> Entry {
    Entry::Decision(Box::new(Decision {
        id: DecisionId(String::new()),
        at: time(at),
        about: about.clone(),
        outcome,
        code: None,
        until: None,
        reasons,
        verification: None,
    }))
}

pub fn verified(about: &About, asked_at: i64, at: i64) -> Entry {
    let decision = DecisionId(String::new());
    let about = Box::new(about.clone());
    Entry::Verified { at: time(at), asked_at: time(asked_at), sends: 1, decision, about }
}

fn name(kind: u64, value: u64) -> Pseudonym {
    let mixed = (value ^ (kind << 56)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    Pseudonym((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9).to_le_bytes())
}
