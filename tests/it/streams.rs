//! Event streams tell what webhooks tell, and what no webhook does.

use crate::instance::{Answer, Instance, Setup, answer, sign, text};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const PERSON: &str = "+14155550123";

async fn send(app: &Instance, body: String) -> Answer {
    let path = format!("/twilio/events?bodySHA256={}", hex::encode(Sha256::digest(&body)));
    let signature = sign(&app.token, &format!("{}{path}", app.public_url), &[]);
    let request = app.http.post(format!("{}{path}", app.server)).header("x-twilio-signature", signature);
    answer(request.header("content-type", "application/json").body(body)).await
}

fn event(kind: &str, data: Value) -> Value {
    json!({ "specversion": "1.0", "type": kind, "time": "2026-11-26T09:00:00Z", "data": data })
}

fn sid(kind: &str, n: u32) -> String {
    format!("{kind}{n:032x}")
}

#[tokio::test]
async fn a_call_s_summary_fills_what_a_lost_callback_would_have_said() {
    let app = Setup::sandbox().start().await;
    let call = sid("CA", 7);
    let data = |state: &str| {
        json!({ "call_sid": call, "account_sid": app.account, "call_state": state, "answered_by": "human",
                "connect_duration": 21, "to": { "callee": PERSON }, "properties": { "last_sip_response_num": 200 } })
    };
    let kind = |kind: &str| format!("com.twilio.voice.insights.call-summary.{kind}");
    let batch =
        json!([event(&kind("partial"), data("answered")), event(&kind("complete"), data("completed"))]);
    assert_eq!(send(&app, batch.to_string()).await.status, 204);
    let found = app.get(&format!("/v1/deliveries/{call}")).await.json();
    assert_eq!((&found["status"], &found["answered_by"]), (&json!("completed"), &json!("human")));
    assert_eq!((&found["to"], &found["channel"]), (&json!(PERSON), &json!("call")));
    let last = &found["events"].as_array().unwrap()[1];
    assert_eq!((&last["duration_seconds"], &last["sip_code"]), (&json!(21), &json!(200)), "{found}");
}

#[tokio::test]
async fn an_error_log_stands_with_what_it_is_about_and_in_the_log() {
    let app = Setup::sandbox().start().await;
    app.learn(PERSON);
    let call = sid("CA", 8);
    let data = json!({ "account_sid": app.account, "level": "ERROR", "error_code": "12100", "correlation_sid": call,
                       "description": format!("Document parse failure, calling {PERSON}") });
    let done = event(
        "com.twilio.voice.status-callback.call.completed",
        json!({ "request": { "parameters": { "CallSid": call, "AccountSid": app.account, "CallStatus": "completed" } } }),
    );
    let batch = json!([event("com.twilio.error-logs.error.logged", data), done]);
    assert_eq!(send(&app, batch.to_string()).await.status, 204);
    let found = app.get(&format!("/v1/deliveries/{call}")).await.json();
    assert_eq!((&found["status"], &found["error"]["code"]), (&json!("completed"), &json!(12100)), "{found}");
    assert_eq!(found["error"]["detail"], "Document parse failure, calling …");
    app.logged("twilio logged an error on the account").await;
}

#[tokio::test]
async fn a_batch_of_any_size_that_twilio_sends_is_taken_and_only_twilios() {
    let app = Setup::sandbox().start().await;
    let padding = "x".repeat(40_000);
    let one = |n| {
        let data =
            json!({ "messageSid": sid("SM", n), "accountSid": app.account, "to": PERSON, "note": padding });
        event("com.twilio.messaging.message.delivered", data)
    };
    let batch = Value::from((0..30).map(one).collect::<Vec<_>>()).to_string();
    assert!(batch.len() > 1_200_000);
    assert_eq!(send(&app, batch.clone()).await.status, 204);
    for n in [0, 29] {
        let found = app.get(&format!("/v1/deliveries/{}", sid("SM", n))).await.json();
        assert_eq!(found["status"], "delivered");
    }
    // Somebody else may not send so much.
    let path = format!("/twilio/events?bodySHA256={}", hex::encode(Sha256::digest(&batch)));
    let forged = sign("0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", &format!("{}{path}", app.public_url), &[]);
    let request = app.http.post(format!("{}{path}", app.server)).header("x-twilio-signature", forged);
    assert_eq!(answer(request.body(batch)).await.status, 413);
}

#[tokio::test]
async fn events_of_other_kinds_are_counted_and_told_once() {
    let app = Setup::sandbox().start().await;
    let other = || event("com.twilio.taskrouter.task.created", json!({ "sid": "WT1" }));
    let odd = json!({ "type": "a\nb", "data": { "to": PERSON } });
    assert_eq!(send(&app, json!([other(), other(), odd, 17]).to_string()).await.status, 204);
    assert_eq!(send(&app, other().to_string()).await.status, 204, "one alone, not in a list");
    let ready = answer(app.http.get(format!("{}/readyz", app.admin))).await;
    let counted = ready.json()["unread_events"].clone();
    assert_eq!(counted, json!({ "com.twilio.taskrouter.task.created": 3, "unnamed": 2 }));
    app.logged("events of a kind that is not read here").await;
    let log = app.log();
    assert_eq!(log.matches("com.twilio.taskrouter.task.created").count(), 1, "{log}");
}

#[tokio::test]
async fn wishes_of_one_batch_count_in_their_own_order() {
    let app = Setup::sandbox().start().await;
    let own = "+15005550006";
    let wish = |n: u32, word: &str, at: &str| {
        json!({ "type": "com.twilio.messaging.inbound-message.received", "time": at,
                "data": { "messageSid": sid("SM", n), "accountSid": app.account, "from": PERSON, "to": own, "body": word } })
    };
    let batch = json!([wish(1, "START", "2026-11-26T09:00:05Z"), wish(2, "STOP", "2026-11-26T09:00:01Z")]);
    assert_eq!(send(&app, batch.to_string()).await.status, 204);
    let started = app.post("/v1/verifications", &json!({ "to": PERSON, "channel": "sms" })).await;
    assert_eq!(started.status, 201, "{}", started.text);
    assert!(!text(&started.json()["id"]).is_empty());
}
