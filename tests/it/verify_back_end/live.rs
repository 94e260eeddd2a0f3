//! Two servers as they are started: a far one with its sandbox, whose telephones ring, and a
//! near one that has no account but that one's.

use crate::instance::{Instance, Setup, text};
use dialback::model::id::ServiceId;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

const CHANNELS: &str = "channels = [\"sms\", \"call\", \"whatsapp\"]";

/// A server whose codes are made by the other one.
fn near(far: &Instance) -> Setup {
    Setup::live()
        .set("GATEWAY__KIND", "verify")
        .set("GATEWAY__VERIFY__SERVICE_SID", ServiceId::from_name("").as_str())
        .set("GATEWAY__VERIFY__BASE_URL", &far.server)
        .set("TWILIO__ACCOUNT_SID", &far.account)
        .set("TWILIO__AUTH_TOKEN", &far.token)
        .set("SERVICES", &format!("{{ default = {{ {CHANNELS} }} }}"))
}

fn is_taken(view: &Value) -> bool {
    view["deliveries"].as_array().unwrap().iter().all(|one| !one["sid"].is_null())
}

fn heard(call: &Value) -> Vec<String> {
    call["spoken"].as_array().unwrap().iter().map(text).collect()
}

/// The six figures that a call has said so far.
fn figures(call: &Value) -> String {
    heard(call).into_iter().filter(|caption| caption.len() == 1).take(6).collect()
}

#[tokio::test]
async fn texts_calls_and_whatsapp_reach_the_far_telephone_with_one_code() {
    let far = Setup::sandbox().start().await;
    let near = near(&far).start().await;
    let number = "+4915112345631";
    far.learn(number);
    let id = text(&near.begin(number, "sms").await["id"]);
    let code = far.texted_code(number, 1).await;
    near.learn(&code);
    near.verification(&id, is_taken).await;
    // Another caller's verification is the same one there: no wait, and no other code.
    for (channel, count) in [("whatsapp", 2), ("call", 2)] {
        let key = near.key(&["send", "read", "check"]).await;
        let body = json!({ "to": number, "channel": channel });
        let begun = near.ask(&key, Method::POST, "/v1/verifications", Some(&body)).await;
        assert_eq!(begun.status, 201, "{}", begun.text);
        match channel {
            "call" => {
                let call = far.call(number, |call| call["status"] == "ringing").await;
                far.answer(&call).await;
                far.call(number, |call| !heard(call).is_empty()).await;
                far.press(&call, "7").await;
                let call = far.call(number, |call| figures(call).len() == 6).await;
                assert_eq!(figures(&call), code);
            }
            _ => assert_eq!(far.texted_code(number, count).await, code),
        }
    }
    assert_eq!(near.check(&id, &code).await.json()["valid"], true);
    // A service of the API's is judged as one of the file.
    let service = json!({ "name": "Shop", "redact": true });
    let operator = near.operator();
    let refused = near.ask(&operator, Method::POST, "/v1/services", Some(&service)).await;
    assert_eq!(refused.problem(422, "invalid_request")["field"], "redact");
    near.stop().await;
}

#[tokio::test]
async fn a_server_that_comes_back_has_the_far_sides_name_for_it() {
    let (far, dir) = (Setup::sandbox().start().await, TempDir::new().unwrap());
    let number = "+4915112345632";
    far.learn(number);
    // By a key of the far one's in the form of Twilio's.
    let key = far.key(&["send", "check", "read"]).await;
    let (id, secret) = key.strip_prefix("dbk_").and_then(|rest| rest.rsplit_once('_')).unwrap();
    let sid = format!("SK{id:0>32}");
    let near = |far| near(far).set("TWILIO__API_KEY_SID", &sid).set("TWILIO__API_KEY_SECRET", secret);
    let app = near(&far).dir(dir.path()).start().await;
    let id = text(&app.begin(number, "sms").await["id"]);
    let code = far.texted_code(number, 1).await;
    app.learn(&code);
    app.verification(&id, is_taken).await;
    app.kill();
    let app = near(&far).dir(dir.path()).start().await;
    app.learn(&code);
    assert_eq!(app.check(&id, &crate::wire::wrong(&code)).await.json()["valid"], false);
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);
}
