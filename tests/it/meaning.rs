//! What a failure means, and what to do: of every code and of none, in whatever
//! order it is reported.

use crate::instance::{Answer, Instance, Setup, text};
use serde_json::{Value, json};

const PERSON: &str = "+14155550123";

async fn status(app: &Instance, sid: &str, more: &[(&str, &str)]) -> Answer {
    let (name, state) =
        if sid.starts_with("CA") { ("CallSid", "CallStatus") } else { ("MessageSid", "MessageStatus") };
    let mut params = vec![(name, sid), ("To", PERSON), ("AccountSid", app.account.as_str())];
    params.extend(more.iter().map(|(name, value)| (if *name == "Status" { state } else { *name }, *value)));
    app.webhook(if state == "CallStatus" { "/twilio/call-status" } else { "/twilio/status" }, &params).await
}

async fn found(app: &Instance, sid: &str) -> Value {
    app.get(&format!("/v1/deliveries/{sid}")).await.json()
}

#[tokio::test]
async fn a_code_that_is_not_known_is_given_no_meaning_and_twilios_own_text() {
    let app = Setup::sandbox().start().await;
    for (n, code) in (0u32..).zip(["39999", "63999", "31000", "99999", "4294967295"]) {
        let sid = format!("SM{n:032x}");
        let said = "Something about +14155550123 that is new";
        let more = [("Status", "failed"), ("ErrorCode", code), ("ErrorMessage", said)];
        assert_eq!(status(&app, &sid, &more).await.status, 204);
        let error = found(&app, &sid).await["error"].clone();
        assert_eq!(error["code"].to_string(), code);
        assert_eq!((&error["name"], &error["meaning"]), (&json!("not known to this version"), &Value::Null));
        assert_eq!(error["detail"], "Something about … that is new");
        assert_eq!(error["docs"], format!("https://www.twilio.com/docs/api/errors/{code}"));
        assert!(error["advice"].is_string());
    }
    // What is no code of Twilio's is none; that it failed is told all the same.
    for (n, code) in (100u32..).zip(["0", "-30003", "999999999999999", "x"]) {
        let sid = format!("SM{n:032x}");
        assert_eq!(status(&app, &sid, &[("Status", "failed"), ("ErrorCode", code)]).await.status, 204);
        let error = found(&app, &sid).await["error"].clone();
        assert_eq!((&error["code"], &error["name"]), (&Value::Null, &json!("failed")), "{code}");
        assert!(error["meaning"].is_string() && error["advice"].is_string());
    }
}

#[tokio::test]
async fn what_ends_badly_without_a_code_has_meaning_and_advice() {
    let app = Setup::sandbox().start().await;
    let rows = [
        ("CA", "busy", "busy"),
        ("CA", "no-answer", "no answer"),
        ("CA", "failed", "call failed"),
        ("CA", "canceled", "call canceled"),
        ("SM", "undelivered", "undelivered"),
        ("SM", "failed", "failed"),
        ("SM", "canceled", "canceled"),
    ];
    for (n, (kind, word, name)) in (0u32..).zip(rows) {
        let sid = format!("{kind}{n:032x}");
        assert_eq!(status(&app, &sid, &[("Status", word)]).await.status, 204);
        let error = found(&app, &sid).await["error"].clone();
        assert_eq!((&error["code"], &error["name"]), (&Value::Null, &json!(name)));
        assert!(error["meaning"].is_string() && error["advice"].is_string(), "{error}");
    }
    // Nothing is wrong with what goes on or arrived.
    for (n, word) in (200u32..).zip(["sent", "delivered", "read"]) {
        let sid = format!("SM{n:032x}");
        assert_eq!(status(&app, &sid, &[("Status", word), ("ErrorCode", "0")]).await.status, 204);
        assert_eq!(found(&app, &sid).await["error"], Value::Null);
    }
}

#[tokio::test]
async fn what_failed_and_then_arrived_keeps_its_error_in_either_order() {
    let app = Setup::sandbox().start().await;
    let failed = [("Status", "undelivered"), ("ErrorCode", "30003")];
    let arrived = [("Status", "delivered")];
    for (n, order) in (0u32..).zip([[&failed[..], &arrived[..]], [&arrived[..], &failed[..]]]) {
        let sid = format!("SM{n:032x}");
        for more in order {
            assert_eq!(status(&app, &sid, more).await.status, 204);
        }
        let view = found(&app, &sid).await;
        assert_eq!((&view["status"], &view["delivered"]), (&json!("delivered"), &json!(true)));
        assert_eq!(view["error"]["code"], 30003, "{view}");
    }
}

#[tokio::test]
async fn a_call_that_a_machine_took_says_what_to_do() {
    let app = Setup::sandbox().set("VOICE__MACHINE_DETECTION", "enable").start().await;
    app.phone(PERSON, json!({ "answers": "machine" })).await;
    let view = app.begin(PERSON, "call").await;
    let id = text(&view["id"]);
    let view = app.verification(&id, |view| view["deliveries"][0]["status"] == "completed").await;
    let call = found(&app, &text(&view["deliveries"][0]["sid"])).await;
    assert_eq!(call["unheard"]["reason"], "machine", "{call}");
    assert!(call["unheard"]["advice"].is_string(), "{call}");
}
