//! Tests of the senders of WhatsApp: listed, told of themselves and of their webhooks,
//! and taken away.

use super::*;
use serde_json::json;

const CHAT: &str = "whatsapp:+15005550006";
const SENDERS: &str = "/v2/Channels/Senders";

async fn listed(stage: &Stage, channel: &str) -> Vec<Value> {
    let (status, list) = stage.newer(Method::GET, &format!("{SENDERS}?Channel={channel}"), &[]).await;
    assert_eq!(status, 200, "{list}");
    list["senders"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_sender_is_told_where_its_messages_go() {
    let stage = Stage::new().await;
    let [sender] = &listed(&stage, "whatsapp").await[..] else { panic!("one number, one sender") };
    assert_eq!((&sender["sender_id"], &sender["status"]), (&json!(CHAT), &json!("ONLINE")));
    assert!(listed(&stage, "rcs").await.is_empty());
    assert_eq!(stage.newer(Method::GET, SENDERS, &[]).await.0, 400);
    let path = format!("{SENDERS}/{}", sender["sid"].as_str().unwrap());
    let webhook = json!({ "callback_url": stage.url("/chat"), "callback_method": "POST",
        "status_callback_url": stage.url("/told") });
    let wanted = json!({ "webhook": webhook, "profile": { "name": "Acme", "else": 1 } });
    let (status, told) = stage.newer_json(Method::POST, &path, &wanted).await;
    assert_eq!((status, &told["profile"]["name"]), (202, &json!("Acme")), "{told}");
    assert_eq!((&told["profile"]["else"], &told["profile"]["about"]), (&Value::Null, &Value::Null));
    // What is not said stays.
    let (_, told) = stage.newer_json(Method::POST, &path, &json!({ "profile": { "about": "Owls" } })).await;
    assert_eq!(stage.newer(Method::GET, &path, &[]).await.1, told);
    assert_eq!(
        (&told["profile"]["name"], &told["webhook"]["callback_url"]),
        (&json!("Acme"), &webhook["callback_url"])
    );
    let body = json!({ "to": CHAT, "body": "hi" }).to_string();
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &body).await;
    assert_eq!(stage.app.wait("/chat", 1).await[0].get("To").as_deref(), Some(CHAT));
    stage.create("Messages.json", &[("To", "whatsapp:+15551230001"), ("From", CHAT), ("Body", "x")]).await;
    stage.app.wait("/told", 1).await;
    for wrong in
        [json!({ "webhook": { "callback_url": "x" } }), json!({ "webhook": { "callback_method": "PUT" } })]
    {
        let (status, refused) = stage.newer_json(Method::POST, &path, &wrong).await;
        assert_eq!((status, &refused["code"]), (400, &json!(20001)), "{wrong}");
    }
}

#[tokio::test]
async fn a_sender_that_was_taken_away_writes_no_more_until_it_is_made_again() {
    let stage = Stage::new().await;
    let sid = listed(&stage, "whatsapp").await[0]["sid"].as_str().unwrap().to_owned();
    let path = format!("{SENDERS}/{sid}");
    assert_eq!(stage.newer(Method::DELETE, &path, &[]).await.0, 204);
    assert_eq!(
        (stage.newer(Method::GET, &path, &[]).await.0, listed(&stage, "whatsapp").await.len()),
        (404, 0)
    );
    let fields = [("To", "whatsapp:+15551230001"), ("From", CHAT), ("Body", "x")];
    assert_eq!(stage.create("Messages.json", &fields).await.1["code"], 63007);
    // Nor does a service write from it.
    let service = format!("MG{}", "a".repeat(32));
    let by_service = [fields[0], ("MessagingServiceSid", &service), fields[2]];
    assert_eq!(stage.create("Messages.json", &by_service).await.1["code"], 21703);
    let (status, refused) =
        stage.newer_json(Method::POST, SENDERS, &json!({ "sender_id": "whatsapp:+4470" })).await;
    assert_eq!((status, &refused["code"]), (400, &json!(63100)));
    let (status, made) = stage.newer_json(Method::POST, SENDERS, &json!({ "sender_id": CHAT })).await;
    assert_eq!((status, &made["sid"]), (202, &json!(sid)));
    assert_eq!(stage.create("Messages.json", &fields).await.0, 201);
    assert_eq!(stage.create("Messages.json", &by_service).await.0, 201);
}
