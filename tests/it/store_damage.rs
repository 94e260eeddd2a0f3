//! Damaged files: the store opens with everything that was acknowledged, or
//! refuses and says what to do. It is never silently empty, never wrong, and
//! does not panic.

use crate::store_contract::Thing;
use dialback::store::records::{self, Record};
use dialback::store::sled::{Options, Sled};
use dialback::store::{Change, Index, Key, Kind, Lane, Maintenance, Scan, Store, StoreError};
use jiff::Timestamp;
use std::collections::BTreeMap;
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

/// What a store must hold, by id.
type Expected = BTreeMap<String, Thing>;

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
            expected.insert(new.id.clone(), new.clone());
            records::put(None, &new)
        });
        store.commit(changes.collect()).await.unwrap();
        if ballast > 0 {
            store.commit((0..ballast).map(|n| heavy(begin, n)).collect()).await.unwrap();
        }
    }
    for n in (from..to).filter(|n| n % 3 == 0) {
        let old = records::get::<Thing>(store, &name(n)).await.unwrap().unwrap();
        let change = match n % 2 {
            0 => {
                let new = Thing { note: n + 1_000_000, ..old.record.clone() };
                expected.insert(name(n), new.clone());
                records::put(Some(&old), &new)
            }
            _ => {
                expected.remove(&name(n));
                records::delete(&old)
            }
        };
        store.commit(vec![change]).await.unwrap();
    }
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
    let mut expected = Expected::new();
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

/// The verdict on a store that was damaged: opened whole, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Whole,
    RefusedAtOpening,
    RefusedWhenRead,
}

async fn verdict(dir: &Path, expected: &Expected, what: &str) -> Verdict {
    let says_what_to_do = |error: &StoreError| {
        let said = error.to_string();
        assert!(said.contains("restore") || said.contains("move it away"), "{what}: {said}");
        assert!(matches!(error, StoreError::Damaged(_) | StoreError::Open(_)), "{what}: {error:?}");
    };
    let store = match open(dir) {
        Ok(store) => store,
        Err(error) => {
            says_what_to_do(&error);
            return Verdict::RefusedAtOpening;
        }
    };
    let mut refused = 0;
    for (id, thing) in expected {
        match records::get::<Thing>(&store, id).await {
            Ok(read) => assert_eq!(read.map(|read| read.record).as_ref(), Some(thing), "{what}: {id}"),
            Err(error) => {
                says_what_to_do(&error);
                refused += 1;
            }
        }
    }
    let scan = Scan {
        index: Index::Verifications,
        scope: String::new(),
        since: None,
        until: None,
        after: None,
        limit: usize::MAX,
    };
    match store.scan(&scan).await {
        Ok(listed) => assert_eq!(listed.len(), expected.len(), "{what}"),
        Err(error) => {
            says_what_to_do(&error);
            refused += 1;
        }
    }
    match store.walk(Kind::Delivery, None, usize::MAX).await {
        Ok(heavy) => assert_eq!(heavy.len() % HEAVY, 0, "{what}"),
        Err(error) => {
            says_what_to_do(&error);
            refused += 1;
        }
    }
    match store.walk(Thing::KIND, None, usize::MAX).await {
        Ok(walked) => assert_eq!(walked.len(), expected.len(), "{what}"),
        Err(error) => {
            says_what_to_do(&error);
            refused += 1;
        }
    }
    // What is due stands on pages of its own.
    for lane in Lane::ALL {
        if let Err(error) = store.due_in(lane, Timestamp::MAX, usize::MAX >> 1).await {
            says_what_to_do(&error);
            refused += 1;
        }
    }
    let checked = store.check().await.and_then(|report| report.verdict());
    assert_eq!(checked.is_err(), refused > 0, "{what}: {checked:?}");
    store.close().await;
    if refused > 0 { Verdict::RefusedWhenRead } else { Verdict::Whole }
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
    let mut expected = Expected::new();
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
