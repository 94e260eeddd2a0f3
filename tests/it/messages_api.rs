//! `/v1/messages` of the program as it runs, over the sandbox: what an application sends, what
//! a telephone gets, and every no with its field.

use crate::instance::{Instance, Setup};
use crate::wire::{Answer, text};
use reqwest::Method;
use serde_json::{Value, json};

const TEMPLATES: &str = "{ default = { failover = \"off\", message_templates = { \
    order_shipped = { texts = { en = \"Your order {order} is on its way, {name}.\", \
    de = \"Ihre Bestellung {order} ist unterwegs, {name}.\" } }, \
    alert = { type = \"security\", texts = { en = \"Was that you?\" } }, \
    linked = { texts = { en = \"Hi {a}{b}, see https://shop.example/o/{o} or https://shop.example{c} now\" } }, \
    sale = { type = \"marketing\", texts = { en = \"Sale!\" } } } } }";

const PATH: &str = "/v1/messages";

/// A server with templates, and a key that may send messages and nothing else.
async fn shop() -> (Instance, String) {
    let app = Setup::sandbox().set("SERVICES", TEMPLATES).start().await;
    let key = app.key(&["message"]).await;
    (app, key)
}

async fn send(app: &Instance, key: &str, body: Value) -> Answer {
    app.ask(key, Method::POST, PATH, Some(&body)).await
}

fn shipped(to: &str) -> Value {
    json!({ "to": to, "template": "order_shipped", "variables": { "order": "4711", "name": "Ada" } })
}

/// Waits until a message stands so.
async fn until(app: &Instance, key: &str, id: &str, status: &str) -> Value {
    let deadline = std::time::Instant::now() + crate::wire::PATIENCE;
    loop {
        let one = app.ask(key, Method::GET, &format!("{PATH}/{id}"), None).await.json();
        if one["status"] == status {
            return one;
        }
        assert!(std::time::Instant::now() < deadline, "it stayed {one}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_template_reaches_a_telephone_in_its_language_and_says_so() {
    let (app, key) = shop().await;
    let number = "+4915123456789";
    let taken = send(&app, &key, shipped(number)).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    let taken = taken.json();
    assert_eq!((&taken["type"], &taken["priority"]), (&json!("transactional"), &json!("normal")), "{taken}");
    let got = app.texts(number, 1).await;
    assert_eq!(got[0]["body"], "Ihre Bestellung 4711 ist unterwegs, Ada.");
    let over = until(&app, &key, &text(&taken["id"]), "delivered").await;
    assert_eq!((&over["language"], &over["template"]), (&json!("de"), &json!("order_shipped")));
    let own = &over["deliveries"][0];
    let sid = text(&own["sid"]);
    let delivery = app.delivery(&sid, |_| true).await;
    assert_eq!(
        (&delivery["message"], &delivery["verification"], &delivery["id"]),
        (&over["id"], &Value::Null, &own["id"])
    );
    let by_our_name = app.get(&format!("/v1/deliveries/{}", text(&own["id"]))).await.json();
    assert_eq!(by_our_name["sid"], own["sid"]);
    let events = app.get("/v1/events?type=message.*").await.json();
    let told: Vec<String> =
        events["events"].as_array().unwrap().iter().rev().map(|one| text(&one["type"])).collect();
    assert_eq!(told, ["message.queued", "message.sent", "message.delivered"], "{events}");
    assert_eq!(events["events"][0]["data"]["message"], over["id"]);
    let counted = app.ask(&key, Method::GET, &format!("{PATH}/statistics"), None).await.json();
    let of_type = &counted["types"][0];
    assert_eq!((&counted["whole"], &of_type["type"]), (&json!(true), &json!("transactional")), "{counted}");
    assert_eq!(
        (&of_type["taken"], &of_type["delivered"], &of_type["failed"]),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_ne!(of_type["cost"], "0", "{counted}");
    // The number is in no log.
    assert!(!app.log().contains("15123456789"));
    app.stop().await;
}

#[tokio::test]
async fn each_no_names_its_field() {
    let (app, key) = shop().await;
    let to = "+15551230401";
    let with = |field: &str, value: Value| {
        let mut body = shipped(to);
        body[field] = value;
        body
    };
    let linked = |a: &str, b: &str, o: &str, c: &str| {
        let c = if c.is_empty() { " " } else { c };
        let variables = json!({ "a": a, "b": b, "o": o, "c": format!("{c}x") });
        json!({ "to": to, "template": "linked", "variables": variables })
    };
    for (body, status, code, field) in [
        (json!({ "to": to }), 422, "not_allowed", "template"),
        (with("template", json!("none")), 422, "not_allowed", "template"),
        (with("variables", json!({ "order": "1" })), 422, "not_allowed", "variables.name"),
        (
            with("variables", json!({ "order": "1", "name": "A", "x": "y" })),
            422,
            "not_allowed",
            "variables.x",
        ),
        (
            with("variables", json!({ "order": "evil.com/x", "name": "A" })),
            422,
            "not_allowed",
            "variables.order",
        ),
        (
            with("variables", json!({ "order": "\u{200b}", "name": "A" })),
            422,
            "not_allowed",
            "variables.order",
        ),
        (with("type", json!("spam")), 422, "not_allowed", "type"),
        (with("channel", json!("call")), 422, "invalid_request", "channel"),
        (json!({ "to": to, "template": "sale", "type": "security" }), 422, "not_allowed", "type"),
        (linked("evil.", "com/x", "1", ""), 422, "not_allowed", "variables"),
        (linked("a", "b", "1", ".ru"), 422, "not_allowed", "variables"),
        (linked("a", "b", "1", "@evil"), 422, "not_allowed", "variables"),
        (with("text", json!("more")), 422, "not_allowed", "text"),
        (json!({ "to": to, "text": "Anything" }), 422, "not_allowed", "text"),
        (with("send_at", json!("2099-01-01T00:00:00Z")), 422, "not_allowed", "send_at"),
        (with("expires_at", json!("2020-01-01T00:00:00Z")), 422, "not_allowed", "expires_at"),
        (with("priority", json!("urgent")), 422, "invalid_request", "priority"),
        (with("to", json!("+1")), 422, "invalid_number", "to"),
        (with("service", json!("none")), 422, "service_not_found", "service"),
    ] {
        let refused = send(&app, &key, body.clone()).await;
        let problem = refused.json();
        assert_eq!(
            (refused.status, &problem["code"], &problem["field"]),
            (status, &json!(code), &json!(field)),
            "{body}: {problem}"
        );
    }
    let listed = app.ask(&key, Method::GET, PATH, None).await.json();
    assert_eq!(listed["messages"], json!([]), "nothing was taken");
    // Who may start verifications may not send messages, and the other way round.
    let other = app.key(&["send", "check", "read"]).await;
    assert_eq!(send(&app, &other, shipped(to)).await.problem(403, "scope_missing")["scope"], "message");
    let start = app.ask(&key, Method::POST, "/v1/verifications", Some(&json!({ "to": to }))).await;
    assert_eq!(start.problem(403, "scope_missing")["scope"], "send");
    app.stop().await;
}

#[tokio::test]
async fn who_wants_none_of_a_type_gets_none_and_who_said_stop_gets_nothing() {
    let (app, key) = shop().await;
    let (to, operator) = ("+15551230402", app.operator());
    let opt_out = |sender: &'static str| json!({ "sender": sender });
    let path = format!("/v1/opt-outs/{to}");
    let set = app.ask(&operator, Method::PUT, &path, Some(&opt_out("type:marketing"))).await;
    assert_eq!(set.status, 200, "{}", set.text);
    let sale = json!({ "to": to, "template": "sale" });
    send(&app, &key, sale.clone()).await.problem(422, "recipient_opted_out");
    assert_eq!(send(&app, &key, shipped(to)).await.status, 201, "of another type");
    for odd in ["type:", "type:a:b", "type:UP"] {
        let odd = app.ask(&operator, Method::PUT, &path, Some(&json!({ "sender": odd }))).await;
        assert_eq!(odd.problem(422, "invalid_request")["field"], "sender");
    }
    let security = json!({ "to": to, "template": "alert" });
    assert_eq!(send(&app, &key, security.clone()).await.status, 201);
    // STOP is for all, and for security, too.
    app.control(Method::POST, &format!("/phones/{to}/messages"), Some(&json!({ "body": "STOP" }))).await;
    let deadline = std::time::Instant::now() + crate::wire::PATIENCE;
    loop {
        let refused = send(&app, &key, security.clone()).await;
        if refused.status == 422 {
            refused.problem(422, "recipient_opted_out");
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{}", refused.text);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    app.stop().await;
}

#[tokio::test]
async fn a_number_gets_so_many_of_a_type_and_codes_all_the_same() {
    let (app, key) = shop().await;
    let to = "+15551230403";
    let sale = json!({ "to": to, "template": "sale" });
    for _ in 0..2 {
        assert_eq!(send(&app, &key, sale.clone()).await.status, 201);
    }
    let full = send(&app, &key, sale).await.problem(429, "limit_reached");
    assert_eq!(full["rule"], "message_type");
    assert!(full["retry_after"].as_i64().unwrap() > 80_000, "{full}");
    assert_eq!(send(&app, &key, shipped(to)).await.status, 201);
    app.begin(to, "sms").await;
    app.stop().await;
}

#[tokio::test]
async fn a_request_is_taken_once_by_its_name_and_a_promise_may_be_called_off() {
    let (app, key) = shop().await;
    let to = "+15551230404";
    let mut later = shipped(to);
    later["send_at"] = json!((jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string());
    let ask = async |body: &Value| {
        let request = app.api(Method::POST, PATH).bearer_auth(&key).header("idempotency-key", "a-name");
        crate::wire::answer(crate::wire::with_json(request, body)).await
    };
    let (one, again) = (ask(&later).await, ask(&later).await);
    assert_eq!((one.status, again.status), (201, 201), "{} {}", one.text, again.text);
    assert_eq!(one.json()["id"], again.json()["id"]);
    assert_eq!((one.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    later["priority"] = json!("high");
    ask(&later).await.problem(422, "idempotency_key_reused");
    let id = text(&one.json()["id"]);
    let found = app.ask(&key, Method::POST, "/v1/messages/search", Some(&json!({ "to": to }))).await.json();
    assert_eq!(found["messages"].as_array().unwrap().len(), 1, "{found}");
    let path = format!("{PATH}/{id}");
    let retried = app.ask(&key, Method::POST, &format!("{path}/retry"), None).await;
    assert_eq!(retried.problem(409, "message_status")["message_status"], "queued");
    let off = app.ask(&key, Method::DELETE, &path, None).await;
    assert_eq!((off.status, &off.json()["status"]), (200, &json!("canceled")), "{}", off.text);
    let listed = app.ask(&key, Method::GET, &format!("{PATH}?status=canceled"), None).await.json();
    assert_eq!(listed["messages"][0]["id"], id);
    app.ask(&key, Method::GET, "/v1/messages/OM000000000000000000000000000000", None)
        .await
        .problem(404, "not_found");
    assert!(app.texts(to, 0).await.is_empty());
    app.stop().await;
}

/// A service of the API that takes any text, by a sender of its own.
async fn service_by(app: &Instance, name: &str, from: &str) -> String {
    let body =
        json!({ "name": name, "free_text": true, "from": from, "failover": "off", "channels": ["sms"] });
    let made = app.ask(&app.operator(), Method::POST, "/v1/services", Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    text(&made.json()["id"])
}

#[tokio::test]
async fn nothing_of_a_service_that_is_gone_leaves_by_anothers_sender() {
    let (app, key) = shop().await;
    let (to, service) = ("+15551230405", service_by(&app, "Gamma", "+15017129999").await);
    let send_at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(600);
    let body = json!({ "to": to, "service": service, "text": "Soon.", "send_at": send_at.to_string() });
    let id = text(&send(&app, &key, body).await.json()["id"]);
    let gone = app.ask(&app.operator(), Method::DELETE, &format!("/v1/services/{service}"), None).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    app.advance(605).await;
    let failed = until(&app, &key, &id, "failed").await;
    assert_eq!(failed["error"]["name"], "the service that it was to be sent for is gone", "{failed}");
    assert!(app.texts(to, 0).await.is_empty());
    app.stop().await;
}

#[tokio::test]
async fn a_slow_sender_holds_up_no_other() {
    let (app, key) = shop().await;
    let other = service_by(&app, "Beta", "+15017122661").await;
    let mut last = String::new();
    for person in 0..25 {
        let mut long = shipped(&format!("+155512305{person:02}"));
        long["variables"] = json!({ "order": "x".repeat(256), "name": "y".repeat(256) });
        last = text(&send(&app, &key, long).await.json()["id"]);
    }
    let quick = json!({ "to": "+15551230530", "service": other, "text": "Beta" });
    let quick = text(&send(&app, &key, quick).await.json()["id"]);
    until(&app, &key, &quick, "delivered").await;
    // Each has four segments, of which one leaves in a second behind a burst of ten.
    let waiting = app.ask(&key, Method::GET, &format!("{PATH}/{last}"), None).await.json();
    assert_eq!((&waiting["status"], &waiting["deliveries"][0]["attempts"]), (&json!("queued"), &json!(0)));
    app.stop().await;
}
