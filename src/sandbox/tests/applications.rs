//! Tests of TwiML applications: made, changed, taken away, and what goes by them.

use super::numbers::buy;
use super::*;
use serde_json::json;

const OWN: &str = "+14155550199";
const HANG_UP: &str = "<Response><Hangup/></Response>";

async fn make(stage: &Stage, fields: &[(&str, &str)]) -> Value {
    let (status, one) = stage.create("Applications.json", fields).await;
    assert_eq!(status, 201, "{one}");
    one
}

async fn listed(stage: &Stage, query: &str) -> usize {
    let (status, list) = stage.fetch(&format!("Applications.json{query}")).await;
    assert_eq!(status, 200, "{list}");
    list["applications"].as_array().unwrap().len()
}

#[tokio::test]
async fn an_application_is_made_changed_and_taken_away() {
    let stage = Stage::new().await;
    let one = make(
        &stage,
        &[("FriendlyName", "desk"), ("VoiceUrl", "https://example.com/a?b"), ("VoiceMethod", "GET")],
    )
    .await;
    let sid = one["sid"].as_str().unwrap();
    assert!(super::super::fields::is_sid(sid, "AP"), "{one}");
    for (field, wanted) in [
        ("friendly_name", json!("desk")),
        ("voice_url", json!("https://example.com/a?b")),
        ("voice_method", json!("GET")),
        ("sms_url", json!(null)),
        ("sms_method", json!("POST")),
        ("message_status_callback", json!(null)),
        ("public_application_connect_enabled", json!(false)),
    ] {
        assert_eq!(one[field], wanted, "{field}");
    }
    let path = format!("Applications/{sid}.json");
    let (status, one) =
        stage.create(&path, &[("VoiceUrl", ""), ("SmsStatusCallback", "https://example.com/s")]).await;
    assert_eq!((status, &one["voice_url"], &one["friendly_name"]), (200, &json!(null), &json!("desk")));
    assert_eq!(one["message_status_callback"], "https://example.com/s");
    for (field, value, code) in
        [("VoiceUrl", "nowhere", 21402), ("SmsMethod", "PUT", 21403), ("MessageStatusCallback", "x", 21402)]
    {
        let (status, refused) = stage.create(&path, &[("FriendlyName", "x"), (field, value)]).await;
        assert_eq!((status, &refused["code"]), (400, &json!(code)), "{field}");
    }
    assert_eq!(stage.fetch(&path).await.1, one, "what is refused changes nothing");
    assert_eq!(
        (
            listed(&stage, "").await,
            listed(&stage, "?FriendlyName=desk").await,
            listed(&stage, "?FriendlyName=x").await
        ),
        (1, 1, 0)
    );
    let gone = stage.api(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(gone.status().as_u16(), 204);
    assert_eq!((stage.fetch(&path).await.0, listed(&stage, "").await), (404, 0));
}

#[tokio::test]
async fn what_comes_in_goes_to_the_application_that_the_number_names() {
    let stage = Stage::new().await;
    for path in ["/call", "/own-call"] {
        stage.app.says(path, HANG_UP);
    }
    let urls = [
        ("SmsUrl", stage.url("/text")),
        ("VoiceUrl", stage.url("/call")),
        ("StatusCallback", stage.url("/end")),
    ];
    let urls: Vec<(&str, &str)> = urls.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let one = make(&stage, &urls).await;
    let sid = one["sid"].as_str().unwrap();
    let (own_text, own_call) = (stage.url("/own-text"), stage.url("/own-call"));
    buy(
        &stage,
        OWN,
        &[
            ("SmsUrl", &own_text),
            ("VoiceUrl", &own_call),
            ("SmsApplicationSid", sid),
            ("VoiceApplicationSid", sid),
        ],
    )
    .await;
    let both = async || {
        for (what, body) in
            [("messages", json!({ "to": OWN, "body": "hi" })), ("calls", json!({ "to": OWN }))]
        {
            stage.steer(Method::POST, &format!("phones/{PHONE}/{what}"), &body.to_string()).await;
        }
    };
    both().await;
    for path in ["/text", "/call", "/end"] {
        stage.app.wait(path, 1).await;
    }
    // Without it the number's own URLs are asked again.
    stage.api(Method::DELETE, &format!("Applications/{sid}.json")).send().await.unwrap();
    both().await;
    for path in ["/own-text", "/own-call"] {
        stage.app.wait(path, 1).await;
    }
}

#[tokio::test]
async fn a_call_and_a_message_go_by_the_application_that_they_name() {
    let stage = Stage::new().await;
    stage.app.says("/call", HANG_UP);
    let urls = [
        ("VoiceUrl", stage.url("/call")),
        ("StatusCallback", stage.url("/end")),
        ("MessageStatusCallback", stage.url("/told")),
    ];
    let urls: Vec<(&str, &str)> = urls.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let one = make(&stage, &urls).await;
    let sid = one["sid"].as_str().unwrap();
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    stage.call(&[("ApplicationSid", sid), ("Url", "http://127.0.0.1:9/")]).await;
    stage.app.wait("/call", 1).await;
    stage.app.wait("/end", 1).await;
    stage.text(&[("ApplicationSid", sid)]).await;
    stage.app.wait("/told", 1).await;
    let unknown = format!("AP{}", "0".repeat(32));
    let fields = [("To", PHONE), ("From", SENDER), ("ApplicationSid", unknown.as_str())];
    let (status, refused) = stage.create("Calls.json", &fields).await;
    assert_eq!((status, &refused["code"]), (400, &json!(21218)));
}
