//! One verification of a number for each caller, or many: over each engine, by several
//! processes at one moment, and as `/v1` says it.

use crate::engines::over_each_engine;
use crate::support::{Engine, PERSON, World, request};
use crate::wire::{Answer, answer, with_json};
use crate::world::{self, API_KEY, OPERATOR_KEY};
use dialback::app::admission::AdmissionError;
use dialback::app::verification::{self, Ask, Idempotency, StartRequest, Started, VerificationError};
use dialback::app::{App, Window, admin};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::id::ServiceId;
use dialback::model::verification::Details;
use futures_util::future::join_all;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::Duration;

over_each_engine![
    a_caller_who_starts_twice_at_one_moment_begins_one,
    each_caller_has_one_of_its_own,
    a_service_may_have_many,
    a_second_start_is_sent_again_in_its_time,
    another_purpose_or_payment_is_another_verification,
    a_repeated_request_is_answered_as_it_was,
    verifys_one_is_nobody_elses,
];

fn by(caller: &str) -> StartRequest {
    StartRequest { caller: Some(caller.to_owned()), ..request(PERSON, Channel::Sms) }
}

async fn start(app: &App, request: StartRequest) -> Started {
    verification::start(&app.verifying, request, None).await.unwrap()
}

/// How many verifications there are of the person, and how many messages in all.
async fn count(app: &App) -> (usize, usize) {
    let filter = verification::VerificationFilter::default();
    let window = Window { limit: 100, after: None };
    let all = verification::verifications(
        &app.admission,
        &dialback::model::key::ServiceSet::all(),
        &filter,
        &window,
    )
    .await
    .unwrap()
    .items;
    (all.len(), all.iter().map(|view| view.verification.sends.len()).sum())
}

async fn service(world: &World, settings: Value) -> ServiceId {
    let settings = settings.as_object().unwrap().clone();
    admin::create_service(&world.app.directory, &Actor::operator(), settings).await.unwrap().id.clone()
}

async fn a_caller_who_starts_twice_at_one_moment_begins_one(engine: Engine) {
    const AT_ONCE: usize = 16;
    let world = World::new(engine);
    let apps = [world.app.clone(), world.beside(&world.clock)];
    let one = |n: usize| {
        let app = apps[n % 2].clone();
        tokio::spawn(async move { verification::start(&app.verifying, by("shop"), None).await })
    };
    let all: Vec<Started> =
        join_all((0..AT_ONCE).map(one)).await.into_iter().map(|one| one.unwrap().unwrap()).collect();
    assert_eq!(all.iter().filter(|one| !one.is_same).count(), 1);
    assert!(all.iter().filter(|one| one.is_same).all(|one| one.wait == Some(30)), "{all:?}");
    assert!(all.iter().all(|one| one.view.verification.id == all[0].view.verification.id));
    assert_eq!(count(&world.app).await, (1, 1));
}

async fn each_caller_has_one_of_its_own(engine: Engine) {
    let mut world = World::unlimited(engine);
    world.work();
    let own = start(&world.app, by("shop")).await.view.verification;
    world.settle().await;
    let code = world.gateway.orders().last().unwrap().code.clone();
    let theirs = start(&world.app, by("bank")).await.view.verification;
    assert_ne!(own.id, theirs.id);
    for _ in 0..5 {
        let wrong = if code == "000000" { "000001" } else { "000000" };
        drop(verification::check(&world.app.verifying, &theirs.id, wrong).await.unwrap());
    }
    // What a stranger spends is a stranger's.
    assert!(verification::check(&world.app.verifying, &own.id, code.as_str()).await.unwrap().valid);
    // What has ended leads nowhere, and who is nobody has none.
    assert!(!start(&world.app, by("shop")).await.is_same);
    assert!(!start(&world.app, by("bank")).await.is_same);
    assert!(!start(&world.app, request(PERSON, Channel::Sms)).await.is_same);
    assert!(!start(&world.app, request(PERSON, Channel::Sms)).await.is_same);
}

async fn a_service_may_have_many(engine: Engine) {
    let world = World::new(engine);
    let many = service(&world, json!({ "name": "Many", "pending": "many" })).await;
    for _ in 0..3 {
        let request = StartRequest { service: Some(many.clone()), ..by("shop") };
        assert!(!start(&world.app, request).await.is_same);
    }
    assert_eq!(count(&world.app).await, (3, 3));
}

async fn a_second_start_is_sent_again_in_its_time(engine: Engine) {
    let world = World::unlimited(engine);
    let first = start(&world.app, by("shop")).await;
    assert_eq!((first.is_same, first.wait), (false, None));
    world.pass(10);
    // Another language or name is no other verification.
    let named = Details { friendly_name: Some("Acme".into()), ..Details::default() };
    let early = start(&world.app, StartRequest { details: named, ..by("shop") }).await;
    assert_eq!((early.is_same, early.wait, early.view.verification.sends.len()), (true, Some(20), 1));
    assert_eq!(early.view.resend_at, Some(world.later(20)));
    world.pass(20);
    let again = start(&world.app, by("shop")).await;
    assert_eq!((again.is_same, again.wait, again.view.verification.sends.len()), (true, None, 2));
    assert_eq!(again.view.verification.id, first.view.verification.id);
    for wait in [60, 120, 240] {
        world.pass(wait);
        assert!(start(&world.app, by("shop")).await.is_same);
    }
    let refused = verification::start(&world.app.verifying, by("shop"), None).await.unwrap_err();
    let is_used_up = |error: &VerificationError| {
        matches!(error, VerificationError::Admission(AdmissionError::NoSendsLeft { seconds: 150 }))
    };
    assert!(is_used_up(&refused), "{refused:?}");
    world.pass(150);
    assert!(!start(&world.app, by("shop")).await.is_same, "its time is over");
    assert_eq!(count(&world.app).await, (2, 6));
}

async fn another_purpose_or_payment_is_another_verification(engine: Engine) {
    let world = World::new(engine);
    let paying = |amount: &str, purpose: Option<&str>| StartRequest {
        details: Details {
            amount: Some(amount.to_owned()),
            payee: Some("Acme".to_owned()),
            purpose: purpose.map(str::to_owned),
            ..Details::default()
        },
        ..by("shop")
    };
    let first = start(&world.app, paying("1 EUR", None)).await.view.verification;
    assert!(start(&world.app, paying("1 EUR", None)).await.is_same);
    for other in [paying("2 EUR", None), paying("1 EUR", Some("to sign in")), by("shop")] {
        let refused = verification::start(&world.app.verifying, other, None).await.unwrap_err();
        let is_other = matches!(refused, VerificationError::Admission(AdmissionError::OtherPending));
        assert!(is_other, "{refused:?}");
    }
    verification::cancel(&world.app.admission, &first.id).await.unwrap();
    assert!(!start(&world.app, paying("2 EUR", None)).await.is_same);
}

async fn a_repeated_request_is_answered_as_it_was(engine: Engine) {
    let world = World::new(engine);
    let key = |key: &str| Some(Idempotency { caller: "shop".into(), key: key.into() });
    let start =
        async |name: &str| verification::start(&world.app.verifying, by("shop"), key(name)).await.unwrap();
    let first = start("a").await;
    let shown = start("b").await;
    assert_eq!((first.is_same, shown.is_same, shown.replayed), (false, true, false));
    world.pass(40);
    // Neither sends anything, though it is time.
    let (first, shown) = (start("a").await, start("b").await);
    assert_eq!((first.is_same, first.replayed), (false, true));
    assert_eq!((shown.is_same, shown.replayed), (true, true));
    assert_eq!(count(&world.app).await, (1, 1));
    assert!(start("c").await.is_same);
    assert_eq!(count(&world.app).await, (1, 2));
}

/// Verify's pointer is the one that stores of before have: what it leads to is Verify's
/// one, and no caller's at `/v1`.
async fn verifys_one_is_nobody_elses(engine: Engine) {
    let world = World::new(engine);
    let ask = Ask { request: by("shop"), limits: Vec::new(), skip_risk_check: false };
    let asked = verification::ask(&world.app.verifying, &ask).await.unwrap().verification;
    let started = start(&world.app, by("shop")).await;
    assert!(!started.is_same);
    let again = verification::ask(&world.app.verifying, &ask).await.unwrap().verification;
    assert_eq!((again.id, again.sends.len()), (asked.id, 2));
    assert!(start(&world.app, by("shop")).await.is_same);
}

async fn post(world: &world::World, key: &str, body: &Value) -> Answer {
    let url = format!("{}/v1/verifications", world.base_url);
    let http = Client::builder().no_proxy().build().unwrap();
    answer(with_json(http.request(Method::POST, url).bearer_auth(key), body)).await
}

#[tokio::test]
async fn the_api_says_when_the_next_message_may_be() {
    let world = world::World::start().await;
    let body = json!({ "to": PERSON });
    let first = post(&world, API_KEY, &body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    world.clock.advance(Duration::from_secs(12));
    let early = post(&world, API_KEY, &body).await;
    assert_eq!((early.status, early.header("retry-after")), (200, "18"), "{}", early.text);
    for field in ["id", "resend_at", "sends_left", "expires_at"] {
        assert_eq!(early.json()[field], first.json()[field], "{field}");
    }
    // Another key's is its own.
    let theirs = post(&world, OPERATOR_KEY, &body).await;
    assert_eq!(theirs.status, 201, "{}", theirs.text);
    assert_ne!(theirs.json()["id"], first.json()["id"]);
    let other = json!({ "to": PERSON, "purpose": "to sign in" });
    post(&world, API_KEY, &other).await.problem(409, "verification_pending");
    world.clock.advance(Duration::from_secs(18));
    let again = post(&world, API_KEY, &body).await;
    assert_eq!((again.status, again.header("retry-after")), (200, ""), "{}", again.text);
    assert_eq!((&again.json()["id"], &again.json()["sends_left"]), (&first.json()["id"], &json!(3)));
}

/// A repeated request that came too soon says so again, as it is by then; and nothing once
/// that time is over.
#[tokio::test]
async fn a_repeated_answer_says_when_the_next_message_may_be() {
    let world = world::World::start().await;
    let http = Client::builder().no_proxy().build().unwrap();
    let named = async |name: &str| {
        let request = http.post(format!("{}/v1/verifications", world.base_url)).bearer_auth(API_KEY);
        let request = request.header("idempotency-key", name);
        answer(with_json(request, &json!({ "to": PERSON }))).await
    };
    assert_eq!(named("first").await.status, 201);
    world.clock.advance(Duration::from_secs(12));
    assert_eq!(named("soon").await.header("retry-after"), "18");
    world.clock.advance(Duration::from_secs(6));
    let again = named("soon").await;
    assert_eq!((again.status, again.header("retry-after")), (200, "12"), "{}", again.text);
    assert_eq!(named("first").await.header("retry-after"), "", "what was sent was sent");
    world.clock.advance(Duration::from_secs(12));
    assert_eq!(named("soon").await.header("retry-after"), "");
}
