//! The connections that read, and whatever else needs one for a while.
//!
//! Who asks for one waits, in the order of asking and within a deadline of their
//! own, for one that comes back or one that is made. Connections are made by tasks
//! of the pool: who gives up takes none along. Where there is none and none can be
//! made everybody is told so at once, as by the gate of those who write, and the
//! pool goes on trying; where all that there may be are taken, which is over when
//! one comes back, they wait. What has rested for long is closed, for others may
//! need it. It refuses to know statements, and what connections are for.

use super::super::StoreError;
use super::link::{Connected, Link};
use super::miss::{Miss, Reason};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

/// From a failed connect to the next.
const PAUSE: Duration = Duration::from_millis(250);
/// How long no further connection is tried for where one too many was asked for.
const HOLD: Duration = Duration::from_secs(1);
/// How long a connection rests before it is closed, when it is not the last.
const REST: Duration = Duration::from_secs(30);

type Answer = Result<Lent, String>;

/// The connections of a process, but those of its writers.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    link: Link,
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<(Held, Instant)>,
    /// Lent ones among them.
    open: usize,
    dialing: usize,
    waiting: VecDeque<oneshot::Sender<Answer>>,
    /// Why there is none.
    refusal: Option<String>,
    hold: Option<Instant>,
    /// What was made in an earlier one is not used again.
    era: u64,
    /// Whether it was said that there are too few.
    is_said: bool,
    is_closed: bool,
}

struct Held {
    connected: Connected,
    statements: HashMap<&'static str, Statement>,
    era: u64,
}

impl Pool {
    /// A pool of at most so many, of which there is one.
    pub(super) fn new(link: Link, most: usize, first: Connected) -> Self {
        let pool = Self(Arc::new(Shared { link, most: most.max(1), state: Mutex::default() }));
        pool.0.state().dialing += 1;
        pool.0.arrived(first);
        pool
    }

    /// A connection, until then.
    pub(super) async fn get(&self, end: Instant) -> Result<Lent, StoreError> {
        let asked = Instant::now();
        let answered = match self.0.ask()? {
            Asked::Lent(lent) => return Ok(*lent),
            Asked::Waiting(answered) => answered,
        };
        match timeout_at(end, answered).await {
            Ok(Ok(Ok(lent))) => Ok(lent),
            Ok(Ok(Err(why))) => Err(StoreError::Unavailable(why)),
            Ok(Err(_)) => Err(StoreError::Closed),
            Err(_) => {
                let (place, most) = (&self.0.link.place, self.0.most);
                Err(StoreError::Unavailable(format!(
                    "{place}: none of at most {most} connections came free in {:?}",
                    asked.elapsed()
                )))
            }
        }
    }

    /// How many there may be.
    pub(super) fn most(&self) -> usize {
        self.0.most
    }

    /// Uses nothing again that was made until now, and tries anew.
    pub(super) fn forget(&self) {
        let mut state = self.0.state();
        state.era += 1;
        state.refusal = None;
        let gone = std::mem::take(&mut state.idle);
        state.open -= gone.len();
        self.0.grow(&mut state);
    }

    /// Closes what has rested for long.
    pub(super) fn trim(&self) {
        let mut state = self.0.state();
        // Who was given back first has rested longest.
        while state.idle.len() > 1 && state.idle.first().is_some_and(|(_, since)| since.elapsed() > REST) {
            state.idle.remove(0);
            state.open -= 1;
        }
    }

    /// Lends nothing any more.
    pub(super) fn close(&self) {
        let mut state = self.0.state();
        state.is_closed = true;
        state.waiting.clear();
        state.open -= state.idle.len();
        state.idle.clear();
    }
}

enum Asked {
    Lent(Box<Lent>),
    Waiting(oneshot::Receiver<Answer>),
}

impl Shared {
    /// Nothing is ever half-changed under this lock, and nothing is sent under it:
    /// what is not taken comes back by it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(self: &Arc<Self>) -> Result<Asked, StoreError> {
        let mut state = self.state();
        if state.is_closed {
            return Err(StoreError::Closed);
        }
        while let Some((held, _)) = state.idle.pop() {
            if self.is_usable(&held, &state) {
                return Ok(Asked::Lent(Box::new(self.lend(held))));
            }
            state.open -= 1;
        }
        match &state.refusal {
            Some(why) if state.open == 0 => return Err(StoreError::Unavailable(why.clone())),
            _ => {}
        }
        let (answer, answered) = oneshot::channel();
        state.waiting.push_back(answer);
        self.grow(&mut state);
        Ok(Asked::Waiting(answered))
    }

    fn is_usable(&self, held: &Held, state: &State) -> bool {
        let connected = &held.connected;
        held.era == state.era && !connected.client.is_closed() && self.link.is_current(connected.turn)
    }

    fn lend(self: &Arc<Self>, held: Held) -> Lent {
        Lent { held: Some(held), shared: Arc::clone(self), is_busy: false }
    }

    /// Makes as many as somebody waits for, and there may be.
    fn grow(self: &Arc<Self>, state: &mut State) {
        if state.is_closed || state.open + state.dialing >= self.most {
            return;
        }
        if state.open > 0 && state.hold.is_some_and(|until| Instant::now() < until) {
            return;
        }
        state.waiting.retain(|answer| !answer.is_closed());
        while state.dialing < state.waiting.len() && state.open + state.dialing < self.most {
            state.dialing += 1;
            tokio::spawn(Arc::clone(self).dial());
        }
    }

    async fn dial(self: Arc<Self>) {
        let began = Instant::now();
        loop {
            match self.link.connect().await {
                Ok(connected) => return self.arrived(connected),
                Err(miss) if self.missed(&miss, began) => sleep(PAUSE).await,
                Err(_) => return,
            }
        }
    }

    fn arrived(self: &Arc<Self>, connected: Connected) {
        let era = {
            let mut state = self.state();
            state.dialing -= 1;
            state.open += 1;
            state.refusal = None;
            state.era
        };
        self.give(Held { connected, statements: HashMap::new(), era });
    }

    /// Whether it is to be tried again by who has just failed.
    fn missed(&self, miss: &Miss, began: Instant) -> bool {
        let mut refused = VecDeque::new();
        let mut state = self.state();
        let is_full = miss.reason == Reason::Full;
        if is_full && !std::mem::replace(&mut state.is_said, true) {
            tracing::warn!(why = miss.why, "fewer connections are to be had than would be used");
        }
        // Somebody will bring one back.
        if state.is_closed || state.open > 0 {
            state.hold = Some(Instant::now() + HOLD);
            state.dialing -= 1;
            return false;
        }
        if is_full && state.refusal.is_none() && began.elapsed() < self.link.deadline {
            return true;
        }
        state.refusal = Some(miss.why.clone());
        std::mem::swap(&mut refused, &mut state.waiting);
        // One goes on.
        let goes_on = state.dialing == 1;
        state.dialing -= usize::from(!goes_on);
        drop(state);
        for answer in refused {
            // Who has gone no longer asks.
            let _ = answer.send(Err(miss.why.clone()));
        }
        goes_on
    }

    /// Gives a connection to who waits, or puts it by.
    fn give(self: &Arc<Self>, held: Held) {
        let mut lent = self.lend(held);
        loop {
            let mut state = self.state();
            let Some(held) = &lent.held else { return };
            if state.is_closed || !self.is_usable(held, &state) {
                lent.held = None;
                state.open -= 1;
                return self.grow(&mut state);
            }
            let Some(answer) = state.waiting.pop_front() else {
                let held = lent.held.take();
                return state.idle.extend(held.map(|held| (held, Instant::now())));
            };
            drop(state);
            match answer.send(Ok(lent)) {
                Err(Ok(back)) => lent = back,
                _ => return,
            }
        }
    }

    fn lost(self: &Arc<Self>) {
        let mut state = self.state();
        state.open -= 1;
        self.grow(&mut state);
    }
}

/// A connection that goes back when it is dropped; one that is busy then is closed.
pub(super) struct Lent {
    held: Option<Held>,
    shared: Arc<Shared>,
    is_busy: bool,
}

impl Lent {
    /// The rows of a statement, which is prepared once.
    pub(super) async fn query(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let Some(Held { connected, statements, .. }) = &mut self.held else { return Ok(Vec::new()) };
        self.is_busy = true;
        let statement = match statements.get(sql) {
            Some(statement) => statement.clone(),
            None => {
                let statement = connected.client.prepare(sql).await?;
                statements.entry(sql).or_insert(statement).clone()
            }
        };
        let rows = connected.client.query(&statement, parameters).await?;
        self.is_busy = false;
        Ok(rows)
    }

    /// The client, for more than a statement: it is closed afterwards, unless it is
    /// [freed](Self::free).
    pub(super) fn client(&mut self) -> Option<&mut Client> {
        self.is_busy = true;
        self.held.as_mut().map(|held| &mut held.connected.client)
    }

    /// Says that nothing is under way on it any more.
    pub(super) fn free(&mut self) {
        self.is_busy = false;
    }

    /// Says that its host gave no answer.
    pub(super) fn fell_silent(&self) {
        if let Some(held) = &self.held {
            self.shared.link.fell_silent(held.connected.turn);
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        match self.held.take() {
            Some(held) if !self.is_busy => self.shared.give(held),
            Some(held) => {
                drop(held);
                self.shared.lost();
            }
            None => {}
        }
    }
}
