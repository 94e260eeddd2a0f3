//! Services, channels and test numbers, as the configuration makes them.

use crate::instance::{Setup, text};
use reqwest::Method;
use serde_json::json;

const PHONE: &str = "+15551230901";

#[tokio::test]
async fn whatsapp_sends_the_approved_template_and_says_that_it_was_read() {
    let app = Setup::sandbox().start().await;
    let id = text(&app.begin(PHONE, "whatsapp").await["id"]);
    let inbox = format!("/phones/{PHONE}/messages?channel=whatsapp&wait=60");
    let messages = app.control(Method::GET, &inbox, None).await;
    let body = text(&messages[0]["body"]);
    let code: String = body.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(code.len(), 6, "{body}");
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);
    app.control(Method::POST, &format!("/phones/{PHONE}/read"), Some(&json!({}))).await;
    let view = app.verification(&id, |view| view["deliveries"][0]["status"] == "read").await;
    assert_eq!(view["deliveries"][0]["channel"], "whatsapp");
}

#[tokio::test]
async fn a_test_number_has_its_code_and_nothing_is_sent() {
    let numbers = "[{number=\"+1555123????\",code=\"424242\",until=\"2099-01-01\"}]";
    let app = Setup::sandbox().set("TEST_NUMBERS", numbers).start().await;
    let started = app.begin(PHONE, "sms").await;
    assert_eq!(started["deliveries"][0]["status"], "test");
    let checked = app.check(&text(&started["id"]), "424242").await.json();
    assert_eq!(checked["valid"], true, "{checked}");
    let messages = app.control(Method::GET, &format!("/phones/{PHONE}/messages"), None).await;
    assert_eq!(messages, json!([]));
}

#[tokio::test]
async fn a_channel_goes_only_to_the_countries_it_may() {
    let services = "{default={countries={sms={allow=[\"DE\"]}},channels=[\"sms\",\"call\"]}}";
    let app = Setup::sandbox().set("SERVICES", services).start().await;
    let ask = |to: &'static str, channel: &'static str| {
        let app = &app;
        async move { app.post("/v1/verifications", &json!({ "to": to, "channel": channel })).await }
    };
    let refused = ask("+14155552671", "sms").await;
    let problem = refused.problem(422, "country_not_offered");
    assert!(text(&problem["detail"]).contains("US"), "{problem}");
    ask("+14155552671", "whatsapp").await.problem(422, "channel_not_offered");
    assert_eq!(ask("+14155552671", "call").await.status, 201);
    assert_eq!(ask("+4915112345678", "sms").await.status, 201);
}

#[tokio::test]
async fn what_a_service_or_a_start_names_must_be_there() {
    let app = Setup::sandbox().start().await;
    let operator = app.operator();
    let ask = |method, path: &str, body| {
        let (app, operator, path) = (&app, &operator, path.to_owned());
        async move { app.ask(operator, method, &path, Some(&body)).await }
    };
    let refused = ask(Method::POST, "/v1/services", json!({ "name": "Shop", "template": "nowhere" })).await;
    assert_eq!(refused.problem(422, "invalid_request")["field"], "template");
    let made = ask(Method::POST, "/v1/services", json!({ "name": "Shop", "locale": "de" })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("/v1/services/{}", text(&made.json()["id"]));
    let refused = ask(Method::PATCH, &path, json!({ "locale": "klingon" })).await;
    assert_eq!(refused.problem(422, "invalid_request")["field"], "locale");
    let refused = app.post("/v1/verifications", &json!({ "to": PHONE, "template": "nowhere" })).await;
    assert_eq!(refused.problem(422, "not_allowed")["field"], "template");
    for (locale, told) in [("xx", "; there are af, ar, "), ("de_DE", "\"de-DE\"?"), ("en-ZZ", "\"en\"?")] {
        for (method, path, body) in [
            (Method::PATCH, path.as_str(), json!({ "locale": locale })),
            (Method::POST, "/v1/verifications", json!({ "to": PHONE, "locale": locale })),
            (
                Method::POST,
                "/v1/sessions",
                json!({ "return_url": "https://shop.example/", "locale": locale }),
            ),
        ] {
            let refused = ask(method, path, body).await;
            let problem = refused.problem(422, "invalid_request");
            assert_eq!(problem["field"], "locale", "{path}: {}", refused.text);
            assert!(text(&problem["detail"]).contains(told), "{path}: {}", refused.text);
        }
    }
    let made = app.post("/v1/verifications", &json!({ "to": PHONE, "locale": "de-JP" })).await;
    assert_eq!(made.status, 201, "a language that there is, in any country: {}", made.text);
}
