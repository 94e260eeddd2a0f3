//! Who watches a store's commits hears of the begin of each, and of its end, however it
//! ends: over every engine.

use crate::engines::over_each_engine;
use crate::store_contract::{Thing, thing};
use crate::support::{Engine, World, eventually};
use dialback::store::{AtEnd, Change, CommitHook, records};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

over_each_engine!(commits_are_told_of_however_they_end);

/// How many commits of things have begun, and how many have ended.
#[derive(Default)]
struct Counts {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl CommitHook for Counts {
    fn begin(self: Arc<Self>, changes: &[Change]) -> Option<AtEnd> {
        changes.iter().find(|change| change.key.id.starts_with("thing"))?;
        self.begun.fetch_add(1, Ordering::SeqCst);
        Some(Box::new(move || {
            self.ended.fetch_add(1, Ordering::SeqCst);
        }))
    }
}

impl Counts {
    fn told(&self) -> (usize, usize) {
        (self.begun.load(Ordering::SeqCst), self.ended.load(Ordering::SeqCst))
    }
}

async fn commits_are_told_of_however_they_end(engine: Engine) {
    let world = World::new(engine);
    let counts = Arc::<Counts>::default();
    let hook = Arc::downgrade(&counts);
    world.store.watch(hook);
    let new = |id: &str| records::put(None, &thing(id, 1, None, None));
    let told = async |changes| {
        let done = world.store.commit(changes).await;
        (done.is_ok(), counts.told())
    };
    assert_eq!(told(vec![new("thing")]).await, (true, (1, 1)));
    assert_eq!(told(vec![new("thing")]).await, (false, (2, 2)), "a conflict");
    assert_eq!(told(vec![new("thing1"), new("thing1")]).await, (false, (3, 3)), "refused at once");
    assert_eq!(told(vec![new("other")]).await, (true, (3, 3)), "of no interest");

    // Nobody waits for it any more, and it is done all the same: then it has ended.
    for n in 10..20 {
        let mut commit = world.store.commit(vec![new(&format!("thing{n}"))]);
        let _ = futures_util::poll!(&mut commit);
        drop(commit);
    }
    eventually("all have ended", async || counts.told() == (13, 13)).await;
    for n in 10..20 {
        let there = records::get::<Thing>(&*world.store, &format!("thing{n}")).await.unwrap();
        assert!(there.is_some(), "thing{n} had ended");
    }

    // One who is gone is told no more.
    let hook = Arc::downgrade(&counts);
    drop(counts);
    assert!(hook.upgrade().is_none());
    world.store.commit(vec![new("thing2")]).await.unwrap();
    world.store.close().await;
}
