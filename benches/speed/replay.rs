//! Lives that many writers commit, step by step, to a store of some kind. Each writer
//! goes through some of its lives together, as people do who are verified at the same
//! time. It refuses to know what lives are.

use crate::footprint::size;
use crate::journal::Journal;
use crate::lives::{Life, Lives, Step};
use crate::memory::memory;
use dialback::store::sled::{Options, Sled};
use dialback::store::{Change, Key, Kind, Store};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Lives of all writers, which is some 8 commits each; of one writer alone fewer.
const LIVES: usize = 4096;
const LIVES_OF_ONE: usize = 512;
/// Lives that a writer goes through together.
const TOGETHER: usize = 16;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    AsItIs,
    Mimalloc,
    /// Bodies of a third of their length: more than a compact encoding could save.
    Short,
    /// No lines of listings: more than any merging of them could save.
    NoLines,
    /// Neither lines nor due entries: one put for each record.
    OnePut,
    /// No event beside what it tells of, as if it stood in that record.
    NoEvents,
    Journal,
    JournalMimalloc,
}

impl Variant {
    pub const ALL: [Self; 8] = [
        Self::AsItIs,
        Self::Mimalloc,
        Self::Short,
        Self::NoEvents,
        Self::NoLines,
        Self::OnePut,
        Self::Journal,
        Self::JournalMimalloc,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::AsItIs => "as it is",
            Self::Mimalloc => "mimalloc",
            Self::Short => "bodies of a third",
            Self::NoLines => "no lines of listings",
            Self::OnePut => "one put a record",
            Self::NoEvents => "no put for an event",
            Self::Journal => "a journal in front",
            Self::JournalMimalloc => "a journal, and mimalloc",
        }
    }

    pub fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|variant| variant.name() == name).expect("a variant")
    }

    pub fn has_mimalloc(self) -> bool {
        matches!(self, Self::Mimalloc | Self::JournalMimalloc)
    }

    fn has_journal(self) -> bool {
        matches!(self, Self::Journal | Self::JournalMimalloc)
    }

    /// The changes as this variant would have them.
    fn shaped(self, changes: Vec<Change>) -> Vec<Change> {
        let mut changes = changes;
        if self == Self::NoEvents && changes.len() > 1 {
            changes.retain(|change| change.key.kind != Kind::Event);
        }
        for change in &mut changes {
            if self == Self::Short {
                change.body.iter_mut().for_each(|body| body.truncate(body.len() / 3));
            }
            if matches!(self, Self::NoLines | Self::OnePut) {
                change.entries_added.clear();
                change.entries_removed.clear();
            }
            if self == Self::OnePut {
                (change.due_before, change.due_after) = (None, None);
            }
        }
        changes
    }
}

/// What a run came to.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Durable commits a second.
    pub rate: f64,
    /// Microseconds of processor time for each.
    pub cpu: f64,
    /// The most memory, in bytes, beyond what there was before.
    pub memory: f64,
    /// Bytes of files for each commit.
    pub disk: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {} {}", self.rate, self.cpu, self.memory, self.disk)
    }
}

impl Figures {
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map(|word| word.parse().ok());
        let mut next = || numbers.next().flatten();
        Some(Self { rate: next()?, cpu: next()?, memory: next()?, disk: next()? })
    }
}

enum Engine {
    Store(Sled),
    Journal(Journal),
}

impl Engine {
    async fn look(&self, keys: &[Key]) {
        match self {
            Self::Store(store) => drop(store.read_many(keys).await.expect("a read")),
            Self::Journal(journal) => keys.iter().for_each(|key| {
                std::hint::black_box(journal.version(key));
            }),
        }
    }

    async fn commit(&self, changes: Vec<Change>) {
        match self {
            Self::Store(store) => store.commit(changes).await.expect("a commit"),
            Self::Journal(journal) => assert!(journal.commit(changes).await, "a conflict"),
        }
    }
}

/// One run over a fresh store.
pub async fn run(variant: Variant, lives: Lives, writers: usize, dir: &Path) -> Figures {
    let each = if writers == 1 { LIVES_OF_ONE } else { LIVES / writers };
    let prepared: Vec<Vec<Step>> = (0..writers)
        .map(|writer| {
            let own = (0..each).map(|n| lives.another((writer * each + n) as u64));
            in_turns(own.collect(), variant)
        })
        .collect();
    let commits: usize = prepared.iter().map(Vec::len).sum();
    let engine = Arc::new(match variant.has_journal() {
        true => Engine::Journal(Journal::open(dir)),
        false => Engine::Store(Sled::open(&dir.join("store"), Options::default()).expect("a new store")),
    });
    let (before, start, cpu) = (memory("VmRSS"), Instant::now(), cpu_time());
    let writers: Vec<_> =
        prepared.into_iter().map(|steps| tokio::spawn(writes(Arc::clone(&engine), steps))).collect();
    for writer in writers {
        writer.await.expect("a writer finishes");
    }
    let after = memory("VmRSS");
    // What was put off is done within the time.
    match Arc::into_inner(engine).expect("nobody else has it") {
        Engine::Store(store) => store.close().await,
        Engine::Journal(journal) => journal.close(),
    }
    let elapsed = start.elapsed().as_secs_f64();
    let cpu = (cpu_time() - cpu).as_micros() as f64;
    Figures {
        rate: commits as f64 / elapsed,
        cpu: cpu / commits as f64,
        memory: after.saturating_sub(before) as f64,
        disk: size(dir) as f64 / commits as f64,
    }
}

/// The steps of lives that go on together.
fn in_turns(lives: Vec<Life>, variant: Variant) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lives = lives.into_iter();
    loop {
        let mut together: Vec<_> = lives.by_ref().take(TOGETHER).map(Life::into_iter).collect();
        if together.is_empty() {
            return steps;
        }
        loop {
            let next: Vec<Step> = together.iter_mut().filter_map(Iterator::next).collect();
            if next.is_empty() {
                break;
            }
            steps.extend(next.into_iter().map(|step| Step { changes: variant.shaped(step.changes), ..step }));
        }
    }
}

async fn writes(engine: Arc<Engine>, steps: Vec<Step>) {
    for Step { changes, .. } in steps {
        let keys: Vec<Key> = changes.iter().map(|change| change.key.clone()).collect();
        engine.look(&keys).await;
        engine.commit(changes).await;
    }
}

/// Processor time of this process, user and system, in ticks of 10 ms.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let fields = after_name.split(' ').skip(11).take(2);
    Duration::from_millis(fields.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>() * 10)
}
