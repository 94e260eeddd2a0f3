//! What the hour came to under one policy: figures, counted from what the far side has and
//! from the records' reasons.

use super::life::{Lived, Story};
use super::parameters::World;
use super::people::Person;
use super::policy::Policy;
use super::wire::Made;
use dialback::model::channel::Channel;
use dialback::model::id::{DeliveryId, VerificationId};
use dialback::model::price::Prices;
use dialback::model::verification::{Send, Verification};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Within how many seconds a person is to be reached.
pub const WITHIN: [u64; 3] = [30, 60, 120];

/// The figures of one policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    pub policy: Policy,
    pub people: usize,
    /// How many were reached within each of [`WITHIN`], and at all.
    pub reached: [usize; 4],
    pub approved: usize,
    pub verifications: usize,
    /// Texts, messages on WhatsApp and calls that came to be.
    pub made: [usize; 3],
    /// By the price table, in millionths of a dollar.
    pub micros: u64,
    /// What must not be, each in words.
    pub wrong: Wrong,
    pub refused: BTreeMap<String, usize>,
}

/// What must not be: of each the cases.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wrong {
    /// Messages and calls that came to be when the code was dead.
    pub after_death: Vec<String>,
    /// Those that came to be though nobody asked and nothing was written that led to them.
    pub without_reason: Vec<String>,
    /// Limits that were exceeded.
    pub exceeded: Vec<String>,
}

impl Wrong {
    /// Everything that must not be.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.after_death.iter().chain(&self.without_reason).chain(&self.exceeded)
    }
}

impl Tally {
    /// Counts what became of everybody.
    pub fn of(world: &World, people: &[Person], lived: Lived) -> Self {
        let within = |seconds: u64| reached(&lived.stories, |ms| ms <= seconds * 1000);
        let prices = Prices::default();
        let countries: BTreeMap<&str, &str> = people
            .iter()
            .map(|person| (person.number.as_str(), world.countries[person.country].code.as_str()))
            .collect();
        let cost = |made: &Made| {
            prices.of_send(countries.get(made.number.as_str()).copied().unwrap_or_default(), made.channel)
        };
        let of = |channel: Channel| lived.made.iter().filter(|made| made.channel == channel).count();
        Self {
            policy: lived.policy,
            people: people.len(),
            reached: [
                within(WITHIN[0]),
                within(WITHIN[1]),
                within(WITHIN[2]),
                reached(&lived.stories, |_| true),
            ],
            approved: lived.stories.iter().filter(|story| story.approved).count(),
            verifications: lived.records.len(),
            made: [of(Channel::Sms), of(Channel::Whatsapp), of(Channel::Call)],
            micros: lived.made.iter().map(cost).sum(),
            wrong: wrong(&lived, &countries),
            refused: lived.refused,
        }
    }

    /// All that came to be.
    pub fn messages(&self) -> usize {
        self.made.iter().sum()
    }
}

fn reached(stories: &[Story], is_so: impl Fn(u64) -> bool) -> usize {
    stories.iter().filter(|story| story.reached.is_some_and(&is_so)).count()
}

fn wrong(lived: &Lived, countries: &BTreeMap<&str, &str>) -> Wrong {
    let records: BTreeMap<&VerificationId, &Verification> =
        lived.records.iter().map(|record| (&record.id, record)).collect();
    let asked: BTreeMap<&VerificationId, usize> =
        lived.stories.iter().flat_map(|story| story.begun.iter().map(|(id, asked)| (id, *asked))).collect();
    let mut wrong = Wrong::default();
    for made in &lived.made {
        let id = made.delivery.of_verification().map(|(id, _)| id);
        match id.and_then(|id| records.get(&id)) {
            Some(record) => wrong.after_death.extend(after_death(made, record)),
            None => wrong.without_reason.push(format!("{} of no verification", made.delivery)),
        }
    }
    for record in &lived.records {
        let asked = asked.get(&record.id).copied().unwrap_or(0);
        wrong.without_reason.extend(without_reason(record, asked, &lived.made));
    }
    wrong.exceeded = exceeded(lived, countries);
    wrong
}

fn after_death(made: &Made, record: &Verification) -> Option<String> {
    let died = record.ended_at.unwrap_or(record.expires_at).min(record.expires_at);
    let status = record.status;
    (made.at > died).then(|| format!("{} at {}, {status} at {died}", made.delivery, made.at))
}

/// What came to be for a verification though nothing led to it: a send that neither
/// follows another nor was asked for, and one send that was made twice though its tries
/// have come to nothing that would explain it.
fn without_reason(record: &Verification, asked: usize, made: &[Made]) -> Vec<String> {
    let mut wrong = Vec::new();
    let unled = record.sends.iter().skip(1).filter(|send| send.follows.is_none()).count();
    if unled > asked {
        wrong.push(format!("{}: {unled} further sends that follow none, {asked} were asked for", record.id));
    }
    let of = |id: &DeliveryId| made.iter().filter(|made| made.delivery == *id).count();
    let is_explained = |send: &Send| send.attempts.made > 1 && !send.attempts.failures.is_empty();
    for send in &record.sends {
        let (id, count) = (record.delivery_id(send.number), of(&record.delivery_id(send.number)));
        if count > 1 && !is_explained(send) {
            wrong.push(format!("{id}: made {count} times"));
        }
    }
    wrong
}

/// Which limits were exceeded, counted anew from what came to be.
fn exceeded(lived: &Lived, countries: &BTreeMap<&str, &str>) -> Vec<String> {
    let sends = lived.records.iter().flat_map(|record| record.sends.iter().map(move |send| (record, send)));
    let sends: Vec<(&Verification, &Send)> = sends.collect();
    let number = |record: &Verification| record.to.in_full().to_owned();
    let country =
        |record: &Verification| countries.get(record.to.in_full()).copied().unwrap_or_default().to_owned();
    let all: Vec<(String, Timestamp)> =
        lived.made.iter().map(|made| (made.number.clone(), made.at)).collect();
    let calls =
        |is_so: fn(&Send) -> bool, whose: &dyn Fn(&Verification) -> String| -> Vec<(String, Timestamp)> {
            let calls = sends.iter().filter(|(_, send)| send.channel == Channel::Call && is_so(send));
            calls.map(|(record, send)| (whose(record), send.asked_at)).collect()
        };
    let follows = calls(|send| send.follows.is_some() && send.sid.is_some(), &number);
    let unasked = calls(|send| send.unasked && send.sid.is_some(), &country);
    let mut wrong = Vec::new();
    for (name, counted) in
        [("number_sends", all), ("number_failover_calls", follows), ("country_calls", unasked)]
    {
        let bounds = lived.limits.rule(name).into_iter().flat_map(|rule| rule.bounds());
        for (seconds, most) in bounds {
            wrong.extend(over(&counted, seconds, most).into_iter().map(|who| format!("{name} of {who}")));
        }
    }
    let most = usize::from(dialback::model::policy::Policy::default().max_sends);
    let many = lived.records.iter().filter(|record| record.sends.len() > most);
    wrong.extend(many.map(|record| format!("max_sends of {}", record.id)));
    wrong
}

/// Whose count is larger than that within some window of so many seconds. Numbers are
/// shown by their last digits.
fn over(counted: &[(String, Timestamp)], seconds: u32, most: u64) -> Vec<String> {
    let mut by_whom: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (whose, at) in counted {
        by_whom.entry(whose).or_default().push(at.as_millisecond());
    }
    let span = i64::from(seconds) * 1000;
    let mut over = Vec::new();
    for (whose, mut times) in by_whom {
        times.sort_unstable();
        let within = |first: &i64| times.iter().filter(|at| (*first..first + span).contains(at)).count();
        if times.iter().any(|first| within(first) as u64 > most) {
            over.push(format!("…{}", &whose[whose.len().saturating_sub(2)..]));
        }
    }
    over
}
