//! What is known of traffic at a moment: what the log comes to. It refuses to know what of
//! it is suspicious.
//!
//! It is bounded: so many cells of each kind (`NUMBERS`, `NARROW`, `WIDE`), in each of them
//! so much, and where there is no room for another, the one that was longest not written to
//! is forgotten. What is forgotten makes signals fewer. With every cell as full as it may be
//! that is about 300 MB; cells take room only as they are needed, and few are full.

mod cause;
mod cells;
mod delays;
mod fading;
mod history;
mod honest;
mod kinds;
mod known;
mod number;
mod tries;

pub use cells::Cells;
pub use delays::Delays;
pub use history::{DAY, Habit, History, Seen, Shares};
pub use kinds::{Narrow, Wide, half, letters};
pub use number::Number;
pub use tries::{Crowd, Tries};

use super::{About, Decision, Entry, Outcome};
use crate::model::counter::Pseudonym;
use cause::Cause;
use history::Event;
use honest::Honest;
use jiff::{SignedDuration, Timestamp};
use kinds::{hash, plain};
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
    /// So far back, before today, it compares what happens with what happened: habits by
    /// four weeks, the best day of a country by two of them.
    pub const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(28 * 24);

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

    /// The same with little room.
    #[cfg(test)]
    pub fn small() -> Self {
        Self::within(1 << 8)
    }

    #[cfg(test)]
    pub fn is_within_bounds(&self) -> bool {
        let narrow = self.narrow.iter().zip(NARROW).all(|(cells, most)| cells.len() <= most >> 8);
        let wide = self.wide.iter().zip(WIDE).all(|(cells, most)| cells.len() <= most >> 8);
        narrow && wide && self.numbers.len() <= NUMBERS >> 8 && self.proven.len() <= NUMBERS >> 8
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
        if decision.outcome == Outcome::Slowed && number.slowed_at == 0 {
            number.slowed_at = at;
        }
        if at.saturating_sub(number.refused_at) < AGAIN {
            return;
        }
        number.refused_at = at;
        if cause.is_own() {
            self.each_narrow(about, |tries| tries.refuse(at));
        }
        for kind in Wide::ALL {
            if let (Some(key), Some(event)) = (kind.key(about), cause.event(kind)) {
                self.wide[kind as usize].entry(key).note(at, event);
            }
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

/// Who tells no address is familiar more seldom.
fn honest_key(about: &About) -> u64 {
    hash(&about.country) ^ u64::from(about.address.is_some())
}

/// Seconds since 1970; what was before is 1970.
pub fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_second().max(0)).unwrap_or(u32::MAX)
}
