//! What was stored once still opens: `fixtures/stored` has an export of each
//! format that ever was, and a whole store in files.

use crate::samples;
use dialback::app::{admin, services};
use dialback::model::counter::{Addition, Counter, Limit, Pseudonym};
use dialback::store::memory::Memory;
use dialback::store::records::Facts;
use dialback::store::sled::{Options, Sled};
use dialback::store::transfer::{Ledger, Line};
use dialback::store::{Key, Kind, Maintenance, Store, kinds};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A store in files, as it was written first: the records of `format-1.ndjson`.
const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stored/sled-1");

/// Exports, one for each time that a format was raised.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stored");

const WHAT_TO_DO: &str = "raise FORMAT of the record in src/store/kinds/, keep the old fixture, add a new one: \
    `DIALBACK_WRITE_FIXTURE=fixtures/stored/NAME.ndjson cargo test --test it stored::write`";

fn exports() -> Vec<PathBuf> {
    let files = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|e| e == "ndjson")).collect();
    files.sort();
    files
}

/// The records of an export, which must be whole.
fn records(path: &Path) -> Vec<(Key, Vec<u8>)> {
    let file = fs::read(path).unwrap();
    let mut ledger = Ledger::default();
    let mut records = Vec::new();
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        match ledger.take(line).unwrap_or_else(|bad| panic!("{}: {bad}", path.display())) {
            Line::Record(key, body) => records.push((key, body)),
            Line::Header { .. } | Line::End => {}
        }
    }
    ledger.finish().unwrap();
    records
}

fn read(key: &Key, body: &[u8]) -> Facts {
    let facts = kinds::facts(key, body).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(facts.key, *key);
    facts
}

fn value(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// Every place in a value, with what stands there.
fn places(value: &Value, at: &str, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| places(value, &format!("{at}.{name}"), found))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(nth, value)| places(value, &format!("{at}[{nth}]"), found));
        }
        plain => drop(found.insert(at.to_owned(), plain.to_string())),
    }
}

fn differences(one: &Value, other: &Value) -> Vec<String> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    places(one, "", &mut before);
    places(other, "", &mut after);
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let line = |at: &&String| format!("{at}: {:?} in the fixture, {:?} now", before.get(*at), after.get(*at));
    all.into_iter().filter(|at| before.get(*at) != after.get(*at)).map(|at| line(&at)).collect()
}

#[test]
fn every_stored_line_still_reads_and_says_the_same() {
    let mut kinds_seen = BTreeSet::new();
    for path in exports() {
        for (key, body) in records(&path) {
            let facts = read(&key, &body);
            // Written again and read again it is the same record.
            let again = read(&key, &facts.body);
            assert_eq!(facts, again, "{key}");
            if value(&body)["format"] == value(&facts.body)["format"] {
                assert_eq!(value(&body), value(&facts.body), "{key} of {}", path.display());
            }
            kinds_seen.insert(key.kind);
        }
    }
    let all: BTreeSet<Kind> = kinds::ALL.iter().copied().filter(|kind| kinds::is_exported(*kind)).collect();
    assert_eq!(kinds_seen, all, "a kind without a line in fixtures/stored: {WHAT_TO_DO}");
}

/// The due date and the entries of each line, as they were when it was written.
#[test]
fn every_stored_line_is_due_and_listed_as_it_was() {
    for path in exports() {
        let told = fs::read_to_string(path.with_extension("entries.txt")).unwrap();
        let now: String = records(&path).iter().map(|(key, body)| standing(&read(key, body))).collect();
        assert!(told == now, "{}: records are due or listed elsewhere:\n{now}", path.display());
    }
}

fn standing(facts: &Facts) -> String {
    let due = facts.due.map_or_else(|| "-".to_owned(), |due| due.at.to_string());
    let mut text = format!("{} {} due {due}\n", kinds::name(facts.key.kind), facts.key.id);
    for entry in &facts.entries {
        text += &format!("  {:?} {:?} {}\n", entry.index, entry.scope, entry.at);
    }
    text
}

#[test]
fn what_a_record_looks_like_changes_with_its_format_only() {
    let mut stored: BTreeMap<(Key, u64), Value> = BTreeMap::new();
    for path in exports() {
        for (key, body) in records(&path) {
            let body = value(&body);
            stored.insert((key, body["format"].as_u64().unwrap()), body);
        }
    }
    for sample in samples::all() {
        let now = value(&sample.body);
        let format = now["format"].as_u64().unwrap();
        let Some(then) = stored.get(&(sample.key.clone(), format)) else {
            panic!("no fixture has {:?} {} in format {format}: {WHAT_TO_DO}", sample.key.kind, sample.key.id);
        };
        let differences = differences(then, &now).join("\n");
        assert!(
            differences.is_empty(),
            "{:?} is written differently: {WHAT_TO_DO}\n{differences}",
            sample.key.kind
        );
    }
}

#[tokio::test]
async fn a_store_in_files_still_opens_with_all_that_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    for file in fs::read_dir(FILES).unwrap() {
        let file = file.unwrap().path();
        fs::copy(&file, dir.path().join(file.file_name().unwrap())).unwrap();
    }
    let store = Sled::open(dir.path(), Options::default()).unwrap();
    let found = crate::care::checked(&store).await;
    assert_eq!(found.damage, Vec::<String>::new());
    let expected = records(&Path::new(FOLDER).join("format-1.ndjson"));
    assert_eq!(found.records.values().sum::<u64>(), expected.len() as u64);
    for (key, body) in expected {
        let stored = store.read(&key).await.unwrap().unwrap();
        assert_eq!(value(&stored.body), value(&body), "{key}");
        // Whatever lane it stood in when there were two.
        if let Some(due) = read(&key, &body).due {
            let found = store.due_in(due.lane, Timestamp::MAX, usize::MAX).await.unwrap();
            let is_due =
                found.iter().any(|(one, at)| *one == key && at.as_millisecond() == due.at.as_millisecond());
            let is_early = key.kind.lanes().contains(&key.kind.early_lane());
            assert!(is_due || is_early, "{key} is not due in {:?}", due.lane);
        }
    }
    store.close().await;
}

/// The samples have what a record can have, or the guard above guards nothing:
/// no field of the first of a kind is left out, and none is empty.
#[test]
fn the_first_sample_of_a_kind_is_full() {
    let mut seen = BTreeSet::new();
    for sample in samples::all() {
        if seen.insert(sample.key.kind) {
            let mut found = BTreeMap::new();
            places(&value(&sample.body), "", &mut found);
            let empty: Vec<&String> = found
                .iter()
                .filter(|(_, text)| matches!(text.as_str(), "null" | "[]" | "{}"))
                .map(|(at, _)| at)
                .collect();
            assert!(empty.is_empty(), "{:?}: {empty:?}", sample.key.kind);
        }
    }
}

/// The samples as `dialback export` writes them, and where they stand: a new
/// fixture, when it is told where to.
#[tokio::test]
async fn write() {
    let dir = tempfile::tempdir().unwrap();
    let path = match std::env::var("DIALBACK_WRITE_FIXTURE") {
        Ok(path) => Path::new(env!("CARGO_MANIFEST_DIR")).join(path),
        Err(_) => dir.path().join("all.ndjson"),
    };
    let store = Sled::open(&dir.path().join("data"), Options::default()).unwrap();
    put(&store).await;
    store.close().await;
    let exported = crate::instance::binary(dir.path())
        .env("DIALBACK_STORE__URL", format!("sled:{}", dir.path().join("data").display()))
        .arg("export")
        .arg(&path)
        .output()
        .unwrap();
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let mut samples: Vec<(Key, Vec<u8>)> =
        samples::all().into_iter().map(|facts| (facts.key, facts.body)).collect();
    let order = |key: &Key| kinds::ALL.iter().position(|kind| *kind == key.kind);
    samples.sort_by_key(|(key, _)| (order(key), key.id.clone()));
    assert!(records(&path) == samples, "an export has every record as it is stored, in its order");
    let told: String = records(&path).iter().map(|(key, body)| standing(&read(key, body))).collect();
    fs::write(path.with_extension("entries.txt"), told).unwrap();
}

/// Puts the samples into a store.
pub async fn put(store: &dyn Maintenance) {
    for facts in samples::all() {
        let change = dialback::store::records::put_facts(None, facts);
        store.commit(vec![change]).await.unwrap();
    }
}

#[tokio::test]
async fn the_samples_are_a_store_that_holds_together() {
    let store = Memory::new();
    put(&store).await;
    let found = crate::care::checked(&store).await;
    assert_eq!(found.damage, Vec::<String>::new());
    assert_eq!(found.records.values().sum::<u64>(), samples::all().len() as u64);
}

/// A counter of sliding windows is written as it was: the samples have one of fixed ones.
#[test]
fn a_counter_is_written_as_it_was() {
    let (key, body) = records(&Path::new(FOLDER).join("counters-1.ndjson")).remove(0);
    let limit = |name: &str, of: &str, seconds| Limit::new(name, of, seconds, 99);
    let limits = [
        limit("hourly", "start", 3600),
        limit("daily", "start", 86_400),
        limit("countries", "country", 86_400),
    ];
    let amount = |amount| Addition::Amount { of: "start".into(), amount };
    let member = |byte| Addition::Member { of: "country".into(), member: Pseudonym([byte; 8]) };
    let at = |second: i64| Timestamp::from_millisecond(second * 1000 + 123).unwrap();
    let mut counter = Counter::new(key.id.clone());
    for (second, additions) in [
        (1_795_132_799, vec![amount(4)]),
        (1_795_161_600, vec![amount(2)]),
        (1_795_165_201, vec![amount(1), member(0x01)]),
        (1_795_165_203, vec![amount(2), member(0xa2)]),
    ] {
        counter = counter.add(at(second), &additions, &limits).unwrap();
    }
    let now = value(&dialback::store::records::facts_of(&counter).body);
    let told = differences(&value(&body), &now).join("\n");
    assert!(told.is_empty(), "{WHAT_TO_DO}\n{told}");
}

/// What was right when it was stored and is refused today keeps nobody from
/// changing the rest, and may be sent back as it was read.
#[tokio::test]
async fn a_service_with_settings_that_are_refused_today_can_be_changed() {
    let path = Path::new(FOLDER).join("refused-today-1.ndjson");
    let (key, body) = records(&path).remove(0);
    let store = std::sync::Arc::new(Memory::new());
    store.commit(vec![dialback::store::records::put_facts(None, read(&key, &body))]).await.unwrap();
    let world = crate::world::World::over(store).await;
    let id = key.id.parse().unwrap();
    let change = async |changes: Value| {
        let Value::Object(changes) = changes else { panic!("an object") };
        admin::change_service(&world.app.directory, &dialback::model::audit::Actor::operator(), &id, changes)
            .await
            .map_err(|error| error.to_string())
    };
    let as_read = services::service(&world.app.directory, Some(&id)).await.unwrap().settings.all();
    change(Value::Object(as_read.clone())).await.unwrap();
    assert_eq!(change(json!({ "name": "New Shop" })).await.unwrap().settings.name, "New Shop");
    let mut pages = as_read["pages"].clone();
    pages["register"] = false.into();
    change(json!({ "pages": pages })).await.unwrap();
    pages["return_urls"] = json!(["http://shop.example/*", "https://shop.example/*"]);
    let changed = change(json!({ "pages": pages })).await.unwrap();
    assert_eq!(changed.settings.pages.return_urls.len(), 2);
    // What the change itself breaks is refused as ever.
    for (changes, field) in [
        (json!({ "name": "Shop 123456" }), "name: "),
        (json!({ "lifetime_seconds": 90000 }), "lifetime_seconds: "),
        (json!({ "countries": { "sms": { "allow": ["UK", "XX"] } } }), "countries.sms: "),
        (json!({ "pages": { "return_urls": ["http://other.example/"] } }), "pages.return_urls: "),
        (json!({ "pages": { "colour": "blue" } }), "pages.colour: "),
        (json!({ "colour": "red" }), "colour: there is no such setting"),
    ] {
        let told = change(changes).await.unwrap_err();
        assert!(told.starts_with(field), "{told}");
    }
    let mended = change(json!({ "pages": { "return_urls": ["https://shop.example/*"] } })).await.unwrap();
    assert_eq!(mended.settings.lifetime_seconds, 86_400);
}
