//! An awkward network: what is lost, late, repeated, refused or unknown ends in
//! the truth, and nothing is sent twice.

use crate::instance::{Instance, Setup, poll, text};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The requests that asked for a message or call to this number.
async fn requests(app: &Instance, number: &str) -> Vec<Value> {
    let all = app.control(Method::GET, "/exchanges?kind=api&limit=1000", None).await;
    let digits = number.trim_start_matches('+');
    let asks = |exchange: &&Value| {
        let request = &exchange["request"];
        request["method"] == "POST" && request["body"].as_str().is_some_and(|body| body.contains(digits))
    };
    all.as_array().unwrap().iter().filter(asks).cloned().collect()
}

/// How many messages to this number Twilio made.
async fn made(app: &Instance, number: &str) -> usize {
    let state = app.control(Method::GET, "/state", None).await;
    state["messages"].as_array().unwrap().iter().filter(|message| message["to"] == number).count()
}

async fn sid(app: &Instance, id: &str) -> String {
    text(&app.verification(id, |view| !view["deliveries"][0]["sid"].is_null()).await["deliveries"][0]["sid"])
}

#[tokio::test]
async fn a_failed_delivery_says_what_it_means_and_what_to_do() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230301";
    app.phone(number, json!({ "message": { "outcome": "undelivered", "error_code": 30005 } })).await;
    let id = text(&app.begin(number, "sms").await["id"]);
    let view = app.verification(&id, |view| view["deliveries"][0]["status"] == "undelivered").await;
    assert_eq!(view["deliveries"][0]["error"]["code"], 30005);
    let delivery = app.delivery(&text(&view["deliveries"][0]["sid"]), |_| true).await;
    let error = &delivery["error"];
    assert_eq!((&error["code"], &error["name"]), (&json!(30005), &json!("Unknown destination handset")));
    assert!(text(&error["meaning"]).contains("does not know this number"), "{error}");
    assert!(text(&error["advice"]).contains("check the number"), "{error}");
    assert!(text(&error["docs"]).ends_with("/30005"), "{error}");
    // By our own name for it too.
    let by_name = app.delivery(&text(&view["deliveries"][0]["id"]), |_| true).await;
    assert_eq!(by_name["sid"], delivery["sid"]);
}

#[tokio::test]
async fn a_number_that_twilio_refuses_fails_with_its_reason() {
    let app = Setup::sandbox().start().await;
    // Twilio's magic number that is not valid.
    let number = "+15005550001";
    let id = text(&app.begin(number, "sms").await["id"]);
    let view = app.verification(&id, |view| view["deliveries"][0]["status"] == "failed").await;
    let send = &view["deliveries"][0];
    assert_eq!((&send["sid"], &send["error"]["code"]), (&Value::Null, &json!(21211)), "{send}");
    let found = app.get(&format!("/v1/deliveries/{}", text(&send["id"]))).await.json();
    assert_eq!((&found["status"], &found["verification"]), (&json!("failed"), &json!(id)), "{found}");
    assert_eq!(requests(&app, number).await.len(), 1);
}

/// Whatever happens to the callbacks, the greatest status that came holds.
#[tokio::test]
async fn lost_late_repeated_and_shuffled_callbacks_end_in_the_right_status() {
    const ORDER: [&str; 4] = ["queued", "sending", "sent", "delivered"];
    let app = Setup::sandbox().start().await;
    let faults = [
        json!({ "reorder": true, "repeat": 2 }),
        json!({ "delay_ms": 10, "jitter_ms": 60, "repeat": 1 }),
        json!({ "lose": 0.5, "reorder": true }),
        json!({ "lose": 0.5, "repeat": 3, "jitter_ms": 40 }),
        json!({ "lose": 1.0 }),
    ];
    let (mut lost, mut whole) = (0, 0);
    for at in 0..15 {
        let (number, faults) = (format!("+155512304{at:02}"), &faults[at % faults.len()]);
        app.phone(&number, json!({ "callbacks": faults })).await;
        let id = text(&app.begin(&number, "sms").await["id"]);
        let sid = sid(&app, &id).await;
        let expected = 1 + faults["repeat"].as_u64().unwrap_or(0) as usize;
        let settled = poll(|| async {
            let all = app.exchanges("status-callback", &sid).await;
            let mut came = BTreeSet::new();
            for status in &ORDER[1..] {
                let word = format!("MessageStatus={status}&");
                let those: Vec<_> =
                    all.iter().filter(|one| text(&one["request"]["body"]).contains(&word)).collect();
                let accepted = those.iter().filter(|one| one["status"] == 204).count();
                match those.len() {
                    1 if accepted == 0 => {}
                    _ if accepted == expected => drop(came.insert(*status)),
                    _ => return None,
                }
            }
            Some(came)
        });
        let came = settled.await.unwrap_or_else(|| panic!("callbacks did not come:\n{}", app.end_of_log()));
        let greatest = ORDER.iter().rev().find(|status| came.contains(*status)).unwrap_or(&"queued");
        let delivery = app.delivery(&sid, |delivery| delivery["status"] == *greatest).await;
        let events = delivery["events"].as_array().unwrap();
        assert_eq!(events.len(), came.len() + 1, "one for each status, however often it came: {delivery}");
        lost += usize::from(came.len() < 3);
        whole += usize::from(came.len() == 3);
        // And the code arrived in any case.
        let code = app.texted_code(&number, 1).await;
        assert_eq!(app.check(&id, &code).await.json()["valid"], true);
    }
    assert!(lost >= 3 && whole >= 6, "the faults did not happen: {lost} {whole}");
}

#[tokio::test]
async fn callbacks_with_a_wrong_signature_change_nothing() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230302";
    app.phone(number, json!({ "callbacks": { "bad_signature": true } })).await;
    let id = text(&app.begin(number, "sms").await["id"]);
    let sid = sid(&app, &id).await;
    let refused = poll(|| async {
        let all = app.exchanges("status-callback", &sid).await;
        let last = |one: &Value| text(&one["request"]["body"]).contains("MessageStatus=delivered");
        all.iter().any(last).then_some(all)
    });
    let refused = refused.await.unwrap_or_else(|| panic!("not refused:\n{}", app.end_of_log()));
    assert!(refused.iter().all(|exchange| exchange["status"] == 403));
    assert_eq!(app.delivery(&sid, |_| true).await["status"], "queued");
    app.logged("cause=\"mismatch\"").await;
}

/// An app that gives up on Twilio after a second.
fn impatient() -> Setup {
    Setup::sandbox().set("TWILIO__REQUEST_TIMEOUT_SECONDS", "1")
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_found_and_not_sent_twice() {
    let app = impatient().start().await;
    let number = "+15551230303";
    app.phone(
        number,
        json!({ "api": { "timeout": "after", "hold_ms": 1500, "times": 1 },
                              "callbacks": { "lose": 1.0 } }),
    )
    .await;
    let id = text(&app.begin(number, "sms").await["id"]);
    app.logged("outcome unknown").await;
    assert_eq!(app.get(&format!("/v1/verifications/{id}")).await.json()["deliveries"][0]["sid"], Value::Null);
    app.advance(6).await;
    sid(&app, &id).await;
    let code = app.texted_code(number, 1).await;
    assert_eq!((made(&app, number).await, requests(&app, number).await.len()), (1, 1));
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);
}

#[tokio::test]
async fn a_callback_settles_a_send_whose_answer_was_lost() {
    let app = impatient().start().await;
    let number = "+15551230304";
    app.phone(number, json!({ "api": { "timeout": "after", "hold_ms": 1500 } })).await;
    let id = text(&app.begin(number, "sms").await["id"]);
    let view = app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    assert!(!view["deliveries"][0]["sid"].is_null());
    app.texted_code(number, 1).await;
    // The answer's time-out comes after that, and changes nothing.
    app.advance(30).await;
    app.stop().await;
}

#[tokio::test]
async fn a_message_that_never_reached_twilio_is_sent_once() {
    let app = impatient().start().await;
    let number = "+15551230305";
    app.phone(number, json!({ "api": { "timeout": "before", "hold_ms": 1500, "times": 1 } })).await;
    let id = text(&app.begin(number, "sms").await["id"]);
    app.logged("outcome unknown").await;
    app.advance(6).await;
    app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    app.logged("the other side lists no such send").await;
    app.texted_code(number, 1).await;
    assert_eq!((made(&app, number).await, requests(&app, number).await.len()), (1, 2));
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_is_found_and_not_placed_twice() {
    let app = impatient().start().await;
    let number = "+15551230306";
    app.phone(
        number,
        json!({ "api": { "timeout": "after", "hold_ms": 1500, "times": 1 },
                              "callbacks": { "lose": 1.0 } }),
    )
    .await;
    let id = text(&app.begin(number, "call").await["id"]);
    app.logged("outcome unknown").await;
    app.advance(6).await;
    let sid = sid(&app, &id).await;
    assert_eq!(requests(&app, number).await.len(), 1);
    assert_eq!(app.call(number, |_| true).await["sid"], sid);
}

#[tokio::test]
async fn too_many_requests_is_tried_again() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230307";
    app.phone(number, json!({ "api": { "status": 429, "times": 2 } })).await;
    let id = text(&app.begin(number, "sms").await["id"]);
    app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    app.texted_code(number, 1).await;
    assert_eq!((made(&app, number).await, requests(&app, number).await.len()), (1, 3));
}

#[tokio::test]
async fn a_server_error_is_looked_up_before_it_is_repeated() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230308";
    app.phone(number, json!({ "api": { "status": 503, "times": 1 } })).await;
    let id = text(&app.begin(number, "sms").await["id"]);
    app.logged("outcome unknown").await;
    app.advance(6).await;
    app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    app.texted_code(number, 1).await;
    assert_eq!(made(&app, number).await, 1);
}

/// An app whose claims last for minutes, so that who is at a send can be told from
/// when it is tried next.
fn with_long_claims() -> Setup {
    Setup::sandbox().set("TWILIO__REQUEST_TIMEOUT_SECONDS", "120")
}

/// Moves the shared clock to each next try until a verification looks as wished,
/// and never while a try is under way.
async fn hurry(app: &Instance, id: &str, wished: impl Fn(&Value) -> bool) -> Value {
    let found = poll(|| async {
        let view = app.get(&format!("/v1/verifications/{id}")).await.json();
        if wished(&view) {
            return Some(view);
        }
        let time = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
        let now = time(&app.control(Method::GET, "/clock", None).await["now"]);
        if let (Some(next), Some(now)) = (time(&view["deliveries"][0]["next_attempt_at"]), now) {
            let left = next.duration_since(now).as_secs() + 1;
            if (1..100).contains(&left) {
                app.advance(u32::try_from(left).unwrap()).await;
            }
        }
        None
    });
    found.await.unwrap_or_else(|| panic!("it never came to that:\n{}", app.end_of_log()))
}

#[tokio::test]
async fn a_message_that_was_made_and_answered_with_500_is_not_made_twice() {
    let app = with_long_claims().start().await;
    let number = "+15551230320";
    // It is in no list for a while, and no callback tells of it.
    let api = json!({ "status": 500, "accepted": true, "listed_after_ms": 9000, "times": 1 });
    app.phone(number, json!({ "api": api, "callbacks": { "lose": 1.0 } })).await;
    let id = text(&app.begin(number, "sms").await["id"]);
    app.logged("twilio answered 500").await;
    let view = hurry(&app, &id, |view| !view["deliveries"][0]["sid"].is_null()).await;
    assert_eq!(view["deliveries"][0]["attempts"], 1, "{view}");
    app.advance(120).await;
    assert_eq!((made(&app, number).await, requests(&app, number).await.len()), (1, 1));
    let code = app.texted_code(number, 1).await;
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);
}

#[tokio::test]
async fn an_outage_is_told_while_it_lasts_and_loses_no_code() {
    for (nth, status, code) in [(1, 500, 20500), (2, 429, 20429)] {
        let app = with_long_claims().start().await;
        let number = format!("+1555123033{nth}");
        app.phone(&number, json!({ "api": { "status": status } })).await;
        let id = text(&app.begin(&number, "sms").await["id"]);
        let view = hurry(&app, &id, |view| view["deliveries"][0]["attempts"].as_u64() >= Some(3)).await;
        let send = &view["deliveries"][0];
        assert!(matches!(send["status"].as_str(), Some("pending" | "sending")), "{send}");
        assert_eq!((&send["last_error"]["code"], &send["error"]), (&json!(code), &Value::Null), "{send}");
        let detail = text(&send["last_error"]["detail"]);
        assert!(detail.starts_with(&format!("twilio answered {status} (")), "{detail}");
        assert!(send["next_attempt_at"].is_string(), "{send}");
        let found = app.get(&format!("/v1/deliveries/{}", text(&send["id"]))).await.json();
        assert_eq!(found["last_error"]["code"], code, "{found}");
        app.phone(&number, json!({})).await;
        let view = hurry(&app, &id, |view| view["deliveries"][0]["status"] == "delivered").await;
        assert_eq!(made(&app, &number).await, 1);
        // What its tries came to is still told when Twilio has it, by each of its names.
        for name in ["id", "sid"] {
            let path = format!("/v1/deliveries/{}", text(&view["deliveries"][0][name]));
            let found = app.get(&path).await.json();
            assert_eq!(found["attempts"], view["deliveries"][0]["attempts"], "{found}");
            assert_eq!(found["tries"], view["deliveries"][0]["tries"], "{found}");
            assert!(found["tries"][0]["times"].as_u64() >= Some(2), "{found}");
        }
        let code = app.texted_code(&number, 1).await;
        assert_eq!(app.check(&id, &code).await.json()["valid"], true);
        app.stop().await;
    }
}

#[tokio::test]
async fn an_outage_that_outlives_the_code_says_what_every_try_came_to() {
    let app = with_long_claims().start().await;
    let number = "+15551230340";
    app.phone(number, json!({ "api": { "status": 429 } })).await;
    let id = text(&app.begin(number, "sms").await["id"]);
    let view = hurry(&app, &id, |view| view["deliveries"][0]["status"] == "failed").await;
    let send = &view["deliveries"][0];
    let reason =
        format!("twilio answered 429 (Too Many Requests), at each of {} tries within ", send["attempts"]);
    assert!(text(&send["error"]["detail"]).starts_with(&reason), "{send}");
    assert_eq!(
        (&send["error"]["code"], &send["tries"][0]["times"]),
        (&json!(20429), &send["attempts"]),
        "{send}"
    );
    assert!(send["attempts"].as_u64() > Some(10), "{send}");
    assert_eq!((&send["last_error"], &send["next_attempt_at"]), (&Value::Null, &Value::Null));
    assert_eq!(made(&app, number).await, 0);
}

#[tokio::test]
async fn a_code_that_would_arrive_dead_is_not_sent() {
    let app = impatient().start().await;
    let number = "+15551230309";
    app.phone(number, json!({ "api": { "timeout": "before", "hold_ms": 1500, "times": 1 } })).await;
    let id = text(&app.begin(number, "sms").await["id"]);
    app.logged("outcome unknown").await;
    app.advance(595).await;
    app.logged("send given up").await;
    let view = app.verification(&id, |view| view["deliveries"][0]["status"] == "failed").await;
    let reason = "no answer from twilio: time ran out, and no time was left to try again";
    assert_eq!(view["deliveries"][0]["error"]["name"], reason, "{view}");
    assert_eq!(made(&app, number).await, 0, "{view}");
}

#[tokio::test]
async fn who_said_stop_gets_no_text_until_start() {
    // Each start is one of its own, while those before wait for their codes.
    let app = Setup::sandbox().set("SERVICES", "{ default = { pending = \"many\" } }").start().await;
    let number = "+15551230310";
    let id = text(&app.begin(number, "sms").await["id"]);
    app.texted_code(number, 1).await;
    app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    let write = async |body: &str| {
        app.control(Method::POST, &format!("/phones/{number}/messages"), Some(&json!({ "body": body })))
            .await;
    };
    write(" Stop ").await;
    app.logged("opted_out=true").await;
    let start = json!({ "to": number, "channel": "sms" });
    app.post("/v1/verifications", &start).await.problem(422, "recipient_opted_out");
    app.advance(31).await;
    app.post(&format!("/v1/verifications/{id}/resend"), &json!({})).await.problem(422, "recipient_opted_out");
    // A call is another matter, and so is somebody else.
    app.begin(number, "call").await;
    app.begin("+15551230311", "sms").await;
    app.texted_code("+15551230311", 1).await;
    write("START").await;
    app.logged("opted_out=false").await;
    // Twilio's own answer to that is on its way.
    let received = poll(|| async {
        let texts = app.texts(number, 1).await;
        let last = text(&texts.last()?["body"]);
        last.contains("You will receive messages").then_some(texts.len())
    });
    let received = received.await.expect("an answer to START");
    app.begin(number, "sms").await;
    app.texted_code(number, received + 1).await;
}

#[tokio::test]
async fn people_who_write_or_call_back_get_an_answer() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230312";
    app.learn(number);
    let body = json!({ "body": "HELP" });
    app.control(Method::POST, &format!("/phones/{number}/messages"), Some(&body)).await;
    let help = text(&app.texts(number, 1).await[0]["body"]);
    assert!(help.contains("STOP"), "{help}");
    app.control(Method::POST, &format!("/phones/{number}/calls"), Some(&json!({}))).await;
    let call = app.call(number, |call| call["status"] == "completed").await;
    assert_eq!(call["spoken"], json!(["This number does not take calls. Goodbye."]));
    let delivery = app.delivery(&text(&call["sid"]), |delivery| delivery["status"] == "completed").await;
    assert_eq!(delivery["direction"], "inbound");
}
