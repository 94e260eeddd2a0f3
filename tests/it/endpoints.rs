//! Events to endpoints: what is sent, how it is proved, and what becomes of it
//! when the other side is slow, full, gone or broken.

use crate::instance::{Instance, Setup, skipped};
use crate::receiver::{Received, Receiver, Say};
use crate::wire::{Answer, answer, poll, with_json, wrong};
use crate::world::{OPERATOR_KEY, World};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dialback::app::events::{self, EndpointChange, EventQuery};
use dialback::app::{Window, messaging, verification};
use dialback::model::status::Status;
use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

const PERSON: &str = "+15005550001";

async fn ask(world: &World, method: Method, path: &str, body: Value) -> Answer {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.request(method, format!("{}{path}", world.base_url)).bearer_auth(OPERATOR_KEY);
    answer(if body.is_null() { request } else { with_json(request, &body) }).await
}

/// An endpoint that wants these, with its secret.
async fn endpoint(world: &World, receiver: &Receiver, events: &[&str]) -> (String, String) {
    let said = json!({ "url": receiver.url, "events": events });
    let made = ask(world, Method::POST, "/v1/endpoints", said).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let text = |name: &str| made.json()[name].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), format!("/v1/endpoints/{}", text("id")));
    (text("id"), text("secret"))
}

async fn begin(world: &World) -> String {
    let said = json!({ "to": PERSON, "channel": "sms" });
    let started = ask(world, Method::POST, "/v1/verifications", said).await;
    assert_eq!(started.status, 201, "{}", started.text);
    started.json()["id"].as_str().unwrap().to_owned()
}

async fn dispatches(world: &World, endpoint: &str, filter: &str) -> Vec<Value> {
    let path = format!("/v1/endpoints/{endpoint}/dispatches{filter}");
    ask(world, Method::GET, &path, Value::Null).await.json()["dispatches"].as_array().unwrap().clone()
}

/// The only dispatch to an endpoint, once it looks as wished.
async fn dispatch(world: &World, endpoint: &str, wished: impl Fn(&Value) -> bool) -> Value {
    let found = poll(|| async { dispatches(world, endpoint, "").await.into_iter().next().filter(&wished) });
    let found = found.await;
    match found {
        Some(found) => found,
        None => panic!("it stayed {:?}", dispatches(world, endpoint, "").await),
    }
}

/// The signature as the specification says, written down once more.
fn is_signed(received: &Received, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{}.", received.id(), received.headers["webhook-timestamp"]).as_bytes());
    mac.update(&received.body);
    let right = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    received.headers["webhook-signature"].split(' ').any(|one| one == right)
}

#[tokio::test]
async fn a_life_is_told_signed_and_without_its_code() {
    let world = World::start().await;
    let receiver = Receiver::start().await;
    let (id, secret) = endpoint(&world, &receiver, &["*"]).await;
    let verification = begin(&world).await;
    let (order, sid) = world.post.first().await;
    let report = crate::support::report(sid.as_str(), Status::Delivered, Some(&order.id), Some(PERSON));
    messaging::record(&world.app.messaging, &crate::support::proof(), report).await.unwrap();
    let code = order.code().unwrap().expose().to_owned();
    for offered in [wrong(&code), code.clone()] {
        let path = format!("/v1/verifications/{verification}/check");
        ask(&world, Method::POST, &path, json!({ "code": offered })).await;
    }
    let seen = receiver.wait(6).await;
    let mut told = BTreeMap::<String, Value>::new();
    for received in &seen {
        assert!(is_signed(received, &secret), "{received:?}");
        let body = received.json();
        assert_eq!(
            (body["id"].as_str().unwrap(), received.headers["content-type"].as_str()),
            (&*received.id(), "application/json")
        );
        let text = String::from_utf8(received.body.clone()).unwrap();
        assert!(!text.contains(&code) && !text.contains("5005550001"), "{text}");
        assert_eq!(
            (&body["data"]["verification"], &body["data"]["to"]),
            (&json!(verification), &json!("+1********01")),
            "{body}"
        );
        assert!(body["data"]["service"].as_str().unwrap().starts_with("VA"), "{body}");
        told.insert(format!("{} {}", received.event_type(), body["data"]["status"].as_str().unwrap()), body);
    }
    let names: Vec<&str> = told.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "delivery.updated delivered",
            "delivery.updated queued",
            "verification.approved approved",
            "verification.delivered delivered",
            "verification.sent pending",
            "verification.started pending",
        ]
    );
    assert_eq!(told["verification.sent pending"]["data"]["sid"], sid.as_str());
    assert_eq!(told["verification.delivered delivered"]["data"]["delivery"], order.id.as_str());

    // Rotated: the old secret signs too, for a day.
    let rotated = ask(&world, Method::POST, &format!("/v1/endpoints/{id}/rotate"), json!({})).await.json();
    let new = rotated["secret"].as_str().unwrap().to_owned();
    let tried = ask(&world, Method::POST, &format!("/v1/endpoints/{id}/test"), json!({})).await.json();
    assert_eq!((&tried["delivered"], &tried["status"]), (&json!(true), &json!(204)), "{tried}");
    let trial = receiver.wait(7).await.pop().unwrap();
    assert_eq!(trial.event_type(), "endpoint.test");
    assert!(is_signed(&trial, &secret) && is_signed(&trial, &new));
    world.clock.advance(Duration::from_secs(24 * 3600));
    ask(&world, Method::POST, &format!("/v1/endpoints/{id}/test"), json!({})).await;
    let trial = poll(|| async {
        receiver
            .seen()
            .into_iter()
            .rev()
            .find(|one| one.event_type() == "endpoint.test" && one.id() != trial.id())
    });
    let trial = trial.await.unwrap();
    assert!(!is_signed(&trial, &secret) && is_signed(&trial, &new));
    let shown = ask(&world, Method::GET, "/v1/endpoints", Value::Null).await.text;
    assert!(!shown.contains("whsec"), "{shown}");
    python_agrees(&trial, &new);
}

/// The specification's own library for Python, where there is one.
fn python_agrees(received: &Received, secret: &str) {
    let Ok(python) = std::env::var("DIALBACK_TEST_PYTHON") else {
        return skipped("standardwebhooks: set DIALBACK_TEST_PYTHON to a Python that has it to turn it on");
    };
    let script = "import sys, json\n\
        try:\n    from standardwebhooks.webhooks import Webhook\n\
        except ImportError:\n    sys.exit(7)\n\
        wh, headers = Webhook(sys.argv[1]), json.loads(sys.argv[2])\n\
        wh._Webhook__verify_timestamp = lambda text: __import__('datetime').datetime.fromtimestamp(float(text), __import__('datetime').timezone.utc)\n\
        wh.verify(sys.argv[3], headers)\n\
        try:\n    wh.verify(sys.argv[3] + ' ', headers)\n\
        except Exception:\n    sys.exit(0)\n\
        sys.exit(1)\n";
    let headers = serde_json::to_string(&received.headers).unwrap();
    let body = String::from_utf8(received.body.clone()).unwrap();
    let output = Command::new(python).args(["-c", script, secret, &headers, &body]).output().unwrap();
    match output.status.code() {
        Some(7) => skipped("standardwebhooks: the Python of DIALBACK_TEST_PYTHON does not have it"),
        code => assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&output.stderr)),
    }
}

#[tokio::test]
async fn what_is_not_taken_is_tried_by_the_whole_retry_schedule() {
    // One attempt is never answered.
    let world = World::with_patience(Duration::from_secs(1)).await;
    let receiver = Receiver::start().await;
    receiver.next(&[
        Say::Status(500),
        Say::Close,
        Say::Silence,
        Say::Status(404),
        Say::With(302, "Location: /x"),
        Say::Status(503),
        Say::Status(500),
        Say::Status(500),
    ]);
    let (id, _) = endpoint(&world, &receiver, &["verification.started"]).await;
    begin(&world).await;
    let mut waited = 0;
    for (nth, wait) in [5, 300, 1800, 7200, 18_000, 36_000, 36_000].into_iter().enumerate() {
        let attempts = nth as u64 + 1;
        let tried = dispatch(&world, &id, |one| {
            one["attempts"] == attempts
                && one["last_attempt"].is_object()
                && one["next_attempt_at"].as_str().is_some_and(|at| {
                    at.parse::<jiff::Timestamp>().unwrap().duration_since(world.clock.now()).as_secs() == wait
                })
        })
        .await;
        assert_eq!(tried["status"], "pending");
        world.clock.advance(Duration::from_secs(wait as u64) - Duration::from_millis(1));
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(receiver.seen().len(), attempts as usize, "not before its time");
        world.clock.advance(Duration::from_millis(1));
        waited += wait;
    }
    let failed = dispatch(&world, &id, |one| one["status"] == "failed").await;
    assert_eq!((&failed["attempts"], waited), (&json!(8), 99_305));
    let seen = receiver.seen();
    assert_eq!(seen.len(), 8);
    assert!(seen.iter().all(|one| one.id() == seen[0].id() && one.body == seen[0].body));
    let endpoints = ask(&world, Method::GET, "/v1/endpoints", Value::Null).await.json();
    assert_eq!(endpoints["endpoints"][0]["failing_since"], "2026-11-20T09:30:00Z");

    // Asked for again, and taken.
    let path = format!("/v1/endpoints/{id}/redrive");
    assert_eq!(ask(&world, Method::POST, &path, Value::Null).await.json()["redriven"], 1);
    let taken = dispatch(&world, &id, |one| one["status"] == "delivered").await;
    assert_eq!((&taken["attempts"], &taken["last_attempt"]["status"]), (&json!(1), &json!(204)));
    assert_eq!(ask(&world, Method::POST, &path, Value::Null).await.json()["redriven"], 0);
    let healthy = poll(|| async {
        let page = ask(&world, Method::GET, "/v1/endpoints", Value::Null).await.json();
        page["endpoints"][0]["failing_since"].is_null().then_some(())
    });
    healthy.await.unwrap();
    // And the one event again, although it was taken.
    let path = format!("/v1/events/{}/redrive", seen[0].id());
    assert_eq!(ask(&world, Method::POST, &path, Value::Null).await.json()["redriven"], 1);
    assert_eq!(receiver.wait(10).await[9].id(), seen[0].id());
}

#[tokio::test]
async fn a_signature_has_the_time_that_receivers_have_and_the_body_that_of_the_event() {
    let world = World::start().await;
    world.clock.advance(Duration::from_secs(400 * 24 * 3600));
    let receiver = Receiver::start().await;
    let (id, secret) = endpoint(&world, &receiver, &["verification.started"]).await;
    let before = jiff::Timestamp::now().as_second();
    begin(&world).await;
    receiver.wait(1).await;
    ask(&world, Method::POST, &format!("/v1/endpoints/{id}/test"), json!({})).await;
    for received in receiver.wait(2).await {
        assert!(is_signed(&received, &secret));
        let at: i64 = received.headers["webhook-timestamp"].parse().unwrap();
        assert!((before..=jiff::Timestamp::now().as_second()).contains(&at), "{at} is not now");
        let told = received.json()["timestamp"].as_str().unwrap().to_owned();
        assert!(told.starts_with("2027-12-25T"), "{told}");
    }
}

#[tokio::test]
async fn a_redrive_goes_on_step_by_step_as_far_back_as_events_are_kept() {
    let world = World::start().await;
    let receiver = Receiver::start().await;
    let (id, _) = endpoint(&world, &receiver, &["verification.started"]).await;
    // Somebody wants to hear of every delivery, so that there are such events.
    endpoint(&world, &Receiver::start().await, &["delivery.updated"]).await;
    let path = format!("/v1/endpoints/{id}");
    ask(&world, Method::PATCH, &path, json!({ "enabled": false })).await;
    let since = world.clock.now().to_string();
    begin(&world).await;
    world.clock.advance(Duration::from_secs(1));
    // More newer events than one step looks at.
    for n in 0..2_100u32 {
        let report = crate::support::report(&format!("SM{n:032x}"), Status::Sent, None, Some(PERSON));
        messaging::record(&world.app.messaging, &crate::support::proof(), report).await.unwrap();
    }
    ask(&world, Method::PATCH, &path, json!({ "enabled": true })).await;
    let redrive = format!("{path}/redrive");
    let (mut steps, mut redriven, mut cursor) = (0, 0, Value::Null);
    loop {
        let mut said = json!({ "since": since });
        if cursor.is_string() {
            said["cursor"] = cursor.clone();
        }
        let done = ask(&world, Method::POST, &redrive, said).await.json();
        steps += 1;
        redriven += done["redriven"].as_u64().unwrap();
        assert_eq!(done["more"], done["next_cursor"].is_string());
        if done["more"] == false {
            break;
        }
        cursor = done["next_cursor"].clone();
    }
    assert!(steps > 1 && redriven == 1, "{redriven} in {steps} steps");
    receiver.wait(1).await;
    // A cursor belongs to its own redrive.
    ask(&world, Method::POST, &redrive, json!({ "cursor": cursor })).await.problem(422, "invalid_cursor");
    ask(&world, Method::POST, &redrive, json!({ "cursor": "x" })).await.problem(422, "invalid_cursor");
}

#[tokio::test]
async fn an_endpoint_may_ask_for_patience_and_a_body_that_never_ends_is_no_failure() {
    // The body is given up at the deadline.
    let world = World::with_patience(Duration::from_secs(5)).await;
    let receiver = Receiver::start().await;
    receiver.next(&[Say::With(429, "Retry-After: 3600"), Say::Drip]);
    let (id, _) = endpoint(&world, &receiver, &["verification.started"]).await;
    begin(&world).await;
    let tried = dispatch(&world, &id, |one| one["last_attempt"]["status"] == 429).await;
    assert_eq!(tried["next_attempt_at"], "2026-11-20T10:30:00Z", "{tried}");
    world.clock.advance(Duration::from_secs(3600));
    let taken = dispatch(&world, &id, |one| one["status"] == "delivered").await;
    assert_eq!(taken["attempts"], 2);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_or_fails_for_long_is_disabled_and_others_hear_of_it() {
    let world = World::start().await;
    let (gone, broken, other) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    gone.next(&[Say::Status(410)]);
    broken.next(&[Say::Status(500); 100]);
    let (gone_id, _) = endpoint(&world, &gone, &["verification.started"]).await;
    let (broken_id, _) = endpoint(&world, &broken, &["verification.started"]).await;
    endpoint(&world, &other, &["endpoint.disabled"]).await;
    begin(&world).await;
    let heard = other.wait(1).await;
    assert_eq!(heard[0].json()["data"]["endpoint"], *gone_id);
    let disabled = ask(&world, Method::GET, &format!("/v1/endpoints/{gone_id}"), Value::Null).await.json();
    assert_eq!((&disabled["enabled"], &disabled["disabled_reason"]), (&json!(false), &json!("gone")));
    assert_eq!(dispatches(&world, &gone_id, "?status=failed").await.len(), 1);

    // Nothing but failures, for five days.
    dispatch(&world, &broken_id, |one| one["last_attempt"]["status"] == 500).await;
    world.clock.advance(Duration::from_secs(5 * 24 * 3600));
    assert_eq!(other.wait(2).await[1].json()["data"]["endpoint"], *broken_id);
    let path = format!("/v1/endpoints/{broken_id}");
    assert_eq!(ask(&world, Method::GET, &path, Value::Null).await.json()["disabled_reason"], "failing");
    let redrive = format!("{path}/redrive");
    ask(&world, Method::POST, &redrive, Value::Null).await.problem(422, "not_allowed");

    // What happened while it was disabled is sent once it is asked for.
    begin(&world).await;
    let before = broken.seen().len();
    broken.next(&[]);
    ask(&world, Method::PATCH, &path, json!({ "enabled": true })).await;
    let since = world.clock.now().to_string();
    assert_eq!(ask(&world, Method::POST, &redrive, json!({ "since": since })).await.json()["redriven"], 1);
    broken.wait(before + 1).await;
    assert_eq!(gone.seen().len(), 1, "one that is gone is left alone");
}

#[tokio::test]
async fn a_slow_endpoint_keeps_neither_codes_nor_other_endpoints_waiting() {
    // Longer than the test waits for anything: who waits for the slow one fails.
    let world = World::with_patience(std::time::Duration::from_secs(300)).await;
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    slow.next(&[Say::Silence; 200]);
    endpoint(&world, &slow, &["verification.started"]).await;
    endpoint(&world, &quick, &["verification.started"]).await;
    for _ in 0..60 {
        let request = dialback::app::verification::StartRequest::to(PERSON);
        verification::start(&world.app.verifying, request, None).await.unwrap();
    }
    quick.wait(60).await;
    let filter =
        EventQuery { filters: ["verification.sent".parse().unwrap()].into(), ..EventQuery::default() };
    let window = Window { limit: 200, after: None };
    let sent = poll(|| async {
        let page = events::events(&world.app.directory, &filter, &window).await.unwrap();
        Some(page.items).filter(|sent| sent.len() == 60)
    });
    sent.await.unwrap();
    assert!(slow.seen().len() < 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_one_slow_endpoint_does_not_hide_what_is_due_for_others() {
    let world = World::with_patience(Duration::from_secs(1)).await;
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    slow.next(&[Say::Silence; 500]);
    endpoint(&world, &slow, &["verification.started"]).await;
    // More than the runner looks at.
    for _ in 0..1_200 {
        let request = dialback::app::verification::StartRequest::to(PERSON);
        verification::start(&world.app.verifying, request, None).await.unwrap();
    }
    world.clock.advance(Duration::from_secs(11));
    endpoint(&world, &quick, &["verification.started"]).await;
    begin(&world).await;
    quick.wait(1).await;
    assert!(slow.seen().len() < 600, "{}", slow.seen().len());
}

async fn post(app: &Instance, path: &str, body: &Value) -> Answer {
    app.ask(&app.operator(), Method::POST, path, Some(body)).await
}

#[tokio::test]
async fn behind_a_proxy_no_endpoint_is_inside_although_the_sandbox_runs() {
    let refused = async |setup: Setup| {
        let app = setup.start().await;
        let made = post(&app, "/v1/endpoints", &json!({ "url": "https://10.1.2.3/" })).await;
        assert!(matches!(made.status, 201 | 422), "{}", made.text);
        made.status == 422
    };
    assert!(!refused(Setup::sandbox()).await);
    let public = || Setup::sandbox().set("SANDBOX__ALLOW_PUBLIC", "true");
    assert!(refused(public().set("PUBLIC_URL", "https://otp.example.com")).await);
    assert!(refused(public().set("SIGNATURE__TRUSTED_PROXIES", "127.0.0.1")).await);
}

#[tokio::test]
async fn an_endpoint_inside_or_without_tls_is_refused_where_it_is_not_allowed() {
    let app = Setup::live().start().await;
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/",
        "x",
    ] {
        let problem = post(&app, "/v1/endpoints", &json!({ "url": url })).await.problem(422, "not_allowed");
        assert_eq!(problem["field"], "url", "{problem}");
    }
    // A name is looked at when something is sent.
    let made = post(&app, "/v1/endpoints", &json!({ "url": "https://localhost:1/" })).await.json();
    let tried =
        post(&app, &format!("/v1/endpoints/{}/test", made["id"].as_str().unwrap()), &json!({})).await.json();
    assert!(tried["error"].as_str().unwrap().contains("private network"), "{tried}");
    for wrong in [
        json!({}),
        json!({ "url": "https://a.example/", "events": [] }),
        json!({ "url": "https://a.example/", "events": ["fax.*"] }),
        json!({ "url": 5 }),
        json!({ "url": "https://a.example/", "evnts": [] }),
    ] {
        assert_eq!(post(&app, "/v1/endpoints", &wrong).await.status, 422, "{wrong}");
    }
    for n in 1..10 {
        assert_eq!(
            post(&app, "/v1/endpoints", &json!({ "url": format!("https://{n}.example/") })).await.status,
            201
        );
    }
    post(&app, "/v1/endpoints", &json!({ "url": "https://11.example/" })).await.problem(422, "not_allowed");
    app.stop().await;
}

#[tokio::test]
async fn events_are_forgotten_in_time() {
    let world = World::start().await;
    let receiver = Receiver::start().await;
    events::create_endpoint(
        &world.app.telling,
        &dialback::model::audit::Actor::operator(),
        EndpointChange { url: Some(receiver.url.clone()), ..EndpointChange::default() },
    )
    .await
    .unwrap();
    begin(&world).await;
    receiver.wait(2).await;
    world.clock.advance(Duration::from_secs((30 * 24 + 1) * 3600));
    // The record of the verification's end is newer, and all that is left.
    let path = "/v1/events?type=verification.*";
    let left = poll(|| async {
        let page = ask(&world, Method::GET, path, Value::Null).await.json();
        let events = page["events"].as_array().unwrap();
        (events.len() == 1 && events[0]["type"] == "verification.expired").then_some(())
    });
    left.await.unwrap();
}
