//! The life of a verification by text, as an application and a person with a
//! telephone live it.

use crate::instance::{Setup, answer, text, with_json, wrong};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_text_brings_a_code_that_is_accepted_once() {
    let app = Setup::sandbox().start().await;
    let started = app.begin("+15551230101", "sms").await;
    let id = text(&started["id"]);
    assert_eq!((&started["status"], &started["to"]), (&json!("pending"), &json!("+15551230101")));
    assert_eq!((&started["checks_left"], &started["sends_left"]), (&json!(5), &json!(4)));
    let code = app.texted_code("+15551230101", 1).await;
    let checked = app.check(&id, &code).await;
    assert_eq!(checked.status, 200, "{}", checked.text);
    assert_eq!((&checked.json()["valid"], &checked.json()["status"]), (&json!(true), &json!("approved")));
    let again = app.check(&id, &code).await.problem(409, "verification_ended");
    assert_eq!(again["verification_status"], "approved");
    let view = app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    let delivery = app.delivery(&text(&view["deliveries"][0]["sid"]), |_| true).await;
    assert_eq!((&delivery["verification"], &delivery["final"]), (&json!(id), &json!(true)));
    assert!(statuses(&delivery).contains(&"sent".to_owned()), "{delivery}");
    app.stop().await;
}

fn statuses(delivery: &Value) -> Vec<String> {
    delivery["events"].as_array().unwrap().iter().map(|event| text(&event["status"])).collect()
}

#[tokio::test]
async fn sending_again_waits_longer_each_time_and_repeats_the_code() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230102";
    let id = text(&app.begin(number, "sms").await["id"]);
    let code = app.texted_code(number, 1).await;
    let resend = format!("/v1/verifications/{id}/resend");
    for (sent, cooldown) in [(2, 30), (3, 60), (4, 120), (5, 240)] {
        let refused = app.post(&resend, &json!({})).await;
        let problem = refused.problem(429, "resend_too_soon");
        let wait = problem["retry_after"].as_i64().unwrap();
        assert!((cooldown - 20..=cooldown + 1).contains(&wait), "{wait} s instead of {cooldown}");
        assert_eq!(refused.header("retry-after"), wait.to_string());
        app.advance(u32::try_from(cooldown).unwrap()).await;
        let again = app.post(&resend, &json!({})).await;
        assert_eq!(again.status, 200, "{}", again.text);
        assert_eq!(again.json()["sends_left"], 5 - sent);
        assert_eq!(app.texted_code(number, sent).await, code);
    }
    app.advance(60).await;
    app.post(&resend, &json!({})).await.problem(429, "no_sends_left");
    let checked = app.check(&id, &code).await.json();
    assert_eq!(checked["valid"], true, "{checked}");
    app.post(&resend, &json!({})).await.problem(409, "verification_ended");
}

#[tokio::test]
async fn a_code_dies_when_the_clock_says_so() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230103";
    let id = text(&app.begin(number, "sms").await["id"]);
    let code = app.texted_code(number, 1).await;
    app.advance(601).await;
    let problem = app.check(&id, &code).await.problem(409, "verification_ended");
    assert_eq!(problem["verification_status"], "expired");
    let view = app.get(&format!("/v1/verifications/{id}")).await.json();
    assert_eq!((&view["status"], &view["checks_left"]), (&json!("expired"), &json!(0)));
    // It was not pending until somebody looked: it ended when its time came.
    assert_eq!(
        app.verification(&id, |view| !view["ended_at"].is_null()).await["ended_at"],
        view["expires_at"]
    );
}

#[tokio::test]
async fn a_canceled_verification_takes_no_code() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230104";
    let id = text(&app.begin(number, "sms").await["id"]);
    let code = app.texted_code(number, 1).await;
    let path = format!("/v1/verifications/{id}");
    for _ in 0..2 {
        let canceled = answer(app.api(Method::DELETE, &path)).await;
        assert_eq!((canceled.status, &canceled.json()["status"]), (200, &json!("canceled")));
    }
    let problem = app.check(&id, &code).await.problem(409, "verification_ended");
    assert_eq!(problem["verification_status"], "canceled");
    let approved = text(&app.begin(number, "sms").await["id"]);
    let code = app.texted_code(number, 2).await;
    assert_eq!(app.check(&approved, &code).await.json()["valid"], true);
    let late = answer(app.api(Method::DELETE, &format!("/v1/verifications/{approved}"))).await;
    late.problem(409, "verification_ended");
}

#[tokio::test]
async fn wrong_codes_use_the_verification_up() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230105";
    let id = text(&app.begin(number, "sms").await["id"]);
    let code = app.texted_code(number, 1).await;
    for none in ["", "12345", "1234567", "abcdef", "１２３４５", "12 456"] {
        let problem = app.check(&id, none).await.problem(422, "invalid_code");
        assert_eq!(problem["length"], 6);
    }
    for left in (0..5).rev() {
        let checked = app.check(&id, &wrong(&code)).await.json();
        assert_eq!((&checked["valid"], &checked["checks_left"]), (&json!(false), &json!(left)), "{checked}");
    }
    let problem = app.check(&id, &code).await.problem(409, "verification_ended");
    assert_eq!(problem["verification_status"], "max_attempts_reached");
}

#[tokio::test]
async fn of_many_right_codes_at_once_one_is_accepted() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230106";
    let id = text(&app.begin(number, "sms").await["id"]);
    let code = app.texted_code(number, 1).await;
    let checks = futures_util::future::join_all((0..12).map(|_| app.check(&id, &code))).await;
    let accepted = checks.iter().filter(|check| check.status == 200 && check.json()["valid"] == true).count();
    assert_eq!(accepted, 1);
    assert!(checks.iter().all(|check| [200, 409, 503].contains(&check.status)), "{checks:?}");
}

#[tokio::test]
async fn an_idempotency_key_starts_one_verification() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230107";
    app.learn(number);
    let start = |key: &'static str, channel: &str| {
        let body = json!({ "to": number, "channel": channel });
        answer(with_json(app.api(Method::POST, "/v1/verifications").header("idempotency-key", key), &body))
    };
    let first = start("order-17", "sms").await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, ""));
    let code = app.texted_code(number, 1).await;
    assert_eq!(app.check(&text(&first.json()["id"]), &code).await.json()["valid"], true);
    let again = start("order-17", "sms").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    // The answer that was given, not how things stand by now.
    assert_eq!(again.text, first.text);
    start("order-17", "call").await.problem(422, "idempotency_key_reused");
    // Five at once with another key are one verification, and one more text.
    let many = futures_util::future::join_all((0..5).map(|_| start("order-18", "sms"))).await;
    assert!(many.iter().all(|one| one.status == 201 && one.json()["id"] == many[0].json()["id"]), "{many:?}");
    let id = text(&many[0].json()["id"]);
    app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    assert_eq!(app.texts(number, 2).await.len(), 2);
    app.texted_code(number, 2).await;
    // After a day the key is free again.
    app.advance(86_401).await;
    let fresh = start("order-17", "sms").await;
    assert_eq!((fresh.status, fresh.header("idempotent-replayed")), (201, ""), "{}", fresh.text);
    app.texted_code(number, 3).await;
}

#[tokio::test]
async fn the_language_asked_for_is_the_language_sent() {
    let app = Setup::sandbox().start().await;
    for (at, (locale, words)) in [("de", "gültig"), ("pt-BR", "Expira"), ("cs", "Platí")].iter().enumerate()
    {
        let number = format!("+1555123011{at}");
        let body = json!({ "to": number, "channel": "sms", "locale": locale });
        assert_eq!(app.post("/v1/verifications", &body).await.status, 201);
        app.texted_code(&number, 1).await;
        let texts = app.texts(&number, 1).await;
        assert!(text(&texts[0]["body"]).contains(words), "{locale}: {}", texts[0]["body"]);
    }
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let number = "+15551230108";
    let app = Setup::sandbox().dir(dir.path()).start().await;
    let id = text(&app.begin(number, "sms").await["id"]);
    let code = app.texted_code(number, 1).await;
    let before = app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    app.stop().await;
    let app = Setup::sandbox().dir(dir.path()).start().await;
    app.learn(&code);
    assert_eq!(app.get(&format!("/v1/verifications/{id}")).await.json(), before);
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);
    // A sandbox that starts anew gives no name twice.
    let next = text(&app.begin(number, "sms").await["id"]);
    app.texted_code(number, 1).await;
    let next = app.verification(&next, |view| view["deliveries"][0]["status"] == "delivered").await;
    assert_ne!(next["deliveries"][0]["sid"], before["deliveries"][0]["sid"]);
}

#[tokio::test]
async fn of_many_resends_at_once_one_is_sent() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230109";
    let id = text(&app.begin(number, "sms").await["id"]);
    app.texted_code(number, 1).await;
    app.advance(31).await;
    let resend = format!("/v1/verifications/{id}/resend");
    let nothing = json!({});
    let answers = futures_util::future::join_all((0..8).map(|_| app.post(&resend, &nothing))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
    app.verification(&id, |view| view["deliveries"][1]["status"] == "delivered").await;
    assert_eq!(app.texts(number, 2).await.len(), 2);
}

/// The search of the output at the app's end is the test: however much is
/// logged, no code, token or number is.
#[tokio::test]
async fn nothing_secret_is_logged_at_any_level_and_in_any_format() {
    for (level, format) in [("trace", "human"), ("trace", "json")] {
        let app = Setup::sandbox().set("LOG__LEVEL", level).set("LOG__FORMAT", format).start().await;
        let number = "+15551230120";
        let id = text(&app.begin(number, "sms").await["id"]);
        let code = app.texted_code(number, 1).await;
        app.check(&id, &wrong(&code)).await;
        app.check(&id, &code).await;
        app.begin(number, "call").await;
        let call = app.call(number, |call| call["status"] == "ringing").await;
        app.answer(&call).await;
        app.press(&call, "1").await;
        let call = app.call(number, |call| call["spoken"].as_array().unwrap().len() > 12).await;
        let figures =
            call["spoken"].as_array().unwrap().iter().map(text).filter(|caption| caption.len() == 1);
        app.learn(figures.take(6).collect::<String>());
        app.control(Method::POST, &format!("/phones/{number}/messages"), Some(&json!({ "body": "STOP" })))
            .await;
        app.logged("opt-out changed").await;
        app.forged("/twilio/status", &[("MessageSid", "SM1"), ("To", number)], &[]).await;
        assert_eq!(app.get(&format!("/v1/deliveries?to={}", number.replace('+', "%2B"))).await.status, 200);
        let log = app.stop().await.err;
        let is_right = |line: &str| format == "human" || serde_json::from_str::<Value>(line).is_ok();
        assert!(log.lines().count() > 20 && log.lines().all(is_right), "{log}");
    }
}

#[tokio::test]
#[should_panic(expected = "is in the output")]
async fn the_search_of_the_output_is_not_blind() {
    let app = Setup::sandbox().start().await;
    app.begin("+15551230121", "sms").await;
    app.texted_code("+15551230121", 1).await;
    app.learn("verification started");
}
