//! The stage: one thread on which everything runs, service and sandbox alike, and a clock
//! that is moved once all of it is at rest.
//!
//! On one thread what is ready runs in the order in which it became so, and over loopback
//! what was written can be read before the write returns. So who looks again and again
//! whether anything is ready, and finds for long that no task has come or gone and nothing
//! was committed, has seen everything do all that it can do at this moment.

use super::house::Commits;
use dialback::clock::Clock;
use dialback::store::Key;
use jiff::Timestamp;
use std::future::Future;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime, RuntimeMetrics};
use tokio::task::yield_now;

/// How many looks in a row find nothing until everything is at rest. A request has come,
/// was answered and is gone after some ten.
const LOOKS: u32 = 64;
/// How long is waited for whoever lost a race for a record, and tries again after a real
/// moment.
const RACE: Duration = Duration::from_millis(40);
/// How often, at most: two seconds' worth, twice what a job waits after its first failure.
const MOST_RACES: u32 = 50;

/// The thread, and the clock.
pub struct Stage {
    pub clock: Clock,
    runtime: Runtime,
    commits: Option<Commits>,
    /// How many races were lost when it was last at rest.
    races: u64,
    /// What is due and waits for what is under way with the same record.
    held: Vec<(Key, Timestamp)>,
}

impl Stage {
    /// An empty stage.
    pub fn new(clock: Clock) -> Result<Self, String> {
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|wrong| wrong.to_string())?;
        Ok(Self { clock, runtime, commits: None, races: 0, held: Vec::new() })
    }

    /// Looks at these commits, too, from now on.
    pub fn watch(&mut self, commits: Commits) {
        self.commits = Some(commits);
    }

    /// Does something on the stage, and all that follows from it at this standstill of the
    /// clock.
    pub fn play<T>(&mut self, what: impl Future<Output = T>) -> T {
        let done = self.runtime.block_on(what);
        self.settle();
        done
    }

    /// Moves the clock to that time, and lets happen what is due then.
    pub fn move_to(&mut self, at: Timestamp) {
        self.clock.advance(at.duration_since(self.clock.now()).unsigned_abs());
        self.settle();
    }

    /// Waits until everything is at rest, and nothing that a person waits for is due, but
    /// for what waits for the clock to be moved: of one record one thing is done at a time.
    fn settle(&mut self) {
        for _ in 0..MOST_RACES {
            self.runtime.block_on(rest(&self.runtime.metrics(), self.commits.as_ref()));
            let Some(commits) = &self.commits else { return };
            let (races, due) = (commits.count().1, commits.due(self.clock.now()));
            let is_new = due.iter().any(|one| !self.held.contains(one));
            if races == self.races && !is_new {
                self.held = due;
                return;
            }
            self.races = races;
            self.runtime.block_on(async { tokio::time::sleep(RACE).await });
        }
        self.held = self.commits.as_ref().map(|commits| commits.due(self.clock.now())).unwrap_or_default();
    }
}

async fn rest(metrics: &RuntimeMetrics, commits: Option<&Commits>) {
    let look = || (metrics.num_alive_tasks(), commits.map(Commits::count));
    let (mut quiet, mut seen) = (0, look());
    while quiet < LOOKS {
        yield_now().await;
        let now = look();
        quiet = if now == seen { quiet + 1 } else { 0 };
        seen = now;
    }
}
