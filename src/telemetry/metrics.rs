//! What is counted and timed, at four places that all work goes through: a route, the
//! loop that reads, decides and writes, a call of a gateway, a commit.
//!
//! A [`Meter`] is a few atomics. It is made once for a place and a label, stays for
//! the life of the process, and costs two looks at the clock and four additions each
//! time. Beside it stands a span of `tracing`, which costs nothing while the log's level
//! leaves it out. This module refuses to know who reads the meters: [`readings`] is for
//! whoever will.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::{Instrument, Span};

/// Where something is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A request, from its route to its answer's head; by the route's pattern.
    Route,
    /// Reading, deciding and writing until nobody was faster; by what is written.
    Transact,
    /// A request to the other side; by what it does there.
    Gateway,
    /// A commit, from when it is handed in until it is durable; by the engine.
    Commit,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Outcome {
    /// As was wished.
    Done,
    /// With a no that is right: a wrong request, a conflict, a refusal.
    Refused,
    /// It could not be done.
    Failed,
    /// Nobody waited for its end.
    Abandoned,
}

impl Outcome {
    /// Every outcome there is.
    pub const ALL: [Self; 4] = [Self::Done, Self::Refused, Self::Failed, Self::Abandoned];

    /// What an answer's status says: 5xx failed, 4xx refused.
    pub fn of_status(status: u16) -> Self {
        match status {
            500.. => Self::Failed,
            400.. => Self::Refused,
            _ => Self::Done,
        }
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts that many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long things took, in buckets that each end at twice the one before: up to
/// 64 µs, 128 µs, …, 16.8 s, and longer.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [Counter; Histogram::BUCKETS],
    micros: Counter,
}

impl Histogram {
    /// How many buckets there are; the last has no end.
    pub const BUCKETS: usize = 20;

    /// Where a bucket ends, itself included; `None` for the last.
    pub fn end(bucket: usize) -> Option<Duration> {
        (bucket + 1 < Self::BUCKETS).then(|| Duration::from_micros(64 << bucket))
    }

    /// Takes a span in.
    pub fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // How often 64 µs have to be doubled to hold it.
        let doublings = u64::BITS - (micros.saturating_sub(1) >> 6).leading_zeros();
        self.buckets[(doublings as usize).min(Self::BUCKETS - 1)].add(1);
        self.micros.add(micros);
    }

    /// How many spans fell into each bucket.
    pub fn counts(&self) -> [u64; Self::BUCKETS] {
        std::array::from_fn(|at| self.buckets[at].count())
    }

    /// All spans together.
    pub fn total(&self) -> Duration {
        Duration::from_micros(self.micros.count())
    }
}

/// What was measured at one place under one label.
#[derive(Debug, Default)]
pub struct Meter {
    outcomes: [Counter; Outcome::ALL.len()],
    /// How long it took, whatever the outcome.
    pub took: Histogram,
    /// How often it was begun again, after losing to somebody else.
    pub again: Counter,
}

impl Meter {
    /// How often it ended so.
    pub fn ended(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize].count()
    }

    /// Begins to measure; the outcome is [`Outcome::Abandoned`] unless one is told.
    pub fn begin(&'static self) -> Measurement {
        Measurement { meter: self, start: Instant::now(), outcome: Outcome::Abandoned }
    }

    /// Measures some work, in a span; `judge` reads the outcome off its result.
    pub async fn observe<T>(
        &'static self,
        span: Span,
        judge: impl FnOnce(&T) -> Outcome,
        work: impl Future<Output = T>,
    ) -> T {
        let measurement = self.begin();
        let result = work.instrument(span).await;
        measurement.end(judge(&result));
        result
    }
}

/// One that is under way. It counts when it is dropped.
#[derive(Debug)]
pub struct Measurement {
    meter: &'static Meter,
    start: Instant,
    outcome: Outcome,
}

impl Measurement {
    /// It ended so.
    pub fn end(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Measurement {
    fn drop(&mut self) {
        self.meter.took.record(self.start.elapsed());
        self.meter.outcomes[self.outcome as usize].add(1);
    }
}

static ALL: Mutex<BTreeMap<(Place, &'static str), &'static Meter>> = Mutex::new(BTreeMap::new());

/// The meter of a place and a label, the same each time. It takes a lock: keep what
/// it gives. Labels are texts of the program, so there are only so many.
pub fn meter(place: Place, label: &'static str) -> &'static Meter {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.entry((place, label)).or_insert_with(|| Box::leak(Box::default()))
}

/// Every meter that there is, by place and label.
pub fn readings() -> Vec<(Place, &'static str, &'static Meter)> {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().map(|((place, label), meter)| (*place, *label, *meter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[test]
    fn a_span_is_in_the_bucket_that_ends_at_it_or_after() {
        let bucket = |micros| {
            let histogram = Histogram::default();
            histogram.record(Duration::from_micros(micros));
            histogram.counts().iter().position(|count| *count == 1).unwrap()
        };
        for at in 0..Histogram::BUCKETS - 1 {
            let end = u64::try_from(Histogram::end(at).unwrap().as_micros()).unwrap();
            assert_eq!((bucket(end), bucket(end + 1)), (at, at + 1));
        }
        assert_eq!((bucket(0), bucket(u64::MAX)), (0, Histogram::BUCKETS - 1));
        assert_eq!(Histogram::end(Histogram::BUCKETS - 1), None);
    }

    #[test]
    fn each_end_is_counted_once_and_so_is_what_nobody_waited_for() {
        let meter = meter(Place::Gateway, "of this test");
        let run = |work: &mut dyn FnMut(&mut Context<'_>)| work(&mut Context::from_waker(Waker::noop()));
        for outcome in Outcome::ALL {
            let observed = meter.observe(Span::none(), |told| *told, async { outcome });
            let mut observed = pin!(observed);
            run(&mut |context| assert!(observed.as_mut().poll(context).is_ready()));
        }
        let mut given_up = Box::pin(meter.observe(Span::none(), |()| Outcome::Done, std::future::pending()));
        run(&mut |context| assert!(given_up.as_mut().poll(context).is_pending()));
        drop(given_up);
        meter.again.add(2);
        assert_eq!(Outcome::ALL.map(|outcome| meter.ended(outcome)), [1, 1, 1, 2]);
        assert_eq!((meter.took.counts().iter().sum::<u64>(), meter.again.count()), (5, 2));
    }

    #[test]
    fn a_place_and_a_label_have_one_meter() {
        let one = meter(Place::Commit, "of that test");
        assert!(std::ptr::eq(one, meter(Place::Commit, "of that test")));
        assert!(!std::ptr::eq(one, meter(Place::Route, "of that test")));
        assert!(
            readings().iter().any(|(place, label, _)| (*place, *label) == (Place::Commit, "of that test"))
        );
    }
}
