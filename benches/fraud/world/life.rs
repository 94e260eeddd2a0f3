//! A model lives through the stream: what it refuses is not sent, and whoever was refused
//! does what they do then.

use super::attackers::{self, Message};
use super::chance::Chance;
use super::honest::{Guest, Next};
use super::models::{Judged, Model};
use super::parameters::World;
use super::tally::{Attacked, Burst, Tally};
use super::visits::{Stream, Visit};
use dialback::model::fraud::{About, Decision, DecisionId, Entry, Outcome};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Entries of a page of the log.
const PAGE: u64 = 256;
/// How soon it is known that a send never left, in milliseconds.
const UNSENT_AFTER: i64 = 2000;
/// What the provider says where it takes a message for fraud.
const VERDICT: u32 = 30450;

/// What a model makes of the stream.
pub fn live(world: &World, stream: &Stream, seed: u64, model: &mut dyn Model) -> Tally {
    let attacks = world.attacks.iter();
    let attacks = attacks.map(|attack| Attacked {
        phases: vec![Burst::default(); attack.phases.len()],
        ..Attacked::default()
    });
    let tally = Tally { attacks: attacks.collect(), ..Tally::default() };
    let mut life = Life { world, stream, seed, model, tally, due: BinaryHeap::new(), serial: 0 };
    let mut visits = stream.visits.iter().peekable();
    let mut messages = stream.messages.iter().peekable();
    loop {
        let due = life.due.peek().map(|Reverse(due)| due.at);
        let visit = visits.peek().map(|visit| visit.at);
        let message = messages.peek().map(|message| message.at);
        let Some(next) = [due, visit, message].into_iter().flatten().min() else { return life.tally };
        if due == Some(next) {
            life.happen();
        } else if visit == Some(next) {
            visits.next().into_iter().for_each(|visit| life.come(visit));
        } else {
            messages.next().into_iter().for_each(|message| life.attack(message));
        }
    }
}

struct Life<'a> {
    world: &'a World,
    stream: &'a Stream,
    seed: u64,
    model: &'a mut dyn Model,
    tally: Tally,
    due: BinaryHeap<Reverse<Due<'a>>>,
    serial: u64,
}

/// What happens at a time.
struct Due<'a> {
    at: i64,
    serial: u64,
    what: What<'a>,
}

enum What<'a> {
    Ask(Box<Here<'a>>),
    Verify(Box<Here<'a>>),
    Entry(Box<Entry>),
}

/// An honest person who is here.
struct Here<'a> {
    visit: &'a Visit,
    guest: Guest,
    begun: Option<(Timestamp, DecisionId)>,
    sends: u32,
}

impl PartialEq for Due<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due<'_> {}

impl PartialOrd for Due<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

impl<'a> Life<'a> {
    fn later(&mut self, at: i64, what: What<'a>) {
        // What nobody lives to see.
        if at < self.stream.end {
            self.serial += 1;
            self.due.push(Reverse(Due { at, serial: self.serial, what }));
        }
    }

    fn happen(&mut self) {
        let Some(Reverse(due)) = self.due.pop() else { return };
        match due.what {
            What::Ask(here) => self.ask(here, due.at),
            What::Verify(here) => self.verify(*here, due.at),
            What::Entry(entry) => self.record(*entry, due.at),
        }
    }

    fn come(&mut self, visit: &'a Visit) {
        let guest = Guest::new(self.world, self.stream, visit);
        self.ask(Box::new(Here { visit, guest, begun: None, sends: 0 }), visit.at);
    }

    /// An honest person asks for a code.
    fn ask(&mut self, mut here: Box<Here<'a>>, at: i64) {
        let (world, now) = (self.world, time(at));
        if !here.guest.about.is_resend {
            (here.begun, here.sends) = (None, 0);
        }
        let (judged, id) = self.decide(&here.guest.about, at);
        let refused_by = judged.code.as_deref().filter(|_| !judged.outcome.is_sent());
        if at >= self.stream.refusing {
            self.tally.honest(here.visit, &here.guest.about.country, refused_by);
        }
        let next = if judged.outcome.is_sent() {
            here.begun.get_or_insert((now, id));
            here.sends += 1;
            if here.guest.is_unsent(world) {
                let about = Box::new(here.guest.about.clone());
                let (at, known) = (at + UNSENT_AFTER, time(at + UNSENT_AFTER));
                self.later(at, What::Entry(Box::new(Entry::Unsent { at: known, asked_at: now, about })));
                here.guest.again(world)
            } else {
                here.guest.sent(world)
            }
        } else {
            let wait = judged.until.map(|until| until.as_millisecond() - at);
            here.guest.refused(world, wait)
        };
        match next {
            Next::Ask(after) => self.later(at + after, What::Ask(here)),
            Next::Verify(after) => self.later(at + after, What::Verify(here)),
            Next::Leave => {}
        }
    }

    /// An honest person offers the right code.
    fn verify(&mut self, here: Here<'a>, at: i64) {
        let Some((asked_at, decision)) = here.begun else { return };
        self.tally.honest.verified += u64::from(at >= self.stream.refusing);
        let about = Box::new(here.guest.about);
        self.record(Entry::Verified { at: time(at), asked_at, sends: here.sends, decision, about }, at);
    }

    /// An attacker asks for a code.
    fn attack(&mut self, message: &Message) {
        let (attack, phase) = (usize::from(message.attack), usize::from(message.phase));
        let about = attackers::about(self.world, message);
        let (judged, decision) = self.decide(&about, message.at);
        let refused_by = judged.code.as_deref().filter(|_| !judged.outcome.is_sent());
        let of = &self.world.attacks[attack];
        let mut chance = Chance::of(&[self.seed, message.seed, message.place, b'z'.into()]);
        let is_seen = chance.happens(of.verdicts);
        if message.at >= self.stream.refusing {
            self.tally.attacker((attack, phase), if is_seen { 0 } else { about.micros }, refused_by);
        }
        if !judged.outcome.is_sent() {
            return;
        }
        let about = Box::new(about);
        if is_seen {
            let at = message.at + self.world.provider.verdict_delay.draw(&mut chance);
            self.later(at, What::Entry(Box::new(Entry::Verdict { at: time(at), code: VERDICT, about })));
        } else if chance.happens(of.phases[phase].verifies) {
            let delay = of.verify_delay.unwrap_or(self.world.people.verify_delay);
            let (at, asked_at) = (message.at + delay.draw(&mut chance), time(message.at));
            let verified = Entry::Verified { at: time(at), asked_at, sends: 1, decision, about };
            self.later(at, What::Entry(Box::new(verified)));
        }
    }

    /// The model decides, and is told what was decided.
    fn decide(&mut self, about: &About, at: i64) -> (Judged, DecisionId) {
        let now = time(at);
        let number = self.tally.decisions;
        self.tally.decisions += 1;
        let id = DecisionId(format!("{:x}-{}", number / PAGE, number % PAGE));
        let begun = Instant::now();
        let mut judged = self.model.judge(about, now);
        self.tally.took += begun.elapsed();
        if at < self.stream.refusing {
            let outcome = if judged.reasons.is_empty() { Outcome::Taken } else { Outcome::Flagged };
            judged = Judged { outcome, reasons: judged.reasons, ..Judged::taken() };
        }
        let Judged { outcome, code, until, reasons } = judged.clone();
        let (id_of, about) = (id.clone(), about.clone());
        let decision =
            Decision { id: id_of, at: now, about, outcome, code, until, reasons, verification: None };
        self.record(Entry::Decision(Box::new(decision)), at);
        (judged, id)
    }

    fn record(&mut self, entry: Entry, at: i64) {
        let begun = Instant::now();
        self.model.record(entry, time(at));
        self.tally.took += begun.elapsed();
    }
}

fn time(at: i64) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or_default()
}
