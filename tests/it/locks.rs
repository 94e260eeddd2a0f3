//! Wrong codes count for their number: what a number that is locked refuses, what a
//! verification keeps all the same, and what opens it again.

use crate::support::{eventually, request};
use crate::wire::{answer, form, text, with_json, wrong};
use crate::world::{ACCOUNT_SID, API_KEY, OPERATOR_KEY, World};
use dialback::app::admission::AdmissionError;
use dialback::app::verification::{self, Offer, StartRequest, VerificationError};
use dialback::model::channel::Channel;
use dialback::model::id::VerificationId;
use dialback::model::verification::{SendState, Verification};
use dialback::store::{Kind, records};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};
use std::time::Duration;

const TO: &str = "+15005550123";
const OTHER: &str = "+15005550124";

/// A verification that was begun, with its code.
struct Begun {
    id: VerificationId,
    code: String,
}

fn code_of(world: &World, one: &Verification) -> String {
    world.app.verifying.codes.derive(&one.id, &one.code).unwrap().expose().to_owned()
}

/// Begins one of a number, each for a purpose of its own.
async fn begin(world: &World, to: &str, caller: &str) -> Begun {
    let request = request(to, Channel::Sms);
    let started = crate::begun::by(&world.app, request, caller).await.unwrap();
    Begun { id: started.id.clone(), code: code_of(world, &started) }
}

/// What a check says: whether it was right, or which rule refused it until when.
async fn check(world: &World, one: &Begun, code: &str) -> Result<bool, (String, Timestamp)> {
    match verification::check(&world.app.verifying, &one.id, code).await {
        Ok(checked) => Ok(checked.valid),
        Err(VerificationError::Admission(AdmissionError::LimitReached { rule, retry_at, .. })) => {
            Err((rule, retry_at))
        }
        Err(error) => panic!("{error}"),
    }
}

async fn wrong_codes(world: &World, one: &Begun, times: usize) {
    for nth in 1..=times {
        assert_eq!(check(world, one, &wrong(&one.code)).await, Ok(false), "the {nth}. wrong code");
    }
}

fn at(world: &World, seconds: i64) -> Timestamp {
    world.app.base.now() + jiff::SignedDuration::from_secs(seconds)
}

fn advance(world: &World, seconds: u64) {
    world.clock.advance(Duration::from_secs(seconds));
}

/// Which rule refuses a start, until when; nothing where it is begun.
async fn refused(world: &World, caller: &str) -> Option<(String, Timestamp)> {
    match crate::begun::by(&world.app, request(TO, Channel::Sms), caller).await {
        Ok(_) => None,
        Err(VerificationError::Admission(AdmissionError::LimitReached { rule, retry_at, .. })) => {
            Some((rule, retry_at))
        }
        Err(error) => panic!("{error}"),
    }
}

async fn settle(world: &World) {
    eventually("sends settle", async || {
        let store = world.app.base.whole_store();
        let walked = store.walk(Kind::Verification, None, 999).await.unwrap();
        for (id, _) in walked {
            let one = records::get::<Verification>(store, &id).await.unwrap().unwrap().record;
            if one.sends.iter().any(|send| matches!(send.state, SendState::Waiting | SendState::Sending)) {
                return false;
            }
        }
        true
    })
    .await;
}

#[tokio::test]
async fn a_locked_number_begins_nothing_until_an_approval_or_its_time() {
    let world = World::with_service(|settings| {
        let limits = json!({ "number_lock_after": 7, "number_wrong_codes": [], "number_sends": ["40/hour"] });
        settings.limits = serde_json::from_value(limits).unwrap();
    })
    .await;
    let (one, two) = (begin(&world, TO, "a").await, begin(&world, TO, "b").await);
    wrong_codes(&world, &one, 5).await;
    wrong_codes(&world, &two, 2).await;
    let locked = |seconds: i64| Some(("number_lock_after".to_owned(), at(&world, seconds)));
    assert_eq!(refused(&world, "c").await, locked(60));
    wrong_codes(&world, &two, 1).await;
    assert_eq!(refused(&world, "c").await, locked(120), "each further one doubles it");
    assert_eq!(check(&world, &two, &two.code).await, Ok(true));
    assert_eq!(refused(&world, "c").await, None, "an approval ends the row");
    let three = begin(&world, TO, "d").await;
    wrong_codes(&world, &three, 5).await;
    wrong_codes(&world, &begin(&world, TO, "e").await, 2).await;
    assert_eq!(refused(&world, "f").await, locked(60));
    advance(&world, 60);
    assert_eq!(refused(&world, "f").await, None);
}

#[tokio::test]
async fn what_never_left_gives_its_send_back_and_what_left_does_not() {
    let world = World::with_service(|settings| settings.lifetime_seconds = 3600).await;
    // Nothing gets away, and each is called off: as often as anybody likes.
    world.post.fail(true);
    for nth in 0..8 {
        let caller = format!("failed {nth}");
        let one = begin(&world, TO, &caller).await;
        verification::cancel(&world.app.admission, &one.id).await.unwrap();
        settle(&world).await;
    }
    world.post.fail(false);
    for nth in 0..5 {
        assert_eq!(refused(&world, &format!("sent {nth}")).await, None);
        settle(&world).await;
    }
    let until = at(&world, 3600);
    assert_eq!(refused(&world, "another").await, Some(("number_sends".to_owned(), until)));
    assert_eq!(world.post.count(), 5);
}

#[tokio::test]
async fn approval_gives_back_that_it_was_unproved() {
    let world = World::with_service(|settings| {
        let limits = json!({ "number_unverified": ["2/hour"], "number_sends": ["40/hour"] });
        settings.limits = serde_json::from_value(limits).unwrap();
    })
    .await;
    for nth in 0..5 {
        let one = begin(&world, TO, &format!("proved {nth}")).await;
        assert_eq!(check(&world, &one, &one.code).await, Ok(true));
    }
    begin(&world, TO, "a").await;
    begin(&world, TO, "b").await;
    let until = at(&world, 3600);
    assert_eq!(refused(&world, "c").await, Some(("number_unverified".to_owned(), until)));
}

#[tokio::test]
async fn a_locked_number_refuses_checks_but_the_first_five_of_a_verification() {
    let world = World::with_service(|settings| {
        (settings.max_checks, settings.lifetime_seconds) = (20, 86_400);
    })
    .await;
    let (stranger, person, other) =
        (begin(&world, TO, "a").await, begin(&world, TO, "b").await, begin(&world, OTHER, "a").await);
    // The stranger's own five, and as many as the hour has room for.
    wrong_codes(&world, &stranger, 10).await;
    let until = at(&world, 3600);
    let locked = || Err(("number_wrong_codes".to_owned(), until));
    assert_eq!(check(&world, &stranger, &wrong(&stranger.code)).await, locked());
    // The right one is not compared either: it would tell.
    assert_eq!(check(&world, &stranger, &stranger.code).await, locked());
    let stands = verification::fetch(&world.app.admission, &stranger.id).await.unwrap();
    assert_eq!(stands.verification.checks, 10, "what was refused spent nothing");
    // Who had begun before keeps five, and they count.
    wrong_codes(&world, &person, 4).await;
    assert_eq!(check(&world, &person, &person.code).await, Ok(true));
    assert_eq!(check(&world, &stranger, &stranger.code).await, locked(), "an approval empties no window");
    // Another number has nothing to do with it, and the hour passes.
    wrong_codes(&world, &other, 6).await;
    advance(&world, 3600);
    assert_eq!(check(&world, &stranger, &stranger.code).await, Ok(true));
}

fn request_of_payment() -> StartRequest {
    let mut request = request(TO, Channel::Sms);
    (request.details.amount, request.details.payee) = (Some("1 EUR".into()), Some("Ada".into()));
    request
}

#[tokio::test]
async fn five_wrong_codes_in_a_row_block_a_numbers_payments() {
    let world = World::with_service(|settings| {
        (settings.psd2, settings.psd2_block_seconds, settings.lifetime_seconds) = (true, 600, 3600);
    })
    .await;
    let payment = async |caller: &str| {
        let started = crate::begun::by(&world.app, request_of_payment(), caller).await.unwrap();
        Begun { id: started.id.clone(), code: code_of(&world, &started) }
    };
    let offer = async |one: &Begun, code: &str| {
        let offer = Offer { code: code.to_owned(), amount: Some("1 EUR".into()), payee: Some("Ada".into()) };
        match verification::check(&world.app.verifying, &one.id, offer).await {
            Ok(checked) => Ok(checked.valid),
            Err(VerificationError::Admission(AdmissionError::LimitReached { rule, retry_at, .. })) => {
                Err((rule, retry_at))
            }
            Err(error) => panic!("{error}"),
        }
    };
    let (one, two, three) = (payment("a").await, payment("b").await, payment("c").await);
    for _ in 0..3 {
        assert_eq!(offer(&one, &wrong(&one.code)).await, Ok(false));
    }
    // A right code ends the row.
    assert_eq!(offer(&one, &one.code).await, Ok(true));
    for _ in 0..3 {
        assert_eq!(offer(&two, &wrong(&two.code)).await, Ok(false));
    }
    for _ in 0..2 {
        assert_eq!(offer(&three, &wrong(&three.code)).await, Ok(false));
    }
    let blocked = Err(("psd2_block".to_owned(), at(&world, 600)));
    assert_eq!(offer(&three, &three.code).await, blocked, "the right one, too");
    let start = crate::begun::by(&world.app, request_of_payment(), "d").await.unwrap_err();
    let says = format!("{start:?}");
    assert!(says.contains("psd2_block"), "{says}");
    assert_eq!(offer(&two, &wrong(&two.code)).await, blocked);
    advance(&world, 600);
    assert_eq!(offer(&three, &three.code).await, Ok(true));
}

/// What each way in says of a check that is not compared, and of a start: the same to
/// nobody who may not know, and a time to everybody else.
#[tokio::test]
async fn each_face_says_that_a_number_is_locked() {
    let world = World::with_service(|settings| {
        (settings.max_checks, settings.lifetime_seconds) = (20, 86_400);
    })
    .await;
    let service = world.app.directory.services.default_service().id.clone();
    let http = Client::builder().no_proxy().build().unwrap();
    let v1 = async |path: &str, body: Value| {
        let request = http.post(format!("{}/v1{path}", world.base_url)).bearer_auth(API_KEY);
        answer(with_json(request, &body)).await
    };
    let v2 = async |path: &str, params: &[(&str, &str)]| {
        let request = http.post(format!("{}/v2/Services/{service}/{path}", world.base_url));
        let request = request.basic_auth(ACCOUNT_SID, Some(API_KEY)).body(form(params));
        answer(request.header("content-type", "application/x-www-form-urlencoded")).await
    };
    let begun = v1("/verifications", json!({ "to": TO, "channel": "sms" })).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    let id = text(&begun.json()["id"]);
    let code = world.post.first().await.0.code().unwrap().expose().to_owned();
    let sid = text(&v2("Verifications", &[("To", TO), ("Channel", "sms")]).await.json()["sid"]);
    let check = format!("/verifications/{id}/check");
    for _ in 0..10 {
        assert_eq!(v1(&check, json!({ "code": wrong(&code) })).await.status, 200);
    }
    // The right one and a wrong one, word for word the same.
    let refused = v1(&check, json!({ "code": code })).await;
    let problem = refused.problem(429, "limit_reached");
    assert_eq!((&problem["rule"], &problem["retry_after"]), (&json!("number_wrong_codes"), &json!(3600)));
    assert_eq!(
        (text(&problem["retry_at"]), refused.header("retry-after")),
        (at(&world, 3600).to_string(), "3600")
    );
    assert_eq!(v1(&check, json!({ "code": wrong(&code) })).await.text, refused.text);
    let session = crate::begun::by(&world.app, request(TO, Channel::Sms), "another").await;
    assert!(format!("{session:?}").contains("number_wrong_codes"), "{session:?}");
    // Another key, which has none under way.
    let start = http.post(format!("{}/v1/verifications", world.base_url)).bearer_auth(OPERATOR_KEY);
    let refused = answer(with_json(start, &json!({ "to": TO, "channel": "sms" }))).await;
    assert_eq!(refused.problem(429, "limit_reached")["rule"], "number_wrong_codes", "{}", refused.text);
    // By Verify's face the number's own five, and then no more.
    let strangers = world.post.nth(2).await.0.code().unwrap().expose().to_owned();
    for _ in 0..5 {
        let told = v2("VerificationCheck", &[("VerificationSid", &sid), ("Code", &wrong(&strangers))]).await;
        assert_eq!(told.status, 201, "{}", told.text);
    }
    let told = v2("VerificationCheck", &[("VerificationSid", &sid), ("Code", &strangers)]).await;
    assert_eq!((told.status, &told.json()["code"]), (429, &json!(60202)), "{}", told.text);
    assert!(!told.header("retry-after").is_empty());
    let told = v2("Verifications", &[("To", TO), ("Channel", "sms")]).await;
    assert_eq!((told.status, &told.json()["code"]), (429, &json!(60202)), "{}", told.text);
}
