//! The engine for more than one machine: PostgreSQL, with group commit.
//!
//! - Commits that wait together are one statement in one transaction
//!   (`writer.rs`, `group.rs`, `statement.rs`), or two where they add to counters
//!   (`counted.rs`); reads of records that wait
//!   together are one statement too (`reader.rs`).
//! - Where the database is, and who it is, are in `url.rs`, `tls.rs` and
//!   `passfile.rs`; connections in `link.rs` and `race.rs`, why there is none in
//!   `miss.rs`, the first ones in `opening.rs`, those that read in `pool.rs`; what
//!   errors mean in `fault.rs`; who is refused at once in `gate.rs`.
//! - Tables and their versions are in `schema.rs`, an index that comes later in
//!   `indexing.rs`, what a role must be allowed in `grants.rs`; who sees to all that as
//!   long as the store is open is in `keeping.rs`. Lines of listings are kept by
//!   month (`partitions.rs`). Records are not: a record's key must be unique
//!   for all time, and across partitions nothing can enforce that but a key
//!   that has the time in it.
//! - Bodies are `jsonb` (`body.rs`), for people to look at and for nobody else:
//!   no statement depends on what is in them.
//!
//! Nothing is kept between statements, in this process or on its machine: any
//! number of processes use the same tables, and any of them may go at any time.
//! It refuses to know HTTP, Twilio and what records mean.

mod arrivals;
mod body;
mod care;
mod company;
mod counted;
mod fault;
mod gate;
mod grants;
mod group;
mod indexing;
mod keeping;
mod link;
mod listing;
mod miss;
mod neighbours;
mod opening;
mod partitions;
mod passfile;
mod pool;
mod queue;
mod race;
mod reader;
mod schema;
mod statement;
mod tls;
mod url;
mod writer;

use super::hook::{Answer, Ending, Hooks};
use super::measured::measured;
use super::{
    Absent, Arrivals, CheckReport, Commit, CommitHook, CountedError, Depth, Due, Entry, Index, Key, Kind,
    Lane, Listed, Maintenance, Mark, Scan, Stats, Store, StoreError, Stored, millis, timestamp, validate,
};
use crate::telemetry::metrics::{Meter, Place, meter};
use async_trait::async_trait;
use gate::Gate;
use group::{Limits, Work};
use jiff::Timestamp;
use link::Link;
use opening::Opened;
use pool::Pool;
use reader::{Ask, Reader, field, limited, stored};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::{Mutex, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Address;
use writer::Writer;

static COMMITS: LazyLock<&Meter> = LazyLock::new(|| meter(Place::Commit, "postgres"));

/// Connections that write. While one waits for the disk of the server another
/// sends what has come since; a third would only make groups smaller.
const WRITERS: usize = 2;

/// Fewer connections in all have one that writes.
const FEW: usize = 4;

/// Batches of reads under way at once.
const READERS: usize = 4;

/// Most bytes of bodies in a group; a single commit may have more.
const GROUP_BYTES: usize = 1024 * 1024;

/// Something written so recently says that the next would be, too.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Rows that probes write to, so that processes do not wait for each other.
const PROBES: u32 = 64;

/// Looks whether an address could be a database's, without going there.
///
/// # Errors
/// What is wrong with it; never its password.
pub fn check_url(url: &str) -> Result<(), StoreError> {
    Address::parse(url, Options::default().deadline).map(|_| ())
}

/// What an operator may turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Connections at most, 2 at least: two of them write (one, of fewer than four),
    /// the others read and claim what is due, when there is so much to do. What
    /// takes long (a check, giving space back, of fewer than four also looking after the
    /// tables) has one more meanwhile.
    pub connections: usize,
    /// In this time a read or a group of writes is answered.
    pub deadline: Duration,
    /// How many commits may wait before more are refused as overload, and how
    /// many reads.
    pub max_waiting: usize,
    /// How many changes one statement does at most.
    pub group_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 8, deadline: Duration::from_secs(5), max_waiting: 4096, group_limit: 512 }
    }
}

/// A store in a database.
pub struct Postgres {
    link: Link,
    gate: Arc<Gate>,
    reader: Reader,
    /// Empty once closed.
    queues: RwLock<Option<Queues>>,
    closing: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    is_postgres: bool,
    hooks: Hooks,
}

struct Queues {
    works: Sender<Work>,
    asks: Sender<Ask>,
}

impl Postgres {
    /// Connects, and makes the tables where there are none.
    ///
    /// # Errors
    /// [`StoreError::Open`] with what to do. It never holds the password.
    pub async fn open(url: &str, options: Options) -> Result<Self, StoreError> {
        let link = Link::new(Address::parse(url, options.deadline)?, options.deadline);
        let opened = opening::open(&link, options.connections).await?;
        Ok(Self::start(link, options, opened))
    }

    fn start(link: Link, options: Options, opened: Opened) -> Self {
        let Opened { reads, writes, connections, is_postgres } = opened;
        let writers = if connections < FEW { 1 } else { WRITERS };
        let readers = connections.saturating_sub(writers).max(1);
        let pool = Pool::new(link.for_reads(), readers, reads);
        let (works, work_queue) = channel(options.max_waiting.max(1));
        let (asks, ask_queue) = channel(options.max_waiting.max(1));
        let (work_queue, ask_queue) = (Arc::new(Mutex::new(work_queue)), Arc::new(Mutex::new(ask_queue)));
        let (closing, closed) = watch::channel(false);
        let gate = Arc::<Gate>::default();
        let company = Arc::default();
        let reader = Reader { pool, company, place: link.place.clone(), deadline: link.deadline };
        let probe = getrandom::u32().unwrap_or_default() % PROBES;
        let mut tasks = Vec::new();
        let mut first = Some(writes);
        for _ in 0..writers {
            let pool = reader.pool.clone();
            let writer = Writer {
                link: link.clone(),
                first: first.take(),
                gate: Arc::clone(&gate),
                is_postgres,
                queue: Arc::clone(&work_queue),
                limits: Limits { changes: options.group_limit.max(1), bytes: GROUP_BYTES },
                probe: i16::try_from(probe).unwrap_or_default(),
                closing: closed.clone(),
                forget: Arc::new(move || pool.forget()),
                aside: VecDeque::new(),
            };
            tasks.push(tokio::spawn(writer.run()));
        }
        for _ in 0..READERS.min(readers) {
            tasks.push(tokio::spawn(reader.clone().run(Arc::clone(&ask_queue))));
        }
        tasks.push(tokio::spawn(keeping::keep(
            link.clone(),
            reader.clone(),
            Arc::clone(&gate),
            is_postgres,
            closed,
        )));
        let queues = RwLock::new(Some(Queues { works, asks }));
        let (tasks, hooks) = (Mutex::new(tasks), Hooks::default());
        Self { link, gate, reader, queues, closing, tasks, is_postgres, hooks }
    }

    /// How many connections write to these tables, of all processes that say so.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], and the server's.
    pub async fn writers(&self) -> Result<i64, StoreError> {
        neighbours::writers(&self.reader).await
    }

    /// Hands something to those who do it.
    fn send<T>(&self, to: impl FnOnce(&Queues) -> &Sender<T>, thing: T) -> Result<(), StoreError> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        match queues.as_ref().map(|queues| to(queues).try_send(thing)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(StoreError::Overloaded),
            Some(Err(TrySendError::Closed(_))) | None => Err(StoreError::Closed),
        }
    }

    fn open_queues(&self) -> Result<(), StoreError> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues.as_ref().map(drop).ok_or(StoreError::Closed)
    }

    /// Hands work to a writer and waits for its answer.
    async fn submit(&self, commit: Commit, ending: Ending) -> Result<(), CountedError> {
        self.open_queues()?;
        self.gate.check()?;
        let (answer, answered) = Answer::to(ending);
        self.send(|queues| &queues.works, Work { commit, answer })?;
        // One deadline to come to its turn, and one for the group.
        match timeout(2 * self.link.deadline, answered).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) => Err(StoreError::Failed("the writer has stopped".to_owned()).into()),
            Err(_) => Err(StoreError::Failed(format!("no answer in {:?}", 2 * self.link.deadline)).into()),
        }
    }

    async fn rows(
        &self,
        sql: &'static str,
        parameters: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        self.open_queues()?;
        self.reader.query(sql, parameters).await
    }
}

#[async_trait]
impl Store for Postgres {
    async fn read(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.send(|queues| &queues.asks, Ask { key: key.clone(), answer })?;
        match timeout(self.link.deadline, answered).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => Err(StoreError::Unavailable("the reader has stopped".to_owned())),
            Err(_) => {
                let (place, deadline) = (&self.link.place, self.link.deadline);
                Err(StoreError::Unavailable(format!("{place}: not read in {deadline:?}")))
            }
        }
    }

    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, StoreError> {
        self.open_queues()?;
        let mut found = Vec::with_capacity(keys.len());
        for some in keys.chunks(reader::MOST_KEYS) {
            found.extend(self.reader.read(some.iter()).await?);
        }
        Ok(found)
    }

    async fn commit_counted(&self, commit: Commit) -> Result<(), CountedError> {
        let ending = self.hooks.begin(&commit.changes);
        self.open_queues()?;
        validate(&commit)?;
        if commit.is_empty() {
            return Ok(());
        }
        measured(*COMMITS, commit.changes.len(), self.submit(commit, ending)).await
    }

    fn watch(&self, hook: Weak<dyn CommitHook>) {
        self.hooks.add(hook);
    }

    async fn due_after(
        &self,
        lane: Lane,
        after: Option<&(Key, Timestamp)>,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let (kinds, number) = (statement::kinds(lane), lane.number());
        let (until, limit) = (millis(until), limited(limit));
        let rows = match after {
            None => self.rows(statement::DUE, &[&number, &until, &limit, &kinds]).await?,
            Some((key, at)) => {
                let (at, kind) = (millis(*at), i16::from(key.kind.letter()));
                let place: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
                    [&number, &until, &limit, &kinds, &at, &kind, &key.id];
                self.rows(statement::DUE_AFTER, &place).await?
            }
        };
        queue::due(&rows)
    }

    async fn claim(
        &self,
        lane: Lane,
        until: Timestamp,
        limit: usize,
        span: Duration,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let (kinds, number, seconds) = (statement::kinds(lane), lane.number(), span.as_secs_f64());
        let (until, limit) = (millis(until), limited(limit));
        queue::due(&self.rows(statement::CLAIM, &[&number, &until, &limit, &kinds, &seconds]).await?)
    }

    async fn depths(&self, until: Timestamp) -> Result<Vec<Depth>, StoreError> {
        queue::depths(&self.rows(statement::DEPTHS, &[&millis(until)]).await?)
    }

    async fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, StoreError> {
        let since = scan.since.map_or(i64::MIN, millis);
        let until = scan.until.map_or(i64::MAX, millis);
        let (at, id) = scan.after.as_ref().map_or((i64::MAX, ""), |(at, id)| (millis(*at), id.as_str()));
        let index = i16::from(scan.index.letter());
        let rows = self
            .rows(statement::SCAN, &[&index, &scan.scope, &since, &until, &at, &id, &limited(scan.limit)])
            .await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            let (at, id): (i64, String) = (field(row, 0)?, field(row, 1)?);
            let (index, scope) = (scan.index, scan.scope.clone());
            entries.extend(timestamp(at).map(|at| Entry { index, scope, at, id }));
        }
        Ok(entries)
    }

    async fn list(&self, scans: &[Scan]) -> Result<Vec<Vec<Listed>>, StoreError> {
        if !self.is_postgres {
            return super::port::scanned_and_read(self, scans).await;
        }
        let asked = listing::Asked::of(scans);
        asked.answer(&self.rows(statement::LIST, &asked.parameters()).await?)
    }

    async fn arrivals(
        &self,
        mark: Option<&Mark>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Option<Arrivals>, StoreError> {
        if !self.is_postgres {
            return Ok(None);
        }
        let asked = arrivals::Asked::of(mark, since, limit);
        let rows = self.rows(statement::ARRIVALS, &asked.parameters()).await?;
        asked.answer(&rows)
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.open_queues()?;
        self.gate.check()?;
        if self.gate.settled_at().is_some_and(|at| at.elapsed() < PROBE_EVERY) {
            return Ok(());
        }
        self.submit(Commit::default(), Ending::default()).await.map_err(CountedError::of_probe)
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn close(&self) {
        self.queues.write().unwrap_or_else(PoisonError::into_inner).take();
        // Nobody may listen any more.
        let _ = self.closing.send(true);
        for mut task in self.tasks.lock().await.drain(..) {
            // What was accepted has had its own deadline by then; a server that stands
            // still answers nobody, and would keep this process for ever.
            match tokio::time::timeout(4 * self.link.deadline, &mut task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a task of the store did not end well"),
                Err(_) => {
                    tracing::warn!("a database that does not answer is not waited for any longer");
                    task.abort();
                }
            }
        }
        self.reader.pool.close();
    }
}

#[async_trait]
impl Maintenance for Postgres {
    async fn walk(
        &self,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError> {
        let (letter, after) = (i16::from(kind.letter()), after.unwrap_or_default());
        let rows = self.rows(statement::WALK, &[&letter, &after, &limited(limit)]).await?;
        rows.iter().map(|row| Ok((field(row, 0)?, stored(row, 1)?))).collect()
    }

    /// That bodies are objects with a format, and that each line has its record.
    /// That pages are whole is the server's to say: see its data checksums.
    async fn check(&self) -> Result<CheckReport, StoreError> {
        self.open_queues()?;
        care::at_length(&self.link, care::check).await
    }

    async fn absent(&self, due: &[(Key, Due)], entries: &[Entry]) -> Result<Absent, StoreError> {
        let mut absent = Absent::default();
        if !due.is_empty() {
            let ids: Vec<&str> = due.iter().map(|(key, _)| key.id.as_str()).collect();
            let kinds: Vec<i16> = due.iter().map(|(key, _)| key.kind.letter().into()).collect();
            let times: Vec<i64> = due.iter().map(|(_, due)| millis(due.at)).collect();
            let rows = self.rows(statement::NOT_DUE, &[&ids, &kinds, &times]).await?;
            absent.due = places(&rows, due)?;
        }
        if !entries.is_empty() {
            let indexes: Vec<i16> = entries.iter().map(|entry| entry.index.letter().into()).collect();
            let scopes: Vec<&str> = entries.iter().map(|entry| entry.scope.as_str()).collect();
            let times: Vec<i64> = entries.iter().map(|entry| millis(entry.at)).collect();
            let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
            let rows = self.rows(statement::NOT_LISTED, &[&indexes, &scopes, &times, &ids]).await?;
            absent.entries = places(&rows, entries)?;
        }
        Ok(absent)
    }

    async fn entries_of(&self, key: &Key) -> Result<Vec<Entry>, StoreError> {
        let indexes = Index::ALL.into_iter().filter(|index| index.kind() == key.kind);
        let letters: Vec<i16> = indexes.map(|index| index.letter().into()).collect();
        let rows = self.rows(statement::ENTRIES_OF, &[&letters, &key.id]).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            let (letter, scope, at): (i16, String, i64) = (field(row, 0)?, field(row, 1)?, field(row, 2)?);
            let index = u8::try_from(letter).ok().and_then(Index::from_letter);
            let of = index.zip(timestamp(at));
            entries.extend(of.map(|(index, at)| Entry { index, scope, at, id: key.id.clone() }));
        }
        Ok(entries)
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        let rows = self.rows(care::SIZE, &[]).await?;
        let bytes: i64 = rows.first().map_or(Ok(0), |row| field(row, 0))?;
        let number = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        Ok(Stats {
            commits: number(&self.gate.commits),
            conflicts: number(&self.gate.conflicts),
            groups: number(&self.gate.groups),
            bytes_on_disk: bytes.cast_unsigned(),
            ..Stats::default()
        })
    }

    async fn compact(&self) -> Result<(), StoreError> {
        self.open_queues()?;
        if !self.is_postgres {
            return Ok(());
        }
        care::at_length(&self.link, care::compact).await
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The queues end with this, and those who serve them when they are empty; who looks
        // after the tables ends with the sender of `closing`.
        self.reader.pool.close();
    }
}

/// Those of a list whose places in it are in the rows, which count from 1.
fn places<T: Clone>(rows: &[tokio_postgres::Row], of: &[T]) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let nth: i64 = field(row, 0)?;
        found.extend(usize::try_from(nth - 1).ok().and_then(|nth| of.get(nth)).cloned());
    }
    Ok(found)
}
