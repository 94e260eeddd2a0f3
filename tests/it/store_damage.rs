//! Damaged files: the store opens with everything that was acknowledged, or
//! refuses and says what to do. It is never silently empty and does not panic. What the
//! engine leaves out in the middle without a word, a check finds, wherever it was.

use crate::store_contract::Thing;
use dialback::store::records::{self, Record};
use dialback::store::sled::{Options, Sled};
use dialback::store::{
    Change, CheckReport, Digests, Index, Key, Kind, Lane, Maintenance, Scan, Store, StoreError,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Damages of each sort to each store.
const ROUNDS: usize = 5;

fn open(dir: &Path) -> Result<Sled, StoreError> {
    Sled::open(dir, Options::default())
}

/// Numbers that are the same in each run, and printed with what they broke.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

/// What a store must hold.
#[derive(Default)]
struct Expected {
    /// By id.
    things: BTreeMap<String, Thing>,
    /// The ids of the ballast.
    heavy: BTreeSet<String>,
    /// What is due and listed: what whoever reads the records knows of that.
    digests: Option<Digests>,
}

/// A store with its files, closed, and what it holds.
struct Sample {
    name: &'static str,
    dir: tempfile::TempDir,
    /// Where its valid data is.
    data: PathBuf,
    expected: Expected,
}

/// How many bytes of something else stand in the log between records, so that
/// it becomes long.
const BALLAST: usize = 60_000;

/// Writes, overwrites and deletes records, many in a commit.
async fn fill(store: &Sled, expected: &mut Expected, from: u32, to: u32, ballast: usize) {
    let name = |n: u32| format!("SM{:08x}", n.wrapping_mul(0x9e37_79b9));
    for begin in (from..to).step_by(32) {
        let changes = (begin..to.min(begin + 32)).map(|n| {
            let listed = Some((1, i64::from(n)));
            let new = Thing { id: name(n), note: n, due: Some(i64::from(n)), listed };
            expected.things.insert(new.id.clone(), new.clone());
            records::put(None, &new)
        });
        store.commit(changes.collect()).await.unwrap();
        if ballast > 0 {
            let ballast: Vec<Change> = (0..ballast).map(|n| heavy(begin, n)).collect();
            expected.heavy.extend(ballast.iter().map(|change| change.key.id.clone()));
            store.commit(ballast).await.unwrap();
        }
    }
    for n in (from..to).filter(|n| n % 3 == 0) {
        let old = records::get::<Thing>(store, &name(n)).await.unwrap().unwrap();
        let change = match n % 2 {
            0 => {
                let new = Thing { note: n + 1_000_000, ..old.record.clone() };
                expected.things.insert(name(n), new.clone());
                records::put(Some(&old), &new)
            }
            _ => {
                expected.things.remove(&name(n));
                records::delete(&old)
            }
        };
        store.commit(vec![change]).await.unwrap();
    }
    let report = store.check().await.unwrap();
    assert_eq!((&report.damage, report.damaged, &report.not_compared), (&Vec::new(), 0, &None));
    expected.digests = report.digests;
}

fn heavy(begin: u32, n: usize) -> Change {
    Change {
        key: Key::new(Kind::Delivery, format!("SM{begin}-{n}")),
        expected: 0,
        body: Some(vec![b'0'; BALLAST]),
        due_before: None,
        due_after: None,
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    }
}

/// How a store has lived: how many records, ballast after each 32 of them, how
/// often it was opened again and how often its files were replaced.
struct Life {
    name: &'static str,
    records: u32,
    ballast: usize,
    reopened: u32,
    compactions: u32,
}

/// Never opened again; opened often, so that there is a snapshot; with a log of
/// several segments; with files that were replaced twice.
const LIVES: [Life; 5] = [
    Life { name: "new", records: 300, ballast: 0, reopened: 0, compactions: 0 },
    Life { name: "reopened", records: 300, ballast: 0, reopened: 2, compactions: 0 },
    Life { name: "replaced", records: 300, ballast: 0, reopened: 1, compactions: 2 },
    Life { name: "long", records: 600, ballast: HEAVY, reopened: 0, compactions: 0 },
    Life { name: "long and reopened", records: 600, ballast: HEAVY, reopened: 1, compactions: 0 },
];
const HEAVY: usize = 12;

async fn sample(life: &Life) -> Sample {
    let Life { name, records, ballast, reopened, compactions } = *life;
    let dir = tempfile::tempdir().unwrap();
    let mut expected = Expected::default();
    let mut store = open(dir.path()).unwrap();
    fill(&store, &mut expected, 0, records, ballast).await;
    for round in 0..compactions {
        store.compact().await.unwrap();
        fill(&store, &mut expected, 1000 + round * 60, 1060 + round * 60, ballast).await;
    }
    for round in 0..reopened {
        store.close().await;
        store = open(dir.path()).unwrap();
        fill(&store, &mut expected, 2000 + round * 60, 2060 + round * 60, ballast).await;
    }
    store.close().await;
    let data = match compactions {
        0 => PathBuf::new(),
        n => PathBuf::from(format!("generation-{n}")),
    };
    Sample { name, dir, data, expected }
}

/// The verdict on a store that was damaged: opened whole, refused, or found by a check to
/// be other than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Whole,
    RefusedAtOpening,
    RefusedWhenRead,
    FoundByCheck,
}

/// What was read of a store.
#[derive(Default)]
struct Found {
    /// How many reads were refused.
    refused: usize,
    /// Records that are not what they were, and no read said so.
    wrong: Vec<String>,
    /// Lines and due entries that are not, and no read said so.
    astray: Vec<String>,
}

fn says_what_to_do(error: &StoreError, what: &str) {
    let said = error.to_string();
    assert!(said.contains("restore") || said.contains("move it away"), "{what}: {said}");
    assert!(matches!(error, StoreError::Damaged(_) | StoreError::Open(_)), "{what}: {error:?}");
}

impl Found {
    fn read<T>(&mut self, read: Result<T, StoreError>, what: &str) -> Option<T> {
        read.map_err(|error| {
            says_what_to_do(&error, what);
            self.refused += 1;
        })
        .ok()
    }

    async fn records(&mut self, store: &Sled, expected: &Expected, what: &str) {
        for (id, thing) in &expected.things {
            let read = records::get::<Thing>(store, id).await;
            let read = self.read(read, what).map(|read| read.map(|read| read.record));
            if read.is_some_and(|read| read.as_ref() != Some(thing)) {
                self.wrong.push(id.clone());
            }
        }
        let things: BTreeSet<String> = expected.things.keys().cloned().collect();
        for (kind, expected) in [(Kind::Delivery, &expected.heavy), (Thing::KIND, &things)] {
            let walked = store.walk(kind, None, usize::MAX).await;
            if let Some(walked) = self.read(walked, what) {
                let walked: BTreeSet<String> = walked.into_iter().map(|(id, _)| id).collect();
                self.wrong.extend(walked.symmetric_difference(expected).cloned());
            }
        }
    }

    async fn entries(&mut self, store: &Sled, expected: &Expected, what: &str) {
        let ids: Vec<&String> = expected.things.keys().collect();
        for (index, scope) in [(Index::Verifications, ""), (Index::VerificationsTo, "1")] {
            let all = Scan {
                index,
                scope: scope.to_owned(),
                since: None,
                until: None,
                after: None,
                limit: usize::MAX,
            };
            if let Some(listed) = self.read(store.scan(&all).await, what) {
                let mut listed: Vec<&String> = listed.iter().map(|entry| &entry.id).collect();
                listed.sort_unstable();
                if listed != ids {
                    self.astray.push(format!("{} of {} in {index:?}", listed.len(), ids.len()));
                }
            }
        }
        let (mut due, refused) = (Vec::new(), self.refused);
        for lane in Lane::ALL {
            let read = store.due_in(lane, Timestamp::MAX, usize::MAX >> 1).await;
            due.extend(self.read(read, what).into_iter().flatten().map(|(key, _)| key.id));
        }
        due.sort_unstable();
        if refused == self.refused && due.iter().ne(ids.iter().copied()) {
            self.astray.push(format!("{} of {} due", due.len(), ids.len()));
        }
    }
}

async fn verdict(dir: &Path, expected: &Expected, what: &str) -> Verdict {
    let store = match open(dir) {
        Ok(store) => store,
        Err(error) => {
            says_what_to_do(&error, what);
            return Verdict::RefusedAtOpening;
        }
    };
    let mut found = Found::default();
    found.records(&store, expected, what).await;
    found.entries(&store, expected, what).await;
    let checked = store.check().await;
    store.close().await;
    let Found { refused, wrong, astray } = found;
    let is_damaged = match &checked {
        Ok(report) => {
            assert_eq!(report.not_compared, None, "{what}");
            report.verdict().is_err()
        }
        Err(error) => {
            says_what_to_do(error, what);
            true
        }
    };
    let told = format!("{what}: {refused} refused, {wrong:?} wrong, {astray:?} astray: {checked:?}");
    // Lines that no record asks for, or the other way round, are for those who read records.
    let is_astray = checked.is_ok_and(|CheckReport { digests, .. }| digests != expected.digests);
    match refused > 0 || !wrong.is_empty() {
        true => assert!(is_damaged, "{told}"),
        false => assert_eq!(is_damaged || is_astray, !astray.is_empty(), "{told}"),
    }
    match (refused, wrong.is_empty() && astray.is_empty()) {
        (0, true) => Verdict::Whole,
        (0, false) => Verdict::FoundByCheck,
        _ => Verdict::RefusedWhenRead,
    }
}

/// Does something to a copy of a store, and says what.
type Damage = fn(&Sample, &Path, &mut Random) -> String;

#[tokio::test]
async fn damaged_files_are_never_taken_for_whole_ones() {
    let damages: [(&str, Damage); 5] = [
        ("truncated", truncate),
        ("cut", cut),
        ("zeroed", zero),
        ("flipped", flip),
        ("snapshot", tear_snapshot),
    ];
    let mut random = Random(1);
    let mut sums: BTreeMap<(&str, Verdict), usize> = BTreeMap::new();
    for life in &LIVES {
        let sample = sample(life).await;
        for (sort, damage) in damages {
            for round in 0..ROUNDS {
                let copy = tempfile::tempdir().unwrap();
                copy_all(sample.dir.path(), copy.path());
                let what = damage(&sample, copy.path(), &mut random);
                let what = format!("{sort}, store {}, round {round}: {what}", sample.name);
                let verdict = verdict(copy.path(), &sample.expected, &what).await;
                *sums.entry((sort, verdict)).or_default() += 1;
            }
        }
    }
    println!("{sums:?}");
    assert_eq!(sums.get(&("truncated", Verdict::Whole)), None, "everything was there without its end");
}

fn copy_all(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap().map(|file| file.unwrap()) {
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_all(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).unwrap();
        }
    }
}

/// How much of a store's log was written to.
fn used(path: &Path) -> u64 {
    fs::read(path).unwrap().iter().rposition(|byte| *byte != 0).map_or(0, |at| at as u64 + 1)
}

fn log(sample: &Sample, dir: &Path) -> PathBuf {
    dir.join(&sample.data).join("db")
}

fn truncate(sample: &Sample, dir: &Path, random: &mut Random) -> String {
    let path = log(sample, dir);
    let length = random.below(used(&path));
    OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
    format!("to {length} bytes")
}

fn cut(sample: &Sample, dir: &Path, random: &mut Random) -> String {
    let path = log(sample, dir);
    let length = used(&path) - 1 - random.below(600);
    OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
    format!("to {length} bytes")
}

fn zero(sample: &Sample, dir: &Path, random: &mut Random) -> String {
    let path = log(sample, dir);
    let page = random.below(used(&path).div_ceil(4096));
    OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&[0; 4096], page * 4096).unwrap();
    format!("page {page}")
}

fn flip(sample: &Sample, dir: &Path, random: &mut Random) -> String {
    let path = log(sample, dir);
    let (at, byte) = (random.below(used(&path)), random.below(255) as u8 + 1);
    let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let mut there = [0];
    file.read_exact_at(&mut there, at).unwrap();
    file.write_all_at(&[there[0] ^ byte], at).unwrap();
    format!("byte {at}")
}

fn tear_snapshot(sample: &Sample, dir: &Path, random: &mut Random) -> String {
    let torn = random.below(2) == 0;
    for file in fs::read_dir(dir.join(&sample.data)).unwrap().map(|file| file.unwrap().path()) {
        if file.file_name().unwrap().to_string_lossy().starts_with("snap.") {
            let bytes = fs::read(&file).unwrap();
            match torn {
                true => fs::write(&file, &bytes[..random.below(bytes.len() as u64) as usize]).unwrap(),
                false => fs::remove_file(&file).unwrap(),
            }
        }
    }
    if torn { "torn".to_owned() } else { "gone".to_owned() }
}

#[tokio::test]
async fn what_says_which_files_are_valid() {
    let sample = sample(&LIVES[2]).await;
    let valid = fs::read(sample.dir.path().join("current")).unwrap();
    let other = String::from_utf8(valid.clone()).unwrap().replacen("generation 2", "generation 1", 1);
    let cases: [(&str, Option<&[u8]>); 6] = [
        ("empty", Some(b"")),
        ("cut", Some(&valid[..valid.len() - 1])),
        ("garbage", Some(b"\xff\x00generation 2")),
        ("zeros", Some(&[0; 80])),
        ("another", Some(other.as_bytes())),
        ("gone", None),
    ];
    for (what, content) in cases {
        let copy = tempfile::tempdir().unwrap();
        copy_all(sample.dir.path(), copy.path());
        match content {
            Some(content) => fs::write(copy.path().join("current"), content).unwrap(),
            None => fs::remove_file(copy.path().join("current")).unwrap(),
        }
        assert_eq!(verdict(copy.path(), &sample.expected, what).await, Verdict::RefusedAtOpening, "{what}");
        assert!(copy.path().join("generation-2/db").exists(), "{what}: the data was removed");
        // Nothing is lost by the refusal: put right, it opens.
        fs::write(copy.path().join("current"), &valid).unwrap();
        assert_eq!(verdict(copy.path(), &sample.expected, what).await, Verdict::Whole, "{what}");
    }
}

#[tokio::test]
async fn files_of_another_generation() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = Expected::default();
    let store = open(dir.path()).unwrap();
    fill(&store, &mut expected, 0, 100, 0).await;
    store.close().await;
    let mut kept = Vec::new();
    for generation in 1..=2 {
        let store = open(dir.path()).unwrap();
        store.compact().await.unwrap();
        store.close().await;
        let copy = tempfile::tempdir().unwrap();
        copy_all(&dir.path().join(format!("generation-{generation}")), copy.path());
        kept.push(copy);
    }
    for swapped in ["all", "log", "gone"] {
        let copy = tempfile::tempdir().unwrap();
        copy_all(dir.path(), copy.path());
        let data = copy.path().join("generation-2");
        match swapped {
            "all" => {
                fs::remove_dir_all(&data).unwrap();
                fs::create_dir(&data).unwrap();
                copy_all(kept[0].path(), &data);
            }
            "log" => drop(fs::copy(kept[0].path().join("db"), data.join("db")).unwrap()),
            _ => fs::remove_dir_all(&data).unwrap(),
        }
        let verdict = verdict(copy.path(), &expected, swapped).await;
        assert_eq!(verdict, Verdict::RefusedAtOpening, "{swapped}");
    }
}

#[tokio::test]
async fn the_small_files_beside_the_data() {
    for life in &LIVES[..3] {
        let sample = sample(life).await;
        for (file, content, verdict_is) in [
            ("acknowledged", Some(&b""[..]), Verdict::RefusedAtOpening),
            ("acknowledged", Some(b"many\n"), Verdict::RefusedAtOpening),
            ("acknowledged", Some(&[0; 21]), Verdict::RefusedAtOpening),
            ("acknowledged", Some(b"99999999999999999999\n"), Verdict::RefusedAtOpening),
            ("acknowledged", None, Verdict::Whole),
            ("lock", Some(b"anything"), Verdict::Whole),
            ("lock", None, Verdict::Whole),
            ("dialback-store", Some(b""), Verdict::Whole),
            ("dialback-store", None, Verdict::Whole),
        ] {
            let copy = tempfile::tempdir().unwrap();
            copy_all(sample.dir.path(), copy.path());
            let what = format!("{}: {file} {content:?}", sample.name);
            match content {
                Some(content) => fs::write(copy.path().join(file), content).unwrap(),
                None => fs::remove_file(copy.path().join(file)).unwrap(),
            }
            assert_eq!(verdict(copy.path(), &sample.expected, &what).await, verdict_is, "{what}");
        }
        // A directory in the place of the lock, and the data gone with the marker.
        let copy = tempfile::tempdir().unwrap();
        copy_all(sample.dir.path(), copy.path());
        fs::remove_file(copy.path().join("lock")).unwrap();
        fs::create_dir(copy.path().join("lock")).unwrap();
        assert_eq!(verdict(copy.path(), &sample.expected, "lock").await, Verdict::RefusedAtOpening);
        fs::remove_dir(copy.path().join("lock")).unwrap();
        fs::remove_file(copy.path().join("dialback-store")).unwrap();
        fs::remove_file(copy.path().join(&sample.data).join("db")).unwrap();
        assert_eq!(verdict(copy.path(), &sample.expected, "both").await, Verdict::RefusedAtOpening);
    }
}
