//! Two ways out, one behind the other: while Twilio is away, texts go by a service of the
//! operator's own at once, and what Twilio may have taken is not sent twice.

use crate::instance::{Instance, Setup, text};
use crate::provider::{Provider, Say, secret};
use crate::receiver::Receiver;
use crate::wire::poll;
use serde_json::json;

/// A server with a Twilio at that address, and the provider behind it.
async fn behind(twilio: &str, provider: &Provider) -> Instance {
    Setup::sandbox()
        .set("TWILIO__BASE_URL", twilio)
        .set("TWILIO__REQUEST_TIMEOUT_SECONDS", "1")
        .set("GATEWAY__FALLBACK", "http")
        .set("GATEWAY__HTTP__URL", &provider.url)
        .set("GATEWAY__HTTP__SECRET", &secret(7))
        .set("SERVICES", "{ default = { channels = [\"sms\"] } }")
        .start()
        .await
}

#[tokio::test]
async fn while_twilio_is_away_texts_go_by_the_next_way_out() {
    let provider = Provider::start(&secret(7)).await;
    // Nobody listens there.
    let app = behind("http://127.0.0.1:9", &provider).await;
    let numbers: Vec<String> = (0..7).map(|n| format!("+1415555019{n}")).collect();
    for number in &numbers {
        app.learn(number);
        app.begin(number, "sms").await;
    }
    let asked = provider.posts(numbers.len()).await;
    let (to, code) = (text(&asked[0].body["to"]), text(&asked[0].body["code"]));
    app.learn(&code);
    assert!(numbers.contains(&to));
    let id = {
        let listed = app.get(&format!("/v1/verifications?to={}", to.replace('+', "%2B"))).await.json();
        text(&listed["verifications"][0]["id"])
    };
    let first = app.verification(&id, |one| one["deliveries"][0]["status"] == "queued").await;
    assert_eq!(
        (first["deliveries"].as_array().map(Vec::len), &first["deliveries"][0]["attempts"]),
        (Some(1), &json!(1))
    );
    assert_eq!(provider.tell(&app.server, &provider.of_first("delivered")).await.status, 204);
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);
    app.logged("a route fails: it is left alone").await;
    // Each went once.
    assert_eq!((provider.sent().len(), provider.asked_by("POST").len()), (numbers.len(), numbers.len()));
    app.stop().await;
}

/// An answer that never comes may be one of a message that was sent.
#[tokio::test]
async fn what_twilio_may_have_taken_goes_by_nobody_else() {
    let (provider, twilio) = (Provider::start(&secret(7)).await, Receiver::start().await);
    let url = twilio.url.trim_end_matches("/hooks").to_owned();
    let app = behind(&url, &provider).await;
    // It is asked whether the template is approved first.
    twilio.wait(1).await;
    twilio.next(&[crate::receiver::Say::Silence]);
    let id = text(&app.begin("+14155550189", "sms").await["id"]);
    let doubted = app.verification(&id, |one| one["deliveries"][0]["status"] == "sending").await;
    assert_eq!(doubted["deliveries"].as_array().map(Vec::len), Some(1));
    let has_failed = poll(|| async {
        let seen = app.get(&format!("/v1/verifications/{id}")).await.json();
        Some(seen).filter(|seen| seen["deliveries"][0]["last_error"].is_object())
    });
    let seen = has_failed.await.expect("it is in doubt");
    assert!(seen["deliveries"][0]["last_error"].to_string().contains("no answer from twilio"), "{seen}");
    assert_eq!(provider.asked_by("POST").len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn where_both_are_busy_it_is_tried_again_until_one_is_not() {
    let provider = Provider::start(&secret(7)).await;
    provider.next([Say::No(429, json!({ "reason": "slowly" }), Some("1"))]);
    let app = behind("http://127.0.0.1:9", &provider).await;
    let id = text(&app.begin("+14155550188", "sms").await["id"]);
    app.verification(&id, |one| one["deliveries"][0]["last_error"].is_object()).await;
    app.advance(40).await;
    let taken = app.verification(&id, |one| one["deliveries"][0]["status"] == "queued").await;
    assert_eq!(taken["deliveries"].as_array().map(Vec::len), Some(1));
    assert_eq!((provider.asked_by("POST").len(), provider.sent().len()), (2, 1));
    app.stop().await;
}
