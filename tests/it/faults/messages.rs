//! SIGKILL at random moments while messages of their own are sent: each that was taken
//! arrives, and none twice without a look that found nothing, on sled and on PostgreSQL.

use super::clients::{Heard, World};
use super::cluster::{Cluster, eventually};
use super::{kills, say};
use crate::postgres::database;
use crate::wire::{answer, text, with_json};
use dialback::entropy::Entropy;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Applications at a time.
const CLIENTS: usize = 4;
/// How long a server lives at most before it is killed, in milliseconds.
const LIFE: u64 = 700;
/// Kills at most: what the sandbox keeps has an end.
const MOST_KILLS: u64 = 20;
/// How long a client asks again for what it is in doubt about.
const RESOLVE: Duration = Duration::from_secs(45);

/// A service that takes any text, by senders that are fast enough for all of them.
const ENV: [(&str, &str); 2] = [
    ("SERVICES", "{ default = { free_text = true, failover = \"off\" } }"),
    ("TWILIO__SEGMENTS_PER_SECOND", "{ \"+15017122661\" = 1000 }"),
];

/// What was taken: each id with the number that it goes to.
type Taken = BTreeMap<String, String>;

/// A key that may send messages, which the servers' own may not.
async fn message_key(cluster: &Cluster, world: &World) -> String {
    let base = world.faces.node(0).expect("it lives");
    let request = world.faces.http.post(format!("{base}/v1/keys")).bearer_auth(cluster.operator(0));
    let made = answer(with_json(request, &json!({ "name": "news", "scopes": ["message"] }))).await;
    text(&made.json()["key"])
}

/// Sends a message, again under the same key until it is known how that ended.
async fn send(world: &World, own: &str, entropy: &Entropy, base: impl Fn() -> String) -> (String, String) {
    let (key, number) = (entropy.hex::<12>(), world.number());
    let priority = if world.chance(50) { "high" } else { "normal" };
    let body = json!({ "to": number, "text": format!("News for {number}"), "priority": priority });
    let deadline = Instant::now() + RESOLVE;
    while Instant::now() < deadline {
        let base = base();
        let request = world.faces.http.post(format!("{base}/v1/messages")).bearer_auth(own);
        let request = request.header("idempotency-key", &key);
        match world.ask(&base, with_json(request, &body)).await {
            Heard::Yes(answer) => return (text(&answer.json()["id"]), number),
            Heard::No(answer) => panic!("a message was refused: {}", answer.text),
            Heard::Doubt => {}
        }
        tokio::time::sleep(Duration::from_millis(1 + entropy.below(200))).await;
    }
    panic!("nobody took a message for {RESOLVE:?}");
}

/// Kills one server after the other while messages are sent; gives what was taken.
async fn killed(cluster: &mut Cluster, (world, own): (&Arc<World>, &str), seed: u64) -> Taken {
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS as u64 {
        let (world, stop, own) = (world.clone(), stop.clone(), own.to_owned());
        clients.spawn(async move {
            let (entropy, mut taken) = (Entropy::seeded(seed + 1 + client), Taken::new());
            while !stop.load(Ordering::SeqCst) {
                let any = || {
                    let nth = usize::try_from(entropy.below(world.faces.count() as u64 + 1)).unwrap_or(0);
                    world.faces.node(nth).unwrap_or_else(|| world.faces.front.clone())
                };
                taken.extend([send(&world, &own, &entropy, any).await]);
                tokio::time::sleep(Duration::from_millis(20 + entropy.below(80))).await;
            }
            taken
        });
    }
    let moments = Entropy::seeded(seed);
    for _ in 0..kills().min(MOST_KILLS) {
        tokio::time::sleep(Duration::from_millis(moments.below(LIFE))).await;
        let nth = usize::try_from(moments.below(cluster.count() as u64)).unwrap_or(0);
        cluster.kill(nth);
        cluster.run(nth, &[]).await;
    }
    stop.store(true, Ordering::SeqCst);
    clients.join_all().await.into_iter().flatten().collect()
}

/// Each message that was taken is with the sandbox, once, or once more for each look that
/// found nothing.
async fn judge(cluster: &Cluster, (world, own): (&World, &str), taken: &Taken) -> usize {
    for id in taken.keys() {
        let is_over = eventually(|| async {
            let Some(base) = (0..world.faces.count()).find_map(|nth| world.faces.node(nth)) else {
                return false;
            };
            let request = world.faces.http.get(format!("{base}/v1/messages/{id}")).bearer_auth(own);
            let answer = answer(request).await;
            assert_eq!(answer.status, 200, "{id} was acknowledged and is gone: {}", answer.text);
            ["sent", "delivered"].contains(&answer.json()["status"].as_str().unwrap())
        });
        assert!(is_over.await, "{id} stays undone:\n{}\n{}", cluster.about(id), cluster.latest());
    }
    let mut made: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for message in world.faces.messages(None).await {
        made.entry(text(&message["to"])).or_default().push(message);
    }
    let mut repeated = 0;
    for (id, number) in taken {
        let came = made.remove(number).unwrap_or_default();
        assert!(!came.is_empty(), "{id} was told to have been sent, and was not:\n{}", cluster.about(id));
        let own: Vec<&Value> =
            came.iter().filter(|one| one["body"] == format!("News for {number}").as_str()).collect();
        assert_eq!(own.len(), came.len(), "something else came to {number}: {came:?}");
        let log = cluster.about(id);
        for message in came.iter().skip(1) {
            assert!(has_cause(&log, message), "{id} came {} times without a cause:\n{log}", came.len());
            repeated += 1;
        }
    }
    assert!(made.is_empty(), "messages that nobody was told of: {made:?}");
    repeated
}

/// Whether somebody had looked for it before, and found nothing.
fn has_cause(log: &str, message: &Value) -> bool {
    let made = message["date_created"].as_str().unwrap();
    let made = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(made).unwrap();
    let mut looks = log.lines().filter(|line| line.contains("the other side lists no such send"));
    looks.any(|line| {
        let at: Timestamp = line.split(' ').next().unwrap().parse().unwrap();
        // The list has whole seconds.
        at <= made + SignedDuration::from_secs(1)
    })
}

async fn judged(mut cluster: Cluster, seed: u64, what: &str) {
    let world = World::new(&cluster.faces, &Arc::default(), seed);
    let own = message_key(&cluster, &world).await;
    let taken = killed(&mut cluster, (&world, &own), seed).await;
    let repeated = judge(&cluster, (&world, &own), &taken).await;
    let count = taken.len();
    say(format_args!("{what}: {count} messages, {repeated} once more for a look that found nothing"));
    cluster.stop().await;
    assert!(taken.len() > CLIENTS, "{taken:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_is_lost_or_sent_twice_when_a_server_on_sled_is_killed() {
    judged(Cluster::sled(51, &ENV).await, 52, "kills on sled").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_is_lost_or_sent_twice_when_one_of_three_servers_is_killed() {
    let Some(database) = database("killing one of three servers that send messages").await else { return };
    let cluster = Cluster::on(vec![database.url(); 3], 53, &ENV).await;
    judged(cluster, 54, "kills of one of three on PostgreSQL").await;
}
