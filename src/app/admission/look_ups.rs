//! What a provider tells of numbers: asked for once, remembered for a while, and for so
//! many numbers a day. It refuses to know what follows.
//!
//! A number that passed all rules is asked about before its code is sent, so nobody pays
//! for what is refused. Where nobody can say, the request goes on without: what is told
//! only ever tightens.

use crate::app::base::Base;
use crate::gateway::lookups::{LookupError, Lookups};
use crate::model::counter::{Addition, Limit, Pseudonym};
use crate::model::lookup::LookedUp;
use crate::model::phone::PhoneNumber;
use crate::model::pseudonym::Pseudonyms;
use crate::store::{Commit, CountedError, Counting};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Of how many numbers something is remembered; beyond them those of the first half of
/// their time are, and else none.
const MOST: usize = 20_000;
/// How long nobody is asked where nobody could say: each request would wait for it.
const PAUSE: Duration = Duration::from_secs(30);
const DAY: u32 = 86_400;

/// Who is asked about numbers, and what was told.
pub struct LookUps {
    provider: Lookups,
    names: Pseudonyms,
    remembered: Duration,
    most_per_day: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By the names of numbers; nothing where nobody knows the number.
    told: HashMap<Pseudonym, (Instant, Option<LookedUp>)>,
    /// Until when nobody is asked.
    paused_until: Option<Instant>,
}

impl LookUps {
    /// Asks a provider, and remembers its answers, about so many numbers a day.
    pub fn new(provider: Lookups, names: Pseudonyms, remembered: Duration, most_per_day: u64) -> Self {
        Self { provider, names, remembered, most_per_day, state: Mutex::default() }
    }

    /// What is known of a number.
    pub(in crate::app) fn known(&self, name: Pseudonym) -> Option<LookedUp> {
        self.remembered(name)?
    }

    /// Whether it is to be asked about.
    pub(in crate::app) fn is_wanted(&self, name: Pseudonym) -> bool {
        let is_paused = self.state().paused_until.is_some_and(|until| Instant::now() < until);
        !is_paused && self.remembered(name).is_none()
    }

    /// Asks about a number, unless so many were asked about today.
    pub(in crate::app) async fn ask(&self, base: &Base, name: Pseudonym, number: &PhoneNumber) {
        if let Err(error) = self.count(base).await {
            match error {
                CountedError::Limited(limited) => {
                    tracing::warn!(most = self.most_per_day, until = ?limited.reached.passes_at, "no number is looked up any more today: see lookup.most_per_day");
                }
                CountedError::Commit(error) => tracing::warn!(%error, "a number is not looked up"),
            }
            self.pause();
            return;
        }
        let told = match self.provider.ask(number, base.now()).await {
            Ok(told) => Some(told),
            Err(LookupError::Unknown(status)) => {
                tracing::debug!(status, "a number is not known to the provider");
                None
            }
            Err(LookupError::Away(why)) => {
                let seconds = PAUSE.as_secs();
                tracing::warn!(why, seconds, "numbers cannot be looked up; codes are sent without");
                return self.pause();
            }
        };
        let mut state = self.state();
        if state.told.len() >= MOST {
            let fresh = self.remembered / 2;
            state.told.retain(|_, (at, _)| at.elapsed() < fresh);
            if state.told.len() >= MOST {
                state.told.clear();
            }
        }
        state.told.insert(name, (Instant::now(), told));
    }

    /// Forgets what was told of a number.
    pub(in crate::app) fn forget(&self, name: Pseudonym) {
        self.state().told.remove(&name);
    }

    /// Counts one more of a day, for all processes.
    async fn count(&self, base: &Base) -> Result<(), CountedError> {
        const ASKED: &str = "lookups";
        let now: Timestamp = base.now();
        let counting = Counting {
            counter: self.names.of("lookups", ""),
            now,
            additions: vec![Addition::Amount { of: ASKED.to_owned(), amount: 1 }],
            limits: vec![Limit::new(ASKED, ASKED, DAY, self.most_per_day)],
        };
        base.store().commit_counted(Commit { changes: Vec::new(), additions: vec![counting] }).await
    }

    fn remembered(&self, name: Pseudonym) -> Option<Option<LookedUp>> {
        let state = self.state();
        let (at, told) = state.told.get(&name)?;
        (at.elapsed() < self.remembered).then_some(*told)
    }

    fn pause(&self) {
        self.state().paused_until = Some(Instant::now() + PAUSE);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is ever half-changed under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
