//! All entries as this process knows them: read at most every two seconds, and changed at
//! once by what is changed here. Where a server keeps them, they are read anew before that
//! is over, so that no request waits for it. It refuses to know what they say.

use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::listing::scan_of;
use crate::app::recent::REMEMBERED;
use crate::model::lists::{ListEntry, Matcher};
use crate::model::safe_number::SafeNumber;
use crate::store::records::{self, Record};
use crate::store::{Index, Kind, Stored};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Records that are read at once.
const AT_ONCE: usize = 500;
/// How many are held: some more than may be made, for two may make the last one at once.
const MOST: usize = ListEntry::MOST + AT_ONCE;
/// How long they are kept fresh that nobody asks for.
const IDLE: Duration = Duration::from_secs(30);

/// What is on the lists.
pub(in crate::app) struct Lists {
    known: Mutex<Known>,
    /// Whoever reads: the others wait, and find what was read.
    reading: tokio::sync::Mutex<()>,
    span: Duration,
}

/// All of one kind, by their ids in the store.
type Held<T> = BTreeMap<String, One<T>>;

struct One<T> {
    record: Arc<T>,
    /// By which it is seen that it is another, without reading it.
    hash: u64,
}

#[derive(Default)]
struct Known {
    read_at: Option<Instant>,
    /// When somebody wanted to know them last.
    asked_at: Option<Instant>,
    /// Whether what was read is good for ever.
    is_held: bool,
    entries: Held<ListEntry>,
    safe: Held<SafeNumber>,
    /// Made when they are read, or else when it is asked for.
    matcher: Option<Arc<Matcher>>,
    /// How often they were others.
    changes: u64,
    /// How often they were forgotten.
    forgotten: u64,
    /// What was changed here since the reading that is under way began, which may not see it.
    own: Vec<Own>,
}

/// A change that was made here.
#[derive(Clone)]
pub(in crate::app) enum Own {
    /// An entry is there.
    Entry(Arc<ListEntry>),
    /// None is kept under this key any more.
    NoEntry(String),
    /// A number is safe.
    Safe(Arc<SafeNumber>),
    /// No safe number is kept under this one any more.
    NoSafe(String),
}

impl Default for Lists {
    fn default() -> Self {
        Self { known: Mutex::default(), reading: tokio::sync::Mutex::default(), span: REMEMBERED }
    }
}

impl Lists {
    /// All entries, as they are looked up: at most two seconds old.
    ///
    /// # Errors
    /// The store's.
    pub(in crate::app) async fn matcher(&self, base: &Base) -> Result<Arc<Matcher>, Fault> {
        let mut within = self.span;
        loop {
            if let Some(matcher) = self.compiled(within) {
                return Ok(matcher);
            }
            self.read(base, Some(self.span)).await?;
            // Read for this request, however long that took.
            within = Duration::MAX;
        }
    }

    /// Keeps what is known fresh as long as somebody asks for it, until `stop`.
    pub(in crate::app) async fn keep(&self, base: &Base, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(self.span / 2) => {}
            }
            if !self.is_wanted() {
                continue;
            }
            if let Err(error) = self.read(base, Some(self.span / 2)).await {
                tracing::debug!(%error, "lists are not read ahead");
            }
        }
    }

    fn is_wanted(&self) -> bool {
        let known = self.known();
        !known.is_held && known.asked_at.is_some_and(|at| at.elapsed() < IDLE)
    }

    /// What is known, as it is looked up; nothing where it is older. It takes its time to
    /// make, and is made without the lock under which everybody asks.
    fn compiled(&self, within: Duration) -> Option<Arc<Matcher>> {
        let (entries, safe, changes) = {
            let mut known = self.known();
            known.asked_at = Some(Instant::now());
            if !known.read_at.is_some_and(|at| known.is_held || at.elapsed() < within) {
                return None;
            }
            if let Some(matcher) = &known.matcher {
                return Some(matcher.clone());
            }
            (records_of(&known.entries), records_of(&known.safe), known.changes)
        };
        let matcher = compile(&entries, &safe);
        let mut known = self.known();
        if known.changes == changes {
            known.matcher = Some(matcher.clone());
        }
        Some(matcher)
    }

    /// Every entry and every safe number, as the store has them now.
    ///
    /// # Errors
    /// The store's.
    pub(in crate::app) async fn all(
        &self,
        base: &Base,
    ) -> Result<(Vec<Arc<ListEntry>>, Vec<Arc<SafeNumber>>), Fault> {
        self.read(base, None).await?;
        let known = self.known();
        Ok((records_of(&known.entries), records_of(&known.safe)))
    }

    /// How many there are, and which entries are like one, at most two seconds ago.
    ///
    /// # Errors
    /// The store's.
    pub(in crate::app) async fn like(
        &self,
        base: &Base,
        is_like: impl Fn(&ListEntry) -> bool,
    ) -> Result<(usize, Vec<String>), Fault> {
        let found = |known: &mut Known| {
            let like = known.entries.iter().filter(|(_, one)| is_like(&one.record));
            (known.entries.len() + known.safe.len(), like.map(|(key, _)| key.clone()).collect())
        };
        if let Some(found) = self.fresh(found) {
            return Ok(found);
        }
        self.read(base, Some(self.span)).await?;
        Ok(found(&mut self.known()))
    }

    /// Takes over what was changed here.
    pub(in crate::app) fn note(&self, changes: impl IntoIterator<Item = Own>) {
        let mut known = self.known();
        for change in changes {
            known.own.push(change.clone());
            known.apply(change);
        }
        if known.own.len() > MOST {
            // Nobody has read for long: whoever does next begins anew.
            known.own.clear();
            known.read_at = None;
        }
    }

    /// Reads all, and then never again.
    ///
    /// # Errors
    /// The store's.
    pub(in crate::app) async fn hold(&self, base: &Base) -> Result<(), Fault> {
        self.read(base, None).await?;
        self.known().is_held = true;
        Ok(())
    }

    /// Holds nothing any more, for it may be what was erased.
    pub(in crate::app) fn forget(&self) {
        let mut known = self.known();
        // What is being made of it is not taken.
        let (changes, forgotten) = (known.changes + 1, known.forgotten + 1);
        *known = Known { changes, forgotten, asked_at: known.asked_at, ..Known::default() };
    }

    fn fresh<T>(&self, what: impl FnOnce(&mut Known) -> T) -> Option<T> {
        let mut known = self.known();
        let is_fresh = known.read_at.is_some_and(|at| known.is_held || at.elapsed() < self.span);
        is_fresh.then(|| what(&mut known))
    }

    /// Reads all, unless somebody did since it was asked for, or within a time.
    async fn read(&self, base: &Base, within: Option<Duration>) -> Result<(), Fault> {
        let asked = Instant::now();
        let _one_at_a_time = self.reading.lock().await;
        while !self.read_once(base, asked, within).await? {}
        Ok(())
    }

    /// Whether they are known now: what was read is not where it was forgotten meanwhile,
    /// for it may have been read before.
    async fn read_once(&self, base: &Base, asked: Instant, within: Option<Duration>) -> Result<bool, Fault> {
        let begun = Instant::now();
        let (mut entries, mut safe, forgotten) = {
            let mut known = self.known();
            let is_enough =
                known.read_at.is_some_and(|at| at >= asked || within.is_some_and(|span| at.elapsed() < span));
            if is_enough {
                return Ok(true);
            }
            known.own.clear();
            (hashes(&known.entries), hashes(&known.safe), known.forgotten)
        };
        let (listed, walked) = tokio::try_join!(listed(base), walked(base))?;
        let was = (entries.len(), safe.len());
        let (entries, are_all) = decoded(&mut entries, listed)?;
        let (safe, are_all_safe) = decoded(&mut safe, walked)?;
        let is_same = are_all && are_all_safe && was == (entries.len(), safe.len());
        // Made before anybody sees them: nobody waits for it.
        let matcher = (!is_same).then(|| compile(&records_of(&entries), &records_of(&safe)));
        let mut known = self.known();
        if known.forgotten != forgotten {
            return Ok(false);
        }
        known.take(begun, (entries, safe), matcher);
        Ok(true)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What is half-changed under this lock is read again two seconds later.
        self.known.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

impl Known {
    /// Takes what was read, with what it comes to where that is something else.
    fn take(
        &mut self,
        begun: Instant,
        (entries, safe): (Held<ListEntry>, Held<SafeNumber>),
        matcher: Option<Arc<Matcher>>,
    ) {
        (self.entries, self.safe, self.read_at) = (entries, safe, Some(begun));
        if matcher.is_some() {
            self.matcher = matcher;
            self.changes += 1;
        }
        for change in std::mem::take(&mut self.own) {
            self.apply(change);
        }
    }

    fn apply(&mut self, change: Own) {
        // No body has this hash, as far as anybody knows: the next reading reads it.
        let hash = 0;
        match change {
            Own::Entry(record) => drop(self.entries.insert(record.key.clone(), One { record, hash })),
            Own::NoEntry(key) => drop(self.entries.remove(&key)),
            Own::Safe(record) => drop(self.safe.insert(Record::id(&*record), One { record, hash })),
            Own::NoSafe(number) => drop(self.safe.remove(&number)),
        }
        self.matcher = None;
        self.changes += 1;
    }
}

fn records_of<T>(held: &Held<T>) -> Vec<Arc<T>> {
    held.values().map(|one| one.record.clone()).collect()
}

fn hashes<T>(held: &Held<T>) -> Held<T> {
    held.iter().map(|(id, one)| (id.clone(), One { record: one.record.clone(), hash: one.hash })).collect()
}

fn compile(entries: &[Arc<ListEntry>], safe: &[Arc<SafeNumber>]) -> Arc<Matcher> {
    let safe = safe.iter().map(|one| one.number.person());
    Arc::new(Matcher::new(entries.iter().map(|entry| &**entry), safe))
}

/// The records of what was read, and whether all are as they were: those need no reading.
fn decoded<T: Record>(old: &mut Held<T>, read: Vec<(String, Stored)>) -> Result<(Held<T>, bool), Fault> {
    let (mut held, mut are_all) = (Held::new(), true);
    for (id, stored) in read {
        let mut hasher = DefaultHasher::new();
        stored.body.hash(&mut hasher);
        let hash = hasher.finish();
        let one = match old.remove(&id).filter(|one| one.hash == hash) {
            Some(one) => one,
            None => match records::of::<T>(&id, Some(&stored))? {
                Some(found) => {
                    are_all = false;
                    One { record: Arc::new(found.record), hash }
                }
                None => continue,
            },
        };
        held.insert(id, one);
    }
    Ok((held, are_all))
}

async fn listed(base: &Base) -> Result<Vec<(String, Stored)>, Fault> {
    let (mut scan, mut all) = (scan_of(Index::ListEntries, ""), Vec::new());
    scan.limit = AT_ONCE;
    loop {
        let lines = records::stretch(base.store(), &scan).await?;
        let is_last = lines.len() < AT_ONCE;
        scan.after = lines.last().map(|line| line.entry.place());
        all.extend(lines.into_iter().filter_map(|line| Some((line.entry.id, line.stored?))));
        if is_last || all.len() >= MOST {
            return Ok(all);
        }
    }
}

/// Safe numbers are in no listing.
async fn walked(base: &Base) -> Result<Vec<(String, Stored)>, Fault> {
    let mut all: Vec<(String, Stored)> = Vec::new();
    loop {
        let after = all.last().map(|(id, _)| id.as_str());
        let page = base.whole_store().walk(Kind::SafeNumber, after, AT_ONCE).await?;
        let is_last = page.len() < AT_ONCE;
        all.extend(page);
        if is_last || all.len() >= MOST {
            return Ok(all);
        }
    }
}
