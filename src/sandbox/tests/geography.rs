//! Tests of what depends on where a number is from: the places in webhooks, and prices.

use super::super::Inbound;
use super::*;
use serde_json::json;

/// A number of San Francisco's, and one of Germany's.
const AMERICAN: &str = "+14155550123";
const GERMAN: &str = "+4915112345678";

async fn stage() -> Stage {
    let stage = Stage::new().await;
    let url = |path: &str| Some(stage.url(path));
    stage.sandbox.set_inbound(Inbound {
        sms_url: url("/text"),
        voice_url: url("/voice"),
        voice_status_url: None,
    });
    stage
}

/// The country, state, city and postal code that a request tells of somebody.
fn places(told: &Told, whose: &str) -> [String; 4] {
    ["Country", "State", "City", "Zip"].map(|part| told.get(&format!("{whose}{part}")).unwrap())
}

#[tokio::test]
async fn a_text_and_a_call_tell_where_their_number_is_from() {
    let stage = stage().await;
    let (american, german) =
        (["US", "CA", "SAN FRANCISCO", "94103"].map(str::to_owned), ["DE", "", "", ""].map(str::to_owned));
    for (number, place, times) in [(AMERICAN, &american, 1), (GERMAN, &german, 2)] {
        let path = format!("phones/{number}");
        stage.steer(Method::POST, &format!("{path}/messages"), r#"{"body":"hello"}"#).await;
        let text = stage.app.wait("/text", times).await.pop().unwrap();
        assert_eq!((places(&text, "From"), text.signed), (place.clone(), true), "{number}");
        // The account's number is in the United States, and no area's.
        assert_eq!(places(&text, "To"), ["US", "", "", ""]);
        stage.steer(Method::POST, &format!("{path}/calls"), "{}").await;
        let call = stage.app.wait("/voice", times).await.pop().unwrap();
        assert_eq!(
            (places(&call, "From"), places(&call, "Caller")),
            (place.clone(), place.clone()),
            "{number}"
        );
        assert_eq!(
            (places(&call, "To"), places(&call, "Called")),
            (places(&text, "To"), places(&text, "To"))
        );
    }
}

#[tokio::test]
async fn a_message_costs_what_its_country_and_its_segments_cost() {
    let stage = stage().await;
    let long = "x".repeat(161);
    for (number, body, price) in [
        (AMERICAN, "hello", "-0.00790"),
        (AMERICAN, &long, "-0.01580"),
        (GERMAN, "hello", "-0.08490"),
        ("+390612345678", "hello", "-0.08260"),
        ("+37212345678", "hello", "-0.08000"),
        ("+298211234", "hello", "-0.10000"),
    ] {
        let sid = stage.text(&[("To", number), ("Body", body)]).await;
        let message = stage.message_in(&sid, "delivered").await;
        assert_eq!(message["price"], Value::Null, "not at once");
        stage.settle_prices().await;
        let (_, message) = stage.fetch(&format!("Messages/{sid}.json")).await;
        assert_eq!((&message["price"], &message["price_unit"]), (&json!(price), &json!("USD")), "{number}");
    }
    stage.behave(GERMAN, r#"{"answers":"busy"}"#).await;
    let sid = stage.call(&[("To", GERMAN), ("Twiml", "<Response/>")]).await;
    stage.settle().await;
    stage.settle_prices().await;
    let (_, call) = stage.fetch(&format!("Calls/{sid}.json")).await;
    assert_eq!((&call["status"], &call["price"]), (&json!("busy"), &Value::Null));
    stage.behave(GERMAN, r#"{"answers":"person","answer_after_ms":0}"#).await;
    let sid = stage.call(&[("To", GERMAN), ("Twiml", "<Response><Say>hello</Say></Response>")]).await;
    stage.settle().await;
    stage.settle_prices().await;
    let (_, call) = stage.fetch(&format!("Calls/{sid}.json")).await;
    assert_eq!((&call["status"], &call["price"]), (&json!("completed"), &json!("-0.01710")));
}
