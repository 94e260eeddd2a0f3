//! The server is killed at random moments; whatever it had acknowledged is
//! there afterwards, and nothing is half there.

use crate::instance::{
    ACCOUNT, Answer, Instance, KEY, PUBLIC_URL, Setup, TOKEN, code_in, form, sign, text, try_answer,
    with_json, wrong,
};
use crate::lengths::kills;
use dialback::entropy::Entropy;
use dialback::model::counter::Counter;
use dialback::model::verification::Verification;
use dialback::store::{Kind, Maintenance, Store, records};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

const CONNECTIONS: usize = 24;
const LIFE: [&str; 4] = ["queued", "sending", "sent", "delivered"];

/// What was acknowledged: the statuses of each SID.
type Acknowledged = BTreeMap<String, BTreeSet<&'static str>>;

/// Messages that are reported of before a server is killed.
const LEAST: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_callback_is_lost_to_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let moments = Entropy::seeded(14);
    let mut acknowledged = Acknowledged::new();
    let kills = kills(8);
    for round in 0..kills {
        let app = Setup::live().dir(dir.path()).start().await;
        let told = Mutex::new(Acknowledged::new());
        let reports = join_all((0..CONNECTIONS).map(|connection| report(&app, round, connection, &told)));
        // However slow the machine is, there is something to lose.
        let kill = async {
            while told.lock().unwrap().len() <= LEAST {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_micros(moments.below(150_000))).await;
        };
        tokio::select! {
            _ = reports => panic!("reporting ended by itself:\n{}", app.end_of_log()),
            () = kill => {}
        }
        app.kill();
        let told = told.into_inner().unwrap();
        let app = Setup::live().dir(dir.path()).start().await;
        all_there(&app, &told).await;
        app.kill();
        acknowledged.extend(told);
    }
    let app = Setup::live().dir(dir.path()).start().await;
    all_there(&app, &acknowledged).await;
    none_half_there(&app, &acknowledged).await;
    app.stop().await;
    assert!(acknowledged.len() > LEAST * kills as usize, "only {} were tried", acknowledged.len());
}

/// Reports the lives of one message after another until the server dies.
async fn report(app: &Instance, round: u64, connection: usize, told: &Mutex<Acknowledged>) {
    for n in 0.. {
        let sid = format!("SM{round:08x}{connection:08x}{n:016x}");
        for status in LIFE {
            if callback(app, &sid, status).await.is_ok() {
                told.lock().unwrap().entry(sid.clone()).or_default().insert(status);
            }
        }
    }
}

async fn callback(app: &Instance, sid: &str, status: &str) -> reqwest::Result<()> {
    let params =
        [("MessageSid", sid), ("MessageStatus", status), ("To", "+15551230601"), ("AccountSid", ACCOUNT)];
    let signature = sign(TOKEN, &format!("{PUBLIC_URL}/twilio/status"), &params);
    let request = app.http.post(format!("{}/twilio/status", app.server)).body(form(&params));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = try_answer(request.header("x-twilio-signature", signature)).await?;
    assert_eq!(answer.status, 204, "{}", answer.text);
    Ok(())
}

async fn all_there(app: &Instance, acknowledged: &Acknowledged) {
    for (sid, statuses) in acknowledged {
        let found = app.get(&format!("/v1/deliveries/{sid}")).await;
        assert_eq!(
            found.status,
            200,
            "{sid} with {statuses:?} is gone: {}\n{}",
            found.text,
            app.end_of_log()
        );
        let delivery = found.json();
        let events = delivery["events"].as_array().unwrap();
        for status in statuses {
            assert!(
                events.iter().any(|event| event["status"] == *status),
                "{status} is gone from {delivery}"
            );
        }
    }
}

/// Both indexes lead to whole records, and to each that there is.
async fn none_half_there(app: &Instance, acknowledged: &Acknowledged) {
    for filter in ["", "&to=%2B15551230601"] {
        let (mut listed, mut cursor) = (BTreeSet::new(), String::new());
        loop {
            let page = app.get(&format!("/v1/deliveries?limit=100{filter}{cursor}")).await.json();
            for delivery in page["deliveries"].as_array().unwrap() {
                let statuses: Vec<String> = delivery["events"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|event| text(&event["status"]))
                    .collect();
                let greatest = LIFE.iter().rev().find(|status| statuses.iter().any(|seen| seen == *status));
                assert_eq!(Some(&*text(&delivery["status"])), greatest.copied(), "{delivery}");
                assert_eq!(delivery["to"], "+15551230601");
                assert!(listed.insert(text(&delivery["sid"])), "twice: {delivery}");
            }
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let missing: Vec<_> = acknowledged.keys().filter(|sid| !listed.contains(*sid)).collect();
        assert!(missing.is_empty(), "not listed: {missing:?}");
    }
}

/// What the application knows of a verification.
#[derive(Default)]
struct Known {
    code: Option<String>,
    /// How often it was told that the code was right.
    approvals: usize,
    /// Wrong codes that were certainly counted.
    wrong: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_is_accepted_twice_whenever_the_server_dies() {
    const PEOPLE: u64 = 8;
    let dir = tempfile::tempdir().unwrap();
    let moments = Entropy::seeded(15);
    let (mut approved, mut open) = (0, 0);
    for round in 0..kills(6) {
        let app = Setup::sandbox().dir(dir.path()).start().await;
        let known = Mutex::new(BTreeMap::<String, Known>::new());
        // One whose code nobody offers, so that each kill meets an open one.
        let waiting = app.begin(&format!("+1555127{round:04}"), "sms").await;
        known.lock().unwrap().insert(text(&waiting["id"]), Known::default());
        let people = join_all((0..PEOPLE).map(|person| verify(&app, round * PEOPLE + person, &known)));
        // In one round just after somebody is through, in the next before
        // anybody may be: whatever the machine's speed, both are met.
        let kill = async {
            let is_through = || known.lock().unwrap().values().any(|known| known.approvals > 0);
            while round.is_multiple_of(2) && !is_through() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_micros(moments.below(60_000))).await;
        };
        tokio::select! {
            _ = people => {}
            () = kill => {}
        }
        app.kill();
        let app = Setup::sandbox().dir(dir.path()).start().await;
        for (id, known) in known.into_inner().unwrap() {
            let found = app.get(&format!("/v1/verifications/{id}")).await;
            assert_eq!(found.status, 200, "{id} was acknowledged and is gone");
            let view = found.json();
            assert!(known.approvals <= 1, "{id} was accepted {} times", known.approvals);
            if known.approvals == 1 {
                assert_eq!(view["status"], "approved", "an approval is gone: {view}");
                approved += 1;
            } else if view["status"] == "pending" {
                assert!(view["checks_left"].as_u64().unwrap() <= 5 - known.wrong, "a check for free: {view}");
                open += 1;
            }
            let Some(code) = known.code else { continue };
            app.learn(&code);
            let pending = view["status"] == "pending";
            let checks = [app.check(&id, &code).await, app.check(&id, &code).await];
            let right =
                checks.iter().filter(|check| check.status == 200 && check.json()["valid"] == true).count();
            assert_eq!(right, usize::from(pending), "{view}: {checks:?}");
        }
        app.kill();
    }
    assert!(approved > 0 && open > 0, "{approved} approved, {open} open: the kills came at no good moment");
}

/// One person after another proves a number, with wrong codes first and the
/// right one offered twice at once.
async fn verify(app: &Instance, person: u64, known: &Mutex<BTreeMap<String, Known>>) {
    let number = format!("+1555124{person:04}");
    app.learn(&number);
    let body = json!({ "to": number, "channel": "sms" });
    let Ok(started) = try_answer(with_json(app.api(Method::POST, "/v1/verifications"), &body)).await else {
        return;
    };
    assert_eq!(started.status, 201, "{}", started.text);
    let id = text(&started.json()["id"]);
    let note = |change: &dyn Fn(&mut Known)| change(known.lock().unwrap().entry(id.clone()).or_default());
    note(&|_| {});
    let url = format!("{}/sandbox/phones/{number}/messages?wait=60", app.sandbox);
    let Ok(texts) = try_answer(app.http.get(url)).await else { return };
    let code = code_in(&text(&texts.json()[0]["body"]));
    app.learn(&code);
    note(&|known| known.code = Some(code.clone()));
    let check = |code: String| {
        let request = app.api(Method::POST, &format!("/v1/verifications/{id}/check"));
        try_answer(with_json(request, &json!({ "code": code })))
    };
    for _ in 0..2 {
        let Ok(_) = check(wrong(&code)).await else { return };
        note(&|known| known.wrong += 1);
    }
    let is_right = |answer: &Value| answer["valid"] == true;
    for answer in join_all([check(code.clone()), check(code.clone())]).await.into_iter().flatten() {
        note(&|known| known.approvals += usize::from(is_right(&answer.json())));
    }
}

/// A wrong code that was answered is counted for its number whenever the server dies, and
/// nothing is that its verification does not know of: both are one write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wrong_code_is_uncounted_whenever_the_server_dies() {
    const PEOPLE: u64 = 8;
    let dir = tempfile::tempdir().unwrap();
    let moments = Entropy::seeded(17);
    let told = AtomicU64::new(0);
    for round in 0..kills(4) {
        let app = Setup::sandbox().dir(dir.path()).start().await;
        let before = told.load(Ordering::SeqCst);
        let people = join_all((0..PEOPLE).map(|person| guess(&app, round * PEOPLE + person, &told)));
        // However slow the machine is, somebody has been told something.
        let kill = async {
            while told.load(Ordering::SeqCst) == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_micros(moments.below(40_000))).await;
        };
        tokio::select! {
            _ = people => {}
            () = kill => {}
        }
        app.kill();
        let store = crate::store_contract::open(&dir.path().join("data"));
        let (offered, counted) = (wrong_codes_offered(&store).await, wrong_codes_counted(&store).await);
        assert_eq!(offered, counted, "a check and its number's count are one write");
        let told = told.load(Ordering::SeqCst);
        assert!(counted >= told, "{told} were answered, {counted} are counted");
        store.close().await;
    }
}

/// Offers wrong codes for one number until the server dies, or no check is left.
async fn guess(app: &Instance, person: u64, told: &AtomicU64) {
    // Spread: a thousand neighbours get only so many texts in an hour (`[limits]`).
    let number = format!("+1555{:03}{:04}", 125 + person / 400, person % 400 * 25);
    app.learn(&number);
    let body = json!({ "to": number, "channel": "sms" });
    let Ok(started) = try_answer(with_json(app.api(Method::POST, "/v1/verifications"), &body)).await else {
        return;
    };
    let id = text(&started.json()["id"]);
    let url = format!("{}/sandbox/phones/{number}/messages?wait=60", app.sandbox);
    let Ok(texts) = try_answer(app.http.get(url)).await else { return };
    let code = code_in(&text(&texts.json()[0]["body"]));
    app.learn(&code);
    for _ in 0..5 {
        let request = app.api(Method::POST, &format!("/v1/verifications/{id}/check"));
        let Ok(checked) = try_answer(with_json(request, &json!({ "code": wrong(&code) }))).await else {
            return;
        };
        assert_eq!((checked.status, &checked.json()["valid"]), (200, &json!(false)), "{}", checked.text);
        told.fetch_add(1, Ordering::SeqCst);
    }
}

/// How many codes all verifications know of; nobody offered a right one.
async fn wrong_codes_offered(store: &dyn Maintenance) -> u64 {
    let mut offered = 0;
    for (id, _) in store.walk(Kind::Verification, None, 9999).await.unwrap() {
        let found = records::get::<Verification>(store, &id).await.unwrap().unwrap();
        offered += u64::from(found.record.checks);
    }
    offered
}

/// How many wrong codes all counters have within the hour.
async fn wrong_codes_counted(store: &dyn Maintenance) -> u64 {
    let mut counted = 0;
    for (id, _) in store.walk(Kind::Counter, None, 9999).await.unwrap() {
        let found = records::get::<Counter>(store, &id).await.unwrap().unwrap();
        let times = found.record.times.into_iter().filter(|(name, _)| name.starts_with("number_wrong_codes"));
        counted += times.flat_map(|(_, times)| times.at.into_values()).sum::<u64>();
    }
    counted
}

/// A rate limit is neither exceeded nor used up by what was never begun, whenever the
/// server dies: what is counted is what is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limit_counts_what_was_begun_whenever_the_server_dies() {
    const MAX: usize = 90;
    let dir = tempfile::tempdir().unwrap();
    let moments = Entropy::seeded(16);
    let app = Setup::sandbox().dir(dir.path()).start().await;
    let service = limited_service(&app, MAX).await;
    app.stop().await;
    let (begun, refused, next) = (Mutex::new(BTreeSet::new()), Mutex::new(0), AtomicU32::new(0));
    let starter = async |app: &Instance| {
        // Until the server dies, or the limit is known to be reached.
        while let Ok(told) = start_under_limit(app, &service, next.fetch_add(1, Ordering::SeqCst)).await {
            match told.status {
                201 => drop(begun.lock().unwrap().insert(text(&told.json()["sid"]))),
                429 => {
                    *refused.lock().unwrap() += 1;
                    return;
                }
                _ => panic!("{}", told.text),
            }
        }
    };
    let told = || begun.lock().unwrap().len() + *refused.lock().unwrap();
    for _ in 0..kills(3) {
        let app = Setup::sandbox().dir(dir.path()).start().await;
        let before = told();
        let kill = async {
            while told() < before + 4 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_micros(moments.below(20_000))).await;
        };
        tokio::select! {
            _ = join_all((0..8).map(|_| starter(&app))) => {}
            () = kill => {}
        }
        app.kill();
    }
    let app = Setup::sandbox().dir(dir.path()).start().await;
    join_all((0..8).map(|_| starter(&app))).await;
    let listed = app.get(&format!("/v1/verifications?service={service}&limit=100")).await.json();
    let there: BTreeSet<String> =
        listed["verifications"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
    assert_eq!(there.len(), MAX);
    let begun: BTreeSet<String> = begun.into_inner().unwrap();
    assert!(begun.is_subset(&there), "what was acknowledged is gone: {begun:?}");
    app.stop().await;
}

/// A service that lets so many through for one address in thirty days.
async fn limited_service(app: &Instance, max: usize) -> String {
    let make = async |path: String, params: &[(&str, &str)]| {
        let request = app.http.post(format!("{}/v2{path}", app.server)).basic_auth(&app.account, Some(KEY));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let made = try_answer(request.body(form(params))).await.unwrap();
        assert_eq!(made.status, 201, "{}", made.text);
        text(&made.json()["sid"])
    };
    let service = make("/Services".to_owned(), &[("FriendlyName", "Shop")]).await;
    let limits = format!("/Services/{service}/RateLimits");
    let limit = make(limits.clone(), &[("UniqueName", "ip")]).await;
    let bucket = [("Max", &*max.to_string()), ("Interval", "2592000")];
    make(format!("{limits}/{limit}/Buckets"), &bucket).await;
    service
}

async fn start_under_limit(app: &Instance, service: &str, nth: u32) -> reqwest::Result<Answer> {
    let number = format!("+1555126{nth:04}");
    app.learn(&number);
    let params = [("To", &*number), ("Channel", "sms"), ("RateLimits", r#"{"ip":"192.0.2.7"}"#)];
    let url = format!("{}/v2/Services/{service}/Verifications", app.server);
    let request = app.http.post(url).basic_auth(&app.account, Some(KEY)).body(form(&params));
    try_answer(request.header("content-type", "application/x-www-form-urlencoded")).await
}
