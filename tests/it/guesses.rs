//! Wrong API keys: whoever tries many waits longer each time, is counted and is
//! written up once; a right key is let in all the same.

use crate::instance::Setup;
use crate::verify_v2::{Verify, failed};
use crate::wire::{Answer, answer, poll, text};
use crate::world::{API_KEY, OPERATOR_KEY, World};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn get(world: &World, key: &str, path: &str) -> Answer {
    get_from(&world.base_url, key, path).await
}

async fn get_from(base: &str, key: &str, path: &str) -> Answer {
    let http = Client::builder().no_proxy().build().unwrap();
    answer(http.get(format!("{base}{path}")).bearer_auth(key)).await
}

fn lines(audit: &Value) -> Vec<Value> {
    let entries = audit["entries"].as_array().unwrap().iter();
    entries.filter(|entry| entry["action"] == "key.guessed").cloned().collect()
}

#[tokio::test]
async fn many_wrong_keys_wait_in_every_face_and_right_ones_never() {
    let world = World::start().await;
    let wrong = format!("dbk_{}_{}", "0".repeat(12), "0".repeat(64));
    for key in [&wrong, "b", "a", &API_KEY[1..], &wrong, &wrong, &wrong, &wrong, &wrong, &wrong] {
        get(&world, key, "/v1/verifications").await.problem(401, "unauthorized");
    }
    let mut waits = Vec::new();
    for _ in 0..3 {
        let told = get(&world, &wrong, "/v1/verifications").await;
        let problem = told.problem(429, "wrong_keys");
        assert_eq!(problem["retry_after"].to_string(), told.header("retry-after"));
        waits.push(told.header("retry-after").parse::<u64>().unwrap());
    }
    assert!(waits.is_sorted() && waits[0] >= 1 && waits[2] > waits[0], "{waits:?}");
    // Verify's credentials and the operator's are keys as well.
    let verify = Verify::with(&world, &wrong).get("/Services").await;
    assert!(failed(&verify, 429, 20429).contains("wrong credentials"));
    assert_eq!(verify.header("twilio-reached-rate-limit"), "wrong_keys");
    get_from(&world.admin_url, &wrong, "/operator/export").await.problem(429, "wrong_keys");
    // Whoever shares the address and has a key events nothing.
    for key in [API_KEY, OPERATOR_KEY] {
        assert_eq!(get(&world, key, "/v1/verifications").await.status, 200);
    }
    assert_eq!(Verify::of(&world).get("/Services").await.status, 200);
    // No key at all is no guess.
    let http = Client::builder().no_proxy().build().unwrap();
    let bare = answer(http.get(format!("{}/v1/verifications", world.base_url))).await;
    bare.problem(401, "unauthorized");
    let counts = get_from(&world.admin_url, "", "/readyz").await.json()["wrong_keys"].clone();
    assert_eq!(counts, json!({ "refused": 15, "slowed": 5 }));
    let written = poll(|| async {
        let audit = get(&world, OPERATOR_KEY, "/v1/audit").await.json();
        Some(lines(&audit)).filter(|lines| !lines.is_empty())
    });
    let written = written.await.unwrap();
    assert_eq!(written.len(), 1, "{written:?}");
    assert_eq!(
        (&written[0]["actor"], &written[0]["subject"], &written[0]["details"]["count"]),
        (&json!("nobody"), &json!("127.0.0.0/24"), &json!("11"))
    );
}

/// Whoever knows a test number's code has no telephone: the door is told.
#[tokio::test]
async fn a_door_key_is_told_that_a_number_is_one_for_tests() {
    let soon = Timestamp::now() + SignedDuration::from_hours(24 * 30);
    let tests = format!(r#"[{{ number = "+15551230000", code = "123456", until = "{soon}" }}]"#);
    let app = Setup::sandbox().set("TEST_NUMBERS", &tests).start().await;
    let door = app.key(&["send", "check"]).await;
    let body = json!({ "to": "+15551230000" });
    let begun = app.ask(&door, Method::POST, "/v1/verifications", Some(&body)).await.json();
    let path = format!("/v1/verifications/{}/check", text(&begun["id"]));
    let no = app.ask(&door, Method::POST, &path, Some(&json!({ "code": "000000" }))).await.json();
    assert_eq!((&no["valid"], &no["test"]), (&json!(false), &Value::Null), "{no}");
    let yes = app.ask(&door, Method::POST, &path, Some(&json!({ "code": "123456" }))).await.json();
    assert_eq!((&yes["valid"], &yes["test"]), (&json!(true), &json!(true)), "{yes}");
}

/// Who goes on with wrong keys waits for each answer; who has a right one does not.
#[tokio::test]
async fn answers_to_many_wrong_keys_come_late() {
    let app = Setup::sandbox().start().await;
    let door = app.key(&["send", "check"]).await;
    let wrong = format!("dbk_{}_{}", "0".repeat(12), "0".repeat(64));
    let body = json!({ "to": "+14155550123" });
    for _ in 0..10 {
        app.ask(&wrong, Method::POST, "/v1/verifications", Some(&body)).await.problem(401, "unauthorized");
    }
    let begun = Instant::now();
    for _ in 0..2 {
        app.ask(&wrong, Method::POST, "/v1/verifications", Some(&body)).await.problem(429, "wrong_keys");
    }
    // Half a second, and then a whole one.
    assert!(begun.elapsed() >= Duration::from_millis(1500), "{:?}", begun.elapsed());
    assert_eq!(app.ask(&door, Method::POST, "/v1/verifications", Some(&body)).await.status, 201);
}
