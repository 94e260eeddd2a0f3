//! The sandbox's Event Streams, received by the service beside it.

use crate::instance::{Answer, Instance, Setup, answer, text};
use serde_json::{Value, json};
use std::time::Duration;

const PERSON: &str = "+14155550123";

async fn post(app: &Instance, path: &str, fields: &[(&str, &str)]) -> Answer {
    let request = app.http.post(format!("{}{path}", app.sandbox)).basic_auth(&app.account, Some(&app.token));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    answer(request.body(serde_urlencoded::to_string(fields).unwrap())).await
}

/// The exchange that brought an event of a type to the service.
async fn brought(app: &Instance, sink: &str, kind: &str) -> (Value, Value) {
    for _ in 0..3_000 {
        for exchange in app.exchanges("event-stream", sink).await {
            let batch: Value = serde_json::from_str(exchange["request"]["body"].as_str().unwrap()).unwrap();
            if let Some(event) = batch.as_array().unwrap().iter().find(|event| event["type"] == kind) {
                return (exchange.clone(), event.clone());
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no {kind}");
}

#[tokio::test]
async fn the_service_takes_what_the_sandbox_streams() {
    let app = Setup::sandbox().start().await;
    let destination = json!({ "destination": format!("{}/twilio/events", app.public_url) }).to_string();
    let fields = [("Description", "tests"), ("SinkType", "webhook"), ("SinkConfiguration", &*destination)];
    let made = post(&app, "/v1/Sinks", &fields).await;
    assert_eq!(made.status, 201);
    let sink = text(&made.json()["sid"]);
    post(&app, &format!("/v1/Sinks/{sink}/Test"), &[]).await;
    let (exchange, tested) = brought(&app, &sink, "com.twilio.eventstreams.test-event").await;
    assert_eq!(exchange["status"], 204, "{exchange}");
    let word = text(&tested["data"]["test_id"]);
    let valid = post(&app, &format!("/v1/Sinks/{sink}/Validate"), &[("TestId", &word)]).await;
    assert_eq!(valid.json()["result"], "valid");
    let kind = "com.twilio.messaging.message.delivered";
    let types = json!({ "type": kind, "schema_version": 1 }).to_string();
    let fields = [("Description", "tests"), ("SinkSid", sink.as_str()), ("Types", &types)];
    assert_eq!(post(&app, "/v1/Subscriptions", &fields).await.status, 201);
    app.begin(PERSON, "sms").await;
    let (exchange, event) = brought(&app, &sink, kind).await;
    assert_eq!(exchange["status"], 204, "{exchange}");
    let sid = text(&event["data"]["messageSid"]);
    let delivery = app.delivery(&sid, |delivery| delivery["status"] == "delivered").await;
    assert_eq!(delivery["to"], PERSON);
}
