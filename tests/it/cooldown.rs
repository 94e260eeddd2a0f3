//! The wait before sending again: the same in both faces where somebody has set it,
//! though it be as it usually is; else one that clients of Twilio Verify do not know.

use crate::instance::{Answer, Instance, KEY, Setup, answer, form, text};
use reqwest::Method;
use serde_json::{Value, json};

/// As it is where nobody sets it.
const USUAL: &str = "[30, 60, 120, 240]";

/// A service, asked as Twilio's libraries ask.
async fn v2(app: &Instance, service: &str, to: &str) -> Answer {
    let url = format!("{}/v2/Services/{service}/Verifications", app.server);
    let request = app.http.post(url).basic_auth(&app.account, Some(KEY));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    answer(request.body(form(&[("To", to), ("Channel", "sms")]))).await
}

/// Sends twice by each face; `holds` says whether Verify's has a wait.
async fn twice(app: &Instance, service: &str, numbers: [&str; 2], holds: bool, what: &str) {
    let body = json!({ "to": numbers[0], "service": service });
    let begun = app.post("/v1/verifications", &body).await;
    let path = format!("/v1/verifications/{}/resend", text(&begun.json()["id"]));
    let again = app.post(&path, &json!({})).await;
    assert_eq!(again.status, 429, "{what}: {}", again.text);
    again.problem(429, "resend_too_soon");

    assert_eq!(v2(app, service, numbers[1]).await.status, 201, "{what}");
    let again = v2(app, service, numbers[1]).await;
    let told = (again.status, again.json()["code"].clone());
    let expected = if holds { (429, json!(20429)) } else { (201, Value::Null) };
    assert_eq!(told, expected, "{what}: {}", again.text);
    if holds {
        assert_eq!(again.header("twilio-reached-rate-limit"), "resend_cooldown");
        assert!((20..=30).contains(&again.header("retry-after").parse::<u32>().unwrap()), "{what}");
    }
}

async fn services(app: &Instance) -> Vec<(String, Value)> {
    let listed = app.ask(&app.operator(), Method::GET, "/v1/services", None).await.json();
    let services = listed["services"].as_array().unwrap().iter();
    services.map(|service| (text(&service["name"]), service.clone())).collect()
}

#[tokio::test]
async fn a_cooldown_of_the_configuration_holds_in_both_faces() {
    let set = format!("{{ shop = {{ name = \"Set\", resend_cooldown_seconds = {USUAL} }} }}");
    let app = Setup::sandbox().set("SERVICES", &set).start().await;
    for (name, service) in services(&app).await {
        let numbers = match name.as_str() {
            "Set" => ["+15551230101", "+15551230102"],
            _ => ["+15551230103", "+15551230104"],
        };
        numbers.iter().for_each(|number| app.learn(*number));
        assert_eq!(service["resend_cooldown_seconds"], json!([30, 60, 120, 240]), "{name}");
        assert_eq!(service.get("resend_cooldown_is_set"), None, "it is no setting");
        twice(&app, &text(&service["id"]), numbers, name == "Set", &name).await;
    }
    app.stop().await;

    // Set for all, those start from it who do not set it themselves.
    let others =
        "{ shop = { name = \"Shop\" }, quick = { name = \"Quick\", resend_cooldown_seconds = [0] } }";
    let app = Setup::sandbox()
        .set("VERIFICATION__RESEND_COOLDOWN_SECONDS", "30,60,120,240")
        .set("SERVICES", others)
        .start()
        .await;
    for (nth, (name, service)) in services(&app).await.into_iter().enumerate() {
        let to = format!("+1555123020{nth}");
        app.learn(&to);
        assert_eq!(v2(&app, &text(&service["id"]), &to).await.status, 201);
        let again = v2(&app, &text(&service["id"]), &to).await;
        assert_eq!(again.status, if name == "Quick" { 201 } else { 429 }, "{name}: {}", again.text);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_cooldown_that_the_api_sets_holds_in_both_faces() {
    let app = Setup::sandbox().start().await;
    let key = app.operator();
    let ladder = json!([30, 60, 120, 240]);
    let make = async |body: Value| {
        let made = app.ask(&key, Method::POST, "/v1/services", Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.json()["resend_cooldown_seconds"], ladder);
        text(&made.json()["id"])
    };
    let number = |nth: usize| {
        let number = format!("+1555123030{nth}");
        app.learn(&number);
        number
    };
    let set = make(json!({ "name": "Set", "resend_cooldown_seconds": ladder })).await;
    twice(&app, &set, [&number(0), &number(1)], true, "made so").await;
    let later = make(json!({ "name": "Later" })).await;
    twice(&app, &later, [&number(2), &number(3)], false, "not set").await;
    let path = format!("/v1/services/{later}");
    for (nth, (change, holds)) in
        [(json!({ "name": "Other" }), false), (json!({ "resend_cooldown_seconds": ladder }), true)]
            .into_iter()
            .enumerate()
    {
        let changed = app.ask(&key, Method::PATCH, &path, Some(&change)).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        twice(&app, &later, [&number(4 + 2 * nth), &number(5 + 2 * nth)], holds, "changed").await;
    }
    let audit = app.ask(&key, Method::GET, "/v1/audit", None).await.json();
    let changed = audit["entries"].as_array().unwrap().iter();
    let settings: Vec<&Value> = changed
        .filter(|entry| entry["action"] == "service.changed")
        .map(|entry| &entry["details"]["settings"])
        .collect();
    assert_eq!(settings, ["resend_cooldown_seconds", "name"]);
    app.stop().await;
}
