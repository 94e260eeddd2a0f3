//! Several steps at one moment, in every order that could make a difference.
//!
//! Each step runs as a task of its own over a store that lets nobody through
//! unless it is told to, so that exactly one task moves at a time, from one
//! access of the store to the next. [`every_order`] runs the same steps again
//! and again until all orders were tried; orders that differ only in accesses
//! that do not meet (no record in common, or both reading) count as one (sleep
//! sets: Godefroid, Partial-Order Methods for the Verification of Concurrent
//! Systems, 1996).

mod checks;
mod limits;
mod sessions;
mod starts;

use crate::over::store_over;
use dialback::store::{
    Commit, CountedError, Counting, Entry, Key, Kind, Lane, Maintenance, Scan, StoreError, Stored,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, mpsc, oneshot};
use tokio::task::JoinSet;

/// A step, ready to be taken.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a task is about to do to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Access {
    /// The records; nothing for a listing, which meets every write.
    keys: Option<BTreeSet<Key>>,
    writes: bool,
}

impl Access {
    /// Whether it makes a difference which of the two comes first.
    fn meets(&self, other: &Self) -> bool {
        let is_apart = match (&self.keys, &other.keys) {
            (Some(own), Some(theirs)) => own.is_disjoint(theirs),
            _ => false,
        };
        (self.writes || other.writes) && !is_apart
    }
}

/// What a task has come to.
enum Signal {
    Waits(usize, Access, oneshot::Sender<()>),
    Ended,
}

/// A task, and its turn: what it asks for at the same moment is done one after the other,
/// so that it waits at one place at a time.
struct Asker {
    who: usize,
    signals: mpsc::UnboundedSender<Signal>,
    turn: Arc<Turn<()>>,
}

tokio::task_local! {
    static WHO: Asker;
}

/// A store that tasks of [`every_order`] get to one by one; all others at once.
pub struct Turnstile(pub Arc<dyn Maintenance>);

impl Turnstile {
    /// Waits to be let go; what it gives is held until the access is over.
    async fn wait(&self, keys: Option<BTreeSet<Key>>, writes: bool) -> Option<OwnedMutexGuard<()>> {
        let turn = WHO.try_with(|asker| Arc::clone(&asker.turn)).ok()?.lock_owned().await;
        let (go, went) = oneshot::channel();
        let told =
            WHO.try_with(|asker| asker.signals.send(Signal::Waits(asker.who, Access { keys, writes }, go)));
        // Whoever is never let go was given up with its order.
        if let Ok(Ok(())) = told
            && went.await.is_err()
        {
            std::future::pending::<()>().await;
        }
        Some(turn)
    }

    async fn wait_for(&self, key: &Key) -> Option<OwnedMutexGuard<()>> {
        self.wait(Some(BTreeSet::from([key.clone()])), false).await
    }
}

store_over!(Turnstile, 0, {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let _turn = self.wait_for(key).await;
        self.0.read(key).await
    }

    async fn commit_counted(&self, commit: Commit) -> Result<(), CountedError> {
        let changed = commit.changes.iter().map(|change| change.key.clone());
        let added = commit.additions.iter().map(Counting::key);
        let _turn = self.wait(Some(changed.chain(added).collect()), true).await;
        self.0.commit_counted(commit).await
    }

    async fn due_in(
        &self,
        lane: Lane,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let _turn = self.wait(None, false).await;
        self.0.due_in(lane, until, limit).await
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, StoreError> {
        let _turn = self.wait(None, false).await;
        self.0.scan(scan).await
    }

    fn is_shared(&self) -> bool {
        self.0.is_shared()
    }
});

/// A place in an order where somebody had to be let go.
#[derive(Debug, Clone)]
struct Fork {
    /// Who waits here, for what.
    waiting: BTreeMap<usize, Access>,
    /// Who is let go.
    chosen: usize,
    /// Who need not be: the same was tried elsewhere. Whoever sleeps still
    /// waits for the same access.
    asleep: BTreeSet<usize>,
    /// Who was let go here before.
    tried: BTreeSet<usize>,
    /// How often a task had been stopped for another one until here.
    stops: usize,
    /// Who moved before.
    last: Option<usize>,
}

impl Fork {
    /// How many stops there are once this one is let go.
    fn stops_with(&self, who: usize) -> usize {
        let stopped = self.last.is_some_and(|last| last != who && self.waiting.contains_key(&last));
        self.stops + usize::from(stopped)
    }

    fn next(&self, most_stops: usize) -> Option<usize> {
        let may = |who: &usize| {
            let is_known = self.asleep.contains(who) || self.tried.contains(who);
            self.waiting.contains_key(who) && !is_known && self.stops_with(*who) <= most_stops
        };
        self.last.filter(may).or_else(|| self.waiting.keys().copied().find(may))
    }
}

/// Takes the steps in every order in which a task is stopped for another one at
/// most so often; how many orders there were. `begin` makes them anew, from the
/// same place, and `judge` looks at what came of them.
pub async fn every_order<W, J: Future<Output = ()>>(
    most_stops: usize,
    mut begin: impl AsyncFnMut() -> (W, Vec<Task>),
    mut judge: impl FnMut(W) -> J,
) -> usize {
    let mut forks: Vec<Fork> = Vec::new();
    let mut orders = 0;
    loop {
        let (world, tasks) = begin().await;
        if one_order(tasks, &mut forks, most_stops).await {
            orders += 1;
            judge(world).await;
        }
        loop {
            let Some(fork) = forks.last_mut() else { return orders };
            fork.tried.insert(fork.chosen);
            if let Some(next) = fork.next(most_stops) {
                fork.chosen = next;
                break;
            }
            forks.pop();
        }
    }
}

/// One order: as the forks say, and beyond them whoever may. False when all
/// that is left was tried elsewhere.
async fn one_order(tasks: Vec<Task>, forks: &mut Vec<Fork>, most_stops: usize) -> bool {
    let (signals, mut heard) = mpsc::unbounded_channel();
    let mut running = JoinSet::new();
    let mut waiting: BTreeMap<usize, (Access, oneshot::Sender<()>)> = BTreeMap::new();
    for (who, task) in tasks.into_iter().enumerate() {
        let told = signals.clone();
        let asker = Asker { who, signals: signals.clone(), turn: Arc::default() };
        running.spawn(WHO.scope(asker, async move {
            task.await;
            let _ = told.send(Signal::Ended);
        }));
        hear(&mut heard, &mut waiting, &mut running).await;
    }
    let mut depth = 0;
    while !waiting.is_empty() {
        let accesses = waiting.iter().map(|(who, (access, _))| (*who, access.clone())).collect();
        if let Some(known) = forks.get_mut(depth) {
            // The same places, though records have other names in each run.
            known.waiting = accesses;
        } else {
            let mut fork = after(forks.last(), accesses);
            let Some(chosen) = fork.next(most_stops) else { return false };
            fork.chosen = chosen;
            forks.push(fork);
        }
        let (_, go) = waiting.remove(&forks[depth].chosen).expect("the same steps come to the same forks");
        depth += 1;
        go.send(()).expect("it waits");
        hear(&mut heard, &mut waiting, &mut running).await;
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("no step panics");
    }
    true
}

async fn hear(
    heard: &mut mpsc::UnboundedReceiver<Signal>,
    waiting: &mut BTreeMap<usize, (Access, oneshot::Sender<()>)>,
    running: &mut JoinSet<()>,
) {
    loop {
        tokio::select! {
            biased;
            signal = heard.recv() => {
                if let Some(Signal::Waits(who, access, go)) = signal {
                    waiting.insert(who, (access, go));
                }
                return;
            }
            // A task says that it ended before it does; one that panics does not.
            Some(ended) = running.join_next() => ended.expect("no step panics"),
        }
    }
}

/// The fork that comes after another one.
fn after(before: Option<&Fork>, waiting: BTreeMap<usize, Access>) -> Fork {
    let (asleep, stops, last) = match before {
        None => (BTreeSet::new(), 0, None),
        Some(before) => {
            let done = &before.waiting[&before.chosen];
            let sleeps = |who: &&usize| !before.waiting[*who].meets(done);
            let asleep = before.asleep.union(&before.tried).filter(sleeps).copied().collect();
            (asleep, before.stops_with(before.chosen), Some(before.chosen))
        }
    };
    Fork { waiting, chosen: 0, asleep, tried: BTreeSet::new(), stops, last }
}

#[tokio::test]
async fn a_lost_update_is_found_and_a_guarded_one_is_not() {
    /// Adds one to a number, in two accesses; `guarded` tries again.
    async fn add(store: Arc<Turnstile>, number: Arc<Mutex<u32>>, guarded: bool) {
        loop {
            store.wait(Some(BTreeSet::from([Key::new(Kind::Counter, "n")])), false).await;
            let read = *number.lock().unwrap();
            store.wait(Some(BTreeSet::from([Key::new(Kind::Counter, "n")])), true).await;
            let mut number = number.lock().unwrap();
            if !guarded || *number == read {
                *number = read + 1;
                return;
            }
        }
    }
    for guarded in [false, true] {
        let store = Arc::new(Turnstile(Arc::new(dialback::store::memory::Memory::new())));
        let sums = Mutex::new(BTreeSet::new());
        let begin = async || {
            let number = Arc::new(Mutex::new(0));
            let task = || -> Task { Box::pin(add(store.clone(), number.clone(), guarded)) };
            (number.clone(), vec![task(), task(), task()])
        };
        let judge = |number: Arc<Mutex<u32>>| {
            sums.lock().unwrap().insert(*number.lock().unwrap());
            async {}
        };
        let orders = every_order(usize::MAX, begin, judge).await;
        assert!(orders > 6, "{orders}");
        let expected = if guarded { BTreeSet::from([3]) } else { BTreeSet::from([1, 2, 3]) };
        assert_eq!(sums.into_inner().unwrap(), expected);
    }
}
