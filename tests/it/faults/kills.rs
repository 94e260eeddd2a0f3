//! SIGKILL at random moments, with everything going on at once: of the one
//! server on sled, of any of three on PostgreSQL.

use super::clients::{Workload, World};
use super::cluster::Cluster;
use super::verdict::{Found, Grace, Line, dissect, judge};
use super::{kills, say};
use crate::postgres::database;
use dialback::entropy::Entropy;
use dialback::store::Maintenance;
use dialback::store::postgres::{self, Postgres};
use dialback::store::sled::{self, Sled};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// After so many kills everything is judged, and the sandbox forgets: its
/// shelves have an end.
const ROUND: u64 = 25;
/// How long a server lives at most before it is killed, in milliseconds.
const LIFE: u64 = 700;

/// Opens the store of servers that have stopped.
pub async fn open(url: &str) -> Arc<dyn Maintenance> {
    match url.strip_prefix("sled:") {
        Some(dir) => Arc::new(Sled::open(Path::new(dir), sled::Options::default()).unwrap()),
        None => Arc::new(Postgres::open(url, postgres::Options::default()).await.unwrap()),
    }
}

/// Kills one server after the other in random order and starts it again.
async fn killed(cluster: &mut Cluster, world: &Arc<World>, count: u64, moments: &Entropy) {
    let workload = Workload::begin(world.clone());
    for _ in 0..count {
        workload.feed();
        tokio::time::sleep(Duration::from_millis(moments.below(LIFE))).await;
        let nth = moments.below(cluster.count() as u64) as usize;
        cluster.kill(nth);
        world.ledger.hear(cluster.told().await);
        cluster.run(nth, &[]).await;
    }
    workload.end().await;
}

/// All kills in rounds, with a verdict after each.
async fn rounds(cluster: &mut Cluster, world: &Arc<World>, seed: u64) -> Found {
    let moments = Entropy::seeded(seed);
    let (mut all, mut left) = (Found::default(), kills());
    while left > 0 {
        let count = left.min(ROUND);
        killed(cluster, world, count, &moments).await;
        let found = judge(cluster, world, Grace::default()).await;
        all.add(&found);
        (all.callbacks, all.told) = (found.callbacks, found.told);
        left -= count;
        if left > 0 {
            cluster.forget().await;
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_when_a_server_on_sled_is_killed() {
    let mut cluster = Cluster::sled(41, &[]).await;
    let world = World::new(&cluster.faces, &Arc::default(), 42);
    let found = rounds(&mut cluster, &world, 43).await;
    cluster.stop().await;
    dissect(open(cluster.store()).await, &world).await;
    say(Line { what: &format!("{} kills on sled", kills()), world: &world, found: &found });
    assert!(found.approved > 0 && found.callbacks > 0, "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_when_one_of_three_servers_is_killed() {
    let Some(database) = database("killing one of three servers").await else { return };
    let mut cluster = Cluster::on(vec![database.url(); 3], 44, &[]).await;
    let world = World::new(&cluster.faces, &Arc::default(), 45);
    let found = rounds(&mut cluster, &world, 46).await;
    cluster.stop().await;
    dissect(open(cluster.store()).await, &world).await;
    say(Line {
        what: &format!("{} kills of one of three on PostgreSQL", kills()),
        world: &world,
        found: &found,
    });
    let failures = world.ledger.book().counts.failures.clone();
    assert!(failures.is_empty(), "servers that lived failed: {failures:#?}");
    assert!(found.approved > 0 && found.callbacks > 0, "{found:?}");
}

/// The first sender of half of the people sends nothing at all (21606), so that their texts
/// go on by the next: a death between the two sends neither nothing nor twice.
const SENDERS: [(&str, &str); 1] = [(
    "TWILIO__SENDERS",
    "[{ sender = \"+15005550007\", channels = [\"sms\"] }, { sender = \"+15017122661\" }]",
)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_between_two_senders() {
    let mut cluster = Cluster::sled(47, &SENDERS).await;
    let world = World::new(&cluster.faces, &Arc::default(), 48);
    let found = rounds(&mut cluster, &world, 49).await;
    let went_on = cluster.logs().contains("21606");
    cluster.stop().await;
    dissect(open(cluster.store()).await, &world).await;
    say(Line { what: &format!("{} kills between two senders", kills()), world: &world, found: &found });
    assert!(found.approved > 0 && found.callbacks > 0 && went_on, "{found:?}");
}
