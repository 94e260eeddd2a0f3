//! Many clients at once want the same, by way of several servers on one
//! database: what they are told has an order in which each was alone.

use super::clients::World;
use super::cluster::{Cluster, Faces};
use super::kills::open;
use super::say;
use crate::instance::{ACCOUNT, KEY};
use crate::postgres::database;
use crate::wire::{Answer, answer, form, text, with_json, wrong};
use dialback::model::verification::{Dropped, Send, SendState, Status, Verification};
use dialback::store::Maintenance;
use dialback::store::records::{self, Versioned};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// Verifications that are fought for, so many at a time.
const CODES: usize = 36;
const AT_A_TIME: usize = 6;
const MAX_CHECKS: usize = 5;
const MAX_SENDS: usize = 5;
/// Starts that the rate limit lets through, and those that are tried.
const LIMIT: usize = 7;
const STARTS: usize = 30;
/// How long a code may take on a busy machine.
const LONG: Duration = Duration::from_secs(30);

/// Asks by the balancer, again when too many asked at once: nothing was done.
async fn ask(faces: &Faces, path: &str, body: &serde_json::Value) -> Answer {
    loop {
        let told = answer(with_json(faces.api(&faces.front, Method::POST, path), body)).await;
        if told.status != 503 || !told.text.contains("contended") {
            return told;
        }
    }
}

/// What the clients of one code were told.
struct Fight {
    id: String,
    number: String,
    /// Answers that counted a check, and how many of them said yes.
    counted: usize,
    right: usize,
    wrongs: usize,
    sent: usize,
}

/// Right codes and wrong ones, all at once; or messages, all at once.
async fn fight(world: &World, nth: usize) -> Fight {
    let number = world.number();
    let id = world.start(&number).await.unwrap();
    let code = world.code(&number, LONG).await.unwrap_or_else(|| panic!("no code for {id}"));
    let path = format!("/v1/verifications/{id}");
    let mut fight = Fight { id, number, counted: 0, right: 0, wrongs: 0, sent: 0 };
    if nth.is_multiple_of(3) {
        let (path, none) = (format!("{path}/resend"), json!({}));
        for told in join_all((0..10).map(|_| ask(&world.faces, &path, &none))).await {
            match told.status {
                200 => fight.sent += 1,
                _ => drop(told.problem(429, "no_sends_left")),
            }
        }
        return fight;
    }
    // Fewer wrong ones than are allowed, or more.
    fight.wrongs = if nth.is_multiple_of(2) { 3 } else { 8 };
    let codes = std::iter::repeat_n(wrong(&code), fight.wrongs).chain(std::iter::repeat_n(code, 4));
    let path = format!("{path}/check");
    let checks = codes.enumerate().map(|(nth, code)| {
        // In no order that the clients would have.
        let (turn, path) = ((nth * 7) % 5, &path);
        async move {
            tokio::time::sleep(Duration::from_millis(turn as u64)).await;
            ask(&world.faces, path, &json!({ "code": code })).await
        }
    });
    for told in join_all(checks).await {
        match told.status {
            200 => {
                fight.counted += 1;
                fight.right += usize::from(told.json()["valid"] == true);
            }
            _ => drop(told.problem(409, "verification_ended")),
        }
    }
    fight
}

/// What is stored when all of it has left that leaves: each message that was
/// promised was made once, but for those whose place a later one took before they
/// left.
async fn settled(world: &World, store: &dyn Maintenance, id: &str, number: &str) -> Verification {
    let read = async || {
        let stored: Option<Versioned<Verification>> = records::get(store, id).await.unwrap();
        stored.unwrap().record
    };
    assert!(super::cluster::eventually(async || !read().await.is_at_work()).await, "{:?}", read().await);
    let stored = read().await;
    let (dropped, left): (Vec<&Send>, Vec<&Send>) =
        stored.sends.iter().partition(|send| send.state == SendState::Dropped);
    for send in dropped {
        assert_eq!(stored.why_dropped(send.number), Some(Dropped::Replaced), "{stored:?}");
    }
    assert!(!left.is_empty(), "{stored:?}");
    assert_eq!(world.faces.messages(Some(number)).await.len(), left.len(), "{stored:?}");
    stored
}

async fn decided(world: &World, store: &dyn Maintenance, fight: &Fight) {
    let stored = settled(world, store, &fight.id, &fight.number).await;
    let Fight { counted, right, wrongs, sent, .. } = *fight;
    if wrongs == 0 {
        assert_eq!((sent, stored.sends.len()), (MAX_SENDS - 1, MAX_SENDS), "{stored:?}");
        return;
    }
    assert_eq!(stored.sends.len(), 1, "{stored:?}");
    assert_eq!(stored.checks as usize, counted, "each was counted once, and no other: {stored:?}");
    assert!(counted <= MAX_CHECKS && right <= 1, "{counted} checks, {right} right: {stored:?}");
    assert_eq!(right == 1, stored.status == Status::Approved, "{stored:?}");
    if wrongs < MAX_CHECKS {
        assert_eq!(right, 1, "somebody had to be right: {stored:?}");
    } else if right == 0 {
        assert_eq!((stored.status, counted), (Status::MaxAttemptsReached, MAX_CHECKS), "{stored:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_offer_one_code_one_is_right_whichever_server_they_ask() {
    let Some(database) = database("many clients and one code").await else { return };
    let mut cluster = Cluster::on(vec![database.url(); 3], 71, &[]).await;
    let world = World::new(&cluster.patient_faces(), &Arc::default(), 72);
    let mut fights = Vec::new();
    for first in (0..CODES).step_by(AT_A_TIME) {
        fights.extend(join_all((first..first + AT_A_TIME).map(|nth| fight(&world, nth))).await);
    }
    let store = open(&database.url()).await;
    for fight in &fights {
        decided(&world, &*store, fight).await;
    }
    store.close().await;
    cluster.stop().await;
    let (checks, right): (usize, usize) =
        (fights.iter().map(|fight| fight.counted).sum(), fights.iter().map(|fight| fight.right).sum());
    say(format_args!(
        "faults: {CODES} codes fought for at three servers on PostgreSQL: {checks} checks counted, {right} right, \
         each once; no limit exceeded"
    ));
}

/// A request to Verify's face by the balancer.
async fn verify(faces: &Faces, path: &str, params: &[(&str, &str)]) -> Answer {
    verify_at(faces, (&faces.front, KEY), path, params).await
}

async fn verify_at(faces: &Faces, (base, key): (&str, &str), path: &str, params: &[(&str, &str)]) -> Answer {
    let request = faces.http.post(format!("{base}/v2{path}")).basic_auth(ACCOUNT, Some(key));
    answer(request.header("content-type", "application/x-www-form-urlencoded").body(form(params))).await
}

/// A service made at the first server, with a rate limit named `ip`.
async fn limited_service(cluster: &Cluster) -> String {
    let (base, key) = (cluster.faces.node(0).unwrap(), cluster.operator(0));
    let make = async |path: &str, params: &[(&str, &str)]| {
        let made = verify_at(&cluster.faces, (&base, &key), path, params).await;
        assert_eq!(made.status, 201, "{}", made.text);
        text(&made.json()["sid"])
    };
    let service = make("/Services", &[("FriendlyName", "Races")]).await;
    let limits = format!("/Services/{service}/RateLimits");
    let limit = make(&limits, &[("UniqueName", "ip")]).await;
    let most = LIMIT.to_string();
    make(&format!("{limits}/{limit}/Buckets"), &[("Max", &most), ("Interval", "3600")]).await;
    service
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limit_is_exact_whichever_server_is_asked() {
    let Some(database) = database("a rate limit over several servers").await else { return };
    let mut cluster = Cluster::on(vec![database.url(); 3], 73, &[]).await;
    let faces = &cluster.patient_faces();
    let world = World::new(faces, &Arc::default(), 74);
    let service = limited_service(&cluster).await;
    let path = format!("/Services/{service}/Verifications");
    let start = async |number: String| {
        let limits = [("To", &*number), ("Channel", "sms"), ("RateLimits", r#"{"ip":"192.0.2.7"}"#)];
        loop {
            let told = verify(faces, &path, &limits).await;
            if told.status != 503 {
                return told;
            }
        }
    };
    let told = join_all((0..STARTS).map(|_| start(world.number()))).await;
    let taken = told.iter().filter(|told| told.status == 201).count();
    let said: Vec<&str> = told.iter().map(|told| told.text.as_str()).collect();
    assert_eq!(taken, LIMIT, "{said:#?}");
    assert!(told.iter().all(|told| matches!(told.status, 201 | 429)), "{said:#?}");
    let store = open(&database.url()).await;
    let sends = AssertUnwindSafe(one_verification(&world, &*store, &path)).catch_unwind().await;
    let Ok(sends) = sends else { panic!("{}", cluster.latest()) };
    store.close().await;
    cluster.stop().await;
    say(format_args!(
        "faults: {STARTS} starts at once at three servers, {LIMIT} allowed, {taken} taken; \
         {sends} of 12 for one number taken, all of one verification"
    ));
}

/// Many ask for one number at once: they get one verification, with as many
/// messages as were promised.
async fn one_verification(world: &World, store: &dyn Maintenance, path: &str) -> usize {
    let number = world.number();
    let params = [("To", &*number), ("Channel", "sms")];
    let told = join_all((0..12).map(|_| verify(&world.faces, path, &params))).await;
    let taken: Vec<&Answer> = told.iter().filter(|told| told.status == 201).collect();
    let sids: BTreeSet<String> = taken.iter().map(|told| text(&told.json()["sid"])).collect();
    assert_eq!(sids.len(), 1, "{told:#?}");
    for refused in told.iter().filter(|told| told.status != 201) {
        // Another at the same time, or none left.
        assert!(matches!(refused.json()["code"].as_u64(), Some(60212 | 60203)), "{}", refused.text);
    }
    let stored = settled(world, store, sids.first().unwrap(), &number).await;
    assert_eq!(stored.sends.len(), taken.len(), "{stored:?}");
    taken.len()
}
