//! The database goes away: it crashes and comes back, or the way to it breaks.
//! Meanwhile servers say so at once; afterwards they go on by themselves.

use super::clients::{Workload, World};
use super::cluster::{Cluster, within};
use super::kills::open;
use super::proxy::{Mode, Proxy};
use super::verdict::{Grace, Line, dissect, judge};
use super::{crashes, say, turns};
use crate::postgres::Server;
use crate::wire::{Answer, try_answer};
use dialback::entropy::Entropy;
use reqwest::Method;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// In this time Twilio gets its answer, whatever the database does.
const QUICKLY: Duration = Duration::from_secs(2);
/// In this time servers have found the way back.
const BACK: Duration = Duration::from_secs(30);
/// How long the way to the database is broken, and whole between.
const BROKEN: u64 = 2500;
/// Each way to break is met so often, unless it is to be more.
const TURNS: u64 = 1;

/// What `/readyz` of a server says.
async fn ready(world: &World, nth: usize) -> Option<Answer> {
    let base = world.faces.node(nth)?;
    try_answer(world.faces.api(&base, Method::GET, "/readyz")).await.ok()
}

async fn all_ready(cluster: &Cluster, world: &World) {
    for nth in 0..cluster.count() {
        let is_back =
            within(BACK, async || ready(world, nth).await.is_some_and(|answer| answer.status == 200));
        assert!(is_back.await, "server {nth} did not come back:\n{}", cluster.end_of_log(nth));
    }
}

/// While the database is away each server answers a webhook with 503, in time,
/// and says that it is not ready.
async fn says_so(cluster: &Cluster, world: &World, crash: u64) -> Duration {
    let mut slowest = Duration::ZERO;
    for nth in 0..cluster.count() {
        let base = world.faces.node(nth).unwrap();
        let sid = format!("SM{crash:016x}{nth:016x}");
        let begun = Instant::now();
        let answer = try_answer(world.callback(&base, &sid, "sent")).await.unwrap();
        slowest = slowest.max(begun.elapsed());
        assert_eq!(answer.status, 503, "{}", answer.text);
        let answer = ready(world, nth).await.unwrap();
        assert_eq!(answer.status, 503, "{}", answer.text);
    }
    assert!(slowest < QUICKLY, "a webhook waited for {slowest:?}");
    slowest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_database_crashes_and_comes_back() {
    let Some(server) = Server::start("a crash of the database").await else { return };
    let mut cluster = Cluster::on(vec![server.url(); 3], 51, &[]).await;
    let world = World::new(&cluster.faces, &Arc::default(), 52);
    let moments = Entropy::seeded(53);
    let workload = Workload::begin(world.clone());
    let mut slowest = Duration::ZERO;
    for crash in 0..crashes() {
        workload.feed();
        // While those that have just come are at it.
        tokio::time::sleep(Duration::from_millis(50 + moments.below(400))).await;
        server.kill_immediate();
        slowest = slowest.max(says_so(&cluster, &world, crash).await);
        tokio::time::sleep(Duration::from_millis(moments.below(1500))).await;
        server.restart().await;
        world.ledger.hear(cluster.told().await);
        all_ready(&cluster, &world).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    workload.end().await;
    let found = judge(&cluster, &world, Grace::default()).await;
    cluster.stop().await;
    dissect(open(cluster.store()).await, &world).await;
    let what = format!("{} crashes of PostgreSQL, 503 within {} ms", crashes(), slowest.as_millis());
    say(Line { what: &what, world: &world, found: &found });
    assert!(found.approved > 0, "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_way_to_the_database_breaks() {
    let Some(server) = Server::start("a broken way to the database").await else { return };
    let url = server.url();
    let place = url.split(['@', '/']).find_map(|part| part.parse().ok()).unwrap();
    let way = Proxy::to(place, 61).await;
    let through = url.replace(&place.to_string(), &way.addr().to_string());
    let mut cluster = Cluster::on(vec![through; 3], 62, &[("STORE__DEADLINE_SECONDS", "2")]).await;
    let world = World::new(&cluster.faces, &Arc::default(), 63);
    let moments = Entropy::seeded(64);
    let workload = Workload::begin(world.clone());
    let delay = || Mode::Delay(Duration::from_millis(20 + moments.below(200)));
    let mut broken = 0;
    for _ in 0..turns(TURNS) {
        for mode in
            [Mode::CutAnswer, delay(), Mode::HalfClose, Mode::BlackHole, Mode::Refuse, Mode::Cut, Mode::Pass]
        {
            workload.feed();
            tokio::time::sleep(Duration::from_millis(300 + moments.below(500))).await;
            way.set(mode);
            if mode == Mode::Pass {
                for _ in 0..5 {
                    way.cut_once();
                    tokio::time::sleep(Duration::from_millis(moments.below(400))).await;
                    broken += 1;
                }
            }
            tokio::time::sleep(Duration::from_millis(moments.below(BROKEN))).await;
            way.set(Mode::Pass);
            broken += 1;
            all_ready(&cluster, &world).await;
            world.ledger.hear(cluster.told().await);
        }
    }
    workload.end().await;
    let found = judge(&cluster, &world, Grace::default()).await;
    cluster.stop().await;
    dissect(open(&server.url()).await, &world).await;
    let what = format!("{broken} breaks of the way to PostgreSQL, {} connections", way.carried());
    say(Line { what: &what, world: &world, found: &found });
    assert!(found.approved > 0, "{found:?}");
}
