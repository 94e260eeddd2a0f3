//! Another policy over recorded traffic: what would have been otherwise.
//!
//! Each recorded request is judged by the policy in force and by the one to be tried, and
//! each goes by a traffic of its own ([`world`]): where a policy refuses, nothing was sent, and no
//! code came back. What lists, limits and other rules refused stays refused, whatever
//! signals say. It refuses to know where lines come from and how it is shown.

mod change;
#[cfg(test)]
mod tests;
mod world;

pub use change::{Change, Differences, Example};
pub use world::Policies;

use self::world::{Judged, World};
use super::waiting::Waiting;
use super::{Decision, Entry, Traffic, is_by_signals};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What another policy would have made of a stretch of the log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "FraudReplay")]
pub struct Replayed {
    /// From when on.
    pub since: Timestamp,
    /// Until when, that time not included.
    pub until: Timestamp,
    /// All requests for codes of this time, sent or not.
    pub requests: u64,
    /// Verifications whose code came back.
    pub verified: u64,
    /// Requests that both policies send.
    pub sent_by_both: u64,
    /// Requests that both policies refuse, slow down, ask a proof of, or shadow block, each
    /// in the same way.
    pub held_by_both: u64,
    /// The same, each in its own way.
    pub held_otherwise: u64,
    /// Requests that lists, limits and other rules refused: they stay refused by both.
    pub refused_by_others: u64,
    /// Requests that the policy in force sends, and the other one does not.
    pub now_refused: Change,
    /// Requests that the other one sends, and the policy in force does not.
    pub no_longer_refused: Change,
    /// The same by the rule that asks for it.
    pub rules: BTreeMap<String, Differences>,
    /// The same by country.
    pub countries: BTreeMap<String, Differences>,
    /// The first requests that differ.
    pub examples: Vec<Example>,
    /// How many that differ could not be followed for a whole day, for there were too many.
    pub not_followed: u64,
}

/// How long before the stretch lines are read, so that signals know what is usual as a process
/// does that has run for long.
pub const RUN_UP: SignedDuration = Traffic::LOOKS_BACK;

/// Requests that differ and are told one by one.
const MOST_EXAMPLES: usize = 10;

/// Which way a request differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    NowRefused,
    NoLongerRefused,
}

/// A request that differs, until it is known whether its number is proved.
#[derive(Debug)]
struct Differs {
    way: Way,
    rules: Vec<&'static str>,
    country: String,
    example: Option<usize>,
}

/// A replay under way.
#[derive(Debug)]
pub struct Replay {
    current: World,
    candidate: World,
    waiting: Waiting<Differs>,
    so_far: Replayed,
}

impl Replay {
    /// Nothing yet of a stretch of time.
    pub fn new(current: Policies, candidate: Policies, since: Timestamp, until: Timestamp) -> Self {
        let so_far = Replayed {
            since,
            until,
            requests: 0,
            verified: 0,
            sent_by_both: 0,
            held_by_both: 0,
            held_otherwise: 0,
            refused_by_others: 0,
            now_refused: Change::default(),
            no_longer_refused: Change::default(),
            rules: BTreeMap::new(),
            countries: BTreeMap::new(),
            examples: Vec::new(),
            not_followed: 0,
        };
        let (current, candidate) = (World::new(current), World::new(candidate));
        Self { current, candidate, waiting: Waiting::new(Waiting::<()>::MOST), so_far }
    }

    /// Takes a line of the log. Lines come nearly in order, from [`RUN_UP`] before the
    /// stretch on, and up to a day after it: what was proved then was asked for in it.
    pub fn take(&mut self, entry: &Entry) {
        let is_before = entry.at() < self.so_far.since;
        match entry {
            _ if is_before => {
                self.current.learn(entry);
                self.candidate.learn(entry);
            }
            Entry::Decision(decision) if decision.at < self.so_far.until => self.decided(decision),
            Entry::Decision(_) => {}
            followed => {
                self.current.follow(followed);
                self.candidate.follow(followed);
                if let Entry::Verified { at, asked_at, about, .. } = followed {
                    let is_within = *asked_at >= self.so_far.since && *asked_at < self.so_far.until;
                    self.so_far.verified += u64::from(is_within);
                    self.proved(about.number, *at);
                }
            }
        }
    }

    /// What it came to.
    pub fn done(self) -> Replayed {
        Replayed { not_followed: self.waiting.crowded_out, ..self.so_far }
    }

    fn decided(&mut self, decision: &Decision) {
        self.so_far.requests += 1;
        let (current, candidate) = (self.current.decide(decision), self.candidate.decide(decision));
        if !decision.outcome.is_sent() && !is_by_signals(decision) {
            self.so_far.refused_by_others += 1;
            return;
        }
        let (way, held) = match (current.outcome.is_sent(), candidate.outcome.is_sent()) {
            (true, true) => return self.so_far.sent_by_both += 1,
            (false, false) if current.outcome == candidate.outcome => {
                return self.so_far.held_by_both += 1;
            }
            (false, false) => return self.so_far.held_otherwise += 1,
            (true, false) => (Way::NowRefused, &candidate),
            (false, true) => (Way::NoLongerRefused, &current),
        };
        self.differs(decision, way, held.rules.clone(), (&current, &candidate));
    }

    fn differs(
        &mut self,
        decision: &Decision,
        way: Way,
        rules: Vec<&'static str>,
        (current, candidate): (&Judged, &Judged),
    ) {
        let is_known = decision.outcome.is_sent();
        let (country, micros) = (decision.about.country.clone(), decision.about.micros);
        self.each(way, &rules, &country, |change| {
            change.requests += 1;
            change.unknown += u64::from(!is_known);
            change.micros = change.micros.saturating_add(micros);
        });
        let example = (self.so_far.examples.len() < MOST_EXAMPLES).then(|| {
            self.so_far.examples.push(Example::of(decision, current.outcome, candidate.outcome, &rules));
            self.so_far.examples.len() - 1
        });
        let differs = Differs { way, rules, country, example };
        self.waiting.hold(decision.about.number, decision.at, differs);
    }

    /// A number was proved: each way in which a request of it differs is told once.
    fn proved(&mut self, number: crate::model::counter::Pseudonym, at: Timestamp) {
        let differ: Vec<Differs> = self.waiting.take(number, at).collect();
        for way in [Way::NowRefused, Way::NoLongerRefused] {
            let mut rules: Vec<&'static str> = Vec::new();
            let mut country = None;
            for differs in differ.iter().filter(|differs| differs.way == way) {
                rules.extend(&differs.rules);
                country.get_or_insert(&differs.country);
                if let Some(example) = differs.example.and_then(|at| self.so_far.examples.get_mut(at)) {
                    example.verified = true;
                }
            }
            rules.sort_unstable();
            rules.dedup();
            if let Some(country) = country {
                self.each(way, &rules, country, |change| change.verified += 1);
            }
        }
    }

    /// Changes what is counted of all that differ in a way, of some rules and of a country.
    fn each(&mut self, way: Way, rules: &[&str], country: &str, change: impl Fn(&mut Change)) {
        change(match way {
            Way::NowRefused => &mut self.so_far.now_refused,
            Way::NoLongerRefused => &mut self.so_far.no_longer_refused,
        });
        let of = |differences: &mut Differences| {
            change(match way {
                Way::NowRefused => &mut differences.now_refused,
                Way::NoLongerRefused => &mut differences.no_longer_refused,
            });
        };
        for rule in rules {
            of(self.so_far.rules.entry((*rule).to_owned()).or_default());
        }
        of(self.so_far.countries.entry(country.to_owned()).or_default());
    }
}
