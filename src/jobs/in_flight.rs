//! What of a lane is under way, and what failed and waits out its backoff: so that what cannot be
//! done keeps nothing else from being done, and is never a hot loop.

use crate::store::Key;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Failures that are remembered. With more of them the whole lane waits a moment
/// between looks.
const MOST_RETRIES: usize = 10_000;
/// The longest backoff.
const LONGEST: Duration = Duration::from_secs(60);
/// A failure is forgotten so long after its backoff: it has gone some other way.
const FORGOTTEN: Duration = Duration::from_secs(300);

/// Which records are under way, and which are to be retried later.
#[derive(Default)]
pub(super) struct InFlight {
    under_way: HashSet<Key>,
    /// How much of each group is under way.
    groups: HashMap<String, usize>,
    retries: HashMap<Key, Retry>,
}

struct Retry {
    /// Failures in a row, but for those that pass by themselves.
    lasting: u32,
    /// All failures in a row.
    failures: u32,
    until: Instant,
    /// It was begun with others when one of them panicked.
    alone: bool,
    /// It panicked: what goes well in between does not make up for that.
    panicked: bool,
}

impl Retry {
    fn new() -> Self {
        Self { lasting: 0, failures: 0, until: Instant::now(), alone: false, panicked: false }
    }
}

/// What is under way, shared by who hands out and who does.
pub(super) type Shared = Arc<Mutex<InFlight>>;

/// Nothing is ever half-changed under this lock.
pub(super) fn open(in_flight: &Mutex<InFlight>) -> MutexGuard<'_, InFlight> {
    in_flight.lock().unwrap_or_else(|broken| broken.into_inner())
}

impl InFlight {
    /// How many are under way or deferred: they are due in the store all the while.
    pub(super) fn known(&mut self) -> usize {
        let now = Instant::now();
        self.retries.retain(|_, retry| retry.until + FORGOTTEN > now);
        self.under_way.len() + self.retries.values().filter(|retry| retry.until > now).count()
    }

    /// Whether a record is under way or deferred.
    pub(super) fn knows(&self, key: &Key) -> bool {
        let is_deferred = self.retries.get(key).is_some_and(|retry| retry.until > Instant::now());
        is_deferred || self.under_way.contains(key)
    }

    /// Whether a record is to be begun by itself.
    pub(super) fn is_alone(&self, key: &Key) -> bool {
        self.retries.get(key).is_some_and(|retry| retry.alone)
    }

    /// How much of a group is under way.
    pub(super) fn of_group(&self, group: &str) -> usize {
        self.groups.get(group).copied().unwrap_or(0)
    }

    /// When the first of those is to be retried that may have been deferred at `read`: it
    /// may be over already, for nobody says so when a backoff ends between the look at
    /// what is due and the wait for what will be.
    pub(super) fn next_retry(&self, read: Instant) -> Option<Instant> {
        self.retries.values().map(|retry| retry.until).filter(|until| *until > read).min()
    }

    /// Whether there are more failures than can be remembered.
    pub(super) fn is_full(&self) -> bool {
        self.retries.len() >= MOST_RETRIES
    }

    /// It went well. True where a failure is over with that: one that panicked may go
    /// well by halves, and is watched for a while.
    pub(super) fn done(&mut self, key: &Key) -> bool {
        match self.retries.get(key) {
            Some(retry) if retry.panicked => false,
            known => known.is_some() && self.forget(key),
        }
    }

    /// Whatever it was is over.
    pub(super) fn forget(&mut self, key: &Key) -> bool {
        self.retries.remove(key).is_some()
    }

    /// It panicked, and is about to be said to have failed.
    pub(super) fn panicked(&mut self, key: &Key) {
        if let Some(retry) = self.retry(key) {
            retry.panicked = true;
        }
    }

    /// Defers it, without a failure.
    pub(super) fn defer(&mut self, key: &Key, span: Duration) {
        if let Some(retry) = self.retry(key) {
            retry.until = Instant::now() + span;
        }
    }

    /// One of those that were begun together panicked: each is begun alone.
    pub(super) fn part(&mut self, key: &Key) {
        if let Some(retry) = self.retry(key) {
            retry.alone = true;
        }
    }

    /// It failed: its backoff is twice as long each time, `first` at first. Answers
    /// how often it failed in a row, for a reason that `lasts` and for any.
    pub(super) fn failed(&mut self, key: &Key, first: Duration, lasts: bool) -> (u32, u32) {
        let Some(retry) = self.retry(key) else { return (0, 1) };
        retry.failures = retry.failures.saturating_add(1);
        retry.lasting += u32::from(lasts);
        let backoff = first.saturating_mul(1 << (retry.failures - 1).min(16)).min(LONGEST);
        retry.until = Instant::now() + backoff;
        (retry.lasting, retry.failures)
    }

    fn retry(&mut self, key: &Key) -> Option<&mut Retry> {
        if self.is_full() && !self.retries.contains_key(key) {
            return None;
        }
        Some(self.retries.entry(key.clone()).or_insert_with(Retry::new))
    }
}

/// Says that records are under way no more when their task ends, however it ends.
pub(super) struct Leave {
    /// What is under way.
    in_flight: Shared,
    /// What was begun.
    pub keys: Vec<Key>,
    group: String,
}

impl Leave {
    /// Begins records of a group.
    pub(super) fn after(in_flight: &Shared, keys: Vec<Key>, group: String) -> Self {
        {
            let mut in_flight = open(in_flight);
            in_flight.under_way.extend(keys.iter().cloned());
            *in_flight.groups.entry(group.clone()).or_default() += 1;
        }
        Self { in_flight: in_flight.clone(), keys, group }
    }

    /// What is under way.
    pub(super) fn in_flight(&self) -> MutexGuard<'_, InFlight> {
        open(&self.in_flight)
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        let mut in_flight = open(&self.in_flight);
        for key in &self.keys {
            in_flight.under_way.remove(key);
        }
        if let Some(under_way) = in_flight.groups.get_mut(&self.group) {
            *under_way -= 1;
        }
        in_flight.groups.retain(|_, under_way| *under_way > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;

    #[test]
    fn what_failed_rests_longer_each_time_and_what_is_under_way_is_known() {
        let (good, bad) = (Key::new(Kind::Verification, "good"), Key::new(Kind::Verification, "bad"));
        let in_flight = Shared::default();
        let leave = Leave::after(&in_flight, vec![good.clone()], "group".into());
        assert!(open(&in_flight).knows(&good) && !open(&in_flight).knows(&bad));
        let (own, other) = {
            let in_flight = open(&in_flight);
            (in_flight.of_group("group"), in_flight.of_group("other"))
        };
        assert_eq!((own, other), (1, 0));
        drop(leave);
        assert!(!open(&in_flight).knows(&good) && open(&in_flight).of_group("group") == 0);
        let mut backoffs = Vec::new();
        for nth in 1..=12 {
            let counts = open(&in_flight).failed(&bad, Duration::from_secs(1), nth % 2 == 0);
            assert_eq!(counts, (nth / 2, nth));
            backoffs.push(
                (open(&in_flight).next_retry(Instant::now()).unwrap())
                    .duration_since(Instant::now())
                    .as_secs_f64()
                    .round(),
            );
        }
        assert_eq!(backoffs[..7], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]);
        assert!(open(&in_flight).knows(&bad) && open(&in_flight).known() == 1);
        assert!(open(&in_flight).done(&bad) && !open(&in_flight).knows(&bad));
        open(&in_flight).panicked(&bad);
        assert!(!open(&in_flight).done(&bad) && open(&in_flight).forget(&bad));
        open(&in_flight).part(&bad);
        assert!(open(&in_flight).is_alone(&bad) && !open(&in_flight).knows(&bad), "at once, and by itself");
    }

    #[test]
    fn a_backoff_that_ended_since_the_last_look_is_not_passed_over() {
        let mut in_flight = InFlight::default();
        let (key, read) = (Key::new(Kind::Verification, "short"), Instant::now());
        in_flight.failed(&key, Duration::from_nanos(1), true);
        std::thread::sleep(Duration::from_millis(1));
        assert!(!in_flight.knows(&key));
        assert!(in_flight.next_retry(read).is_some_and(|at| at < Instant::now()));
        assert_eq!(in_flight.next_retry(Instant::now()), None, "it was looked at since");
    }

    #[test]
    fn only_so_many_failures_are_remembered() {
        let mut in_flight = InFlight::default();
        for n in 0..MOST_RETRIES + 5 {
            in_flight.failed(&Key::new(Kind::Counter, n.to_string()), Duration::from_secs(1), true);
        }
        assert!(in_flight.is_full() && in_flight.known() == MOST_RETRIES);
    }
}
