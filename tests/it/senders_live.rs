//! Senders of two accounts in the sandbox: what one cannot reach the other one does, its
//! callbacks are proved by its own token, and its calls hear the code.

use crate::instance::{Instance, Setup};
use crate::wire::text;
use reqwest::Method;
use serde_json::{Value, json};

const OTHER: &str = "AC0000000000000000000000000000000b";
const OWN: &str = "+15017122661";
const OTHERS: &str = "+15017122662";
const AMERICAN: &str = "+14155550131";
const GERMAN: &str = "+4915123456789";

async fn start() -> Instance {
    let senders = format!(
        r#"[{{ sender = "{OWN}", countries = ["US"] }}, {{ sender = "{OTHERS}", account_sid = "{OTHER}" }}]"#
    );
    let accounts = format!(r#"{{ {OTHER} = {{ auth_token = "0123456789abcdef0123456789abcdef" }} }}"#);
    let setup = Setup::sandbox().set("TWILIO__SENDERS", &senders).set("TWILIO__ACCOUNTS", &accounts);
    setup.set("SANDBOX__SENDERS", "owned").without_failover().start().await
}

/// The delivery of a verification's first send, once it has arrived.
async fn arrived(app: &Instance, begun: &Value) -> Value {
    let is_named = |found: &Value| found["deliveries"][0]["sid"].is_string();
    let found = app.verification(&text(&begun["id"]), is_named).await;
    app.delivery(&text(&found["deliveries"][0]["sid"]), |delivery| delivery["status"] == "delivered").await
}

#[tokio::test]
async fn what_one_account_cannot_reach_the_other_one_does() {
    let app = start().await;
    let delivery = arrived(&app, &app.begin(AMERICAN, "sms").await).await;
    assert_eq!((&delivery["from"], &delivery["account_sid"]), (&json!(OWN), &json!(app.account)));
    let delivery = arrived(&app, &app.begin(GERMAN, "sms").await).await;
    assert_eq!((&delivery["from"], &delivery["account_sid"]), (&json!(OTHERS), &json!(OTHER)));
    // There is no route from the first one any more (21612).
    let cut_off = json!({ "unreachable": ["+1"] });
    app.control(Method::PUT, &format!("/numbers/{OWN}"), Some(&cut_off)).await;
    let begun = app.begin("+14155550132", "sms").await;
    let delivery = arrived(&app, &begun).await;
    assert_eq!((&delivery["from"], &delivery["account_sid"]), (&json!(OTHERS), &json!(OTHER)));
    let found = app.verification(&text(&begun["id"]), |_| true).await;
    assert_eq!(found["deliveries"].as_array().unwrap().len(), 1, "nobody was written to twice: {found}");
    assert_eq!(found["deliveries"][0]["sender"], OTHERS);
    let code = app.texted_code("+14155550132", 1).await;
    assert_eq!(app.check(&text(&begun["id"]), &code).await.json()["valid"], true);
    app.stop().await;
}

fn heard(call: &Value) -> Vec<String> {
    call["spoken"].as_array().unwrap().iter().map(text).collect()
}

/// What was said figure by figure.
fn figures(call: &Value) -> String {
    let is_figure = |said: &String| said.len() == 1 && said.bytes().all(|byte| byte.is_ascii_digit());
    heard(call).into_iter().filter(is_figure).collect()
}

#[tokio::test]
async fn a_call_of_the_other_account_hears_the_code() {
    let app = start().await;
    let begun = app.begin(GERMAN, "call").await;
    let call = app.call(GERMAN, |call| call["status"] == "ringing").await;
    assert_eq!(call["from"], OTHERS);
    app.answer(&call).await;
    let call = app.call(GERMAN, |call| !heard(call).is_empty()).await;
    assert_eq!(figures(&call), "", "nobody has pressed a key");
    app.press(&call, "7").await;
    let call = app.call(GERMAN, |call| figures(call).len() >= 6).await;
    let code = &figures(&call)[..6];
    app.learn(code);
    assert_eq!(app.check(&text(&begun["id"]), code).await.json()["valid"], true);
    app.stop().await;
}

#[tokio::test]
async fn a_sender_of_the_list_is_not_erased() {
    let senders = r#"[{ sender = "whatsapp:+15017122663" }, { sender = "+15017122661" }]"#;
    let app = Setup::sandbox().set("TWILIO__SENDERS", senders).start().await;
    for number in ["+15017122663", "+15017122661"] {
        let refused = app.post("/v1/erasures", &json!({ "number": number })).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
    }
    app.stop().await;
}
