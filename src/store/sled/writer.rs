//! Group commit: one thread does all writing, and one flush answers all who
//! wait.
//!
//! It takes what waits, up to `GROUP_CHANGES`, `GROUP_PUTS` and `GROUP_BYTES`, checks
//! each commit against the tree and against what it has already taken, applies
//! the group, flushes, syncs, and only then answers. When that fails the
//! outcome is unknown, and so nothing is written any more until the store is
//! opened again.
//!
//! A group is one batch: with a batch for each commit, applying took three
//! times and flushing ten times as long. Groups follow each other without
//! overlap, for sled applies nothing while it flushes, and the sync that is
//! left over is a tenth of a group's time.
//!
//! Between groups the same thread copies what lives into new files, when those
//! there are have grown too large (`compaction.rs`).
//!
//! It refuses to know directories and what records mean.

use super::super::counting::OpenCounters;
use super::super::hook::Answer;
use super::super::{
    Change, Commit, CommitError, CountedError, Due, Key, Kind, Lane, StoreError, Stored, Version,
};
use super::compaction::{Compactor, Next};
use super::copying::{Put, Waiting};
use super::disk::SyncData;
use super::shared::{Shared, damaged, failure};
use super::tally::{RecordSum, Tallied};
use super::{disk, layout};
use bytes::Bytes;
use sled::{Batch, Db, IVec};
use std::collections::{HashMap, HashSet};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;
use tokio::runtime::Handle;

/// Most changes in a group: each is read and checked before any of them is put.
pub(super) const GROUP_CHANGES: usize = 4 * Change::MAX_COMMIT;

/// Most puts in a group, of keys and of their lines in listings: as many as the 64
/// changes of the largest commit can come to. Larger batches were lost whole in
/// simulated power cuts of sled 0.34.
const GROUP_PUTS: usize = 6 * Change::MAX_COMMIT;

/// Most bytes of bodies in a group, small against a segment; a single commit
/// may have more.
const GROUP_BYTES: usize = 1024 * 1024;

type Verdict = Result<(), CountedError>;

/// What waits for the writer.
pub(super) enum Work {
    Commit(Submitted),
    Compact(Waiting),
}

/// A commit that waits. One that does nothing is a probe.
pub(super) struct Submitted {
    pub commit: Commit,
    pub answer: Answer,
}

/// What the writer does next.
enum Task {
    Serve(Submitted),
    Copy,
    Look,
    End,
}

/// Answers that are given when this is dropped, wherever that is: also with a
/// runtime that has ended.
struct Answers(Vec<(Answer, Verdict)>);

impl Drop for Answers {
    fn drop(&mut self) {
        for (answer, verdict) in self.0.drain(..) {
            answer.send(verdict);
        }
    }
}

/// The one who writes.
pub(super) struct Writer {
    pub db: Arc<Db>,
    pub sync: SyncData,
    pub shared: Arc<Shared>,
    pub queue: Receiver<Work>,
    pub compactor: Compactor,
    /// Most changes in a group, 1 to [`GROUP_CHANGES`].
    pub group_limit: usize,
    /// The number of the last group, and what the records come to with it.
    pub last: Tallied,
    /// Whether anything was ever set aside.
    pub has_aside: bool,
    /// Where those who wait run, if that is known.
    pub runtime: Option<Handle>,
}

impl Writer {
    /// Writes until nobody can send any more and the queue is empty.
    pub(super) fn run(mut self) {
        let mut left = None;
        loop {
            match left.take().map_or_else(|| self.next(), Task::Serve) {
                Task::Serve(first) => {
                    let began = Instant::now();
                    let group;
                    (group, left) = self.gather(first);
                    self.serve(group);
                    if self.compactor.served(began.elapsed()) {
                        self.copy();
                    }
                }
                Task::Copy => self.copy(),
                Task::Look => {}
                Task::End => break,
            }
            self.compactor.begin();
        }
        drop(self.db);
        self.compactor.end();
    }

    fn next(&mut self) -> Task {
        let work = match self.compactor.patience() {
            None => self.queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(patience) => self.queue.recv_timeout(patience),
        };
        match work {
            Ok(Work::Commit(commit)) => Task::Serve(commit),
            Ok(Work::Compact(waiting)) => {
                self.compactor.ask(waiting);
                Task::Look
            }
            Err(RecvTimeoutError::Timeout) => {
                self.compactor.idle();
                Task::Copy
            }
            Err(RecvTimeoutError::Disconnected) => Task::End,
        }
    }

    /// A slice of the copy. After the last of them the copy is written to.
    fn copy(&mut self) {
        if let Some(Next { db, sync, tally }) = self.compactor.slice(&self.db) {
            let old = std::mem::replace(&mut self.db, db);
            self.sync = sync;
            self.last.tally = tally;
            self.compactor.retire(old);
        }
    }

    /// What waits and fits into one group, and the one that did not fit.
    fn gather(&mut self, first: Submitted) -> (Vec<Submitted>, Option<Submitted>) {
        let mut size = Size::default();
        size.add(&first.commit);
        let mut group = vec![first];
        while let Ok(work) = self.queue.try_recv() {
            let commit = match work {
                Work::Commit(commit) => commit,
                Work::Compact(waiting) => {
                    self.compactor.ask(waiting);
                    continue;
                }
            };
            size.add(&commit.commit);
            if size.changes > self.group_limit || size.puts > GROUP_PUTS || size.bytes > GROUP_BYTES {
                return (group, Some(commit));
            }
            group.push(commit);
        }
        (group, None)
    }

    fn serve(&mut self, commits: Vec<Submitted>) {
        let puts = Puts { mirror: self.compactor.is_copying().then(Vec::new), ..Puts::default() };
        let mut group = Group { puts, has_aside: self.has_aside, ..Group::default() };
        let mut answers = Vec::with_capacity(commits.len());
        for Submitted { commit, answer } in commits {
            let taken = match self.shared.failure() {
                Some(error) => Err(error.into()),
                None => self.guarded(|writer| group.take(&writer.db, commit)),
            };
            if matches!(taken, Err(CountedError::Commit(CommitError::Store(StoreError::Failed(_))))) {
                self.shared.doubt();
            }
            answers.push((answer, taken));
        }
        group.put_counters();
        self.has_aside = group.has_aside;
        let settled = match group.is_empty() || self.shared.failure().is_some() {
            true => self.shared.failure().map_or(Ok(Vec::new()), Err),
            false => self.settle(group, answers.len()),
        };
        let (settled, mirror) = match settled {
            Ok(mirror) => (Ok(()), mirror),
            Err(error) => (Err(error), Vec::new()),
        };
        let verdicts = answers.into_iter().map(|(answer, taken)| {
            let verdict = taken.and_then(|()| settled.clone().map_err(CountedError::from));
            self.shared.count(&verdict);
            (answer, verdict)
        });
        self.answer(Answers(verdicts.collect()));
        if !mirror.is_empty() {
            self.compactor.mirror(mirror);
        }
    }

    /// Each answer from this thread would wake a thread of the runtime, which
    /// serves one request and sleeps again; so a group's answers are given by
    /// a task, and wake one.
    fn answer(&self, answers: Answers) {
        match &self.runtime {
            Some(runtime) if answers.0.len() > 1 => drop(runtime.spawn(async move { drop(answers) })),
            _ => drop(answers),
        }
    }

    /// Makes a group durable, or the store a failed one. Says what a copy that
    /// is under way has to do too.
    fn settle(&mut self, group: Group, commits: usize) -> Result<Vec<Put>, StoreError> {
        let Group { mut puts, touched, grown, .. } = group;
        let number = self.last.group + 1;
        let tally = self.last.tally.map(|tally| tallied(tally, &touched));
        let last = Tallied { group: number, tally };
        if let Some(live) = self.compactor.grew(grown) {
            puts.insert(layout::LIVE_KEY.into(), (&layout::number_value(live)).into());
        }
        puts.insert(layout::GROUP_KEY.into(), (&layout::number_value(number)).into());
        puts.insert(layout::TALLY_KEY.into(), last.value().into());
        let Puts { batch, mirror } = puts;
        self.shared.unsettle(touched.into_iter().map(|(key, record)| (key, record.before)));
        let done = self.guarded(|writer| {
            writer.shared.applying(true);
            let applied = writer.db.apply_batch(batch);
            writer.shared.applying(false);
            applied.map_err(|error| failure(&error))?;
            writer.db.flush().map_err(|error| failure(&error))?;
            let cannot =
                |error: io::Error| StoreError::Failed(format!("cannot sync: {}", disk::said(&error)));
            (writer.sync)(number).map_err(cannot)
        });
        match &done {
            Ok(()) => {
                self.last = last;
                self.shared.settled(commits);
            }
            Err(error) => self.shared.fail(error),
        }
        done.map(|()| mirror.unwrap_or_default())
    }

    /// sled asserts where it might return an error; that is a failure of the
    /// store, not the end of the thread.
    fn guarded<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        catch_unwind(AssertUnwindSafe(|| work(self))).unwrap_or_else(|_| {
            let error = StoreError::Failed("the engine panicked while writing".to_owned());
            self.shared.fail(&error);
            Err(error.into())
        })
    }
}

/// How much a group holds.
#[derive(Default)]
struct Size {
    /// Changes, and counters, which are written once however many add to them.
    changes: usize,
    /// Keys that are put or removed at most; of those that are not there only the look
    /// costs anything.
    puts: usize,
    bytes: usize,
    counters: HashSet<String>,
}

impl Size {
    fn add(&mut self, Commit { changes, additions }: &Commit) {
        self.changes += changes.len();
        self.puts += changes.iter().map(puts).sum::<usize>();
        self.bytes += changes.iter().filter_map(|change| change.body.as_ref()).map(Vec::len).sum::<usize>();
        for counting in additions {
            if !self.counters.contains(&counting.counter) {
                self.counters.insert(counting.counter.clone());
                self.changes += 1;
                self.puts += PUTS_OF_COUNTER;
            }
        }
    }
}

/// A counter, when it is due from now on, and when it was.
const PUTS_OF_COUNTER: usize = 3;

/// How many keys a change puts and removes.
fn puts(change: &Change) -> usize {
    let due = [change.due_before, change.due_after];
    let due = if due[0] == due[1] { 0 } else { due.iter().flatten().count() };
    1 + due + change.entries_added.len() + change.entries_removed.len()
}

/// What is written together.
#[derive(Default)]
struct Group {
    puts: Puts,
    touched: HashMap<Vec<u8>, Touched>,
    counters: OpenCounters,
    is_written: bool,
    /// By how many bytes of keys and values there will be more.
    grown: i64,
    /// Whether anything is set aside, so that it has to be looked for there too.
    has_aside: bool,
}

/// A batch, and the same once more where a copy is under way.
#[derive(Default)]
struct Puts {
    batch: Batch,
    mirror: Option<Vec<Put>>,
}

/// Both say how many bytes that is.
impl Puts {
    fn insert(&mut self, key: IVec, value: IVec) -> i64 {
        let bytes = key.len() + value.len();
        if let Some(mirror) = &mut self.mirror {
            mirror.push((key.clone(), Some(value.clone())));
        }
        self.batch.insert(key, value);
        bytes as i64
    }

    fn remove(&mut self, key: IVec) -> i64 {
        let bytes = key.len();
        if let Some(mirror) = &mut self.mirror {
            mirror.push((key.clone(), None));
        }
        self.batch.remove(key);
        bytes as i64
    }
}

/// A record as this group found it, and the version the group gives it.
struct Touched {
    before: Option<IVec>,
    /// Its value with this group.
    after: Option<IVec>,
    is_put: bool,
    version: Version,
    /// The bytes of its key and value now, in this group.
    bytes: i64,
}

impl Group {
    fn is_empty(&self) -> bool {
        !self.is_written
    }

    /// Takes a commit in whole, or nothing of it.
    fn take(&mut self, db: &Db, commit: Commit) -> Result<(), CountedError> {
        // A probe, too, is a write: of the group's number.
        self.is_written |= commit.is_empty();
        let Commit { changes, additions } = commit;
        let mut keys = Vec::with_capacity(changes.len());
        for change in &changes {
            let key = layout::record_key(&change.key);
            if touch(&mut self.touched, db, &key, &change.key)?.version != change.expected {
                return Err(CommitError::Conflict.into());
            }
            keys.push(key);
        }
        let touched = &mut self.touched;
        self.counters.add(&additions, |named| {
            let key = layout::record_key(named);
            let before = touch(touched, db, &key, named)?.before.as_ref();
            before.map(|value| layout::stored(&key, value).ok_or_else(|| damaged(named))).transpose()
        })?;
        for counting in &additions {
            self.counted(&counting.key());
        }
        for (key, change) in keys.into_iter().zip(changes) {
            match change.key.kind {
                Kind::Counter => self.put_over(key, change),
                _ => self.put(key, change),
            }
        }
        Ok(())
    }

    /// A counter was added to: whoever has read it comes too late from now on. It is put
    /// when the group is whole.
    fn counted(&mut self, named: &Key) {
        self.is_written = true;
        if let (Some(version), Some(touched)) =
            (self.counters.version_of(&named.id), self.touched.get_mut(&layout::record_key(named)))
        {
            touched.version = version;
        }
    }

    /// Puts a counter that somebody changes by its version. What is added to it from
    /// now on is added to that.
    fn put_over(&mut self, key: Vec<u8>, change: Change) {
        if let Some(added) = self.counters.change_of(&change.key.id) {
            self.put(key.clone(), added);
        }
        let version = change.expected + 1;
        let body = change.body.as_deref().map(Bytes::copy_from_slice);
        self.counters.open(&change.key, body.map(|body| Stored { version, body }).as_ref());
        self.put(key, change);
    }

    /// Puts what counters have come to.
    fn put_counters(&mut self) {
        let changes: Vec<Change> = self.counters.changes().collect();
        for change in changes {
            self.put(layout::record_key(&change.key), change);
        }
    }

    /// The last put of a key counts, so that a record changed twice in a group
    /// is written once.
    fn put(&mut self, key: Vec<u8>, change: Change) {
        self.is_written = true;
        if change.due_before != change.due_after {
            if let Some(due) = change.due_before {
                self.grown -= self.puts.remove(layout::due_key(due, &change.key).into());
                // To remove what is not there costs a look, and so is not counted.
                if let Some(early) = layout::early_due_key(due, &change.key) {
                    self.puts.remove(early.into());
                }
                if self.has_aside {
                    let aside = Due { lane: Lane::Aside, ..due };
                    self.puts.remove(layout::due_key(aside, &change.key).into());
                }
            }
            if let Some(due) = change.due_after {
                self.has_aside |= due.lane == Lane::Aside;
                self.grown += self.puts.insert(layout::due_key(due, &change.key).into(), IVec::default());
            }
        }
        for entry in &change.entries_removed {
            self.grown -= self.puts.remove(layout::entry_key(entry).into());
        }
        for entry in &change.entries_added {
            self.grown += self.puts.insert(layout::entry_key(entry).into(), IVec::default());
        }
        let version = if change.body.is_some() { change.expected + 1 } else { 0 };
        let after = change.body.map(|body| IVec::from(layout::value(&key, version, &body)));
        let bytes = match &after {
            Some(value) => self.puts.insert(key.as_slice().into(), value.clone()),
            None => {
                self.puts.remove(key.as_slice().into());
                0
            }
        };
        if let Some(touched) = self.touched.get_mut(&key) {
            self.grown += bytes - touched.bytes;
            (touched.version, touched.bytes) = (version, bytes);
            (touched.after, touched.is_put) = (after, true);
        }
    }
}

/// What the records come to with a group.
fn tallied(mut tally: RecordSum, touched: &HashMap<Vec<u8>, Touched>) -> RecordSum {
    for (key, record) in touched.iter().filter(|(_, record)| record.is_put) {
        tally.replace(key, record.before.as_deref(), record.after.as_deref());
    }
    tally
}

/// A record as a group has it; it is looked up when the group first meets it.
fn touch<'t>(
    touched: &'t mut HashMap<Vec<u8>, Touched>,
    db: &Db,
    key: &[u8],
    named: &Key,
) -> Result<&'t Touched, StoreError> {
    if !touched.contains_key(key) {
        let before = db.get(key).map_err(|error| failure(&error))?;
        let version = match &before {
            Some(value) => layout::version(key, value).ok_or_else(|| damaged(named))?,
            None => 0,
        };
        let bytes = before.as_ref().map_or(0, |value| (key.len() + value.len()) as i64);
        let found = Touched { before, after: None, is_put: false, version, bytes };
        touched.insert(key.to_vec(), found);
    }
    Ok(&touched[key])
}
