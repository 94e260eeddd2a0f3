//! Whether a store holds together, and how much of what is in it.
//!
//! The engine's own check knows bytes; this one knows records. Every record has
//! to read as what its kind says, stand under its own id, be due when it says
//! and in the listings that it says, and what it refers to has to be there. That
//! nothing else is due or listed follows from the engine's counts: each of its
//! entries has a record, and there are no more of them than records say.
//!
//! It reads a page at a time, while others write: what looks wrong is looked at
//! again, and again a while later, before it is called damage. Where the engine says
//! what is due and listed as a digest, the entries of records are looked up only if theirs
//! is another: to look up each takes many times as long as to read everything once. It
//! mends nothing, and refuses to know engines.

use super::digests::{Digests, digest};
use super::{CheckReport, Entry, Key, Kind, Maintenance, Stats, StoreError, kinds, records};
use jiff::Timestamp;
use records::Facts;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// Records that are read at once.
const PAGE: usize = 256;
/// How long to wait before what looks wrong is looked at again: a write that was
/// under way has ended by then. After the last time it is damage.
const PATIENCE: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];
/// Most records that are remembered because others refer to them; what refers to more is
/// looked up.
const REMEMBERED: usize = 1_000_000;
/// How often all is counted anew when others write meanwhile, before it is left
/// at that.
const ROUNDS: u32 = 3;

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Records of each kind, whole or damaged.
    pub records: BTreeMap<String, u64>,
    /// Due entries, as the engine counts them.
    pub due: u64,
    /// Lines of listings, as the engine counts them.
    pub entries: u64,
    /// Bytes of all keys and values, as the engine counts them.
    pub bytes: u64,
    /// How much of all this is damaged.
    pub damaged: u64,
    /// What is wrong with the first [`CheckReport::MAX_DAMAGE`].
    pub damage: Vec<String>,
    /// What could not be found out, and why.
    pub notes: Vec<String>,
}

/// What is known of the data from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Deliveries of messages that were sent before this time may be gone.
    pub deliveries_kept_since: Timestamp,
}

impl Rules {
    /// What must be there because of a record.
    fn referred(self, facts: &Facts) -> impl Iterator<Item = &Key> {
        let kept = move |since: &Timestamp| *since >= self.deliveries_kept_since;
        facts.refers.iter().filter(move |(_, since)| kept(since)).map(|(key, _)| key)
    }
}

/// Told how many records were read so far.
pub type Progress<'p> = &'p (dyn Fn(u64) + Send + Sync);

/// Reads everything and verifies it.
///
/// # Errors
/// The engine's, where it could not even be read. Damage is no error, but in
/// the findings.
pub async fn inspect(
    store: &dyn Maintenance,
    rules: Rules,
    told: Progress<'_>,
) -> Result<Findings, StoreError> {
    let mut round = 0;
    loop {
        round += 1;
        let before = store.stats().await?;
        let engine = match store.check().await {
            Ok(report) => report,
            Err(StoreError::Damaged(what)) => return Ok(Findings::of_damage(what)),
            Err(error) => return Err(error),
        };
        let mut looking = Looking::new(store, rules, told, engine.digests.is_some());
        let mut findings = Findings::of_engine(&engine);
        for kind in Kind::ALL {
            looking.at_kind(kind, &mut findings).await?;
        }
        looking.again(&engine, &mut findings).await?;
        let (wanted, counted) = ((looking.due, looking.entries), (engine.due, engine.entries));
        if wanted == counted || findings.damaged > 0 || !looking.whole {
            return Ok(findings);
        }
        match is_quiet(store, &before, &engine).await? {
            true => findings.surplus(wanted, counted),
            false if round < ROUNDS => continue,
            false => findings.notes.push(
                "the store was written all the while, so it was not counted whether anything is due or listed without reason; stop the server, and check again"
                    .to_owned(),
            ),
        }
        return Ok(findings);
    }
}

/// Whether nobody has written since.
async fn is_quiet(store: &dyn Maintenance, before: &Stats, engine: &CheckReport) -> Result<bool, StoreError> {
    if !store.is_shared() {
        return Ok(store.stats().await?.commits == before.commits);
    }
    // What others write is not in our figures.
    let again = store.check().await?;
    Ok((again.records, again.due, again.entries) == (engine.records, engine.due, engine.entries))
}

impl Findings {
    fn of_engine(engine: &CheckReport) -> Self {
        Self {
            due: engine.due,
            entries: engine.entries,
            bytes: engine.bytes,
            damaged: engine.damaged,
            damage: engine.damage.clone(),
            notes: engine.not_compared.clone().into_iter().collect(),
            ..Self::default()
        }
    }

    fn of_damage(what: String) -> Self {
        let mut findings = Self::default();
        findings.note(what);
        findings
    }

    fn note(&mut self, damage: String) {
        self.damaged += 1;
        if self.damage.len() < CheckReport::MAX_DAMAGE {
            self.damage.push(damage);
        }
    }

    fn surplus(&mut self, wanted: (u64, u64), counted: (u64, u64)) {
        let (due, entries) = (counted.0.saturating_sub(wanted.0), counted.1.saturating_sub(wanted.1));
        if due > 0 {
            self.note(format!("{due} entries are due of which no record says so"));
        }
        if entries > 0 {
            self.note(format!("{entries} lines of listings of which no record says so"));
        }
        if due == 0 && entries == 0 {
            self.note("fewer entries were counted than records have".to_owned());
        }
    }
}

/// A look at all records.
struct Looking<'s> {
    store: &'s dyn Maintenance,
    rules: Rules,
    told: Progress<'s>,
    /// Records so far.
    read: u64,
    /// Due entries that they should have.
    due: u64,
    /// Lines of listings that they should have.
    entries: u64,
    /// Both together, where the engine says the same of what there is.
    digests: Option<Digests>,
    /// Records that others refer to and that were not met since, as hashes.
    referred: HashSet<u64>,
    /// Whether all of them could be read.
    whole: bool,
}

/// What is not as it should be, until it has been looked at again.
#[derive(Debug, Default)]
struct Suspicion {
    due: Vec<Key>,
    entries: Vec<Entry>,
    /// Who refers to what.
    refers: Vec<(Key, Key)>,
}

impl Suspicion {
    /// The records in question.
    fn keys(&self) -> std::collections::BTreeSet<Key> {
        let listed = self.entries.iter().map(|entry| Key::new(entry.index.kind(), &entry.id));
        self.due.iter().cloned().chain(listed).chain(self.refers.iter().map(|(key, _)| key.clone())).collect()
    }

    fn tell(self, findings: &mut Findings) {
        for key in self.due {
            findings.note(format!("{key} is not due when it says"));
        }
        for entry in self.entries {
            let key = Key::new(entry.index.kind(), &entry.id);
            findings.note(format!("{key} is not in the listing {:?} where it says", entry.index));
        }
        for (key, missing) in self.refers {
            findings.note(format!("{key} refers to {missing}, which does not exist"));
        }
    }
}

impl<'s> Looking<'s> {
    fn new(store: &'s dyn Maintenance, rules: Rules, told: Progress<'s>, has_digests: bool) -> Self {
        let (digests, referred) = (has_digests.then(Digests::default), HashSet::new());
        Self { store, rules, told, read: 0, due: 0, entries: 0, digests, referred, whole: true }
    }

    async fn at_kind(&mut self, kind: Kind, findings: &mut Findings) -> Result<(), StoreError> {
        let mut after: Option<String> = None;
        loop {
            let page = match self.store.walk(kind, after.as_deref(), PAGE).await {
                Ok(page) => page,
                Err(StoreError::Damaged(what)) => {
                    // The engine's own check has named it, if it could.
                    self.whole = false;
                    findings
                        .notes
                        .push(format!("not all records of the kind {} could be read: {what}", kind.name()));
                    if findings.damaged == 0 {
                        findings.note(what);
                    }
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            *findings.records.entry(kind.name().to_owned()).or_default() += page.len() as u64;
            let mut facts = Vec::with_capacity(page.len());
            for (id, stored) in &page {
                let key = Key::new(kind, id);
                if !self.referred.is_empty() {
                    self.referred.remove(&digest(&key));
                }
                match facts_of(&key, &stored.body) {
                    Ok(read) => facts.push(read),
                    Err(what) => {
                        self.whole = false;
                        findings.note(what);
                    }
                }
            }
            self.read += page.len() as u64;
            self.due += facts.iter().filter(|facts| facts.due.is_some()).count() as u64;
            self.entries += facts.iter().map(|facts| facts.entries.len() as u64).sum::<u64>();
            let facts = self.remember(facts);
            self.verify(facts, findings).await?;
            (self.told)(self.read);
        }
    }

    /// Adds what records say of themselves to what is compared with the engine's digest,
    /// and leaves those that have to be looked up.
    fn remember(&mut self, mut facts: Vec<Facts>) -> Vec<Facts> {
        let Some(digests) = &mut self.digests else { return facts };
        for facts in &facts {
            facts.due.iter().for_each(|due| digests.add_due(&facts.key, *due));
            facts.entries.iter().for_each(|entry| digests.add_entry(entry));
        }
        facts.retain(|facts| {
            let referred: Vec<u64> = self.rules.referred(facts).map(digest).collect();
            let fits = self.referred.len() + referred.len() <= REMEMBERED;
            if fits {
                self.referred.extend(referred);
            }
            !fits
        });
        facts
    }

    /// Looks records up, with all that they say, of which not all was found by reading:
    /// those of a kind whose digest is another, and those that refer to what was not met.
    async fn again(&self, engine: &CheckReport, findings: &mut Findings) -> Result<(), StoreError> {
        let (Some(wanted), Some(found)) = (&self.digests, &engine.digests) else { return Ok(()) };
        for kind in Kind::ALL {
            let is_doubtful = !wanted.agree(found, kind);
            if !is_doubtful && self.referred.is_empty() {
                continue;
            }
            let mut after: Option<String> = None;
            loop {
                let page = match self.store.walk(kind, after.as_deref(), PAGE).await {
                    Ok(page) => page,
                    // That was told already.
                    Err(StoreError::Damaged(_)) => break,
                    Err(error) => return Err(error),
                };
                let Some((last, _)) = page.last() else { break };
                after = Some(last.clone());
                let read =
                    page.iter().filter_map(|(id, stored)| facts_of(&Key::new(kind, id), &stored.body).ok());
                let is_missed = |key: &Key| self.referred.contains(&digest(key));
                let facts = read.filter(|facts| is_doubtful || self.rules.referred(facts).any(is_missed));
                self.verify(facts.collect(), findings).await?;
            }
        }
        Ok(())
    }

    /// Looks at records as often as it takes to be sure.
    async fn verify(&self, mut facts: Vec<Facts>, findings: &mut Findings) -> Result<(), StoreError> {
        let mut suspicion = Suspicion::default();
        if facts.is_empty() {
            return Ok(());
        }
        for pause in PATIENCE {
            tokio::time::sleep(pause).await;
            suspicion = self.suspicion(&facts).await?;
            let keys = suspicion.keys();
            if keys.is_empty() {
                return Ok(());
            }
            // When there is much damage, more of it is not worth the wait.
            if findings.damage.len() >= CheckReport::MAX_DAMAGE {
                break;
            }
            facts.clear();
            let keys: Vec<Key> = keys.into_iter().collect();
            for (key, stored) in keys.iter().zip(self.store.read_many(&keys).await?) {
                // One that is gone meanwhile needs nothing any more.
                facts.extend(stored.and_then(|stored| facts_of(key, &stored.body).ok()));
            }
        }
        suspicion.tell(findings);
        Ok(())
    }

    async fn suspicion(&self, facts: &[Facts]) -> Result<Suspicion, StoreError> {
        let due: Vec<_> = facts.iter().filter_map(|facts| Some((facts.key.clone(), facts.due?))).collect();
        let entries: Vec<_> = facts.iter().flat_map(|facts| facts.entries.iter().cloned()).collect();
        let absent = self.store.absent(&due, &entries).await?;
        let mut suspicion = Suspicion {
            due: absent.due.into_iter().map(|(key, _)| key).collect(),
            entries: absent.entries,
            refers: Vec::new(),
        };
        let refers = |facts: &Facts| {
            let referred = self.rules.referred(facts);
            referred.map(|key| (facts.key.clone(), key.clone())).collect::<Vec<_>>()
        };
        let (referring, referred): (Vec<Key>, Vec<Key>) = facts.iter().flat_map(refers).unzip();
        // Of a page of records: each refers to a few others at most.
        let found = self.store.read_many(&referred).await?;
        let pairs = referring.into_iter().zip(referred).zip(found);
        suspicion.refers.extend(pairs.filter(|(_, found)| found.is_none()).map(|(pair, _)| pair));
        Ok(suspicion)
    }
}

/// The facts of a record, or what is wrong with it.
fn facts_of(key: &Key, body: &[u8]) -> Result<Facts, String> {
    let facts = kinds::facts(key, body).map_err(|error| match error {
        StoreError::Damaged(what) => what,
        other => other.to_string(),
    })?;
    match facts.key == *key {
        true => Ok(facts),
        false => Err(format!("{key} holds the record of another id")),
    }
}

/// How much there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Of each kind.
    pub kinds: BTreeMap<String, OfKind>,
    /// Commits and probes since the store was opened.
    pub commits: u64,
    /// Commits that came too late.
    pub conflicts: u64,
    /// Flushes that made them durable.
    pub groups: u64,
    /// The size of its files, in bytes.
    pub bytes_on_disk: u64,
}

/// How much there is of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfKind {
    /// How many records there are.
    pub records: u64,
    /// Bytes of ids and bodies.
    pub bytes: u64,
    /// The time of the oldest, for kinds that are listed by time.
    pub oldest: Option<Timestamp>,
    /// The time of the newest.
    pub newest: Option<Timestamp>,
}

/// Counts everything.
///
/// # Errors
/// The engine's, and [`StoreError::Damaged`] for a record that does not read.
pub async fn census(store: &dyn Maintenance, told: Progress<'_>) -> Result<Census, StoreError> {
    let (mut census, mut read) = (Census::default(), 0);
    for kind in Kind::ALL {
        let mut after: Option<String> = None;
        loop {
            let page = store.walk(kind, after.as_deref(), PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            let of_kind = census.kinds.entry(kind.name().to_owned()).or_default();
            for (id, stored) in &page {
                of_kind.records += 1;
                of_kind.bytes += (id.len() + stored.body.len()) as u64;
                let facts = kinds::facts(&Key::new(kind, id), &stored.body)?;
                if let Some(at) = facts.entries.first().map(|entry| entry.at) {
                    of_kind.oldest = Some(of_kind.oldest.map_or(at, |oldest| oldest.min(at)));
                    of_kind.newest = Some(of_kind.newest.map_or(at, |newest| newest.max(at)));
                }
            }
            read += page.len() as u64;
            told(read);
        }
    }
    let Stats { commits, conflicts, groups, bytes_on_disk, .. } = store.stats().await?;
    Ok(Census { commits, conflicts, groups, bytes_on_disk, ..census })
}

/// Gives back the space of what was deleted; bytes on disk before and after.
///
/// # Errors
/// The engine's.
pub async fn compact(store: &dyn Maintenance) -> Result<(u64, u64), StoreError> {
    let before = store.stats().await?.bytes_on_disk;
    store.compact().await?;
    Ok((before, store.stats().await?.bytes_on_disk))
}
