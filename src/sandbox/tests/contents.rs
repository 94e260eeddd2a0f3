//! Tests of contents and their approval.

use super::*;
use serde_json::json;

async fn make(stage: &Stage, language: &str) -> String {
    let wanted = json!({
        "friendly_name": "code",
        "language": language,
        "variables": { "1": "000000", "2": "Ann" },
        "types": { "twilio/text": { "body": "Hello {{2}}, {{1}} is your code" } },
    });
    let (status, made) = stage.newer_json(Method::POST, "/v1/Content", &wanted).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!((&made["language"], &made["types"]), (&json!(language), &wanted["types"]));
    made["sid"].as_str().unwrap().to_owned()
}

async fn submit(stage: &Stage, sid: &str) -> (u16, Value) {
    let wanted = json!({ "name": "code", "category": "UTILITY" });
    stage.newer_json(Method::POST, &format!("/v1/Content/{sid}/ApprovalRequests/whatsapp"), &wanted).await
}

async fn status(stage: &Stage, sid: &str) -> Value {
    let (_, found) = stage.newer(Method::GET, &format!("/v1/Content/{sid}/ApprovalRequests"), &[]).await;
    found["whatsapp"]["status"].clone()
}

/// A template message on WhatsApp, by the status that it ends in.
async fn on_whatsapp(stage: &Stage, sid: &str, ends: &str) -> Value {
    let to = format!("whatsapp:{PHONE}");
    let from = format!("whatsapp:{SENDER}");
    let variables = r#"{"1":"0421"}"#;
    let fields = [("To", to.as_str()), ("From", &from), ("ContentSid", sid), ("ContentVariables", variables)];
    let (code, sent) = stage.create("Messages.json", &fields).await;
    assert_eq!(code, 201, "{sent}");
    stage.message_in(sent["sid"].as_str().unwrap(), ends).await
}

#[tokio::test]
async fn a_content_is_made_sent_approved_and_deleted() {
    let stage = Stage::new().await;
    let sid = make(&stage, "en").await;
    assert_eq!(status(&stage, &sid).await, "unsubmitted");
    assert_eq!(on_whatsapp(&stage, &sid, "failed").await["error_code"], 63016);
    let (code, submitted) = submit(&stage, &sid).await;
    assert_eq!((code, &submitted["status"], &submitted["name"]), (201, &json!("received"), &json!("code")));
    assert_eq!(status(&stage, &sid).await, "approved");
    assert_eq!(submit(&stage, &sid).await.0, 409);
    // A variable that is not given has the content's own value.
    assert_eq!(on_whatsapp(&stage, &sid, "delivered").await["body"], "Hello Ann, 0421 is your code");
    let text = stage.text(&[("ContentSid", &sid)]).await;
    assert_eq!(stage.message_in(&text, "delivered").await["body"], "Hello Ann, 000000 is your code");
    // The control speaks of the same template.
    stage.steer(Method::PUT, &format!("templates/{sid}"), r#"{"status":"paused"}"#).await;
    assert_eq!(status(&stage, &sid).await, "paused");
    assert_eq!(on_whatsapp(&stage, &sid, "failed").await["error_code"], 63041);
    let (_, list) = stage.newer(Method::GET, "/v1/Content", &[]).await;
    let sids: Vec<&str> =
        list["contents"].as_array().unwrap().iter().map(|row| row["sid"].as_str().unwrap()).collect();
    assert_eq!(sids, [sid.as_str(), crate::sandbox::AUTHENTICATION_TEMPLATE]);
    let (_, both) = stage.newer(Method::GET, "/v1/ContentAndApprovals?PageSize=1", &[]).await;
    assert_eq!(both["contents"][0]["approval_requests"]["category"], "UTILITY");
    let path = format!("/v1/Content/{sid}");
    assert_eq!(stage.newer(Method::DELETE, &path, &[]).await.0, 204);
    assert_eq!(stage.newer(Method::GET, &path, &[]).await.0, 404);
    let (_, refused) =
        stage.create("Messages.json", &[("To", PHONE), ("From", SENDER), ("ContentSid", &sid)]).await;
    assert_eq!(refused["code"], 21655);
}

#[tokio::test]
async fn whatsapp_answers_for_each_language_as_it_was_told() {
    let stage = Stage::new().await;
    let (code, _) =
        stage.steer(Method::PUT, "approvals", r#"{"de":"rejected","fr":"pending","es":"missing"}"#).await;
    assert_eq!(code, 200);
    for (language, wanted, error) in
        [("de", "rejected", 63016), ("fr", "pending", 63016), ("es", "rejected", 63027)]
    {
        let sid = make(&stage, language).await;
        submit(&stage, &sid).await;
        assert_eq!(status(&stage, &sid).await, wanted, "{language}");
        assert_eq!(on_whatsapp(&stage, &sid, "failed").await["error_code"], error, "{language}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_content_is_named() {
    let stage = Stage::new().await;
    for wrong in [
        json!({}),
        json!({ "language": "en" }),
        json!({ "language": "english!", "types": { "twilio/text": { "body": "x" } } }),
        json!({ "language": "en", "types": { "twilio/tetx": { "body": "x" } } }),
        json!({ "language": "en", "types": { "twilio/text": {} } }),
        json!({ "language": "en", "variables": { "1": 1 }, "types": { "twilio/text": { "body": "x" } } }),
        json!([]),
    ] {
        let (status, refused) = stage.newer_json(Method::POST, "/v1/Content", &wrong).await;
        assert_eq!((status, &refused["code"]), (400, &json!(20001)), "{wrong}");
    }
    let sid = make(&stage, "en").await;
    let path = format!("/v1/Content/{sid}");
    let (status, changed) = stage.newer_json(Method::PUT, &path, &json!({ "friendly_name": "other" })).await;
    assert_eq!((status, &changed["friendly_name"]), (200, &json!("other")));
    for wrong in
        [json!({ "name": "Code", "category": "UTILITY" }), json!({ "name": "code", "category": "x" })]
    {
        let path = format!("{path}/ApprovalRequests/whatsapp");
        assert_eq!(stage.newer_json(Method::POST, &path, &wrong).await.0, 400, "{wrong}");
    }
    submit(&stage, &sid).await;
    assert_eq!(stage.newer_json(Method::PUT, &path, &json!({ "friendly_name": "x" })).await.0, 400);
}
