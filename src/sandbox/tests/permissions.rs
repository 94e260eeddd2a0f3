//! Tests of geo permissions, the safe list and the pumping protection.

use super::*;
use serde_json::json;

const LATVIA: &str = "+37121234567";

async fn text(stage: &Stage, to: &str, more: &[(&str, &str)]) -> Value {
    let fields = [&[("To", to), ("From", SENDER), ("Body", "x")], more].concat();
    stage.create("Messages.json", &fields).await.1
}

#[tokio::test]
async fn texts_go_only_where_the_account_may_write() {
    let stage = Stage::new().await;
    let path = "/v1/Messaging/GeoPermissions";
    let off = r#"{"country_code":"LV","type":"country","enabled":false}"#;
    let wrong = r#"{"country_code":"XX","type":"country","enabled":true}"#;
    let (status, done) =
        stage.newer(Method::PATCH, path, &[("Permissions", off), ("Permissions", wrong)]).await;
    assert_eq!((status, &done["permissions"][0]["error_code"]), (200, &json!(0)), "{done}");
    assert_ne!(done["permissions"][1]["error_code"], 0);
    let (_, found) = stage.newer(Method::GET, &format!("{path}?CountryCode=LV,DE"), &[]).await;
    assert_eq!(
        (&found["permissions"][0]["enabled"], &found["permissions"][1]["enabled"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(found["permissions"][0]["prefix"], "+371");
    assert_eq!(text(&stage, LATVIA, &[]).await["code"], 21408);
    assert_eq!(text(&stage, PHONE, &[]).await["code"], Value::Null);
    let (status, shown) = stage.steer(Method::PUT, "permissions/lv", r#"{"messages":true}"#).await;
    assert_eq!((status, &shown["messages"]), (200, &json!(true)));
    assert_eq!(text(&stage, LATVIA, &[]).await["code"], Value::Null);
}

#[tokio::test]
async fn calls_go_only_where_the_account_may_call() {
    let stage = Stage::new().await;
    let call = async |to: &str| {
        let fields = [("To", to), ("From", SENDER), ("Twiml", "<Response/>")];
        stage.create("Calls.json", &fields).await.1["code"].clone()
    };
    let countries = "/v1/DialingPermissions/Countries";
    let (_, list) =
        stage.newer(Method::GET, &format!("{countries}?Continent=EUROPE&CountryCode=%2B371"), &[]).await;
    assert_eq!((&list["content"][0]["iso_code"], &list["content"][1]), (&json!("LV"), &Value::Null));
    let bulk = "/v1/DialingPermissions/BulkCountryUpdates";
    let wish = r#"[{"iso_code":"LV","high_risk_special_numbers_enabled":"false"},{"iso_code":"US","low_risk_numbers_enabled":false}]"#;
    let (status, done) = stage.newer(Method::POST, bulk, &[("UpdateRequest", wish)]).await;
    assert_eq!((status, &done["update_count"]), (201, &json!(2)), "{done}");
    assert_eq!((call("+37181234567").await, call(LATVIA).await), (json!(21215), Value::Null));
    assert_eq!((call("+14155550123").await, call("+16045550123").await), (json!(21215), json!(21215)));
    let (_, found) = stage.newer(Method::GET, &format!("{countries}/LV"), &[]).await;
    assert_eq!(
        (&found["low_risk_numbers_enabled"], &found["high_risk_special_numbers_enabled"]),
        (&json!(true), &json!(false))
    );
    let (_, prefixes) =
        stage.newer(Method::GET, &format!("{countries}/LV/HighRiskSpecialPrefixes"), &[]).await;
    assert_eq!(prefixes["content"], json!([{ "prefix": "+37181" }, { "prefix": "+3719000" }]));
    assert_eq!(stage.newer(Method::GET, &format!("{countries}/XX"), &[]).await.0, 404);
    assert_eq!(stage.newer(Method::POST, bulk, &[("UpdateRequest", "[{}]")]).await.1["code"], 20001);
    let (status, settings) =
        stage.newer(Method::POST, "/v1/Settings", &[("DialingPermissionsInheritance", "true")]).await;
    assert_eq!((status, settings["dialing_permissions_inheritance"].is_boolean()), (202, true));
}

#[tokio::test]
async fn the_safe_list_has_numbers_and_thousands() {
    let stage = Stage::new().await;
    let path = "/v1/SafeList/Numbers";
    let (status, made) = stage.newer(Method::POST, path, &[("PhoneNumber", LATVIA)]).await;
    assert_eq!((status, &made["phone_number"]), (201, &json!(LATVIA)));
    assert_eq!(stage.newer(Method::POST, path, &[("PhoneNumber", LATVIA)]).await.1["sid"], made["sid"]);
    let query = format!("{path}?PhoneNumber=%2B37121234567");
    assert_eq!(stage.newer(Method::GET, &query, &[]).await.1, made);
    assert_eq!(stage.newer(Method::DELETE, &query, &[]).await.0, 204);
    assert_eq!(stage.newer(Method::GET, &query, &[]).await.0, 404);
    assert_eq!(stage.newer(Method::POST, path, &[("PhoneNumber", "me")]).await.1["code"], 20001);
}

#[tokio::test]
async fn a_burst_is_blocked_unless_the_number_is_safe() {
    let stage = Stage::new().await;
    let ends = async |to: &str, more: &[(&str, &str)], status: &str| {
        let sent = text(&stage, to, more).await;
        stage.message_in(sent["sid"].as_str().unwrap(), status).await["error_code"].clone()
    };
    let (code, _) = stage.steer(Method::PUT, "pumping", r#"{"enabled":true,"burst":2}"#).await;
    assert_eq!(code, 200);
    stage.newer(Method::POST, "/v1/SafeList/Numbers", &[("PhoneNumber", "+37121234569")]).await;
    stage.clock.stop();
    for number in [LATVIA, "+37121234568"] {
        text(&stage, number, &[]).await;
    }
    assert_eq!(ends("+37121234560", &[], "failed").await, 30450);
    assert_eq!(ends(LATVIA, &[("RiskCheck", "disable")], "delivered").await, Value::Null);
    assert_eq!(ends("+37121234569", &[], "delivered").await, Value::Null);
    assert_eq!(ends("+37129999999", &[], "delivered").await, Value::Null);
    stage.clock.advance(Duration::from_secs(1_800));
    assert_eq!(ends("+37121234560", &[], "delivered").await, Value::Null);
}
