//! The limits that refuse, kept in memory, by the counters that the stores keep. Wrong codes
//! are left out: nobody here offers any.

use super::chance::mix;
use dialback::model::counter::{Addition, Counter, Limit, Pseudonym};
use dialback::model::fraud::{About, Entry};
use dialback::model::limits::{Action, Counted, LimitRule, Limits, Subject};
use jiff::Timestamp;
use std::collections::HashMap;

/// Seconds between two looks for what no longer counts.
const TIDIED_EVERY: i64 = 3600;

/// What the limits have counted.
pub struct Counters {
    rules: Vec<Rule>,
    counters: HashMap<(Subject, u64), Counter>,
    tidied_at: i64,
}

/// All that is counted of one subject.
struct Rule {
    subject: Subject,
    counted: Vec<Counted>,
    limits: Vec<Limit>,
}

impl Counters {
    /// Nothing counted yet.
    pub fn new(limits: &Limits) -> Self {
        let mut rules: Vec<Rule> = Vec::new();
        let refuses =
            |rule: &&LimitRule| rule.action == Action::Refuse && rule.counted != Counted::WrongCodes;
        for rule in limits.rules().iter().filter(refuses).filter(|rule| !rule.windows.is_empty()) {
            let known = rules.iter().position(|known| known.subject == rule.subject).unwrap_or_else(|| {
                rules.push(Rule { subject: rule.subject, counted: Vec::new(), limits: Vec::new() });
                rules.len() - 1
            });
            rules[known].counted.push(rule.counted);
            rules[known].limits.extend(rule.limits(""));
        }
        Self { rules, counters: HashMap::new(), tidied_at: 0 }
    }

    /// Counts a request under every limit, or under none: then the rule that has no room,
    /// and when it has.
    pub fn ask(&mut self, about: &About, now: Timestamp) -> Result<(), (String, Option<Timestamp>)> {
        self.tidy(now);
        let mut counted = Vec::with_capacity(self.rules.len());
        for rule in &self.rules {
            let Some(key) = key(rule.subject, about) else { continue };
            let before = self.counters.get(&(rule.subject, key));
            let additions: Vec<Addition> =
                rule.counted.iter().filter_map(|counted| asked(*counted, about)).collect();
            let next = match before {
                Some(before) => before.add(now, &additions, &rule.limits),
                None => Counter::new(String::new()).add(now, &additions, &rule.limits),
            };
            match next {
                Ok(next) => counted.push(((rule.subject, key), next)),
                Err(full) => return Err((LimitRule::name_of(&full.limit).to_owned(), full.passes_at)),
            }
        }
        self.counters.extend(counted);
        Ok(())
    }

    /// Gives back what an approval, and what a send that never left, gives back.
    pub fn record(&mut self, entry: &Entry, now: Timestamp) {
        let (counted, added_at, about) = match entry {
            Entry::Verified { asked_at, about, .. } => (Counted::Unverified, *asked_at, about),
            Entry::Unsent { asked_at, about, .. } => (Counted::Sends, *asked_at, about),
            Entry::Decision(_) | Entry::Verdict { .. } => return,
        };
        for rule in self.rules.iter().filter(|rule| rule.counted.contains(&counted)) {
            let Some(key) = key(rule.subject, about) else { continue };
            let Some(before) = self.counters.get_mut(&(rule.subject, key)) else { continue };
            let back = [Addition::GiveBack { of: counted.word().to_owned(), amount: 1, added_at }];
            if let Ok(next) = before.add(now, &back, &rule.limits) {
                *before = next;
            }
        }
    }

    fn tidy(&mut self, now: Timestamp) {
        if now.as_second() - self.tidied_at >= TIDIED_EVERY {
            self.tidied_at = now.as_second();
            self.counters.retain(|_, counter| counter.ends_at > now);
        }
    }
}

fn asked(counted: Counted, about: &About) -> Option<Addition> {
    let of = counted.word().to_owned();
    match counted {
        Counted::Sends => Some(Addition::Amount { of, amount: 1 }),
        Counted::Unverified => (!about.is_resend).then_some(Addition::Amount { of, amount: 1 }),
        Counted::Countries => {
            let member = Pseudonym(word(&about.country).to_be_bytes());
            (!about.is_resend).then_some(Addition::Member { of, member })
        }
        _ => None,
    }
}

/// What one of a subject is told by; nothing where it is not known.
fn key(subject: Subject, about: &About) -> Option<u64> {
    let of = |name: Pseudonym| u64::from_be_bytes(name.0);
    match subject {
        Subject::Number => Some(of(about.number)),
        Subject::NumberOfService => Some(mix(&[of(about.number), word(&about.service)])),
        Subject::Address => about.address.map(of),
        Subject::Subnet => about.subnet.map(of),
        Subject::Device => about.device.map(of),
        Subject::Key => about.key.as_deref().map(word),
        Subject::Session => about.session.map(of),
        Subject::Range => Some(word(&about.range)),
        Subject::Block100 => Some(of(about.block100)),
        Subject::Block1000 => Some(of(about.block1000)),
        Subject::Country => Some(word(&about.country)),
        Subject::Service => Some(word(&about.service)),
        Subject::Whole => Some(0),
    }
}

fn word(text: &str) -> u64 {
    text.bytes().fold(0, |all, byte| mix(&[all, byte.into()]))
}
