//! What a provider tells of numbers: asked for, remembered for a while, and for so many
//! numbers a day. It refuses to know what follows.
//!
//! A number that passed all rules is asked about before its code is sent, so nobody pays
//! for what they refuse. Where nobody can say, the request goes on without: what is told
//! only ever tightens.

use crate::app::base::Base;
use crate::app::fraud::about::of_number;
use crate::gateway::lookups::{LookupError, Lookups};
use crate::model::counter::{Addition, Limit, Pseudonym};
use crate::model::lookup::{LineType, LookedUp, LookupField, LookupSettings};
use crate::model::phone::{Line, PhoneNumber};
use crate::model::pseudonym::Pseudonyms;
use crate::store::{Commit, CountedError, Counting};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Of how many numbers something is remembered.
const MOST: usize = 20_000;
/// How long nobody is asked where nobody could say: each request would wait for it. A
/// number that took too long is not asked about again for as long.
const PAUSE: Duration = Duration::from_secs(30);
/// How many numbers in a row take too long until it is not for them.
const SLOW_IN_A_ROW: u32 = 3;
/// How long is remembered what may be otherwise at any moment: as long as a code lives.
const MINUTES: Duration = Duration::from_secs(600);
/// How often what is over is taken away.
const SWEEP: Duration = Duration::from_secs(60);
const DAY: u32 = 86_400;
/// The word of the limit of a day.
const ASKED: &str = "lookups";

/// Who is asked about numbers, and what was told.
pub struct NumberLookup {
    provider: Lookups,
    names: Pseudonyms,
    settings: LookupSettings,
    state: Mutex<State>,
}

/// Whoever has it asks.
type Turn = tokio::sync::Mutex<()>;

#[derive(Default)]
struct State {
    /// By the names of numbers.
    told: HashMap<Pseudonym, Told>,
    /// Of whom somebody asks now; gone with the last who waits.
    turns: HashMap<Pseudonym, Weak<Turn>>,
    /// Until when nobody is asked.
    paused_until: Option<Instant>,
    /// How many numbers in a row took too long.
    slow: u32,
    /// How often a number was forgotten: an answer that is under way then is not kept.
    forgotten: u64,
    swept_at: Option<Instant>,
}

/// What is known of a number, each until when. Who did not answer in time knows nothing.
#[derive(Clone, Copy, Default)]
struct Told {
    line_type: Option<(Instant, Option<LineType>)>,
    rest: Option<(Instant, LookedUp)>,
}

impl Told {
    fn line_type(&self) -> Option<Option<LineType>> {
        still(self.line_type)
    }

    fn rest(&self) -> Option<LookedUp> {
        still(self.rest)
    }
}

/// What is known until then, unless that is over.
fn still<T>(known: Option<(Instant, T)>) -> Option<T> {
    known.filter(|(until, _)| *until > Instant::now()).map(|(_, known)| known)
}

/// Whether a field may be otherwise at any moment.
fn is_short_lived(field: LookupField) -> bool {
    field != LookupField::LineType
}

impl NumberLookup {
    /// Asks a provider as these settings say.
    pub fn new(provider: Lookups, names: Pseudonyms, settings: LookupSettings) -> Self {
        Self { provider, names, settings, state: Mutex::default() }
    }

    /// What is known of a number.
    pub(in crate::app) fn known(&self, name: Pseudonym) -> Option<LookedUp> {
        let told = self.told(name);
        let (line_type, rest) = (told.line_type(), told.rest());
        let known = LookedUp { line_type: line_type.flatten(), ..rest.unwrap_or(LookedUp::NOTHING) };
        (line_type.is_some() || rest.is_some()).then_some(known)
    }

    /// What sort of telephone a number leads to, as far as that was told.
    pub(in crate::app) fn line_of(&self, number: &PhoneNumber) -> Line {
        self.known(of_number(&self.names, number)).map_or(Line::Unknown, |known| known.line())
    }

    /// Whether it is to be asked about.
    pub(in crate::app) fn is_wanted(&self, name: Pseudonym) -> bool {
        let is_paused = self.state().paused_until.is_some_and(|until| Instant::now() < until);
        !is_paused && !self.unknown(name).is_empty()
    }

    /// Asks about a number, unless so many were asked about today; what is known then. Who
    /// comes while somebody else asks waits for that answer, and pays for no other.
    pub(in crate::app) async fn ask(
        &self,
        base: &Base,
        name: Pseudonym,
        number: &PhoneNumber,
    ) -> Option<LookedUp> {
        let turn = self.state().turn(name);
        let _turn = turn.lock().await;
        if !self.is_wanted(name) {
            return self.known(name);
        }
        let fields = self.unknown(name);
        let now = base.now();
        if let Err(error) = self.count(base, Addition::Amount { of: ASKED.to_owned(), amount: 1 }, now).await
        {
            match error {
                CountedError::Limited(limited) => {
                    tracing::warn!(most = self.settings.most_per_day, until = ?limited.reached.passes_at, "no number is looked up any more today: see lookup.most_per_day");
                }
                CountedError::Commit(error) => tracing::warn!(%error, "a number is not looked up"),
            }
            self.pause();
            return self.known(name);
        }
        let forgotten = self.state().forgotten;
        let told = match self.provider.ask(number, &fields, now).await {
            Ok(told) => {
                self.state().slow = 0;
                told
            }
            Err(LookupError::Unknown(status)) => {
                tracing::debug!(status, "a number is not known to the provider");
                LookedUp::NOTHING
            }
            Err(error) => {
                self.could_not(base, (&error, name), now).await;
                return self.known(name);
            }
        };
        let mut state = self.state();
        if state.forgotten == forgotten {
            let keep = |span: Duration| Instant::now() + span;
            let one = state.told.entry(name).or_default();
            if fields.contains(&LookupField::LineType) {
                one.line_type = Some((keep(self.settings.remembered), told.line_type));
            }
            if fields.iter().copied().any(is_short_lived) {
                one.rest = Some((keep(MINUTES), told));
            }
            state.sweep();
        }
        drop(state);
        let line_type = self.known(name).map_or(told.line_type, |known| known.line_type);
        Some(LookedUp { line_type, ..told })
    }

    /// Forgets what was told of a number.
    pub(in crate::app) fn forget(&self, name: Pseudonym) {
        let mut state = self.state();
        state.told.remove(&name);
        state.forgotten += 1;
    }

    /// Nobody could say: not now, or not of this number. What was not told is given back.
    async fn could_not(&self, base: &Base, (error, name): (&LookupError, Pseudonym), at: Timestamp) {
        let back = Addition::GiveBack { of: ASKED.to_owned(), amount: 1, added_at: at };
        if let Err(error) = self.count(base, back, base.now()).await {
            tracing::debug!(%error, "a look-up is not given back");
        }
        {
            let mut state = self.state();
            let is_slow = matches!(error, LookupError::Slow(_));
            state.slow += u32::from(is_slow);
            if is_slow && state.slow < SLOW_IN_A_ROW {
                let until = Instant::now() + PAUSE;
                let one = state.told.entry(name).or_default();
                one.line_type.get_or_insert((until, None));
                one.rest = Some((until, LookedUp::NOTHING));
                state.sweep();
                tracing::debug!(%error, "a number is not looked up in time");
                return;
            }
            state.slow = 0;
        }
        let seconds = PAUSE.as_secs();
        tracing::warn!(%error, seconds, "numbers cannot be looked up; codes are sent without");
        self.pause();
    }

    /// Counts one more of a day, or one less, for all processes.
    async fn count(&self, base: &Base, addition: Addition, now: Timestamp) -> Result<(), CountedError> {
        let counting = Counting {
            counter: self.names.of(ASKED, ""),
            now,
            additions: vec![addition],
            limits: vec![Limit::new(ASKED, ASKED, DAY, self.settings.most_per_day)],
        };
        base.store().commit_counted(Commit { changes: Vec::new(), additions: vec![counting] }).await
    }

    /// What is not known of a number and is configured.
    fn unknown(&self, name: Pseudonym) -> Vec<LookupField> {
        let told = self.told(name);
        let is_unknown = |field: &LookupField| match is_short_lived(*field) {
            true => told.rest().is_none(),
            false => told.line_type().is_none(),
        };
        self.settings.fields.iter().copied().filter(is_unknown).collect()
    }

    fn told(&self, name: Pseudonym) -> Told {
        self.state().told.get(&name).copied().unwrap_or_default()
    }

    fn pause(&self) {
        self.state().paused_until = Some(Instant::now() + PAUSE);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is ever half-changed under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The turn to ask about a number: one at a time has it.
    fn turn(&mut self, name: Pseudonym) -> Arc<Turn> {
        let known = self.turns.get(&name).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let turn = Arc::new(Turn::default());
            self.turns.insert(name, Arc::downgrade(&turn));
            turn
        })
    }

    /// Takes away what is over, now and then; where there is too much all the same, all.
    fn sweep(&mut self) {
        let now = Instant::now();
        let is_full = self.told.len() > MOST;
        if !is_full && self.swept_at.is_some_and(|at| now.duration_since(at) < SWEEP) {
            return;
        }
        self.swept_at = Some(now);
        self.turns.retain(|_, turn| turn.strong_count() > 0);
        self.told.retain(|_, told| told.line_type().is_some() || told.rest().is_some());
        if self.told.len() > MOST {
            self.told.clear();
        }
    }
}
