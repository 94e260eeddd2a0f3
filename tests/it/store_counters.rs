//! Counters in a commit, over every engine: no limit is exceeded by one, nobody is
//! refused for a race, and what is given back is given back exactly.

use crate::postgres::database;
use crate::store_contract::{Thing, at, open, thing};
use dialback::model::counter::{Addition, Counter, End, Limit, Pseudonym, QuotaLease};
use dialback::store::memory::Memory;
use dialback::store::postgres::{Options, Postgres};
use dialback::store::records::{self, Record};
use dialback::store::{
    Change, Commit, CommitError, CountedError, Counting, Due, Key, Kind, Lane, Limited, Maintenance, Store,
    StoreError,
};
use futures_util::future::join_all;
use jiff::Timestamp;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

const MINUTE: u32 = 60;

fn limit(max: u64) -> Limit {
    Limit::new("starts", "start", MINUTE, max)
}

/// So many more at that time, in milliseconds, of at most so many in a minute.
pub fn adding(counter: &str, amount: u64, millis: i64, max: u64) -> Counting {
    let additions = vec![Addition::Amount { of: "start".into(), amount }];
    Counting { counter: counter.into(), now: at(millis), additions, limits: vec![limit(max)] }
}

/// The same given back.
pub fn giving_back(counter: &str, amount: u64, added_at: i64, millis: i64) -> Counting {
    let additions = vec![Addition::GiveBack { of: "start".into(), amount, added_at: at(added_at) }];
    Counting { additions, ..adding(counter, 0, millis, 0) }
}

/// Both in one commit.
pub fn commit(changes: Vec<Change>, additions: Vec<Counting>) -> Commit {
    Commit { changes, additions }
}

/// A counter as it stands.
pub async fn counter(store: &dyn Maintenance, id: &str) -> Option<Counter> {
    records::get::<Counter>(store, id).await.unwrap().map(|found| found.record)
}

/// How many are in the current bucket.
pub async fn taken(store: &dyn Maintenance, id: &str) -> u64 {
    counter(store, id)
        .await
        .and_then(|counter| counter.counts.get("starts").copied())
        .map_or(0, |count| count.taken)
}

/// A record that was not there.
pub fn new(id: &str) -> Vec<Change> {
    vec![records::put(None, &thing(id, 1, None, None))]
}

/// Whether there is one of that name.
pub async fn is_there(store: &dyn Maintenance, id: &str) -> bool {
    records::get::<Thing>(store, id).await.unwrap().is_some()
}

/// The limit that refused it.
pub fn limited(answer: Result<(), CountedError>) -> Limited {
    match answer {
        Err(CountedError::Limited(limited)) => limited,
        other => panic!("not refused by a limit: {other:?}"),
    }
}

/// What one counter, and several, live through.
async fn story(store: &dyn Maintenance) {
    store.commit_counted(commit(new("a"), vec![adding("n", 2, 0, 3)])).await.unwrap();
    assert_eq!(taken(store, "n").await, 2);
    let first = records::get::<Counter>(store, "n").await.unwrap().unwrap();

    // Refused with all else, and told which and until when.
    let refused = store.commit_counted(commit(new("b"), vec![adding("n", 2, 1000, 3)])).await;
    let said = refused.as_ref().unwrap_err().to_string();
    let refused = limited(refused);
    assert_eq!((refused.counter.as_str(), refused.reached.limit.as_str()), ("n", "starts"));
    assert_eq!(refused.reached.passes_at, Some(at(90_000)));
    assert!(said.contains("starts") && !said.contains('n'.to_string().repeat(2).as_str()), "{said}");
    assert!(!is_there(store, "b").await);
    let read = records::get::<Counter>(store, "n").await.unwrap().unwrap();
    assert_eq!((read.version, &read.record), (first.version, &first.record));

    // What changes come too late for is not counted either.
    let late = store.commit_counted(commit(new("a"), vec![adding("n", 1, 1000, 3)])).await;
    assert!(matches!(late, Err(CountedError::Commit(CommitError::Conflict))), "{late:?}");
    assert_eq!(taken(store, "n").await, 2);

    // Given back by nobody's leave, also beside changes, also to none that is left.
    store.commit_counted(commit(new("b"), vec![giving_back("n", 1, 0, 2000)])).await.unwrap();
    assert_eq!(taken(store, "n").await, 1);
    store.commit_counted(commit(vec![], vec![giving_back("n", 9, 0, 2000)])).await.unwrap();
    assert_eq!(taken(store, "n").await, 0);
    store.commit_counted(commit(vec![], vec![adding("n", 3, 3000, 3)])).await.unwrap();

    // Of several counters one refuses, and none has counted.
    let both = vec![adding("m", 1, 3000, 9), adding("n", 1, 3000, 3), adding("o", 5, 3000, 4)];
    let longest = limited(store.commit_counted(commit(vec![], both)).await);
    assert_eq!((longest.counter.as_str(), longest.reached.passes_at), ("o", None), "never is longest");
    let two = vec![adding("m", 1, 3000, 9), adding("n", 1, 3000, 3)];
    assert_eq!(limited(store.commit_counted(commit(vec![], two)).await).counter, "n");
    assert_eq!((counter(store, "m").await, counter(store, "o").await), (None, None));
    let others = vec![adding("m", 1, 3000, 9), adding("o", 1, 3000, 4)];
    store.commit_counted(commit(vec![], others)).await.unwrap();
    assert_eq!((taken(store, "m").await, taken(store, "o").await), (1, 1));

    members(store).await;
    stands_with_its_version(store).await;
    refuses(store).await;
    let report = store.check().await.unwrap();
    assert_eq!((report.records, report.due, report.damaged), (7, 5, 0));
}

async fn members(store: &dyn Maintenance) {
    let meeting = |n| Counting {
        additions: vec![Addition::Member { of: "start".into(), member: Pseudonym([n; 8]) }],
        ..adding("met", 0, 0, 2)
    };
    for n in [1, 2, 1] {
        store.commit_counted(commit(vec![], vec![meeting(n)])).await.unwrap();
    }
    let refused = limited(store.commit_counted(commit(vec![], vec![meeting(3)])).await);
    assert_eq!(refused.reached.passes_at, Some(at(60_000)));
    assert_eq!(counter(store, "met").await.unwrap().members["starts"].met.len(), 2);
}

/// A counter is a record like others for who reads it: what they write comes too late
/// when it has been added to, and what is added goes on from what they wrote.
async fn stands_with_its_version(store: &dyn Maintenance) {
    store.commit_counted(commit(vec![], vec![adding("old", 1, 0, 9)])).await.unwrap();
    let read = records::get::<Counter>(store, "old").await.unwrap().unwrap();
    let due = store.due_in(Lane::Chore, Timestamp::MAX, 99).await.unwrap();
    let own = (Key::new(Kind::Counter, "old"), Record::due(&read.record).unwrap());
    assert!(due.contains(&own) && own.1 > at(120_000), "{due:?}");
    store.commit_counted(commit(vec![], vec![adding("old", 1, 0, 9)])).await.unwrap();
    let late = store.commit(vec![records::delete(&read)]).await;
    assert!(matches!(late, Err(CommitError::Conflict)), "{late:?}");
    let read = records::get::<Counter>(store, "old").await.unwrap().unwrap();
    store.commit(vec![records::delete(&read)]).await.unwrap();
    assert_eq!(counter(store, "old").await, None);
    store.commit_counted(commit(vec![], vec![adding("old", 4, 0, 9)])).await.unwrap();
    assert_eq!(taken(store, "old").await, 4);
}

/// What no engine takes; nothing of it is done.
async fn refuses(store: &dyn Maintenance) {
    let add = || adding("x", 1, 0, 9);
    let of = |counter: &str| Counting { counter: counter.into(), ..add() };
    let named = |name: &str| Counting { limits: vec![Limit { name: name.into(), ..limit(9) }], ..add() };
    let its_own = records::put(None, &Counter::new("x".into()));
    for refused in [
        commit(vec![], vec![add(), add()]),
        commit(vec![its_own], vec![add()]),
        commit(vec![], vec![of("")]),
        commit(vec![], vec![of("a\0b")]),
        commit(vec![], vec![of(&"x".repeat(Key::MAX_ID + 1))]),
        commit(vec![], vec![named("")]),
        commit(vec![], vec![named("a b")]),
        commit(vec![], vec![named(&"x".repeat(Counting::LONGEST_NAME + 1))]),
        commit(vec![], vec![Counting { limits: vec![limit(9), limit(9)], ..add() }]),
        commit(vec![], vec![Counting { additions: vec![add().additions[0].clone(); 33], ..add() }]),
        commit(vec![], (0..=Commit::MAX_COUNTERS).map(|n| of(&format!("x{n}"))).collect()),
        commit((0..Change::MAX_COMMIT).flat_map(|n| new(&n.to_string())).collect(), vec![add()]),
    ] {
        let answer = store.commit_counted(refused).await;
        let is_refused =
            matches!(&answer, Err(CountedError::Commit(CommitError::Store(StoreError::Failed(_)))));
        assert!(is_refused, "{answer:?}");
    }
    assert_eq!(counter(store, "x").await, None);

    // What stands there and is no counter is said to be damaged, and left.
    let key = Key::new(Kind::Counter, "bad");
    let body = Some(br#"{"format":1,"record":"none"}"#.to_vec());
    let due = Some(Due { at: at(1), lane: Lane::Chore });
    let bad = Change { key: key.clone(), body, due_after: due, ..new("bad")[0].clone() };
    store.commit(vec![bad]).await.unwrap();
    let answer = store.commit_counted(commit(new("c"), vec![of("bad")])).await;
    let is_damaged = matches!(&answer, Err(CountedError::Commit(CommitError::Store(StoreError::Damaged(_)))));
    assert!(is_damaged && !is_there(store, "c").await, "{answer:?}");
    let version = store.read(&key).await.unwrap().unwrap().version;
    let gone = Change {
        expected: version,
        body: None,
        due_before: due,
        due_after: None,
        key,
        ..new("bad")[0].clone()
    };
    store.commit(vec![gone]).await.unwrap();
    // As many limits as there may be fit into a record, and one more does not.
    let crowd = |from: usize| Counting {
        limits: (from..from + 32).map(|n| Limit::new(format!("{n:064}"), "start", MINUTE, 99)).collect(),
        additions: (0..16u8)
            .map(|n| Addition::Member { of: "start".into(), member: Pseudonym([n; 8]) })
            .chain([Addition::Amount { of: "start".into(), amount: 1 }])
            .collect(),
        ..adding("crowd", 1, 0, 99)
    };
    for from in [0, 32] {
        store.commit_counted(commit(vec![], vec![crowd(from)])).await.unwrap();
    }
    let answer = store.commit_counted(commit(vec![], vec![crowd(33)])).await;
    assert!(
        matches!(answer, Err(CountedError::Commit(CommitError::Store(StoreError::Failed(_))))),
        "{answer:?}"
    );
    // But to one who says that the others were deleted.
    let mut last = crowd(33);
    last.additions.push(Addition::ForgetOthers);
    store.commit_counted(commit(vec![], vec![last])).await.unwrap();
    let read = records::get::<Counter>(store, "crowd").await.unwrap().unwrap();
    let names = |names: &[&str]| names.iter().filter(|name| read.record.counts.contains_key(**name)).count();
    assert_eq!((read.record.counts.len(), read.record.members.len()), (64, 64));
    assert_eq!(names(&[&format!("{:064}", 0), &format!("{:064}", 64)]), 1, "one for one");
    store.commit(vec![records::delete(&read)]).await.unwrap();
}

/// Many at once: each adds one to the counter of all, and one to one of its own
/// neighbourhood, under names that it takes in another order than others do; a record
/// goes with it. As many pass as the limit says, and nobody hears of a race.
async fn crowd(stores: &[Arc<dyn Maintenance>]) {
    const TASKS: usize = 64;
    const EACH: usize = 12;
    const MAX: u64 = 500;
    let runs = (0..TASKS).map(|task| {
        let store = Arc::clone(&stores[task % stores.len()]);
        tokio::spawn(async move {
            let mut passed = Vec::new();
            for n in 0..EACH {
                let id = format!("{task}-{n}");
                let mut additions =
                    vec![adding("hot", 1, 0, MAX), adding(&format!("near{}", task % 3), 1, 0, u64::MAX)];
                if task % 2 == 0 {
                    additions.reverse();
                }
                match store.commit_counted(commit(new(&id), additions)).await {
                    Ok(()) => passed.push(id),
                    Err(CountedError::Limited(limited)) => {
                        assert_eq!(limited.counter, "hot");
                        assert_eq!(limited.reached.passes_at, Some(at(60_120)), "one of 500 has gone then");
                        assert!(!is_there(&*store, &id).await);
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            passed
        })
    });
    let passed: Vec<Vec<String>> = join_all(runs).await.into_iter().map(|run| run.unwrap()).collect();
    let total: usize = passed.iter().map(Vec::len).sum();
    assert_eq!(total as u64, MAX);
    let store = &*stores[0];
    assert_eq!(taken(store, "hot").await, MAX);
    let near = join_all(["near0", "near1", "near2"].map(|id| taken(store, id))).await;
    assert_eq!(near.iter().sum::<u64>(), MAX, "those who were refused have counted nowhere");
    assert_eq!(store.check().await.unwrap().records, MAX + 4);

    // All give back at once, each what it took, some in the next window.
    let backs = passed.into_iter().enumerate().map(|(task, ids)| {
        let store = Arc::clone(&stores[task % stores.len()]);
        tokio::spawn(async move {
            for _ in ids {
                let now = if task % 2 == 0 { 30_000 } else { 59_999 };
                let back = commit(vec![], vec![giving_back("hot", 1, 0, now)]);
                store.commit_counted(back).await.unwrap();
            }
        })
    });
    join_all(backs).await.into_iter().for_each(|run| run.unwrap());
    assert_eq!(taken(store, "hot").await, 0);
    store.commit_counted(commit(vec![], vec![adding("hot", MAX, 59_999, MAX)])).await.unwrap();
    limited(store.commit_counted(commit(vec![], vec![adding("hot", 1, 59_999, MAX)])).await);
}

/// Additions and changes of the same counter at once, and its deletion again and
/// again: what was added since the last deletion is there, and a deletion takes what it
/// has read, nothing more.
async fn deleted_meanwhile(stores: &[Arc<dyn Maintenance>]) {
    const EACH: u64 = 40;
    let adders = (0..8).map(|task| {
        let store = Arc::clone(&stores[task % stores.len()]);
        tokio::spawn(async move {
            for _ in 0..EACH {
                store.commit_counted(commit(vec![], vec![adding("n", 1, 0, u64::MAX)])).await.unwrap();
            }
            0
        })
    });
    let deleters = (0..2).map(|task| {
        let store = Arc::clone(&stores[task % stores.len()]);
        tokio::spawn(async move {
            let mut gone = 0;
            for _ in 0..EACH {
                let Some(read) = records::get::<Counter>(&*store, "n").await.unwrap() else { continue };
                match store.commit(vec![records::delete(&read)]).await {
                    Ok(()) => gone += read.record.counts["starts"].taken,
                    Err(CommitError::Conflict) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            gone
        })
    });
    let runs: Vec<_> = adders.chain(deleters).collect();
    let gone: u64 = join_all(runs).await.into_iter().map(|run| run.unwrap()).sum();
    assert_eq!(gone + taken(&*stores[0], "n").await, 8 * EACH);
    assert_eq!(stores[0].check().await.unwrap().damaged, 0);
}

/// Three who take blocks of a limit ahead: nothing is exceeded, few are refused early, and
/// what is given back at the end leaves what was used.
async fn leased(stores: &[Arc<dyn Maintenance>]) {
    const MAX: u64 = 1000;
    let leases: Vec<_> = (0..3).map(|_| QuotaLease::new("start".into(), vec![limit(MAX)])).collect();
    let runs = (0..24).map(|task| {
        let (store, lease) = (Arc::clone(&stores[task % stores.len()]), leases[task % 3].clone());
        tokio::spawn(async move {
            for n in 0.. {
                if !use_one(&*store, &lease, &format!("{task}-{n}")).await {
                    return n;
                }
            }
            0
        })
    });
    let used: u64 = join_all(runs).await.into_iter().map(|run| run.unwrap()).sum();
    assert!((MAX - 3 * MAX / QuotaLease::PARTS..=MAX).contains(&used), "{used}");
    let store = &*stores[0];
    let version = records::get::<Counter>(store, "hot").await.unwrap().unwrap().version;
    for lease in leases {
        let rest = Counting { additions: lease.rest().into_iter().collect(), ..adding("hot", 0, 1, MAX) };
        store.commit_counted(commit(vec![], vec![rest])).await.unwrap();
    }
    assert_eq!(taken(store, "hot").await, used);
    assert_eq!(store.check().await.unwrap().records, used + 1);
    assert!(store.is_shared() || version < MAX, "blocks are written, and not each of them: {version}");
}

async fn use_one(store: &dyn Maintenance, lease: &QuotaLease, id: &str) -> bool {
    loop {
        let mut ticket = lease.take(1, at(0));
        let additions = ticket.begin();
        let additions = match additions.is_empty() {
            true => Vec::new(),
            false => vec![Counting { additions, ..adding("hot", 0, 0, 1000) }],
        };
        let is_block = ticket.is_of_a_block();
        match store.commit_counted(commit(new(id), additions)).await {
            Ok(()) => {
                ticket.settle(&End::Done);
                return true;
            }
            Err(CountedError::Limited(limited)) => {
                ticket.settle(&End::Undone(Some(&limited.reached)));
                if !is_block {
                    return false;
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn memory_keeps_counters() {
    story(&Memory::new()).await;
}

#[tokio::test]
async fn sled_keeps_counters() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    story(&store).await;
    let before = counter(&store, "n").await;
    store.close().await;
    let store = open(dir.path());
    assert_eq!(counter(&store, "n").await, before);
    store.commit_counted(commit(vec![], vec![giving_back("n", 1, 3000, 4000)])).await.unwrap();
    assert_eq!(taken(&store, "n").await, 2);
}

#[tokio::test]
async fn postgresql_keeps_counters() {
    let Some(database) = database("counters").await else { return };
    story(&database.open().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_limit_is_exceeded_in_memory() {
    crowd(&[Arc::new(Memory::new())]).await;
    deleted_meanwhile(&[Arc::new(Memory::new())]).await;
    leased(&[Arc::new(Memory::new())]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_limit_is_exceeded_in_files() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
    crowd(&[Arc::new(open(dirs[0].path()))]).await;
    deleted_meanwhile(&[Arc::new(open(dirs[1].path()))]).await;
    leased(&[Arc::new(open(dirs[2].path()))]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_limit_is_exceeded_in_a_database() {
    let Some(database) = database("many who count").await else { return };
    crowd(&[Arc::new(database.open().await)]).await;
    database.empty().await;
    let stores: [Arc<dyn Maintenance>; 2] =
        [Arc::new(database.open().await), Arc::new(database.open().await)];
    crowd(&stores).await;
    deleted_meanwhile(&stores).await;
    database.empty().await;
    leased(&[Arc::new(database.open().await), Arc::new(database.open().await)]).await;
}

/// What the server does not take is undone with what it would have counted, by itself,
/// and the connection goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_refuses_counts_nothing() {
    let Some(database) = database("bodies that count and are none").await else { return };
    let store = database.open().await;
    let one = |id: &str, body: &[u8]| {
        let mut changes = new(id);
        changes[0].body = Some(body.to_vec());
        store.commit_counted(commit(changes, vec![adding("n", 1, 0, 99)]))
    };
    let names: Vec<String> = (0..30).map(|n| n.to_string()).collect();
    let answers =
        join_all((0..).zip(&names).map(|(n, id)| one(id, if n % 5 == 0 { b"{" } else { b"{}" }))).await;
    let failed = answers.iter().filter(|answer| {
        matches!(answer, Err(CountedError::Commit(CommitError::Store(StoreError::Failed(_)))))
    });
    assert_eq!((failed.count(), answers.iter().filter(|answer| answer.is_ok()).count()), (6, 24));
    assert_eq!(taken(&store, "n").await, 24);
}

const URL: &str = "DIALBACK_TEST_COUNT_URL";
const NAME: &str = "store_counters::three_processes_exceed_no_limit_and_a_fourth_is_killed";

/// Three processes that add until the limit is reached, and one that is killed while
/// it does: as many have passed as the limit says, and each with the record that it
/// wrote.
#[test]
fn three_processes_exceed_no_limit_and_a_fourth_is_killed() {
    const MAX: u64 = 3000;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // This very test, started by itself, is one of the processes.
    if let Ok(url) = std::env::var(URL) {
        return runtime.block_on(add_until_refused(&url, MAX));
    }
    let Some(database) = runtime.block_on(database("counters of three processes")) else { return };
    let store = runtime.block_on(database.open());
    let mut killed = spawn(&database.url());
    // It is well under way when the others begin.
    let mut lines = BufReader::new(killed.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut seen = 0;
    while seen < 20 {
        seen += usize::from(lines.next().expect("it adds") == "passed");
    }
    let mut others = [0; 3].map(|_| spawn(&database.url()));
    seen += lines.by_ref().filter(|line| line == "passed").take(200).count();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let of_the_killed = seen + lines.filter(|line| line == "passed").count();
    let mut passed = 0;
    for other in &mut others {
        let lines = BufReader::new(other.stdout.take().unwrap()).lines().map_while(Result::ok);
        passed += lines.filter(|line| line == "passed").count();
        assert!(other.wait().unwrap().success());
    }
    runtime.block_on(async {
        assert_eq!(taken(&store, "hot").await, MAX);
        let records = store.check().await.unwrap().records - 1;
        assert_eq!(records, MAX, "each that counted has its record");
        // What was under way at the kill may have been done without being told.
        let told = (passed + of_the_killed) as u64;
        assert!(told <= MAX && told + 64 >= MAX, "{told}");
        store.close().await;
    });
}

fn spawn(url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([NAME, "--exact", "--nocapture"])
        .env(URL, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

async fn add_until_refused(url: &str, max: u64) {
    let store = Arc::new(Postgres::open(url, Options::default()).await.unwrap());
    let own = std::process::id();
    let tasks = (0..16).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0.. {
                let one = commit(new(&format!("{own}-{task}-{n}")), vec![adding("hot", 1, 0, max)]);
                match store.commit_counted(one).await {
                    Ok(()) => std::io::stdout().lock().write_all(b"\npassed\n").unwrap(),
                    Err(CountedError::Limited(_)) => break,
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    join_all(tasks).await.into_iter().for_each(|task| task.unwrap());
    store.close().await;
}
