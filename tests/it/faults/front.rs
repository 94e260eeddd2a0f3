//! The way to the server breaks, for applications and for Twilio: answers are
//! lost whose requests were done, and the other way round.

use super::clients::{Workload, World};
use super::cluster::Cluster;
use super::kills::open;
use super::proxy::Mode;
use super::verdict::{Grace, Line, dissect, judge};
use super::{say, turns};
use dialback::entropy::Entropy;
use std::sync::Arc;
use std::time::Duration;

/// Each way to break is met so often, unless it is to be more.
const TURNS: u64 = 2;
/// How long it stays broken at most, in milliseconds.
const BROKEN: u64 = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_when_answers_do_not_arrive() {
    let mut cluster = Cluster::sled(31, &[]).await;
    let world = World::new(&cluster.faces, &Arc::default(), 32);
    let moments = Entropy::seeded(33);
    // That an answer to a start is lost, and the start asked for again, is left to
    // no chance: this one's is cut for certain, before others can take its place.
    cluster.front.set(Mode::CutAnswer);
    let number = world.number();
    let started = world.start_at(&number, || world.faces.front.clone());
    let doubted = async {
        while world.ledger.book().counts.doubts == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        cluster.front.set(Mode::Pass);
    };
    let (started, ()) = tokio::join!(started, doubted);
    assert!(started.is_some() && world.ledger.book().counts.repeated_starts == 1);
    let workload = Workload::begin(world.clone());
    let mut broken = 0;
    for _ in 0..turns(TURNS) {
        let delay = Mode::Delay(Duration::from_millis(20 + moments.below(300)));
        for mode in [Mode::CutAnswer, delay, Mode::Cut, Mode::CutAnswer, Mode::BlackHole, Mode::Refuse] {
            workload.feed();
            tokio::time::sleep(Duration::from_millis(100 + moments.below(300))).await;
            cluster.front.set(mode);
            tokio::time::sleep(Duration::from_millis(50 + moments.below(BROKEN))).await;
            cluster.front.set(Mode::Pass);
            world.ledger.hear(cluster.told().await);
            broken += 1;
        }
    }
    workload.end().await;
    let found = judge(&cluster, &world, Grace::default()).await;
    cluster.stop().await;
    dissect(open(cluster.store()).await, &world).await;
    say(Line { what: &format!("{broken} breaks of the way to a server"), world: &world, found: &found });
    let counts = world.ledger.book().counts.clone();
    assert!(found.approved > 0, "{counts:?} {found:?}");
}
