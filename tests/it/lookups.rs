//! Numbers are looked up before a code is sent to them, against the sandbox's Lookups, and
//! what is told there follows in every face alike.

use crate::instance::{Instance, Setup};
use crate::support::{Engine, World, parts, request, word};
use crate::wire::poll;
use async_trait::async_trait;
use dialback::app::verification::{self, Ask, VerificationError};
use dialback::app::{App, Parts};
use dialback::gateway::http::{Answer, Outgoing, Transport, TransportError};
use dialback::gateway::lookups::Lookups;
use dialback::model::channel::Channel;
use dialback::model::id::VerificationId;
use dialback::model::lookup::{LookupField, LookupSettings};
use dialback::secret::Secret;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

const FIELDS: &str = r#"["line_type_intelligence", "sim_swap", "sms_pumping_risk"]"#;

fn setup() -> Setup {
    Setup::sandbox().set("LOOKUP__FIELDS", FIELDS)
}

/// Says what Lookups tells of a number.
async fn told(instance: &Instance, number: &str, document: Value) {
    instance.learn(number);
    instance.control(Method::PUT, &format!("/lookups/{number}"), Some(&document)).await;
}

async fn start(instance: &Instance, body: Value) -> (u16, Value) {
    let answer = instance.post("/v1/verifications", &body).await;
    (answer.status, answer.json())
}

/// The decision that began a verification.
async fn decision(instance: &Instance, verification: &str) -> Value {
    let admin = instance.key(&["admin"]).await;
    let path = format!("/v1/decisions?verification={verification}");
    let listed = poll(async || {
        let answer = instance.ask(&admin, Method::GET, &path, None).await;
        Some(answer.json()).filter(|listed| listed["decisions"][0].is_object())
    });
    listed.await.expect("the decision is in the log")["decisions"][0].clone()
}

/// How often Lookups was asked about numbers.
async fn asked(instance: &Instance) -> usize {
    let listed = instance.control(Method::GET, "/exchanges?limit=200", None).await;
    let of_lookups = |exchange: &&Value| {
        exchange["request"]["url"].as_str().is_some_and(|url| url.contains("/v2/PhoneNumbers/"))
    };
    listed.as_array().unwrap().iter().filter(of_lookups).count()
}

#[tokio::test]
async fn what_is_told_of_a_number_decides_and_is_asked_for_once() {
    let instance = setup().set("FRAUD__ACTION", "refuse").start().await;
    let lately = json!({ "last_sim_swap_date": null, "swapped_period": "PT24H", "swapped_in_period": true });
    told(&instance, "+14155551140", json!({ "sim_swap": { "last_sim_swap": lately } })).await;
    told(&instance, "+14155552141", json!({ "sms_pumping_risk": { "sms_pumping_risk_score": 90 } })).await;
    told(&instance, "+14155553142", json!({ "line_type_intelligence": { "type": "premium" } })).await;
    for (number, status, code) in [
        ("+14155551140", 403, "fraud_suspected"),
        ("+14155552141", 403, "fraud_suspected"),
        ("+14155553142", 422, "invalid_number"),
    ] {
        let (was, body) = start(&instance, json!({ "to": number })).await;
        assert_eq!((was, body["code"].as_str()), (status, Some(code)), "{number}: {body}");
    }
    assert_eq!(asked(&instance).await, 3);
    // What is remembered is not asked for again, and what no rule has to say anything
    // about is sent.
    let (status, _) = start(&instance, json!({ "to": "+14155551140" })).await;
    assert_eq!((status, asked(&instance).await), (403, 3));
    let (status, begun) = start(&instance, json!({ "to": "+14155554143" })).await;
    assert_eq!((status, asked(&instance).await), (201, 4), "{begun}");
    let code = instance.texted_code("+14155554143", 1).await;
    let checked = instance.check(begun["id"].as_str().unwrap(), &code).await;
    assert_eq!(checked.json()["valid"], true);
    // What is refused unasked is not asked about.
    let (status, body) =
        start(&instance, json!({ "to": "+14155555144", "purpose": "https://example.com/now" })).await;
    assert_eq!((status >= 400, asked(&instance).await), (true, 4), "{body}");
    instance.stop().await;
}

/// It is known of a verification, also to who was not told.
#[tokio::test]
async fn a_landline_by_a_look_up_is_called() {
    let dir = tempfile::tempdir().unwrap();
    let instance = setup().dir(dir.path()).start().await;
    let admin = instance.key(&["admin"]).await;
    let settings = json!({ "name": "Shop", "channels": ["sms", "call"], "skip_sms_to_landlines": true });
    let made = instance.ask(&admin, Method::POST, "/v1/services", Some(&settings)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let service = made.json()["id"].clone();
    told(&instance, "+14155550145", json!({ "line_type_intelligence": { "type": "landline" } })).await;
    let (status, begun) = start(&instance, json!({ "to": "+14155550145", "service": service })).await;
    assert_eq!((status, begun["deliveries"][0]["channel"].as_str()), (201, Some("call")), "{begun}");
    assert_eq!(begun["channels_left"], json!(["call"]), "{begun}");
    let (status, body) =
        start(&instance, json!({ "to": "+14155550145", "service": service, "channel": "sms" })).await;
    assert!(status >= 400, "{status} {body}");
    let path = format!("/v1/verifications/{}", begun["id"].as_str().unwrap());
    assert_eq!(decision(&instance, begun["id"].as_str().unwrap()).await["line_type"], "landline");
    instance.stop().await;

    let instance = Setup::sandbox().dir(dir.path()).start().await;
    let found = instance.get(&path).await.json();
    assert_eq!(found["channels_left"], json!(["call"]), "{found}");
    instance
        .post(&format!("{path}/resend"), &json!({ "channel": "sms" }))
        .await
        .problem(422, "channel_not_offered");
    instance.stop().await;
}

/// A provider that is away stops nobody, and is not waited for by everybody.
#[tokio::test]
async fn codes_are_sent_without_where_nobody_can_say_and_no_more_is_asked_than_may_be() {
    let away = setup().set("LOOKUP__BASE_URL", "http://127.0.0.1:9").start().await;
    for number in ["+14155550146", "+14155550147"] {
        assert_eq!(start(&away, json!({ "to": number })).await.0, 201);
    }
    let log = away.logged("numbers cannot be looked up").await;
    assert_eq!(log.matches("numbers cannot be looked up").count(), 1, "{log}");
    away.stop().await;

    let few = setup().set("LOOKUP__MOST_PER_DAY", "2").start().await;
    for nth in 0..4 {
        assert_eq!(start(&few, json!({ "to": format!("+1415555015{nth}") })).await.0, 201);
    }
    assert_eq!(asked(&few).await, 2);
    few.logged("no number is looked up any more today").await;
    few.stop().await;
}

/// What decided is in the log of decisions, for who administers.
#[tokio::test]
async fn the_log_tells_what_a_look_up_came_to() {
    let instance = setup().start().await;
    told(&instance, "+14155550148", json!({ "sms_pumping_risk": { "sms_pumping_risk_score": 90 } })).await;
    let (status, begun) = start(&instance, json!({ "to": "+14155550148" })).await;
    assert_eq!(status, 201, "it is only recorded: {begun}");
    let decision = decision(&instance, begun["id"].as_str().unwrap()).await;
    assert_eq!(decision["sms_pumping_risk"], 90, "{decision}");
    assert_eq!(decision["reasons"][0]["rule"], "pumping_risk", "{decision}");
    instance.stop().await;
}

/// Asks for a field over a transport, for so many numbers a day.
pub fn by(transport: Arc<dyn Transport>, field: LookupField, most_per_day: u64) -> (Lookups, LookupSettings) {
    let auth = ("AC1".to_owned(), Secret::new("token"));
    let settings = LookupSettings {
        fields: vec![field],
        base_url: None,
        request_timeout: Duration::from_secs(2),
        remembered: Duration::from_secs(60),
        most_per_day,
    };
    (Lookups::new("http://127.0.0.1:9", auth, transport), settings)
}

/// An app of a world that looks numbers up over a transport, so many a day.
fn asking_by(world: &World, transport: Arc<dyn Transport>, most_per_day: u64) -> App {
    let lookups = by(transport, LookupField::SimSwap, most_per_day);
    let own = parts(&world.store, &world.gateway, &world.clock);
    App::new(Parts { lookups: Some(lookups), ..own })
}

/// Never answers in time.
#[derive(Default)]
struct Silent(AtomicUsize);

#[async_trait]
impl Transport for Silent {
    async fn call(&self, _: Outgoing) -> Result<Answer, TransportError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(TransportError::Broken("time ran out".to_owned()))
    }
}

/// A carrier that is slow is not everybody's, until several are; and what was not told is
/// not counted.
#[tokio::test]
async fn who_is_not_told_in_time_is_not_asked_for_again_and_three_in_a_row_stop_it() {
    let world = World::new(Engine::Memory);
    let silent = Arc::new(Silent::default());
    let app = asking_by(&world, silent.clone(), 1);
    for (nth, asked) in [(1, 1), (1, 1), (2, 2), (3, 3), (4, 3), (5, 3)] {
        let request = request(&format!("+1415555{nth}149"), Channel::Sms);
        let ask = Ask { request, limits: Vec::new(), skip_risk_check: false };
        assert!(verification::ask(&app.verifying, &ask).await.is_ok(), "{nth}");
        assert_eq!(silent.0.load(Ordering::SeqCst), asked, "{nth}");
    }
}

/// Answers when it is told to.
struct Slow {
    asked: AtomicUsize,
    is_asked: Notify,
    go: Semaphore,
}

impl Slow {
    /// One that answers so many times without being told to.
    fn answering(times: usize) -> Arc<Self> {
        Arc::new(Self { asked: AtomicUsize::new(0), is_asked: Notify::new(), go: Semaphore::new(times) })
    }
}

#[async_trait]
impl Transport for Slow {
    async fn call(&self, _: Outgoing) -> Result<Answer, TransportError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.is_asked.notify_one();
        self.go.acquire().await.unwrap().forget();
        Ok(Answer { status: 200, retry_after: None, body: b"{}".to_vec() })
    }
}

/// Asks Verify's way, for which no wait between sends holds.
async fn ask(app: App) -> Result<VerificationId, VerificationError> {
    let request = request("+14155556149", Channel::Sms);
    let ask = Ask { request, limits: Vec::new(), skip_risk_check: false };
    verification::ask(&app.verifying, &ask).await.map(|asked| asked.verification.id)
}

/// Whoever asks at the same moment as another, and is looked up for longer, is told so as if
/// nothing had been looked up: the person gets one text. Here each asks another process.
#[tokio::test]
async fn two_who_ask_at_once_get_one_text_however_long_the_look_up_takes() {
    let world = World::new(Engine::Memory);
    let (slow, quick) = (Slow::answering(0), Slow::answering(1));
    let late = tokio::spawn(ask(asking_by(&world, slow.clone(), 100)));
    // It has looked, and writes later.
    slow.is_asked.notified().await;
    let first = ask(asking_by(&world, quick, 100)).await.unwrap();
    slow.go.add_permits(1);
    assert_eq!(word(&late.await.unwrap().unwrap_err()), "Contended");
    assert_eq!(world.record(&first).await.sends.len(), 1);
}

/// In one process the second waits for the answer to the first, and nobody pays twice.
#[tokio::test]
async fn a_number_is_asked_about_once_however_many_wait_for_it() {
    let world = World::new(Engine::Memory);
    let slow = Slow::answering(0);
    let app = asking_by(&world, slow.clone(), 100);
    let mut asking = JoinSet::new();
    (0..5).for_each(|_| drop(asking.spawn(ask(app.clone()))));
    slow.is_asked.notified().await;
    // Whoever asks is answered from here on.
    slow.go.add_permits(5);
    let mut begun = Vec::new();
    while let Some(one) = asking.join_next().await {
        begun.extend(one.unwrap().ok());
    }
    assert_eq!((begun.is_empty(), slow.asked.load(Ordering::SeqCst)), (false, 1));
}
