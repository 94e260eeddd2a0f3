//! A prototype of a journal in front of sled, good enough to be measured and for nothing
//! else: groups are appended to a file, synced once and answered; what they come to is
//! folded into sled behind, each key once however often it was written meanwhile.
//!
//! What a real one needs beside this is left out: reading the journal after a power cut,
//! listings and due work that stand in it still, checksums, and space.

use dialback::store::{Change, Due, Entry, Key};
use sled::{Batch, Db};
use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, RwLock};
use std::thread::{self, JoinHandle};
use tokio::sync::oneshot;

/// Most changes in a group of the journal: a file bears larger ones than sled.
const GROUP: usize = 1024;
/// Keys in one batch of sled's.
const BATCH: usize = 64;
/// What is not yet folded in grows to so many keys.
const FOLD: usize = 16_384;

type Versions = HashMap<Key, u64>;
type Puts = BTreeMap<Vec<u8>, Option<Vec<u8>>>;
type Waiting = (Vec<Change>, oneshot::Sender<bool>);

pub struct Journal {
    db: Arc<Db>,
    /// The versions of records that sled does not hold yet.
    fresh: Arc<RwLock<Versions>>,
    queue: Option<SyncSender<Waiting>>,
    writer: Option<JoinHandle<()>>,
}

impl Journal {
    pub fn open(dir: &Path) -> Self {
        let config = sled::Config::new().path(dir.join("store")).segment_size(8 << 20).flush_every_ms(None);
        let db = Arc::new(config.cache_capacity(64 << 20).open().expect("a new store"));
        let log = OpenOptions::new().create(true).append(true).open(dir.join("journal")).expect("a file");
        let data = File::options().write(true).open(dir.join("store").join("db")).expect("sled's file");
        let fresh = Arc::<RwLock<Versions>>::default();
        let (sender, queue) = sync_channel(4096);
        let writer = {
            let (db, fresh) = (Arc::clone(&db), Arc::clone(&fresh));
            thread::spawn(move || write(log, &queue, &db, &fresh, data))
        };
        Self { db, fresh, queue: Some(sender), writer: Some(writer) }
    }

    /// Whether there is such a record, as who commits looks first.
    pub fn version(&self, key: &Key) -> u64 {
        version(&self.db, &self.fresh, key)
    }

    pub async fn commit(&self, changes: Vec<Change>) -> bool {
        let (answer, answered) = oneshot::channel();
        self.queue.as_ref().expect("open").send((changes, answer)).expect("the writer is there");
        answered.await.expect("an answer")
    }

    /// Folds in what is left.
    pub fn close(mut self) {
        self.queue = None;
        self.writer.take().expect("once").join().expect("the writer ends");
    }
}

fn version(db: &Db, fresh: &RwLock<Versions>, key: &Key) -> u64 {
    if let Some(version) = fresh.read().expect("no panic").get(key) {
        return *version;
    }
    let value = db.get(record(key)).expect("a read");
    value.map_or(0, |value| u64::from_be_bytes(value[..8].try_into().expect("a version")))
}

fn write(mut log: File, queue: &Receiver<Waiting>, db: &Arc<Db>, fresh: &Arc<RwLock<Versions>>, data: File) {
    let (to_fold, folder) = folder(Arc::clone(db), Arc::clone(fresh), data);
    let (mut puts, mut versions) = (Puts::new(), Versions::new());
    while let Ok(first) = queue.recv() {
        let (mut bytes, mut answers, mut changed) = (Vec::new(), Vec::new(), 0);
        for (changes, answer) in std::iter::once(first).chain(queue.try_iter()) {
            changed += changes.len();
            let is_next = changes.iter().all(|change| version(db, fresh, &change.key) == change.expected);
            if is_next {
                for change in changes {
                    let next = change.expected + 1;
                    fresh.write().expect("no panic").insert(change.key.clone(), next);
                    versions.insert(change.key.clone(), next);
                    put(&mut puts, change, next, &mut bytes);
                }
            }
            answers.push((answer, is_next));
            if changed >= GROUP {
                break;
            }
        }
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        log.write_all(&bytes).expect("an append");
        log.sync_data().expect("a sync");
        for (answer, done) in answers {
            let _ = answer.send(done);
        }
        if puts.len() >= FOLD {
            let full = (std::mem::take(&mut puts), std::mem::take(&mut versions));
            to_fold.send(full).expect("the folder is there");
        }
    }
    to_fold.send((puts, versions)).expect("the folder is there");
    drop(to_fold);
    folder.join().expect("the folder ends");
}

/// Puts into sled what has come together. One fold waits at most while another is done.
fn folder(
    db: Arc<Db>,
    fresh: Arc<RwLock<Versions>>,
    data: File,
) -> (SyncSender<(Puts, Versions)>, JoinHandle<()>) {
    let (sender, queue) = sync_channel::<(Puts, Versions)>(0);
    let folder = thread::spawn(move || {
        for (puts, versions) in queue {
            let mut puts = puts.into_iter().peekable();
            while puts.peek().is_some() {
                let mut batch = Batch::default();
                for (key, value) in puts.by_ref().take(BATCH) {
                    match value {
                        Some(value) => batch.insert(key, value),
                        None => batch.remove(key),
                    }
                }
                db.apply_batch(batch).expect("a batch");
            }
            db.flush().expect("a flush");
            data.sync_data().expect("a sync");
            let mut fresh = fresh.write().expect("no panic");
            fresh.retain(|key, version| versions.get(key) != Some(version));
        }
    });
    (sender, folder)
}

/// The same keys and values as the store's own, but for a checksum.
fn put(puts: &mut Puts, change: Change, version: u64, bytes: &mut Vec<u8>) {
    let mut put = |key: Vec<u8>, value: Option<Vec<u8>>| {
        bytes.extend_from_slice(&(key.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&key);
        let length = value.as_ref().map_or(u32::MAX, |value| value.len() as u32);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(value.as_deref().unwrap_or_default());
        puts.insert(key, value);
    };
    if change.due_before != change.due_after {
        change.due_before.iter().for_each(|before| put(due(before, &change.key), None));
        change.due_after.iter().for_each(|after| put(due(after, &change.key), Some(Vec::new())));
    }
    change.entries_removed.iter().for_each(|gone| put(line(gone), None));
    change.entries_added.iter().for_each(|added| put(line(added), Some(Vec::new())));
    let value = change.body.map(|body| [&version.to_be_bytes()[..], &[0; 5], &body].concat());
    put(record(&change.key), value);
}

fn record(key: &Key) -> Vec<u8> {
    [&[b'r', key.kind.letter()], key.id.as_bytes()].concat()
}

fn due(due: &Due, key: &Key) -> Vec<u8> {
    let at = (due.at.as_millisecond() ^ i64::MIN).to_be_bytes();
    [&[b'0' + due.lane as u8][..], &at, &[key.kind.letter()], key.id.as_bytes()].concat()
}

fn line(entry: &Entry) -> Vec<u8> {
    let at = (entry.at.as_millisecond() ^ i64::MIN).to_be_bytes();
    [&[b'i', entry.index.letter()][..], entry.scope.as_bytes(), &[0], &at, entry.id.as_bytes()].concat()
}
