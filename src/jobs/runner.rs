//! The runner of a lane: it asks what is due, begins as much as there are places
//! for, and sleeps until something else is due or somebody says so.
//!
//! Where several processes work on one store each is given other records
//! (`Store::claim`), or all would begin with the same ones. What a record's commit
//! says counts all the same.

use super::all::job_for;
use super::buffer::{Batch, Buffer};
use super::in_flight::{Leave, Shared, open};
use super::job::Job;
use super::run::Run;
use super::settings::Settings;
use crate::app::App;
use crate::app::board::Written;
use crate::store::{Change, Key, Lane, StoreError};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long to wait when the store cannot say what is due.
const RECOVERY: Duration = Duration::from_secs(1);
/// How long what nobody takes care of is left alone.
const STRANGE: Duration = Duration::from_secs(600);
/// The longest sleep where nobody else writes something due.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_secs(30);
/// The longest sleep where another process may, and may have died since.
const SHARED_SLEEP: Duration = Duration::from_secs(2);
/// For how long others leave what this process was given. What is begun is moved by
/// its own first write, long before.
const CLAIM: Duration = Duration::from_secs(3);
/// Chores are looked for no more often than this, so that they come together.
const GATHERING: Duration = Duration::from_millis(200);
/// What was read ahead and could not be begun is read anew after this time.
const STALE: Duration = Duration::from_millis(100);
/// Dispatches that are read ahead, so that those of one slow endpoint hide no other's,
/// and how many of them are claimed at once where others work, too.
const DISPATCHES_AHEAD: usize = 4096;
const DISPATCHES_CLAIMED: usize = 1024;
/// Of those that hide others so many are deferred in one round.
const MOST_DEFERRED: usize = 1024;
/// What waits longer than this is told in the log, once in [`TOLD_EVERY`].
const LATE: SignedDuration = SignedDuration::from_secs(60);
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Who works on one lane.
pub(super) struct Runner {
    app: App,
    lane: Lane,
    places: usize,
    settings: Settings,
    in_flight: Shared,
    buffer: Buffer,
    tasks: JoinSet<()>,
    /// Whether something may be due that was not read.
    is_stale: bool,
    /// Whether something that is under way may be due again already.
    is_behind: bool,
    /// What has ended since the last reading: as much may soon end again.
    ended: usize,
    /// When what is not yet due will be.
    next: Option<Timestamp>,
    /// When it was read last.
    read_at: Instant,
    /// Not to be read before.
    not_before: Instant,
    told: Option<Instant>,
}

impl Runner {
    /// A runner with so many places.
    pub(super) fn new(app: App, lane: Lane, places: usize, settings: Settings) -> Self {
        Self {
            app,
            lane,
            places,
            settings,
            in_flight: Shared::default(),
            buffer: Buffer::default(),
            tasks: JoinSet::new(),
            is_stale: true,
            is_behind: false,
            ended: 0,
            next: None,
            read_at: Instant::now(),
            not_before: Instant::now(),
            told: None,
        }
    }

    /// Works until `stop`, then finishes what is under way.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let app = self.app.clone();
        let wake = app.base.board.wakes(self.lane);
        loop {
            let sleep = self.hand_out().await;
            tokio::select! {
                () = &mut stop => break,
                () = wake.notified() => self.woken(),
                () = sleep => self.is_stale = true,
                // Of what people wait for it is told what is due then.
                Some(_) = self.tasks.join_next() => {
                    self.ended += 1;
                    let is_told = self.is_named() && !std::mem::take(&mut self.is_behind);
                    self.is_stale |= self.buffer.is_empty() && !is_told;
                }
            }
        }
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.settings.drain, rest).await.is_err() {
            tracing::warn!(lane = self.lane.as_str(), "what is under way was left to the next start");
        }
    }

    /// Whether it is told by name what this process writes: where others write, too, to
    /// look for it is to go through theirs.
    fn is_named(&self) -> bool {
        self.lane == Lane::Person && self.app.base.store().is_shared()
    }

    /// Begins what was just written here, without a look at what else is due; where
    /// there is no room for it, or more waits already, all of it is looked for in its
    /// order. Another process that looks at this very moment may be given it: its
    /// commit, or the one here, comes too late then.
    fn woken(&mut self) {
        if self.lane != Lane::Person {
            self.is_stale = true;
            return;
        }
        let Written { named, more } = self.app.base.board.take_written();
        // Where nobody else writes, a look is at no more than what was written here.
        self.is_stale |= more || !self.is_named() || named.len() > self.free();
        if self.is_stale {
            return;
        }
        for (key, at) in named {
            if open(&self.in_flight).knows(&key) {
                self.is_behind = true;
                continue;
            }
            let Some(job) = job_for(self.lane, key.kind) else { continue };
            self.spawn(Batch { job, group: job.group(&key).to_owned(), due: vec![(key, at)] });
        }
    }

    /// Begins what can be begun, and answers the wait until something else can.
    async fn hand_out(&mut self) -> impl Future<Output = ()> + use<> {
        self.begin();
        let is_wanted = self.buffer.is_empty() || self.read_at.elapsed() >= STALE;
        if self.is_stale && is_wanted && self.free() > 0 && Instant::now() >= self.not_before {
            match self.read().await {
                Ok(()) => self.begin(),
                Err(error) => {
                    tracing::error!(lane = self.lane.as_str(), %error, "cannot read what is due");
                    self.not_before = Instant::now() + RECOVERY;
                }
            }
        }
        // A backoff that is over by now makes what was read stale; any other is waited for.
        let retry = open(&self.in_flight).next_retry(self.read_at);
        let is_over = retry.is_some_and(|at| at <= Instant::now());
        self.is_stale |= is_over;
        self.wait(retry.filter(|_| !is_over))
    }

    fn free(&self) -> usize {
        self.places.saturating_sub(self.tasks.len())
    }

    /// Reads what is due.
    async fn read(&mut self) -> Result<(), StoreError> {
        self.read_at = Instant::now();
        let now = self.app.base.now();
        let window = self.window();
        self.ended = 0;
        let known = open(&self.in_flight).known();
        let is_shared = self.app.base.store().is_shared();
        // By this clock the claim is over no later than by the store's.
        let claimed = is_shared.then(|| self.read_at + CLAIM);
        let (mut due, is_full) = match is_shared {
            true => self.claimed(now, window, known).await?,
            false => self.listed(now, window, known).await?,
        };
        self.tell_late(now, due.first().map(|(_, at)| *at));
        let in_flight = open(&self.in_flight);
        due.retain(|(key, _)| !in_flight.knows(key));
        drop(in_flight);
        self.is_stale = is_full;
        if self.lane == Lane::Chore && !is_full {
            self.not_before = Instant::now() + GATHERING;
        }
        for key in self.buffer.fill(self.lane, due, claimed) {
            open(&self.in_flight).defer(&key, STRANGE);
        }
        if is_full {
            self.make_way();
        }
        if open(&self.in_flight).is_full() {
            self.not_before = Instant::now() + RECOVERY;
        }
        Ok(())
    }

    /// How much is read at once. Where others work too only what is begun soon: what
    /// is claimed here, nobody else begins. But the dispatches of an endpoint that has
    /// no room stand in front of all others', and stay here meanwhile.
    fn window(&self) -> usize {
        let batch = if self.lane == Lane::Chore { Change::MAX_COMMIT } else { 1 };
        match (self.lane, self.app.base.store().is_shared()) {
            (Lane::Webhook, false) => DISPATCHES_AHEAD,
            (_, false) => 4 * self.places * batch,
            (Lane::Person, true) => self.free() + self.ended.min(self.places / 2),
            (Lane::Long, true) => self.free(),
            (Lane::Webhook, true) => {
                let room = DISPATCHES_AHEAD.saturating_sub(self.buffer.len());
                room.clamp(2 * self.free(), DISPATCHES_CLAIMED.max(2 * self.free()))
            }
            (_, true) => 2 * self.free() * batch,
        }
    }

    /// What is due, where nobody else works, and whether there may be more.
    async fn listed(
        &mut self,
        now: Timestamp,
        window: usize,
        known: usize,
    ) -> Result<(Vec<(Key, Timestamp)>, bool), StoreError> {
        let most = known + window;
        let mut due = self.app.base.store().due_in(self.lane, Timestamp::MAX, most + 1).await?;
        let is_due = due.partition_point(|(_, at)| *at <= now);
        self.next = due.get(is_due).map(|(_, at)| *at);
        due.truncate(is_due);
        Ok((due, is_due > most))
    }

    /// The same of what others leave to this process.
    async fn claimed(
        &mut self,
        now: Timestamp,
        window: usize,
        known: usize,
    ) -> Result<(Vec<(Key, Timestamp)>, bool), StoreError> {
        let store = self.app.base.store();
        let due = store.claim(self.lane, now, window, CLAIM).await?;
        let is_full = due.len() >= window;
        if is_full {
            // It is read again before anything else becomes due.
            self.next = None;
            return Ok((due, true));
        }
        // What is under way here and elsewhere is overdue, too, and so is what waits here.
        let most = known + self.buffer.len() + due.len() + 1;
        let ahead = store.due_in(self.lane, Timestamp::MAX, most).await?;
        self.next = ahead.into_iter().map(|(_, at)| at).find(|at| *at > now);
        Ok((due, is_full))
    }

    /// Begins what there is, as far as there are places: first what somebody waits for.
    fn begin(&mut self) {
        if self.lane == Lane::Chore && self.free() > 0 {
            self.begin_wanted();
        }
        // Others may be given it by now.
        self.is_stale |= self.buffer.lapse(Instant::now());
        while self.free() > 0 {
            let batch = {
                let in_flight = open(&self.in_flight);
                let has_room =
                    |job: &dyn Job, group: &str| in_flight.of_group(group) < job.most_of_group(&self.app);
                self.buffer.next(has_room, |key| in_flight.is_alone(key))
            };
            let Some(batch) = batch else { break };
            self.spawn(batch);
        }
    }

    /// Begins the chores that somebody waits for, without a look at what else is due.
    fn begin_wanted(&mut self) {
        let mut due = self.app.base.board.take_wanted();
        due.retain(|(key, _)| !open(&self.in_flight).knows(key));
        let Some(job) = due.first().and_then(|(key, _)| job_for(self.lane, key.kind)) else { return };
        due.retain(|(key, _)| job.kinds().contains(&key.kind));
        due.truncate(job.most());
        self.buffer.forget(&due.iter().map(|(key, _)| key.clone()).collect());
        self.spawn(Batch { job, group: job.group(&due[0].0).to_owned(), due });
    }

    fn spawn(&mut self, batch: Batch) {
        let keys = batch.due.iter().map(|(key, _)| key.clone()).collect();
        let run = Run {
            app: self.app.clone(),
            lane: self.lane,
            settings: self.settings,
            leave: Leave::after(&self.in_flight, keys, batch.group.clone()),
            batch,
        };
        self.tasks.spawn(run.run());
    }

    /// Lets what cannot be begun hide nothing else.
    fn make_way(&mut self) {
        let app = self.app.clone();
        let largest = self.buffer.largest(MOST_DEFERRED);
        let is_most = |batch: &Batch| 2 * batch.due.len() >= self.buffer.len().min(MOST_DEFERRED);
        let has_room =
            |batch: &Batch| open(&self.in_flight).of_group(&batch.group) < batch.job.most_of_group(&app);
        if let Some(batch) = largest.filter(|batch| is_most(batch) && !has_room(batch)) {
            let (job, keys) = (batch.job, batch.due.into_iter().map(|(key, _)| key).collect::<Vec<_>>());
            self.buffer.forget(&keys.iter().cloned().collect());
            self.tasks.spawn(async move {
                let made = AssertUnwindSafe(job.make_way(&app, &keys)).catch_unwind().await;
                if let Ok(Err(error)) = made {
                    tracing::error!(%error, "cannot defer what waits");
                }
            });
        }
    }

    /// Until a span of the server's time has passed, or the real time has come: a
    /// clock that was stopped stops no recovery, nor the end of a backoff.
    fn wait(&self, retry: Option<Instant>) -> impl Future<Output = ()> + use<> {
        let now = self.app.base.now();
        let shared = self.app.base.store().is_shared().then(|| Instant::now() + SHARED_SLEEP);
        // Nothing more is begun for what becomes due: the end of something that is under
        // way, or a time below, is what is waited for.
        let is_taken = self.free() == 0 || !self.buffer.is_empty();
        let next = self.next.filter(|_| !is_taken);
        let next = next.map_or(LONGEST_SLEEP, |next| next.duration_since(now));
        let next = next.clamp(SignedDuration::ZERO, LONGEST_SLEEP);
        let at = now.checked_add(next).unwrap_or(Timestamp::MAX);
        let is_held = self.is_stale && self.buffer.is_empty() && self.free() > 0;
        let held = is_held.then_some(self.not_before);
        let stale = (!self.buffer.is_empty() && self.free() > 0).then(|| self.read_at + STALE);
        let real = [held, stale, shared, retry].into_iter().flatten().min();
        let not_before = self.not_before;
        let clock = self.app.base.clock.clone();
        async move {
            match real {
                None => clock.sleep_until(at).await,
                Some(real) => tokio::select! {
                    () = clock.sleep_until(at) => {}
                    () = tokio::time::sleep_until(real.into()) => {}
                },
            }
            tokio::time::sleep_until(not_before.into()).await;
        }
    }

    /// Says in the log that the lane is behind, and how much waits, as soon as that is
    /// counted: nothing waits for it.
    fn tell_late(&mut self, now: Timestamp, oldest: Option<Timestamp>) {
        let late = oldest.map(|oldest| now.duration_since(oldest)).filter(|late| *late > LATE);
        let Some(late) = late.filter(|_| self.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY)) else {
            return;
        };
        self.told = Some(Instant::now());
        let (app, lane, oldest_seconds) = (self.app.clone(), self.lane, late.as_secs());
        tokio::spawn(async move {
            let depths = app.base.store().depths(now).await;
            let of_lane = depths.map(|depths| -> u64 {
                depths.iter().filter(|depth| depth.lane == lane).map(|depth| depth.waiting).sum()
            });
            let lane = lane.as_str();
            match of_lane {
                Ok(waiting) => tracing::warn!(lane, waiting, oldest_seconds, "work waits"),
                Err(error) => tracing::warn!(lane, %error, oldest_seconds, "work waits, and is not counted"),
            }
        });
    }
}
