//! Care of the data, over any two stores: what is exported is imported whole,
//! and what does not hold together is found.

use crate::over::store_over;
use crate::samples;
use crate::stored::put;
use dialback::model::id::VerificationId;
use dialback::model::verification::Verification;
use dialback::store::inspect::{self, Findings, Rules};
use dialback::store::memory::Memory;
use dialback::store::records::{self, Versioned, facts_of, put_facts};
use dialback::store::sled::{Options, Sled};
use dialback::store::transfer::{self, BadFile, Export, ImportError, Imported, Ledger, Line};
use dialback::store::{Change, CommitError, Due, Entry, Index, Key, Kind, Lane, Maintenance, Store, kinds};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// A store and where it is.
struct Place {
    store: Arc<dyn Maintenance>,
    _dir: TempDir,
}

type Open = fn(&TempDir) -> Arc<dyn Maintenance>;

/// Every engine, and one that answers by nothing but what it must.
const ENGINES: [Open; 3] = [
    |_| Arc::new(Memory::new()),
    |dir| {
        let options = Options { cache_bytes: 8 * 1024 * 1024, ..Options::default() };
        Arc::new(Sled::open(&dir.path().join("data"), options).unwrap())
    },
    |_| Arc::new(Plain(Memory::new())),
];

fn place(engine: usize) -> Place {
    let dir = TempDir::new().unwrap();
    Place { store: ENGINES[engine](&dir), _dir: dir }
}

/// What a check finds.
pub async fn checked(store: &dyn Maintenance) -> Findings {
    let rules = Rules { deliveries_kept_since: Timestamp::MIN };
    inspect::inspect(store, rules, &|_| ()).await.unwrap()
}

async fn export(store: &dyn Maintenance) -> Vec<u8> {
    let (mut export, mut ledger) = (Export::after(None), Ledger::default());
    let mut file = transfer::header(Timestamp::UNIX_EPOCH, "0.1.0");
    while let Some(page) = export.next(store).await.unwrap() {
        file.extend(page.lines);
    }
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        ledger.take(line).unwrap();
    }
    file.extend(ledger.end());
    file
}

fn lines(file: &[u8]) -> Vec<(Key, Vec<u8>)> {
    let mut ledger = Ledger::default();
    let read =
        file.split_inclusive(|byte| *byte == b'\n').filter_map(|line| match ledger.take(line).unwrap() {
            Line::Record(key, body) => Some((key, body)),
            Line::Header { .. } | Line::End => None,
        });
    let read = read.collect();
    ledger.finish().unwrap();
    read
}

async fn import(store: &dyn Maintenance, file: &[u8], rules: transfer::Rules) -> Imported {
    let mut imported = Imported::default();
    for piece in lines(file).chunks(Change::MAX_COMMIT) {
        imported.add(transfer::import(store, piece, 2, rules).await.unwrap());
    }
    imported
}

/// Everything that a store has.
async fn everything(store: &dyn Maintenance) -> (BTreeMap<Key, Value>, Vec<(Key, Timestamp)>, Findings) {
    let mut all = BTreeMap::new();
    for kind in Kind::ALL {
        for (id, stored) in store.walk(kind, None, usize::MAX).await.unwrap() {
            all.insert(Key::new(kind, id), serde_json::from_slice(&stored.body).unwrap());
        }
    }
    let mut due = Vec::new();
    for lane in Lane::ALL {
        due.extend(store.due_in(lane, Timestamp::MAX, usize::MAX).await.unwrap());
    }
    let findings = Findings { bytes: 0, ..checked(store).await };
    (all, due, findings)
}

/// A verification like the first sample, of another number and without sends.
fn another(n: u32) -> Verification {
    let id: VerificationId = format!("VE{n:030x}00").parse().unwrap();
    let mut verification = samples::verification(4);
    verification.id = id;
    verification.to = format!("+1628555{n:04}").parse().unwrap();
    verification.created_at =
        verification.created_at.checked_add(SignedDuration::from_secs(n.into())).unwrap();
    verification
}

async fn fill(store: &dyn Maintenance, more: u32) {
    put(store).await;
    let changes: Vec<Change> = (1000..1000 + more).map(|n| records::put(None, &another(n))).collect();
    for changes in changes.chunks(Change::MAX_COMMIT) {
        store.commit(changes.to_vec()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_store_goes_into_any_other() {
    for (from, to) in [(0, 1), (1, 0), (1, 1), (0, 2)] {
        let (from, to) = (place(from), place(to));
        fill(&*from.store, 600).await;
        let file = export(&*from.store).await;
        let count = samples::all().len() as u64 + 600;
        let imported = import(&*to.store, &file, transfer::Rules::default()).await;
        assert_eq!(imported, Imported { added: count, ..Imported::default() });
        let (there, here) = (everything(&*from.store).await, everything(&*to.store).await);
        assert_eq!(there.2.damage, Vec::<String>::new());
        assert_eq!(there, here);
        // What was taken out again is the same file.
        assert!(export(&*to.store).await == file, "the same records make the same file");
        // And what was begun may be done again.
        let again = import(&*to.store, &file, transfer::Rules::default()).await;
        assert_eq!(again, Imported { equal: count, ..Imported::default() });
        assert_eq!(everything(&*to.store).await, here);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_is_different_is_kept_unless_it_is_to_be_written_over() {
    for engine in [0, 1] {
        let (from, to) = (place(0), place(engine));
        fill(&*from.store, 3).await;
        let file = export(&*from.store).await;
        let mut other = another(1001);
        other.to = "+16285559999".parse().unwrap();
        records::save(&*to.store, None, &other).await.unwrap();
        let count = samples::all().len() as u64 + 3;
        let rules = |overwrite, dry_run| transfer::Rules { overwrite, dry_run };
        let dry = import(&*to.store, &file, rules(true, true)).await;
        assert_eq!((dry.added, dry.replaced), (count - 1, 1));
        assert_eq!(checked(&*to.store).await.records.values().sum::<u64>(), 1, "nothing was written");
        let kept = import(&*to.store, &file, rules(false, false)).await;
        assert_eq!((kept.added, kept.kept, kept.equal), (count - 1, 1, 0));
        assert_eq!(kept.different, [format!("Verification {}", other.id)]);
        let id = other.id.as_str();
        let found: Versioned<Verification> = records::get(&*to.store, id).await.unwrap().unwrap();
        assert_eq!(found.record, other);
        let replaced = import(&*to.store, &file, rules(true, false)).await;
        assert_eq!((replaced.added, replaced.replaced, replaced.equal), (0, 1, count - 1));
        // The old number's listing is gone with it.
        assert_eq!(everything(&*to.store).await, everything(&*from.store).await);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_not_taken_in_and_nothing_of_its_piece_is() {
    let store = Memory::new();
    let good = facts_of(&another(1));
    let with =
        |key: Key, body: &str| vec![(good.key.clone(), good.body.clone()), (key, body.as_bytes().to_vec())];
    let key = |n| Key::new(Kind::Verification, another(n).id.to_string());
    let newer = "{\"format\":99,\"record\":{\"all\":\"new\"}}";
    for (piece, wanted) in [
        (with(key(2), newer), "line 8: record Verification VE"),
        (with(key(2), newer), "has format 99, and this version of dialback knows 1 at most: use a newer one"),
        (with(key(2), "{\"format\":1,\"record\":{}}"), "does not read"),
        (
            with(key(2), std::str::from_utf8(&facts_of(&another(3)).body).unwrap()),
            "is not the record's own id",
        ),
    ] {
        let refused = transfer::import(&store, &piece, 7, transfer::Rules::default()).await.unwrap_err();
        assert!(matches!(refused, ImportError::File(BadFile::Record { .. } | BadFile::Line { .. })));
        assert!(refused.to_string().contains(wanted), "{refused}");
        assert!(store.read(&good.key).await.unwrap().is_none());
    }
}

type Distortion<'d> = Box<dyn Fn(&mut Change) + 'd>;

/// Changes a record's entries without changing the record.
async fn distort(store: &dyn Maintenance, key: &Key, how: impl FnOnce(&mut Change)) {
    let stored = store.read(key).await.unwrap().unwrap();
    let mut change = Change {
        key: key.clone(),
        expected: stored.version,
        body: Some(stored.body.to_vec()),
        due_before: None,
        due_after: None,
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    };
    how(&mut change);
    store.commit(vec![change]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_damage_is_found() {
    let first = facts_of(&samples::verification(1));
    let delivery = facts_of(&samples::delivery(1));
    let event = samples::all().into_iter().find(|facts| facts.key.kind == Kind::Event).unwrap();
    for engine in 0..ENGINES.len() {
        let damage: [(&str, &Key, Distortion); 8] = [
            ("is not due when it says", &first.key, Box::new(|change| change.due_before = first.due)),
            ("is not due when it says", &event.key, Box::new(|change| change.due_before = event.due)),
            ("1 entries are due of which no record says so", &delivery.key, {
                Box::new(|change| {
                    change.due_after = Some(Due { at: Timestamp::UNIX_EPOCH, lane: Lane::Chore })
                })
            }),
            ("is not in the listing VerificationsTo where it says", &first.key, {
                Box::new(|change| change.entries_removed = first.entries[1..].to_vec())
            }),
            ("1 lines of listings of which no record says so", &delivery.key, {
                let scope = "+19990000000".to_owned();
                let stray = Entry { index: Index::DeliveriesTo, scope, ..delivery.entries[0].clone() };
                Box::new(move |change| change.entries_added = vec![stray.clone()])
            }),
            ("refers to Delivery SM", &delivery.key, {
                Box::new(|change| {
                    change.body = None;
                    change.entries_removed = delivery.entries.clone();
                })
            }),
            (
                "does not read",
                &delivery.key,
                Box::new(|change| change.body = Some(b"{\"format\":1}".to_vec())),
            ),
            ("holds the record of another id", &first.key, {
                Box::new(|change| change.body = Some(facts_of(&samples::verification(2)).body))
            }),
        ];
        // Damage is waited for before it is called so: all of it at once.
        join_all(damage.map(|(wanted, key, distortion)| is_found(engine, wanted, key, distortion))).await;
    }
}

async fn is_found(engine: usize, wanted: &str, key: &Key, distortion: Distortion<'_>) {
    let place = place(engine);
    fill(&*place.store, 300).await;
    assert_eq!(checked(&*place.store).await.damage, Vec::<String>::new());
    distort(&*place.store, key, distortion).await;
    let findings = checked(&*place.store).await;
    assert!(findings.damaged > 0, "{wanted}");
    assert!(findings.damage.iter().any(|what| what.contains(wanted)), "{wanted}: {findings:?}");
    let all = format!("{findings:?}");
    assert!(!all.contains("+1415555"), "a number in full: {all}");
}

/// A workload that goes on until it is told to stop, or has written enough:
/// verifications come, change and are listed elsewhere.
async fn work(store: Arc<dyn Maintenance>, stop: Arc<AtomicBool>, from: u32) -> u32 {
    let mut n = from;
    while !stop.load(Ordering::SeqCst) && n < from + 1000 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        records::save(&*store, None, &another(n)).await.unwrap();
        let old: Versioned<Verification> =
            records::get(&*store, another(n).id.as_str()).await.unwrap().unwrap();
        let mut new = old.record.clone();
        new.checks += 1;
        new.to = "+16285550000".parse().unwrap();
        records::save(&*store, Some(&old), &new).await.unwrap();
        // And what was there before is changed, back and forth.
        let id = another(1000 + n % 500).id;
        let old: Versioned<Verification> = records::get(&*store, id.as_str()).await.unwrap().unwrap();
        let mut new = old.record.clone();
        new.checks = old.record.checks.wrapping_add(1);
        new.created_at = new.created_at.checked_add(SignedDuration::from_millis(1)).unwrap();
        match records::save(&*store, Some(&old), &new).await {
            Ok(()) | Err(CommitError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
        n += 1;
    }
    n - from
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_is_exported_and_checked_while_it_is_written() {
    for engine in [0, 1] {
        let (from, to) = (place(engine), place(0));
        fill(&*from.store, 500).await;
        let before = lines(&export(&*from.store).await);
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> =
            (1..=4u32).map(|n| tokio::spawn(work(from.store.clone(), stop.clone(), n * 1_000_000))).collect();
        for _ in 0..2 {
            let file = export(&*from.store).await;
            let found: BTreeMap<Key, Vec<u8>> = lines(&file).into_iter().collect();
            for (key, body) in &found {
                let facts = kinds::facts(key, body).unwrap();
                assert_eq!(facts.key, *key, "no record is torn");
            }
            assert!(before.iter().all(|(key, _)| found.contains_key(key)), "what was there is in it");
            let findings = checked(&*from.store).await;
            assert_eq!(findings.damage, Vec::<String>::new());
        }
        stop.store(true, Ordering::SeqCst);
        let mut written = 0;
        for writer in writers {
            written += writer.await.unwrap();
        }
        assert!(written > 10, "it was written meanwhile");
        let file = export(&*from.store).await;
        import(&*to.store, &file, transfer::Rules::default()).await;
        assert_eq!(everything(&*to.store).await, everything(&*from.store).await);
    }
}

#[tokio::test]
async fn figures_are_of_each_kind() {
    let store = Memory::new();
    fill(&store, 10).await;
    let census = inspect::census(&store, &|_| ()).await.unwrap();
    let verifications = &census.kinds["verification"];
    assert_eq!(verifications.records, 17);
    let oldest = samples::verification(1).created_at;
    let newest = another(1009).created_at;
    assert_eq!((verifications.oldest, verifications.newest), (Some(oldest), Some(newest)));
    assert_eq!(census.kinds["tally"].oldest, None);
    let bodies: u64 = store
        .walk(Kind::Counter, None, 9)
        .await
        .unwrap()
        .iter()
        .map(|(id, stored)| (id.len() + stored.body.len()) as u64)
        .sum();
    assert_eq!(census.kinds["tally"].bytes, bodies);
}

#[tokio::test]
async fn an_export_goes_on_behind_any_record() {
    let store = Memory::new();
    fill(&store, 300).await;
    let all = lines(&export(&store).await);
    for (nth, (key, _)) in all.iter().enumerate().step_by(17) {
        let mut export = Export::after(Some(key.clone()));
        let mut rest = Vec::new();
        while let Some(page) = export.next(&store).await.unwrap() {
            rest.extend(transfer::lines(&page.lines, 1).unwrap());
        }
        assert!(rest == all[nth + 1..], "behind {key}");
    }
}

#[tokio::test]
async fn a_lease_is_left_out() {
    let store = Memory::new();
    let mut facts = facts_of(&another(1));
    facts.key = Key::new(Kind::Lease, "work");
    facts.entries.clear();
    store.commit(vec![put_facts(None, facts)]).await.unwrap();
    assert_eq!(lines(&export(&store).await), []);
}

/// An engine that overrides nothing that a port has an answer for.
struct Plain(Memory);

store_over!(Plain, 0, [read commit due_in scan], {});
