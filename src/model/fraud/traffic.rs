//! What is known of traffic at a moment: what the log comes to. It refuses to know what of
//! it is suspicious.
//!
//! It is bounded: so many cells of each kind, in each of them so much, and where there is
//! no room for another, the one that was longest not written to is forgotten. What is
//! forgotten makes signals fewer. At its fullest it takes about 160 MB, as
//! `BOUNDS` has it; a service with a million requests a day fills a part of that.

mod cells;
mod delays;
mod fading;
mod history;
mod number;
mod tries;

pub use cells::Cells;
pub use delays::Delays;
pub use history::{DAY, Habit, History, Seen, Shares};
pub use number::Number;
pub use tries::{Crowd, Tries};

use super::{About, Action, Decision, Entry, Reason};
use crate::model::counter::Pseudonym;
use fading::Mean;
use history::Event;
use jiff::Timestamp;
use tries::Try;

/// What is known of traffic at a moment, within bounds that no traffic exceeds.
#[derive(Debug, Clone)]
pub struct Traffic {
    pub(super) numbers: Cells<Number>,
    /// Numbers that were verified once: those who only ask cannot crowd them out.
    proven: Cells<()>,
    pub(super) narrow: [Cells<Tries>; Narrow::ALL.len()],
    pub(super) wide: [Cells<History>; Wide::ALL.len()],
    pub(super) whole: History,
    verdicts: Cells<Vec<(u32, u32)>>,
    honest: Cells<Honest>,
    pub(super) delays: Delays,
}

/// Something narrow that requests come out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrow {
    /// A hundred consecutive numbers.
    Hundred,
    /// A thousand consecutive numbers.
    Thousand,
    /// An address.
    Address,
    /// The network around it.
    Subnet,
    /// A device, as the application names it.
    Device,
    /// A session of the pages.
    Session,
}

/// Something wide that requests come out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wide {
    /// A range of a numbering plan.
    Range,
    /// A country.
    Country,
    /// A service.
    Service,
    /// A sender.
    Sender,
    /// An API key.
    Key,
    /// A country as one service has it.
    Market,
    /// A range as one service has it.
    Lane,
}

impl Narrow {
    /// Every kind, in the order of [`Traffic`]'s cells.
    pub const ALL: [Self; 6] =
        [Self::Hundred, Self::Thousand, Self::Address, Self::Subnet, Self::Device, Self::Session];

    /// By which key something of the kind is known.
    pub fn key(self, about: &About) -> Option<u64> {
        let name = match self {
            Self::Hundred => Some(about.block100),
            Self::Thousand => Some(about.block1000),
            Self::Address => about.address,
            Self::Subnet => about.subnet,
            Self::Device => about.device,
            Self::Session => about.session,
        };
        name.map(plain)
    }
}

impl Wide {
    /// Every kind, in the order of [`Traffic`]'s cells.
    pub const ALL: [Self; 7] =
        [Self::Range, Self::Country, Self::Service, Self::Sender, Self::Key, Self::Market, Self::Lane];

    /// What it is called.
    pub fn name(self, about: &About) -> Option<&str> {
        match self {
            Self::Range | Self::Lane => Some(&about.range),
            Self::Country | Self::Market => Some(&about.country),
            Self::Service => Some(&about.service),
            Self::Sender => about.sender.as_deref(),
            Self::Key => about.key.as_deref(),
        }
    }

    /// By which key something of the kind is known.
    pub fn key(self, about: &About) -> Option<u64> {
        let name = hash(self.name(about)?);
        match self {
            Self::Market | Self::Lane => Some(name ^ hash(&about.service).rotate_left(1)),
            _ => Some(name),
        }
    }
}

/// The most numbers, and of each kind the most narrow and wide cells.
const NUMBERS: usize = 1 << 18;
const NARROW: [usize; Narrow::ALL.len()] = [1 << 17, 1 << 17, 1 << 17, 1 << 16, 1 << 15, 1 << 15];
const WIDE: [usize; Wide::ALL.len()] = [1 << 13, 1 << 9, 1 << 10, 1 << 10, 1 << 10, 1 << 12, 1 << 13];

/// Verdicts of the provider that are kept of a range.
const VERDICTS: usize = 64;

/// A number that was asked for again within this time was asked for once, in seconds.
const AGAIN: u32 = 3_600;

impl Default for Traffic {
    fn default() -> Self {
        Self::within(1)
    }
}

impl Traffic {
    /// With the bounds divided by this.
    fn within(part: usize) -> Self {
        Self {
            numbers: Cells::new(NUMBERS / part),
            proven: Cells::new(NUMBERS / part),
            narrow: NARROW.map(|most| Cells::new(most / part)),
            wide: WIDE.map(|most| Cells::new(most / part)),
            whole: History::default(),
            verdicts: Cells::new(WIDE[0] / part),
            honest: Cells::new(2 * WIDE[1] / part),
            delays: Delays::default(),
        }
    }

    /// Takes a line of the log. Lines come nearly in order: those of other processes a few
    /// seconds late.
    pub fn record(&mut self, entry: &Entry) {
        match entry {
            Entry::Decision(decision) if decision.outcome.is_sent() => {
                self.sent(&decision.about, seconds(decision.at));
            }
            Entry::Decision(decision) => self.kept_back(decision, seconds(decision.at)),
            Entry::Verified { at, asked_at, about, .. } => {
                self.verified(about, seconds(*asked_at), seconds(*at));
            }
            Entry::Unsent { asked_at, about, .. } => self.unsent(about, seconds(*asked_at)),
            Entry::Verdict { at, about, .. } => self.verdict(about, seconds(*at)),
        }
    }

    /// Forgets what is known of a number. What it added to what is known of ranges and
    /// countries stays there, and is nobody's.
    pub fn forget(&mut self, number: Pseudonym) {
        self.numbers.forget(plain(number));
        self.proven.forget(plain(number));
    }

    fn sent(&mut self, about: &About, at: u32) {
        let number = self.numbers.entry(plain(about.number));
        number.sent(at);
        // A person who asks twice is one person.
        let is_again = number.is_open && at.saturating_sub(number.asked_at) < AGAIN;
        let is_one = !about.is_resend && !is_again;
        if is_one {
            number.is_open = true;
            number.asked_at = at;
            self.each_wide(about, at, Event::Asked);
        }
        let new = Try { number: half(about.number), at, country: letters(about), is_verified: false };
        self.each_narrow(about, |tries| {
            tries.send(at);
            if is_one {
                tries.add(new);
            }
        });
    }

    fn kept_back(&mut self, decision: &Decision, at: u32) {
        let about = &decision.about;
        let Some(cause) = Cause::of(&decision.reasons) else { return };
        let number = self.numbers.entry(plain(about.number));
        if decision.outcome == super::Outcome::Slowed && number.slowed_at == 0 {
            number.slowed_at = at;
        }
        if at.saturating_sub(number.refused_at) < AGAIN {
            return;
        }
        number.refused_at = at;
        match cause {
            Cause::Wide => self.each_wide(about, at, Event::Doubted),
            Cause::Block => self.each_wide(about, at, Event::Refused),
            Cause::Client => {}
        }
        if cause != Cause::Wide {
            self.each_narrow(about, |tries| tries.refuse(at));
        }
    }

    fn verified(&mut self, about: &About, asked_at: u32, at: u32) {
        self.delays.learn(at.saturating_sub(asked_at));
        self.learn_honest(about, at);
        self.proven.entry(plain(about.number));
        let half = half(about.number);
        self.each_narrow(about, |tries| tries.verify(half, at));
        let asked_at = match self.numbers.known(plain(about.number)) {
            Some(number) => {
                number.verified_at = number.verified_at.max(at);
                number.slowed_at = 0;
                // It counted once already.
                if !number.is_open {
                    return;
                }
                number.is_open = false;
                number.asked_at
            }
            None => asked_at,
        };
        self.each_wide(about, asked_at, Event::Verified);
    }

    fn unsent(&mut self, about: &About, asked_at: u32) {
        let Some(number) = self.numbers.known(plain(about.number)) else { return };
        number.unsent(asked_at);
        if !number.is_open || number.asked_at.abs_diff(asked_at) > 1 {
            return;
        }
        number.is_open = false;
        let half = half(about.number);
        self.each_narrow(about, |tries| tries.forget(half));
        self.each_wide(about, asked_at, Event::Unsent);
    }

    fn verdict(&mut self, about: &About, at: u32) {
        let number = self.numbers.entry(plain(about.number));
        number.verdict_at = number.verdict_at.max(at);
        let verdicts = self.verdicts.entry(hash(&about.range));
        verdicts.retain(|one| one.0 != half(about.number));
        if verdicts.len() >= VERDICTS {
            verdicts.remove(0);
        }
        verdicts.push((half(about.number), at));
    }

    fn learn_honest(&mut self, about: &About, at: u32) {
        let half = half(about.number);
        let others = |kind| self.tries(kind, about).map_or(0, |tries| tries.others(half, at, DAY).count());
        let crowding = [Narrow::Hundred, Narrow::Thousand].map(|kind| others(kind) as f64);
        let familiar = f64::from(u8::from(self.is_familiar(about, at)));
        let honest = self.honest.entry(honest_key(about));
        honest.crowding[0].learn(crowding[0]);
        honest.crowding[1].learn(crowding[1]);
        honest.familiar.learn(familiar);
    }

    fn each_narrow(&mut self, about: &About, mut change: impl FnMut(&mut Tries)) {
        for (kind, cells) in Narrow::ALL.into_iter().zip(&mut self.narrow) {
            if let Some(key) = kind.key(about) {
                change(cells.entry(key));
            }
        }
    }

    fn each_wide(&mut self, about: &About, at: u32, event: Event) {
        for (kind, cells) in Wide::ALL.into_iter().zip(&mut self.wide) {
            if let Some(key) = kind.key(about) {
                cells.entry(key).note(at, event);
            }
        }
        self.whole.note(at, event);
    }
}

impl Traffic {
    /// What is known of a request's number.
    pub fn number(&self, about: &About) -> Option<&Number> {
        self.numbers.get(plain(about.number))
    }

    /// Whether its number was verified once.
    pub fn is_proven(&self, about: &About) -> bool {
        self.proven.get(plain(about.number)).is_some()
    }

    /// What is known of something narrow that it comes out of.
    pub fn tries(&self, kind: Narrow, about: &About) -> Option<&Tries> {
        self.narrow[kind as usize].get(kind.key(about)?)
    }

    /// What is known of something wide that it comes out of.
    pub fn history(&self, kind: Wide, about: &About) -> Option<&History> {
        self.wide[kind as usize].get(kind.key(about)?)
    }

    /// Whether anybody has verified who is known by the same number, address, network or
    /// device.
    pub fn is_familiar(&self, about: &About, now: u32) -> bool {
        let is_good = |kind| self.tries(kind, about).is_some_and(|tries: &Tries| tries.good(now) > 0.2);
        self.is_proven(about) || [Narrow::Address, Narrow::Subnet, Narrow::Device].into_iter().any(is_good)
    }

    /// The share of honest people of its country who are familiar already.
    pub fn familiar(&self, about: &About) -> f64 {
        self.honest.get(honest_key(about)).map_or(0.0, |one| one.familiar.value(0.0))
    }

    /// How crowded a block of a hundred and one of a thousand are for honest people of its
    /// country.
    pub fn crowding(&self, about: &About) -> [f64; 2] {
        self.honest.get(honest_key(about)).map_or([0.0; 2], |one| one.crowding.map(|mean| mean.value(0.0)))
    }

    /// How many numbers of its range the provider took for fraud within so many seconds
    /// before the last of them, and when that was.
    pub fn verdicts(&self, about: &About, seconds: u32) -> (usize, u32) {
        let Some(verdicts) = self.verdicts.get(hash(&about.range)) else { return (0, 0) };
        let last = verdicts.iter().map(|one| one.1).max().unwrap_or(0);
        (verdicts.iter().filter(|one| last.saturating_sub(one.1) <= seconds).count(), last)
    }
}

/// What honest people are like: learned of those who verified.
#[derive(Debug, Clone, Default)]
struct Honest {
    /// How many other numbers of their block of a hundred, and of a thousand, were asked
    /// for within a day.
    crowding: [Mean; 2],
    /// Whether something about them was familiar already.
    familiar: Mean,
}

/// For whose sake a request was kept back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// For its block's: whoever is of the same range may be of the same attack.
    Block,
    /// For its number's or its client's.
    Client,
    /// For that of something wide that it is of.
    Wide,
}

impl Cause {
    /// Nothing where no signal asked for it: that a limit was reached says nothing.
    fn of(reasons: &[Reason]) -> Option<Self> {
        let asks = |reason: &&Reason| reason.action.is_some_and(|action| action > Action::Record);
        let mut signals = reasons.iter().filter(asks).peekable();
        signals.peek()?;
        let is_wide = signals.clone().all(|reason| reason.subject.is_some());
        let is_block = signals.any(|reason| reason.rule.starts_with("block_"));
        // What is wide is named, what is narrow is somebody's.
        Some(match (is_block, is_wide) {
            (true, _) => Self::Block,
            (_, true) => Self::Wide,
            _ => Self::Client,
        })
    }
}

/// Who tells no address is familiar more seldom.
fn honest_key(about: &About) -> u64 {
    hash(&about.country) ^ u64::from(about.address.is_some())
}

/// Seconds since 1970; what was before is 1970.
pub fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_second().max(0)).unwrap_or(u32::MAX)
}

/// The key of a pseudonym, which is a hash already.
fn plain(name: Pseudonym) -> u64 {
    u64::from_le_bytes(name.0)
}

/// Half of a pseudonym: enough to tell a few numbers from each other.
pub fn half(name: Pseudonym) -> u32 {
    let [a, b, c, d, ..] = name.0;
    u32::from_le_bytes([a, b, c, d])
}

/// The key of a name (FNV-1a).
fn hash(name: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    name.bytes().fold(0xCBF2_9CE4_8422_2325, mix)
}

/// The two letters of a country.
pub fn letters(about: &About) -> [u8; 2] {
    let mut bytes = about.country.bytes();
    [bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)]
}
