//! Failures in a row, and what is kept by its time, over every engine: who asks for room is
//! refused in the commit, and who only asks writes nothing.

use crate::postgres::database;
use crate::store_contract::{at, open};
use crate::store_counters::{commit, counter, is_there, limited, new};
use dialback::model::counter::{Addition, Backoff, Counter, Limit};
use dialback::store::memory::Memory;
use dialback::store::{CountedError, Counting, Maintenance, records};
use futures_util::future::join_all;
use std::sync::Arc;

const MINUTE: u32 = 60;

/// What happens to a counter of failures that three in a row lock for ten seconds, and
/// whose times are kept, five in a minute.
pub fn trying(counter: &str, millis: i64, what: &[Try]) -> Counting {
    let of = || "wrong".to_owned();
    let addition = |what: &Try| match what {
        Try::Ask => Addition::Room { of: of() },
        Try::Fail => Addition::Failure { of: of() },
        Try::Succeed => Addition::Success { of: of() },
        Try::Count => Addition::Amount { of: of(), amount: 1 },
        Try::GiveBack => Addition::GiveBack { of: of(), amount: 1, added_at: at(millis) },
    };
    let backoff = Backoff { first_seconds: 10, longest_seconds: 30, anew: false };
    let limits = vec![
        Limit::new("lock", "wrong", 600, 3).streak(backoff),
        Limit::new("kept", "wrong", MINUTE, 5).exact(),
    ];
    Counting {
        counter: counter.into(),
        now: at(millis),
        additions: what.iter().map(addition).collect(),
        limits,
    }
}

/// See [`trying`].
#[derive(Debug, Clone, Copy)]
pub enum Try {
    /// There has to be room for one more.
    Ask,
    /// One more in a row.
    Fail,
    /// The row is over.
    Succeed,
    /// One more within the minute.
    Count,
    /// One of that time is given back.
    GiveBack,
}

/// Failures in a row lock in the commit that asks, a success opens, and who only asks writes
/// nothing.
async fn streaks(store: &dyn Maintenance) {
    use Try::{Ask, Count, Fail, GiveBack, Succeed};
    let tried = async |millis: i64, what: &[Try]| {
        store.commit_counted(commit(vec![], vec![trying("tried", millis, what)])).await
    };
    let version = async || records::get::<Counter>(store, "tried").await.unwrap().map(|read| read.version);
    tried(0, &[Ask]).await.unwrap();
    assert_eq!(version().await, None, "there was nothing, and there is nothing");
    for _ in 0..3 {
        tried(0, &[Ask, Fail, Count]).await.unwrap();
    }
    let before = version().await;
    let refused = limited(tried(1, &[Ask, Fail]).await);
    assert_eq!((refused.reached.limit.as_str(), refused.reached.passes_at), ("lock", Some(at(10_000))));
    tried(10_000, &[Ask]).await.unwrap();
    assert_eq!(version().await, before, "asked alone");
    // A change that goes with it is done, or not.
    let with = |id: &str, millis| commit(new(id), vec![trying("tried", millis, &[Ask])]);
    limited(store.commit_counted(with("locked out", 9_999)).await);
    assert!(!is_there(store, "locked out").await);
    tried(2, &[Fail]).await.unwrap();
    assert_eq!(limited(tried(3, &[Ask]).await).reached.passes_at, Some(at(20_002)));
    tried(4, &[Succeed, Count]).await.unwrap();
    tried(5, &[Ask, Count]).await.unwrap();
    let kept = limited(tried(6, &[Ask]).await);
    assert_eq!((kept.reached.limit.as_str(), kept.reached.passes_at), ("kept", Some(at(60_000))));
    tried(5, &[GiveBack]).await.unwrap();
    tried(7, &[Ask]).await.unwrap();
    let stands = counter(store, "tried").await.unwrap();
    assert_eq!((&stands.times["kept"].at, stands.streaks.len()), (&[(0, 3), (4, 1)].into(), 0));
}

/// Many who fail at once, each asking for room first: as many get through as are free, and
/// of those who are kept by their times as many as the limit says.
async fn crowd_that_fails(stores: &[Arc<dyn Maintenance>]) {
    use Try::{Ask, Count, Fail};
    let runs = (0..48).map(|task| {
        let store = Arc::clone(&stores[task % stores.len()]);
        tokio::spawn(async move {
            let id = format!("{}-{task}", if task % 2 == 0 { "failed" } else { "counted" });
            let (counter, what) =
                if task % 2 == 0 { ("tries", [Ask, Fail]) } else { ("times", [Ask, Count]) };
            match store.commit_counted(commit(new(&id), vec![trying(counter, 0, &what)])).await {
                Ok(()) => Some(task % 2),
                Err(CountedError::Limited(_)) => None,
                Err(error) => panic!("{error}"),
            }
        })
    });
    let passed: Vec<usize> = join_all(runs).await.into_iter().filter_map(|run| run.unwrap()).collect();
    let of = |which| passed.iter().filter(|one| **one == which).count();
    assert_eq!((of(0), of(1)), (3, 5));
    let store = &*stores[0];
    assert_eq!(counter(store, "tries").await.unwrap().streaks["lock"].failures, 3);
    assert_eq!(counter(store, "times").await.unwrap().times["kept"].at, [(0, 5)].into());
    assert_eq!(store.check().await.unwrap().records, 8 + 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failures_lock_in_memory() {
    streaks(&Memory::new()).await;
    crowd_that_fails(&[Arc::new(Memory::new())]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failures_lock_in_files() {
    let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
    streaks(&open(dirs[0].path())).await;
    crowd_that_fails(&[Arc::new(open(dirs[1].path()))]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failures_lock_in_a_database() {
    let Some(database) = database("failures in a row").await else { return };
    streaks(&database.open().await).await;
    database.empty().await;
    crowd_that_fails(&[Arc::new(database.open().await), Arc::new(database.open().await)]).await;
}
