//! Tests of what was used and what it cost.

use super::accounts::ask;
use super::*;
use serde_json::json;

/// The records of a list, by their categories.
async fn records(stage: &Stage, path: &str) -> Vec<Value> {
    let (status, list) = stage.fetch(path).await;
    assert_eq!(status, 200, "{list}");
    list["usage_records"].as_array().unwrap().clone()
}

async fn one(stage: &Stage, list: &str, category: &str) -> Value {
    let path = format!("Usage/Records{list}.json?Category={category}");
    let found = records(stage, &path).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[tokio::test]
async fn messages_and_calls_are_counted_once_and_stay_counted() {
    let stage = Stage::new().await;
    assert_eq!(stage.fetch("Balance.json").await.1["balance"], "100.00000");
    let sid = stage.text(&[("Body", &"x".repeat(200))]).await;
    stage.message_in(&sid, "delivered").await;
    assert_eq!(answer(stage.api(Method::DELETE, &format!("Messages/{sid}.json"))).await.0, 204);
    let body = json!({ "to": SENDER, "body": "hello" }).to_string();
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &body).await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    stage.call(&[("Twiml", "<Response><Say>hi</Say></Response>")]).await;
    stage.call_in("completed").await;
    // A call that nobody answers costs nothing.
    stage.behave(PHONE, r#"{"answers":"busy"}"#).await;
    stage.call(&[("Twiml", "<Response/>")]).await;
    stage.call_in("busy").await;
    assert_eq!(stage.fetch("Balance.json").await.1["balance"], "100.00000", "no price is said at once");
    stage.settle_prices().await;

    for (category, count, usage, price) in [
        ("sms", json!("2"), "3", 0.0237),
        ("sms-outbound", json!("1"), "2", 0.0158),
        ("sms-inbound", json!("1"), "1", 0.0079),
        ("calls", json!("1"), "1", 0.014),
        ("calls-outbound", json!("1"), "1", 0.014),
        ("calls-inbound", json!("0"), "0", 0.0),
        ("totalprice", Value::Null, "0.03770", 0.0377),
    ] {
        for list in ["", "/AllTime", "/Today", "/ThisMonth"] {
            let record = one(&stage, list, category).await;
            assert_eq!((&record["count"], &record["usage"]), (&count, &json!(usage)), "{record}");
            assert!((record["price"].as_f64().unwrap() - price).abs() < 1e-9, "{record}");
        }
        for list in ["/Yesterday", "/LastMonth"] {
            assert_eq!(one(&stage, list, category).await["price"].as_f64(), Some(0.0));
        }
    }
    let (_, balance) = stage.fetch("Balance.json").await;
    let wanted = json!({ "account_sid": ACCOUNT, "balance": "99.96230", "currency": "USD" });
    assert_eq!(balance, wanted);
}

#[tokio::test]
async fn whatsapp_and_pictures_have_categories_of_their_own() {
    let stage = Stage::new().await;
    let chat = format!("whatsapp:{PHONE}");
    let from = format!("whatsapp:{SENDER}");
    let sid = stage.text(&[("To", &chat), ("From", &from)]).await;
    stage.message_in(&sid, "failed").await;
    let sid = stage.text(&[("MediaUrl", "https://example.com/a.png")]).await;
    stage.message_in(&sid, "delivered").await;
    stage.settle_prices().await;
    assert_eq!(one(&stage, "", "channels-whatsapp-outbound").await["count"], "1");
    assert_eq!(one(&stage, "", "mms-outbound").await["count"], "1");
    assert_eq!(one(&stage, "", "sms").await["count"], "0");
}

#[tokio::test]
async fn days_follow_the_clock_and_pages_follow_each_other() {
    let stage = Stage::new().await;
    let text = async || {
        let sid = stage.text(&[]).await;
        stage.message_in(&sid, "delivered").await;
        stage.settle_prices().await;
    };
    text().await;
    stage.steer(Method::POST, "clock", r#"{"advance_seconds":86400}"#).await;
    text().await;
    text().await;
    let days = records(&stage, "Usage/Records/Daily.json?Category=sms").await;
    let counts: Vec<&str> = days.iter().map(|day| day["count"].as_str().unwrap()).collect();
    assert_eq!(counts, ["2", "1"]);
    assert_eq!(days[0]["start_date"], days[0]["end_date"]);
    let first = days[1]["start_date"].as_str().unwrap();
    let of_first = records(&stage, &format!("Usage/Records.json?Category=sms&EndDate={first}")).await;
    assert_eq!((&of_first[0]["count"], &of_first[0]["end_date"]), (&json!("1"), &json!(first)));
    assert_eq!(one(&stage, "/Yesterday", "sms").await["count"], "1");
    let (_, list) = stage.fetch("Usage/Records/Daily.json?PageSize=20").await;
    let next = list["next_page_uri"].as_str().unwrap().split_once(&format!("{ACCOUNT}/")).unwrap().1;
    let shown = list["usage_records"].as_array().unwrap().len();
    assert_eq!((shown, records(&stage, next).await.len()), (20, 6));
    for (name, uri) in list["usage_records"][0]["subresource_uris"].as_object().unwrap() {
        let path = uri.as_str().unwrap().split_once(&format!("{ACCOUNT}/")).unwrap().1;
        assert!(!records(&stage, path).await.is_empty(), "{name}");
    }
    for wrong in ["StartDate=soon", "StartDate=2026-02-02&EndDate=2026-02-01"] {
        assert_eq!(stage.fetch(&format!("Usage/Records.json?{wrong}")).await.1["code"], 20001);
    }
    assert!(records(&stage, "Usage/Records.json?Category=nothing").await.is_empty());
}

#[tokio::test]
async fn a_parent_sees_what_is_below_and_pays_for_it() {
    let stage = Stage::new().await;
    let (_, made) = ask(&stage, ACCOUNT, TOKEN, Method::POST, "Accounts.json", "").await;
    let (below, token) = (made["sid"].as_str().unwrap(), made["auth_token"].as_str().unwrap());
    let body = format!("To={PHONE}&From={SENDER}&Body=x").replace('+', "%2B");
    let messages = format!("Accounts/{below}/Messages.json");
    assert_eq!(ask(&stage, below, token, Method::POST, &messages, &body).await.0, 201);
    stage.look(&format!("phones/{PHONE}/messages?wait=30&status=delivered")).await;
    stage.settle_prices().await;
    assert_eq!(one(&stage, "", "sms").await["count"], "1");
    let alone = records(&stage, "Usage/Records.json?Category=sms&IncludeSubaccounts=false").await;
    assert_eq!(alone[0]["count"], "0");
    let path = format!("Accounts/{below}/Usage/Records/Today.json?Category=sms");
    let (_, own) = ask(&stage, below, token, Method::GET, &path, "").await;
    let record = &own["usage_records"][0];
    assert_eq!((&record["count"], &record["account_sid"]), (&json!("1"), &json!(below)));
    let balance = format!("Accounts/{below}/Balance.json");
    let (_, own) = ask(&stage, below, token, Method::GET, &balance, "").await;
    assert_eq!((&own["balance"], &own["account_sid"]), (&json!("99.99210"), &json!(below)));
    stage.steer(Method::DELETE, "state", "").await;
    assert_eq!(stage.fetch("Balance.json").await.1["balance"], "100.00000");
}
