//! Tests of the profiles of limits, on a clock that stands.

use super::*;
use crate::sandbox::Profile;
use serde_json::json;

async fn text(stage: &Stage, to: &str, from: &str) -> (u16, Value) {
    stage.create("Messages.json", &[("To", to), ("From", from), ("Body", "x")]).await
}

async fn paid() -> Stage {
    let stage = Stage::with(|settings| settings.profile = Profile::Paid).await;
    stage.clock.stop();
    stage
}

/// How many texts the phone has, once it has as many as are waited for.
async fn texts(stage: &Stage, count: usize) -> usize {
    for _ in 0..3_000 {
        let there = stage.look(&format!("phones/{PHONE}")).await["messages"].as_array().unwrap().len();
        if there >= count {
            return there;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never {count} texts");
}

#[tokio::test]
async fn a_long_code_sends_one_text_a_second_and_a_short_code_a_hundred() {
    let stage = paid().await;
    let mut last = String::new();
    for _ in 0..3 {
        last = text(&stage, PHONE, SENDER).await.1["sid"].as_str().unwrap().to_owned();
    }
    assert_eq!(texts(&stage, 1).await, 1);
    assert_eq!(stage.fetch(&format!("Messages/{last}.json")).await.1["status"], "queued");
    stage.clock.advance(Duration::from_secs(1));
    assert_eq!(texts(&stage, 2).await, 2);
    stage.clock.advance(Duration::from_secs(1));
    stage.message_in(&last, "delivered").await;
    for _ in 0..3 {
        text(&stage, PHONE, "12345").await;
    }
    stage.clock.advance(Duration::from_millis(20));
    assert_eq!(texts(&stage, 6).await, 6);
}

#[tokio::test]
async fn a_queue_overflows_and_a_message_expires_in_it() {
    let stage = paid().await;
    let (status, _) = stage
        .steer(
            Method::PUT,
            "limits",
            r#"{"profile":"paid","message_queue_seconds":1,"message_rates":{"long-code":0.1}}"#,
        )
        .await;
    assert_eq!(status, 200);
    assert_eq!(text(&stage, PHONE, SENDER).await.0, 201);
    let (_, refused) = text(&stage, PHONE, SENDER).await;
    assert_eq!((&refused["code"], &refused["status"]), (&json!(21611), &json!(400)));
    // Of a service it is told when the sender is picked.
    let by_service =
        [("To", PHONE), ("MessagingServiceSid", "MG0123456789abcdef0123456789abcdef"), ("Body", "x")];
    let (_, sent) = stage.create("Messages.json", &by_service).await;
    assert_eq!(stage.message_in(sent["sid"].as_str().unwrap(), "failed").await["error_code"], 30001);
    stage.steer(Method::PUT, "limits", r#"{"profile":"paid","message_rates":{"long-code":0.1}}"#).await;
    let short = [("To", PHONE), ("From", SENDER), ("Body", "x"), ("ValidityPeriod", "5")];
    let (_, sent) = stage.create("Messages.json", &short).await;
    stage.clock.advance(Duration::from_secs(5));
    assert_eq!(stage.message_in(sent["sid"].as_str().unwrap(), "failed").await["error_code"], 30036);
}

#[tokio::test]
async fn calls_are_made_one_a_second_and_can_be_canceled_before() {
    let stage = paid().await;
    stage.behave(PHONE, r#"{"answers":"busy"}"#).await;
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(stage.call(&[("Twiml", "<Response/>")]).await);
    }
    let first = format!("Calls/{}.json", calls[0]);
    for _ in 0..3_000 {
        if stage.fetch(&first).await.1["status"] == "busy" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (_, second) = stage.fetch(&format!("Calls/{}.json", calls[1])).await;
    assert_eq!((&second["status"], &second["queue_time"]), (&json!("queued"), &json!("1000")));
    let (_, third) = stage.create(&format!("Calls/{}.json", calls[2]), &[("Status", "canceled")]).await;
    assert_eq!(third["status"], "canceled");
    stage.clock.advance(Duration::from_secs(1));
    stage.settle().await;
    let (_, second) = stage.fetch(&format!("Calls/{}.json", calls[1])).await;
    assert_eq!(second["status"], "busy");
    stage
        .steer(Method::PUT, "limits", r#"{"profile":"paid","call_queue_seconds":0,"calls_per_second":0.1}"#)
        .await;
    stage.clock.advance(Duration::from_secs(60));
    stage.call(&[("Twiml", "<Response/>")]).await;
    let fields = [("To", PHONE), ("From", SENDER), ("Twiml", "<Response/>")];
    let (status, refused) = stage.create("Calls.json", &fields).await;
    assert_eq!((status, &refused["code"]), (429, &json!(20429)));
}

#[tokio::test]
async fn too_many_requests_at_a_time_are_refused_and_can_be_made_again() {
    let stage = Stage::new().await;
    stage.clock.stop();
    stage.steer(Method::PUT, "limits", r#"{"api_concurrency":2}"#).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(stage.fetch("Messages.json").await.0);
    }
    assert_eq!(statuses, [200, 200, 429]);
    stage.clock.advance(Duration::from_millis(100));
    assert_eq!(stage.fetch("Messages.json").await.0, 200);
}

#[tokio::test]
async fn a_trial_reaches_verified_numbers_only_and_says_what_it_is() {
    let stage = Stage::with(|settings| settings.profile = Profile::Trial).await;
    assert_eq!(text(&stage, PHONE, SENDER).await.1["code"], 21608);
    assert_eq!(text(&stage, PHONE, "Dialback").await.1["code"], 21267);
    let call = [("To", PHONE), ("From", SENDER), ("Twiml", "<Response/>")];
    assert_eq!(stage.create("Calls.json", &call).await.1["code"], 21219);
    let wish = format!(r#"{{"profile":"trial","verified":["{PHONE}"]}}"#);
    assert_eq!(stage.steer(Method::PUT, "limits", &wish).await.0, 200);
    let (_, sent) = text(&stage, PHONE, SENDER).await;
    assert_eq!(sent["body"], "Sent from your Twilio trial account - x");
    assert_eq!(stage.create("Calls.json", &call).await.0, 201);
    for wrong in [r#"{"profile":"free"}"#, r#"{"verified":["me"]}"#, r#"{"calls_per_second":0}"#] {
        assert_eq!(stage.steer(Method::PUT, "limits", wrong).await.0, 400, "{wrong}");
    }
    stage.steer(Method::DELETE, "state", "").await;
    assert_eq!(stage.look("limits").await, json!({ "profile": "trial" }));
}
