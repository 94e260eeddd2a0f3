//! The time, injected, so that ten minutes can pass in a test without waiting.
//!
//! A clock is real, or real and set forward by hand, or stopped and moved by
//! hand only. Service and sandbox share one, so that a code expires when the
//! sandbox's clock says so.

use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// A clock that can be read, waited on and, where it was made for that, moved.
/// Cheap to clone; clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// How it was made.
    first: State,
    moved: watch::Sender<u64>,
    /// Who sleeps while it stands. It is locked after `state`, never before.
    sleepers: Mutex<Sleepers>,
    /// Until when somebody sleeps, for tests that move the clock.
    #[cfg(test)]
    asleep: watch::Sender<Vec<Timestamp>>,
}

#[derive(Clone, Copy)]
struct State {
    /// Added to the system's time while running.
    offset: SignedDuration,
    /// The time at which the clock stands, when it is stopped.
    stopped: Option<Timestamp>,
}

impl Clock {
    /// The system's clock.
    pub fn real() -> Self {
        Self::with(State { offset: SignedDuration::ZERO, stopped: None })
    }

    /// A clock that stands at `at` until it is moved.
    pub fn stopped(at: Timestamp) -> Self {
        Self::with(State { offset: SignedDuration::ZERO, stopped: Some(at) })
    }

    fn with(state: State) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            first: state,
            moved: watch::Sender::new(0),
            sleepers: Mutex::default(),
            #[cfg(test)]
            asleep: watch::Sender::default(),
        }))
    }

    /// Now, cut to milliseconds: the precision that is stored and shown.
    pub fn now(&self) -> Timestamp {
        let state = self.read();
        let running = || Timestamp::now().checked_add(state.offset).unwrap_or(Timestamp::MAX);
        let now = state.stopped.unwrap_or_else(running);
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// The system's time, wherever this clock was moved, cut to milliseconds: for
    /// what others compare with a clock of theirs, such as a signature's.
    pub fn system() -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// True while the clock stands still.
    pub fn is_stopped(&self) -> bool {
        self.read().stopped.is_some()
    }

    /// Moves the clock; it never goes back, for deadlines are promises.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.change(|state| match &mut state.stopped {
            Some(at) => *at = at.checked_add(by).unwrap_or(Timestamp::MAX),
            None => state.offset = state.offset.checked_add(by).unwrap_or(state.offset),
        });
    }

    /// Sets the clock back to how it was made: whoever starts afresh has no
    /// promises to keep.
    pub fn reset(&self) {
        let first = self.0.first;
        self.change(|state| *state = first);
    }

    /// Stops the clock where it is.
    pub fn stop(&self) {
        let now = self.now();
        self.change(|state| state.stopped = Some(now));
    }

    /// Lets a stopped clock run on from where it stands.
    pub fn run(&self) {
        let now = self.now();
        self.change(|state| {
            state.stopped = None;
            state.offset = now.duration_since(Timestamp::now());
        });
    }

    /// When the first of those wakes who sleep while the clock stands; nothing where
    /// nobody does, or where it runs. Whoever moves it from one such time to the next
    /// wakes everybody at their own, and those of one moment in the order in which they
    /// fell asleep.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let now = self.read().stopped?;
        let sleepers = self.sleepers();
        sleepers.asleep.range((now, u64::MAX)..).next().map(|((at, _), _)| *at)
    }

    /// Waits until the clock shows `at` or later, however it gets there.
    pub async fn sleep_until(&self, at: Timestamp) {
        let mut moved = self.0.moved.subscribe();
        #[cfg(test)]
        let _asleep = Asleep::new(&self.0.asleep, at);
        loop {
            let left = at.duration_since(self.now());
            if left <= SignedDuration::ZERO {
                return;
            }
            if let Some(sleeper) = self.fall_asleep(at) {
                sleeper.woken.notified().await;
                continue;
            }
            let left = Duration::try_from(left).unwrap_or_default() + Duration::from_millis(1);
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = moved.changed() => {}
            }
        }
    }

    /// Waits for a span of this clock's time.
    pub async fn sleep(&self, span: Duration) {
        let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
        self.sleep_until(self.now().checked_add(span).unwrap_or(Timestamp::MAX)).await;
    }

    /// Waits until somebody sleeps who will be woken when this clock, which
    /// stands, has been moved by exactly this much.
    #[cfg(test)]
    pub async fn until_somebody_sleeps_for(&self, span: Duration) {
        let mut asleep = self.0.asleep.subscribe();
        let at = self.now().checked_add(span).unwrap();
        let found = asleep.wait_for(|asleep| asleep.contains(&at));
        let found = tokio::time::timeout(Duration::from_secs(30), found).await;
        found.expect("somebody sleeps").unwrap();
    }

    fn read(&self) -> State {
        *self.state()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.0.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody who is woken once the clock shows `at`, or begins to run; nothing where
    /// it runs, or shows it already.
    fn fall_asleep(&self, at: Timestamp) -> Option<Sleeper<'_>> {
        let state = self.state();
        if state.stopped.is_none_or(|now| now >= at) {
            return None;
        }
        let mut sleepers = self.sleepers();
        sleepers.count += 1;
        let (key, woken) = ((at, sleepers.count), Arc::<Notify>::default());
        sleepers.asleep.insert(key, woken.clone());
        Some(Sleeper { clock: self, key, woken })
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let until = state.stopped.unwrap_or(Timestamp::MAX);
        let due = (until, u64::MAX);
        self.sleepers().asleep.range(..=due).for_each(|(_, woken)| woken.notify_one());
        drop(state);
        self.0.moved.send_modify(|n| *n += 1);
    }
}

/// Who sleeps while a clock stands, by when they wake and in the order in which they
/// came.
#[derive(Default)]
struct Sleepers {
    asleep: BTreeMap<(Timestamp, u64), Arc<Notify>>,
    count: u64,
}

/// One of them, until it is dropped.
struct Sleeper<'c> {
    clock: &'c Clock,
    key: (Timestamp, u64),
    woken: Arc<Notify>,
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.clock.sleepers().asleep.remove(&self.key);
    }
}

/// Somebody who sleeps.
#[cfg(test)]
struct Asleep<'c>(&'c watch::Sender<Vec<Timestamp>>, Timestamp);

#[cfg(test)]
impl<'c> Asleep<'c> {
    fn new(all: &'c watch::Sender<Vec<Timestamp>>, at: Timestamp) -> Self {
        all.send_modify(|all| all.push(at));
        Self(all, at)
    }
}

#[cfg(test)]
impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|all| {
            if let Some(own) = all.iter().position(|at| *at == self.1) {
                all.swap_remove(own);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_a_stopped_clock_is_moved_past_its_hour() {
        let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_secs(600)).await;
                clock.now()
            }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(599));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        assert_eq!(sleeper.await.unwrap().as_second(), 600);
    }

    #[tokio::test]
    async fn a_clock_that_stands_says_who_wakes_next_and_wakes_them_in_order() {
        let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.next_wake(), None);
        let woken: Arc<Mutex<Vec<u64>>> = Arc::default();
        let sleepers: Vec<_> = [9, 3, 9, 1]
            .into_iter()
            .enumerate()
            .map(|(number, seconds)| {
                let (clock, woken) = (clock.clone(), woken.clone());
                tokio::spawn(async move {
                    clock.sleep(Duration::from_secs(seconds)).await;
                    woken.lock().unwrap().push(number as u64);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        let mut seconds = Vec::new();
        while let Some(next) = clock.next_wake() {
            seconds.push(next.as_second());
            clock.advance(next.duration_since(clock.now()).unsigned_abs());
            tokio::task::yield_now().await;
        }
        assert_eq!((seconds, woken.lock().unwrap().clone()), (vec![1, 3, 9], vec![3, 1, 0, 2]));
        for sleeper in sleepers {
            sleeper.await.unwrap();
        }
        // Who gives up is forgotten, and a clock that runs has nobody who waits for a move.
        let left = tokio::time::timeout(Duration::from_millis(1), clock.sleep(Duration::from_secs(60))).await;
        assert!(left.is_err() && clock.next_wake().is_none());
    }

    #[tokio::test]
    async fn a_clock_that_is_reset_shows_what_it_did_at_first_and_its_sleepers_wait_on() {
        let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
        clock.advance(Duration::from_secs(600));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(1)).await }
        });
        tokio::task::yield_now().await;
        clock.reset();
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        clock.advance(Duration::from_secs(600));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();

        let running = Clock::real();
        running.advance(Duration::from_secs(600));
        running.stop();
        assert!(running.now().duration_since(Clock::system()).as_secs() > 500);
        running.reset();
        assert!(!running.is_stopped() && running.now() <= Clock::system());
    }

    #[test]
    fn a_clock_that_is_moved_beyond_the_end_of_time_still_shows_one() {
        let clock = Clock::real();
        clock.advance(Duration::from_secs(1 << 40));
        clock.advance(Duration::MAX);
        assert_eq!(clock.now().as_millisecond(), Timestamp::MAX.as_millisecond());
    }
}
