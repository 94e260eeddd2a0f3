//! Messages by way of a service of the operator's own (`gateway.kind = "http"`): what is
//! asked of it, what its answers and callbacks come to, and what nobody can make us believe.

use crate::instance::{Setup, skipped, text};
use crate::output::{Collected, tells};
use crate::ports;
use crate::provider::{Asked, Provider, Say, post, secret, sign, tell_as};
use crate::wire::{Answer, answer, poll, with_json, wrong};
use crate::world::{API_KEY, OPERATOR_KEY, World};
use dialback::app::Parts;
use dialback::gateway::relay::{Relay, Settings};
use dialback::model::channel::Channel;
use dialback::model::senders::Senders;
use dialback::model::service;
use dialback::secret::Secret;
use dialback::texts::Catalog;
use dialback::trust::Trust;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const PERSON: &str = "+15005550001";
const CALLBACKS: &str = "https://otp.example.com/gateway/status";
const DOCS: &str = include_str!("../../docs/gateway.md");

/// A server whose messages go to that provider, signed by the first of these secrets.
async fn world_of(provider: &Provider, secrets: &[String], channels: &[Channel]) -> World {
    let settings = Settings {
        url: provider.url.clone(),
        secrets: secrets.iter().map(Secret::new).collect(),
        channels: vec![Channel::Sms, Channel::Whatsapp],
        from: Some("Acme".to_owned()),
        messages: Arc::new(Catalog::shipped()),
        callback_url: CALLBACKS.to_owned(),
        connect_timeout: Duration::from_secs(20),
        request_timeout: Duration::from_secs(2),
        allow_private: true,
    };
    let relay = Arc::new(Relay::new(settings, &Trust::compiled_in()).unwrap());
    let channels = channels.to_vec();
    let change = move |settings: &mut service::Settings| settings.channels = channels;
    World::with_parts(|parts| Parts { gateway: relay, senders: Senders::default(), ..parts }, change).await
}

async fn world(provider: &Provider) -> World {
    world_of(provider, &[secret(7)], &[Channel::Sms]).await
}

async fn ask(world: &World, method: Method, path: &str, body: &Value) -> Answer {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.request(method, format!("{}{path}", world.base_url)).bearer_auth(API_KEY);
    answer(if body.is_null() { request } else { with_json(request, body) }).await
}

async fn begin(world: &World) -> String {
    let started = ask(world, Method::POST, "/v1/verifications", &json!({ "to": PERSON })).await;
    assert_eq!(started.status, 201, "{}", started.text);
    text(&started.json()["id"])
}

async fn verification(world: &World, id: &str, wished: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/v1/verifications/{id}");
    let found =
        poll(|| async { Some(ask(world, Method::GET, &path, &Value::Null).await.json()).filter(&wished) });
    let found = found.await;
    match found {
        Some(found) => found,
        None => panic!("it stayed {}", ask(world, Method::GET, &path, &Value::Null).await.text),
    }
}

/// The sends of a verification by their statuses.
fn statuses(verification: &Value) -> Vec<String> {
    verification["deliveries"].as_array().unwrap().iter().map(|send| text(&send["status"])).collect()
}

async fn delivery_of(world: &World, provider: &Provider) -> Value {
    let (delivery, _) = provider.sent().into_iter().next().unwrap();
    let sid = delivery.replacen("DL", "SM", 1);
    ask(world, Method::GET, &format!("/v1/deliveries/{sid}"), &Value::Null).await.json()
}

/// Lets the time pass by small steps, in each of which all that is due is done.
async fn pass(world: &World, seconds: u64) {
    for _ in 0..seconds {
        world.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}

#[tokio::test]
async fn a_code_goes_out_signed_and_its_way_is_told() {
    let provider = Provider::start(&secret(7)).await;
    let world = world(&provider).await;
    let id = begin(&world).await;
    let Asked { path, body, .. } = provider.posts(1).await.remove(0);
    let code = text(&body["code"]);
    assert_eq!((path.as_str(), &body["to"], &body["channel"]), ("/messages", &json!(PERSON), &json!("sms")));
    assert!(text(&body["text"]).contains(&code), "{body}");
    assert_eq!((&body["language"], &body["from"]), (&json!("en"), &json!("Acme")));
    assert_eq!((&body["service"]["name"], &body["callback_url"]), (&json!("Dialback"), &json!(CALLBACKS)));
    assert!((500..=600).contains(&body["valid_for"].as_u64().unwrap()), "{body}");
    let delivery = text(&body["delivery"]);
    assert_eq!(delivery[2..32], id[2..32], "it leads back to its verification");
    verification(&world, &id, |view| view["deliveries"][0]["status"] == "queued").await;

    for (status, holds) in [("sent", "sent"), ("delivered", "delivered"), ("sent", "delivered")] {
        let told = provider.tell(&world.base_url, &provider.of_first(status)).await;
        assert_eq!((told.status, told.text.as_str()), (204, ""));
        assert_eq!(delivery_of(&world, &provider).await["status"], holds);
    }
    let check = |code: String| json!({ "code": code });
    let path = format!("/v1/verifications/{id}/check");
    assert_eq!(ask(&world, Method::POST, &path, &check(wrong(&code))).await.json()["valid"], false);
    assert_eq!(ask(&world, Method::POST, &path, &check(code)).await.json()["valid"], true);
    assert_eq!((provider.sent().len(), provider.unproved()), (1, 0));
}

#[tokio::test]
async fn the_request_is_the_one_that_is_documented() {
    let provider = Provider::start(&secret(7)).await;
    let world = world(&provider).await;
    begin(&world).await;
    let body = provider.posts(1).await.remove(0).body;
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let written = DOCS.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let written: Value = serde_json::from_str(written).unwrap();
    assert_eq!((keys(&body), keys(&body["service"])), (keys(&written), keys(&written["service"])));
}

#[tokio::test]
async fn what_is_refused_goes_by_the_next_channel_with_its_reason() {
    let provider = Provider::start(&secret(7)).await;
    let world = world_of(&provider, &[secret(7)], &[Channel::Sms, Channel::Whatsapp]).await;
    let why = json!({ "code": 30006, "reason": "no texts to +15005550001" });
    provider.next([Say::No(422, why, None)]);
    let id = begin(&world).await;
    let posts = provider.posts(2).await;
    let channels: Vec<&Value> = posts.iter().map(|asked| &asked.body["channel"]).collect();
    assert_eq!(channels, ["sms", "whatsapp"]);
    assert_ne!(posts[0].body["delivery"], posts[1].body["delivery"]);
    assert_eq!(posts[0].body["code"], posts[1].body["code"]);
    let view = verification(&world, &id, |view| view["deliveries"][1]["status"] == "queued").await;
    assert_eq!(
        (&view["deliveries"][0]["status"], &view["deliveries"][0]["error"]["code"]),
        (&json!("failed"), &json!(30006))
    );
    assert!(!view.to_string().contains("5550001 "), "{view}");
}

#[tokio::test]
async fn what_did_not_arrive_goes_by_the_next_channel() {
    let provider = Provider::start(&secret(7)).await;
    let world = world_of(&provider, &[secret(7)], &[Channel::Sms, Channel::Whatsapp]).await;
    let id = begin(&world).await;
    verification(&world, &id, |view| view["deliveries"][0]["status"] == "queued").await;
    let mut told = provider.of_first("undelivered");
    told["error"] = json!({ "code": 30003, "reason": "unreachable: +1 500 555 0001" });
    told["at"] = json!("2026-11-20T09:30:01Z");
    assert_eq!(provider.tell(&world.base_url, &told).await.status, 204);
    let posts = provider.posts(2).await;
    assert_eq!(posts[1].body["channel"], "whatsapp");
    let delivery = delivery_of(&world, &provider).await;
    assert_eq!((&delivery["status"], &delivery["error"]["code"]), (&json!("undelivered"), &json!(30003)));
    assert_eq!(delivery["error"]["detail"], "unreachable: …");
}

#[tokio::test]
async fn who_asks_for_time_is_given_it() {
    let provider = Provider::start(&secret(7)).await;
    let world = world(&provider).await;
    provider.next([Say::No(429, Value::Null, Some("40")), Say::No(503, Value::Null, Some("40"))]);
    let id = begin(&world).await;
    for count in 1..=2 {
        provider.posts(count).await;
        pass(&world, 38).await;
        assert_eq!(provider.asked_by("POST").len(), count, "it asked for 40 seconds");
        // What it draws beyond that is half a minute at most.
        for _ in 0..60 {
            if provider.asked_by("POST").len() == count {
                pass(&world, 1).await;
            }
        }
    }
    verification(&world, &id, |view| view["deliveries"][0]["status"] == "queued").await;
    let posts = provider.posts(3).await;
    assert_eq!((posts.len(), provider.sent().len(), provider.asked_by("GET").len()), (3, 1, 0));
    assert_eq!(
        posts[0].body["delivery"], posts[2].body["delivery"],
        "one name from the first try to the last"
    );
}

/// Lets the time pass until the first send is taken.
async fn pass_until_taken(world: &World, id: &str) {
    for _ in 0..60 {
        pass(world, 1).await;
        let view = ask(world, Method::GET, &format!("/v1/verifications/{id}"), &Value::Null).await.json();
        if view["deliveries"][0]["status"] == "queued" {
            return;
        }
    }
    panic!("it was never taken");
}

#[tokio::test]
async fn what_was_taken_without_a_word_is_found_and_not_sent_again() {
    for say in [Say::TakenInSilence, Say::TakenWithAPage] {
        let provider = Provider::start(&secret(7)).await;
        let world = world(&provider).await;
        provider.next([say]);
        let id = begin(&world).await;
        provider.posts(1).await;
        // Longer than the answer is waited for.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        pass_until_taken(&world, &id).await;
        assert_eq!((provider.sent().len(), provider.asked_by("POST").len()), (1, 1));
        assert!(!provider.asked_by("GET").is_empty(), "it was asked for");
    }
}

#[tokio::test]
async fn what_was_lost_on_the_way_is_sent_again_once() {
    let provider = Provider::start(&secret(7)).await;
    let world = world(&provider).await;
    provider.next([Say::Silence]);
    let id = begin(&world).await;
    provider.posts(1).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    provider.deaf(true);
    pass(&world, 20).await;
    assert_eq!(provider.asked_by("POST").len(), 1, "what cannot be looked up is not sent again");
    provider.deaf(false);
    pass_until_taken(&world, &id).await;
    let posts = provider.posts(2).await;
    assert_eq!((posts.len(), provider.sent().len()), (2, 1));
    assert_eq!(posts[0].body["delivery"], posts[1].body["delivery"]);
}

#[tokio::test]
async fn a_callback_settles_what_nobody_answered() {
    let provider = Provider::start(&secret(7)).await;
    let world = world(&provider).await;
    provider.next([Say::TakenInSilence]);
    let id = begin(&world).await;
    provider.posts(1).await;
    assert_eq!(provider.tell(&world.base_url, &provider.of_first("delivered")).await.status, 204);
    verification(&world, &id, |view| view["deliveries"][0]["status"] == "delivered").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    pass(&world, 60).await;
    assert_eq!((provider.sent().len(), provider.asked_by("POST").len()), (1, 1));
    let delivery = delivery_of(&world, &provider).await;
    assert_eq!((&delivery["status"], &delivery["channel"]), (&json!("delivered"), &json!("sms")));
}

#[tokio::test]
async fn what_is_forged_stale_or_about_something_else_changes_nothing() {
    let provider = Provider::start(&secret(7)).await;
    let world = world(&provider).await;
    let id = begin(&world).await;
    verification(&world, &id, |view| view["deliveries"][0]["status"] == "queued").await;
    let before = delivery_of(&world, &provider).await;
    let (url, good) = (&world.base_url, provider.of_first("failed"));
    let now = Timestamp::now().as_second();

    // What nothing proves is told nothing but that.
    let mut unproved = vec![tell_as(url, &good, &secret(8), now).await];
    unproved.push(tell_as(url, &good, &secret(7), now - 301).await);
    unproved.push(tell_as(url, &good, &secret(7), now + 330).await);
    let body = good.to_string();
    let signature = sign(&secret(7), "evt_1", now, body.as_bytes());
    let head = |id: &str, at: i64, signature: &str| {
        [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", at.to_string()),
            ("webhook-signature", signature.to_owned()),
        ]
    };
    unproved.push(post(url, &[], body.clone()).await);
    unproved.push(post(url, &head("evt_2", now, &signature), body.clone()).await);
    unproved.push(post(url, &head("evt_1", now + 1, &signature), body.clone()).await);
    unproved.push(post(url, &head("evt_1", now, ""), body.clone()).await);
    unproved.push(post(url, &head("evt_1", now, &signature), body.replace("failed", "Failed")).await);
    let twice: Vec<_> =
        head("evt_1", now, &signature).into_iter().chain(head("evt_1", now, "v1,AAAA")).collect();
    unproved.push(post(url, &twice, body.clone()).await);
    let said: BTreeSet<String> =
        unproved.iter().map(|answer| answer.problem(403, "signature_rejected").to_string()).collect();
    assert_eq!(said.len(), 1, "no difference is told: {said:?}");

    // What is proved, and about no message that was taken.
    let of = |name: &str, value: &str| {
        let mut told = good.clone();
        told[name] = json!(value);
        told
    };
    let delivery = text(&good["delivery"]);
    let never_sent = format!("{}ff", &delivery[..32]);
    for about in
        [of("id", "msg_9"), of("delivery", &never_sent), of("delivery", &format!("DL{}", "0".repeat(32)))]
    {
        provider.tell(url, &about).await.problem(404, "not_found");
    }
    for (about, field) in [
        (of("status", "read"), "status"),
        (of("status", "accepted"), "status"),
        (of("delivery", "SM0123456789abcdef0123456789abcdef"), "delivery"),
        (of("id", ""), "id"),
        (of("id", "a b"), "id"),
        (of("at", "yesterday"), "at"),
    ] {
        let problem = provider.tell(url, &about).await.problem(422, "invalid_request");
        assert_eq!(problem["field"], field, "{problem}");
    }
    let secretive = provider.tell(url, &json!({ "delivery": 123456, "id": "x" })).await;
    assert!(!secretive.problem(422, "invalid_request").to_string().contains("123456"));
    let long = json!({ "delivery": delivery, "id": "msg_1", "status": "failed", "x": "x".repeat(17_000) });
    provider.tell(url, &long).await.problem(413, "body_too_large");

    assert_eq!(delivery_of(&world, &provider).await, before);
    let view = verification(&world, &id, |_| true).await;
    assert_eq!(statuses(&view), ["queued"]);
    // The one that is right is still taken, however its digits are written.
    let shouted = of("delivery", &format!("DL{}", delivery[2..].to_uppercase()));
    assert_eq!(provider.tell(url, &shouted).await.status, 204);
    assert_eq!(delivery_of(&world, &provider).await["status"], "failed");
}

#[tokio::test]
async fn nobody_calls_back_where_another_gateway_is() {
    let world = World::start().await;
    let told = json!({ "delivery": format!("DL{}", "0".repeat(32)), "id": "x", "status": "sent" });
    let now = Timestamp::now().as_second();
    tell_as(&world.base_url, &told, &secret(7), now).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_secret_is_changed_without_losing_anything() {
    // The provider has the new secret, and still signs with both.
    let provider = Provider::start(&secret(9)).await;
    let world = world_of(&provider, &[secret(9), secret(7)], &[Channel::Sms]).await;
    let id = begin(&world).await;
    verification(&world, &id, |view| view["deliveries"][0]["status"] == "queued").await;
    assert_eq!(provider.unproved(), 0, "the first one signs");
    let now = Timestamp::now().as_second();
    for (secret, status) in [(secret(7), "sent"), (secret(9), "delivered")] {
        let told = tell_as(&world.base_url, &provider.of_first(status), &secret, now).await;
        assert_eq!((told.status, &delivery_of(&world, &provider).await["status"]), (204, &json!(status)));
    }
    tell_as(&world.base_url, &provider.of_first("failed"), &secret(8), now)
        .await
        .problem(403, "signature_rejected");
}

#[tokio::test]
async fn who_is_erased_here_is_erased_there() {
    let provider = Provider::start(&secret(7)).await;
    let world = world(&provider).await;
    let id = begin(&world).await;
    verification(&world, &id, |view| view["deliveries"][0]["status"] == "queued").await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("{}/v1/erasures", world.base_url)).bearer_auth(OPERATOR_KEY);
    let body = json!({ "number": PERSON });
    let asked = answer(with_json(request, &body)).await;
    assert!((200..300).contains(&asked.status), "{}", asked.text);
    let delivery = text(&provider.of_first("sent")["delivery"]);
    let found = poll(|| std::future::ready(provider.asked_by("DELETE").into_iter().next()));
    assert_eq!(found.await.unwrap().path, format!("/messages/{delivery}"));
    // A late callback brings nothing back.
    provider.tell(&world.base_url, &provider.of_first("delivered")).await;
    assert!(!delivery_of(&world, &provider).await.to_string().contains("0001"));
}

fn live_at(url: &str) -> Setup {
    Setup::live()
        .set("GATEWAY__KIND", "http")
        .set("GATEWAY__HTTP__URL", url)
        .set("GATEWAY__HTTP__SECRET", &secret_of_own())
        .set("GATEWAY__HTTP__ALLOW_PRIVATE_ADDRESS", "the provider of this test is on this machine")
        .set("GATEWAY__HTTP__CONNECT_TIMEOUT_SECONDS", "1")
        .set("GATEWAY__HTTP__REQUEST_TIMEOUT_SECONDS", "1")
}

fn secret_of_own() -> String {
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()
}

#[tokio::test]
async fn a_server_that_is_killed_while_it_sends_sends_once() {
    let dir = tempfile::tempdir().unwrap();
    let provider = Provider::start(&secret_of_own()).await;
    provider.next([Say::TakenInSilence]);
    let app = live_at(&provider.url).dir(dir.path()).start().await;
    app.learn(secret_of_own());
    let id = text(&app.begin("+14155550123", "sms").await["id"]);
    let posted = provider.posts(1).await.remove(0);
    app.learn(text(&posted.body["code"]));
    app.kill();
    let app = live_at(&provider.url).dir(dir.path()).start().await;
    app.learn(secret_of_own());
    app.verification(&id, |view| view["deliveries"][0]["status"] == "queued").await;
    assert_eq!((provider.sent().len(), provider.asked_by("POST").len()), (1, 1));
    assert!(!provider.asked_by("GET").is_empty(), "it was asked for");
    let told = provider.tell(&app.server, &provider.of_first("delivered")).await;
    assert_eq!(told.status, 204, "{}", told.text);
    app.kill();
    // What was acknowledged is there.
    let app = live_at(&provider.url).dir(dir.path()).start().await;
    app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    let checked = app.check(&id, &text(&posted.body["code"])).await;
    assert_eq!(checked.json()["valid"], true, "{}", checked.text);
    app.stop().await;
}

/// What `sh` says to a piece of the documentation.
async fn shell(script: String, variables: Vec<(&'static str, String)>) -> Option<String> {
    let run = move || {
        let found = ["sh", "curl", "openssl", "od", "base64"].iter().all(|tool| {
            let mut tried = Command::new("sh");
            tried.args(["-c", &format!("command -v {tool}")]).stdout(Stdio::null());
            tried.status().is_ok_and(|status| status.success())
        });
        let mut command = Command::new("sh");
        command.args(["-euc", &script]).envs(variables).env("NO_PROXY", "127.0.0.1");
        found.then(|| command.output().unwrap())
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn the_callback_of_the_documentation_is_taken() {
    let provider = Provider::start(&secret(7)).await;
    let world = world(&provider).await;
    let id = begin(&world).await;
    verification(&world, &id, |view| view["deliveries"][0]["status"] == "queued").await;
    let script = DOCS.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let sent = provider.of_first("delivered");
    let variables = vec![
        ("DELIVERY", text(&sent["delivery"])),
        ("ID", text(&sent["id"])),
        ("SECRET", secret(7)),
        ("CALLBACK_URL", format!("{}/gateway/status", world.base_url)),
    ];
    let Some(said) = shell(script.to_owned(), variables).await else {
        return skipped("the callback of docs/gateway.md: sh, curl, openssl, od and base64 turn it on");
    };
    assert_eq!(
        (said.as_str(), &delivery_of(&world, &provider).await["status"]),
        ("204", &json!("delivered"))
    );
}

#[tokio::test]
async fn the_example_is_a_gateway() {
    let Some(python) = std::env::var("DIALBACK_TEST_PYTHON").ok() else {
        return skipped("the gateway of examples/: set DIALBACK_TEST_PYTHON to a Python to turn it on");
    };
    let (port, own) = (ports::take(), ports::take());
    let mut child = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/http_gateway/gateway.py"))
        .env("GATEWAY_SECRETS", secret_of_own())
        .env("PORT", port.number.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = Collected::from(child.stdout.take().unwrap());
    let mut err = Collected::from(child.stderr.take().unwrap());
    let begun = poll(|| std::future::ready(out.text().contains("messages are taken").then_some(()))).await;
    assert!(begun.is_some(), "it does not serve: {}", err.text());
    let gateway = format!("http://127.0.0.1:{}/messages", port.number);
    let (address, listen) = (format!("http://127.0.0.1:{}", own.number), format!("127.0.0.1:{}", own.number));
    let setup = live_at(&gateway).set("SERVER__LISTEN", &listen).set("PUBLIC_URL", &address);
    let app = setup.start().await;
    app.learn(secret_of_own());
    let id = text(&app.begin("+14155550123", "sms").await["id"]);
    let view = app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    let number = view["deliveries"][0]["id"].as_str().unwrap().to_owned();
    let strange = app.http.get(format!("{gateway}/{number}")).header("webhook-id", "x");
    assert_eq!(answer(strange).await.status, 401, "it tells nobody else");
    app.stop().await;
    child.kill().unwrap();
    child.wait().unwrap();
    let said = out.whole() + &err.whole();
    assert!(said.contains("a sms to …23, "), "{said}");
    assert!(!said.contains("4155550123") && !tells(&said, &secret_of_own()[6..]), "{said}");
}
