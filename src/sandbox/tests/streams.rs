//! Tests of Event Streams: validation, batches, retries.

use super::lookups::product;
use super::*;
use crate::model::status::Status;
use crate::twilio::stream::{self, Told as Said};
use serde_json::json;

async fn post(stage: &Stage, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    product(stage, Method::POST, path, &serde_urlencoded::to_string(fields).unwrap()).await
}

/// The events that came to a path, each batch signed.
fn events(stage: &Stage, path: &str) -> Vec<Value> {
    let batches = stage.app.told(path).into_iter().map(|told| {
        assert!(told.signed, "{}", told.query);
        serde_json::from_str::<Vec<Value>>(&told.body).unwrap()
    });
    batches.flatten().collect()
}

async fn event(stage: &Stage, path: &str, kind: &str) -> Value {
    for _ in 0..3_000 {
        if let Some(event) = events(stage, path).into_iter().find(|event| event["type"] == kind) {
            return event;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no {kind}: {:?}", events(stage, path));
}

async fn sink(stage: &Stage, path: &str) -> String {
    let configuration = json!({ "destination": stage.url(path), "method": "POST" }).to_string();
    let fields =
        [("Description", "tests"), ("SinkType", "webhook"), ("SinkConfiguration", configuration.as_str())];
    let (status, sink) = post(stage, "/v1/Sinks", &fields).await;
    assert_eq!((status, &sink["status"]), (201, &json!("initialized")), "{sink}");
    let sid = sink["sid"].as_str().unwrap().to_owned();
    assert_eq!(post(stage, &format!("/v1/Sinks/{sid}/Test"), &[]).await.1["result"], "submitted");
    let tested = event(stage, path, "com.twilio.eventstreams.test-event").await;
    let Said::Test(word) = stream::read(&tested) else { panic!("{tested}") };
    let validate = format!("/v1/Sinks/{sid}/Validate");
    assert_eq!(post(stage, &validate, &[("TestId", "0")]).await.1["code"], 20001);
    assert_eq!(post(stage, &validate, &[("TestId", &word)]).await.1["result"], "valid");
    let (_, now) = product(stage, Method::GET, &format!("/v1/Sinks/{sid}"), "").await;
    assert_eq!(now["status"], "active");
    sid
}

#[tokio::test]
async fn a_validated_sink_is_sent_what_it_subscribed_to() {
    let stage = Stage::new().await;
    let sid = sink(&stage, "/events").await;
    let types = [
        r#"{"type":"com.twilio.messaging.message.delivered","schema_version":1}"#,
        r#"{"type":"com.twilio.messaging.inbound-message.received"}"#,
        r#"{"type":"com.twilio.voice.status-callback.call.completed"}"#,
    ];
    let mut fields = vec![("Description", "tests"), ("SinkSid", sid.as_str())];
    fields.extend(types.iter().map(|kind| ("Types", *kind)));
    let (status, made) = post(&stage, "/v1/Subscriptions", &fields).await;
    assert_eq!(status, 201, "{made}");
    let message = stage.text(&[]).await;
    let body = json!({ "to": SENDER, "body": "hello" }).to_string();
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &body).await;
    stage.behave(PHONE, r#"{"answers":"busy"}"#).await;
    stage.call(&[("Twiml", "<Response/>")]).await;
    for (kind, status) in [
        ("com.twilio.messaging.message.delivered", Status::Delivered),
        ("com.twilio.messaging.inbound-message.received", Status::Received),
        ("com.twilio.voice.status-callback.call.completed", Status::Busy),
    ] {
        let event = event(&stage, "/events", kind).await;
        let Said::Report(report) = stream::read(&event) else { panic!("{event}") };
        assert_eq!(report.fact.status, Some(status), "{event}");
        assert_eq!(report.about.account_sid.as_deref(), Some(ACCOUNT));
    }
    let events = events(&stage, "/events");
    assert!(events.iter().any(|event| event["data"]["messageSid"] == json!(message)));
    assert!(events.iter().all(|event| event["type"] != "com.twilio.messaging.message.sent"));
    let own = format!("/v1/Subscriptions/{}/SubscribedEvents", made["sid"].as_str().unwrap());
    let (_, list) = product(&stage, Method::GET, &own, "").await;
    assert_eq!(list["types"].as_array().unwrap().len(), 3);
    let one = format!("{own}/com.twilio.messaging.message.delivered");
    assert_eq!(product(&stage, Method::DELETE, &one, "").await.0, 204);
    assert_eq!(product(&stage, Method::GET, &one, "").await.0, 404);
    assert_eq!(post(&stage, &own, &[("Type", "com.twilio.nothing")]).await.1["code"], 20001);
    let sink = format!("/v1/Sinks/{sid}");
    assert_eq!(product(&stage, Method::DELETE, &sink, "").await.0, 409, "it is subscribed");
    let subscription = format!("/v1/Subscriptions/{}", made["sid"].as_str().unwrap());
    assert_eq!(product(&stage, Method::DELETE, &subscription, "").await.0, 204);
    assert_eq!(product(&stage, Method::DELETE, &sink, "").await.0, 204);
}

#[tokio::test]
async fn a_batch_that_fails_is_sent_again_by_the_clock() {
    let stage = Stage::new().await;
    let sid = sink(&stage, "/events").await;
    stage.app.answers("/events", 500, &[], "");
    let before = stage.app.told("/events").len();
    let test = format!("/v1/Sinks/{sid}/Test");
    post(&stage, &test, &[]).await;
    stage.app.wait("/events", before + 1).await;
    stage.app.answers("/events", 204, &[], "");
    stage.steer(Method::POST, "clock", r#"{"advance_seconds":60}"#).await;
    let told = stage.app.wait("/events", before + 2).await;
    assert_eq!(told[before].body, told[before + 1].body);
}
