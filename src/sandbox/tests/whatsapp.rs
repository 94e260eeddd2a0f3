//! Tests of WhatsApp: what is refused, what travels, what is told of it, and
//! what a person does with it.

use super::super::templates::AUTHENTICATION;
use super::*;
use serde_json::json;

const ON_WHATSAPP: (&str, &str) = ("To", "whatsapp:+15551230001");
const FROM: (&str, &str) = ("From", "whatsapp:+15005550006");
const TEMPLATE: (&str, &str) = ("ContentSid", AUTHENTICATION);
const CODE: (&str, &str) = ("ContentVariables", r#"{"1":"481516"}"#);
const WORDS: &str = "*481516* is your verification code. For your security, do not share this code.";

impl Stage {
    /// Sends over WhatsApp and gives the SID.
    async fn whatsapp(&self, fields: &[(&str, &str)]) -> String {
        let (status, document) =
            self.create("Messages.json", &[&[ON_WHATSAPP, FROM][..], fields].concat()).await;
        assert_eq!(status, 201, "{document}");
        document["sid"].as_str().unwrap().to_owned()
    }

    /// Somebody writes to the sender over WhatsApp.
    async fn person_writes(&self, body: &str) {
        let body = json!({ "to": FROM.1, "body": body }).to_string();
        assert_eq!(self.steer(Method::POST, &format!("phones/{PHONE}/messages"), &body).await.0, 201);
    }

    async fn open_chat(&self) -> Value {
        let (status, opened) = self.steer(Method::POST, &format!("phones/{PHONE}/read"), "").await;
        assert_eq!(status, 200, "{opened}");
        opened["opened"].clone()
    }
}

#[tokio::test]
async fn what_twilio_refuses_is_refused_with_its_code() {
    let stage = Stage::with(|settings| settings.own_numbers = vec!["+15005550006".to_owned()]).await;
    let body = ("Body", "x");
    let cases: [(u64, &[(&str, &str)]); 11] = [
        (21910, &[ON_WHATSAPP, ("From", SENDER), body]),
        (21910, &[("To", PHONE), FROM, body]),
        (21910, &[ON_WHATSAPP, ("From", "Dialback"), body]),
        (63007, &[ON_WHATSAPP, ("From", "whatsapp:+15017122661"), body]),
        (63007, &[ON_WHATSAPP, ("From", "whatsapp:Dialback"), body]),
        (63031, &[("To", FROM.1), FROM, body]),
        (21211, &[("To", "whatsapp:12"), FROM, body]),
        (21655, &[ON_WHATSAPP, FROM, ("ContentSid", "HX1"), CODE]),
        (21656, &[ON_WHATSAPP, FROM, TEMPLATE, ("ContentVariables", "{\"1\":")]),
        (21654, &[ON_WHATSAPP, FROM, CODE, body]),
        (21602, &[ON_WHATSAPP, FROM]),
    ];
    for (code, fields) in cases {
        let (status, document) = stage.create("Messages.json", fields).await;
        assert_eq!((status, &document["code"]), (400, &json!(code)), "{fields:?}: {document}");
    }
    assert_eq!(stage.fetch("Messages.json").await.1["messages"], json!([]));
}

#[tokio::test]
async fn a_template_is_delivered_with_its_words_and_its_button() {
    let stage = Stage::new().await;
    let (status, document) = stage
        .create(
            "Messages.json",
            &[ON_WHATSAPP, FROM, TEMPLATE, CODE, ("StatusCallback", &stage.url("/status"))],
        )
        .await;
    assert_eq!((status, &document["status"]), (201, &json!("queued")));
    assert_eq!((&document["body"], &document["num_segments"]), (&json!(WORDS), &json!("1")));
    let told = stage.app.wait("/status", 2).await;
    assert_eq!(stage.app.values("/status", "MessageStatus"), ["sent", "delivered"]);
    assert!(told.iter().all(|told| told.signed));
    let get = |name: &str| told[1].get(name).unwrap_or_default();
    assert_eq!((get("EventType"), get("ChannelPrefix")), ("DELIVERED".to_owned(), "whatsapp".to_owned()));
    assert_eq!((get("To"), get("From")), (ON_WHATSAPP.1.to_owned(), FROM.1.to_owned()));
    assert_eq!(
        (get("ChannelToAddress"), get("StructuredMessage")),
        ("+1555123XXXX".to_owned(), "false".to_owned())
    );
    assert!(get("ChannelInstallSid").starts_with("XE"));
    assert_eq!((told[0].get("EventType"), told[1].get("RawDlrDoneDate")), (None, None));
    let chat = stage.look(&format!("phones/{PHONE}/messages?channel=whatsapp&wait=5")).await;
    assert_eq!((&chat[0]["body"], &chat[0]["copy_code"]), (&json!(WORDS), &json!("481516")));
    assert_eq!((&chat[0]["channel"], &chat[0]["unread"]), (&json!("whatsapp"), &json!(true)));
}

#[tokio::test]
async fn a_service_picks_a_sender_of_the_channel() {
    let stage = Stage::new().await;
    let service = ("MessagingServiceSid", format!("MG{}", "a".repeat(32)));
    let fields = [ON_WHATSAPP, (service.0, &service.1), TEMPLATE, CODE];
    let (_, document) = stage.create("Messages.json", &fields).await;
    assert_eq!((&document["status"], &document["from"]), (&json!("accepted"), &Value::Null));
    let sid = document["sid"].as_str().unwrap();
    assert_eq!(stage.message_in(sid, "delivered").await["from"], FROM.1);
}

#[tokio::test]
async fn free_text_needs_a_word_from_the_person_in_the_last_24_hours() {
    let stage = Stage::new().await;
    let sid = stage.whatsapp(&[("Body", "x"), ("StatusCallback", &stage.url("/early"))]).await;
    assert_eq!(stage.message_in(&sid, "failed").await["error_code"], 63016);
    let told = stage.app.wait("/early", 1).await;
    assert_eq!(told[0].get("MessageStatus").as_deref(), Some("failed"));
    assert_eq!(told[0].get("ErrorCode").as_deref(), Some("63016"));
    assert!(told[0].get("ChannelStatusMessage").unwrap().contains("24 hours"));
    assert_eq!(stage.look(&format!("phones/{PHONE}/messages")).await, json!([]));

    stage.clock.stop();
    // A text is no word over WhatsApp, and one to another sender none to this one.
    for to in [SENDER, "whatsapp:+15005550001"] {
        let body = json!({ "to": to, "body": "hello" }).to_string();
        stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &body).await;
    }
    let sid = stage.whatsapp(&[("Body", "x")]).await;
    stage.message_in(&sid, "failed").await;
    stage.person_writes("hello").await;
    stage.clock.advance(Duration::from_secs(24 * 3600 - 1));
    let sid = stage.whatsapp(&[("Body", "x")]).await;
    stage.message_in(&sid, "delivered").await;
    stage.clock.advance(Duration::from_secs(1));
    let sid = stage.whatsapp(&[("Body", "x")]).await;
    stage.message_in(&sid, "failed").await;
}

#[tokio::test]
async fn a_template_travels_as_its_approval_and_its_variables_let_it() {
    let stage = Stage::new().await;
    let own = format!("HX{}", "b".repeat(32));
    let own = ("ContentSid", own.as_str());
    let path = format!("templates/{}", own.1);
    let sid = stage.whatsapp(&[own, CODE]).await;
    assert_eq!(stage.message_in(&sid, "delivered").await["body"], format!("[template {}]\n1: 481516", own.1));
    for (status, code) in [("unapproved", 63016), ("paused", 63041), ("disabled", 63042)] {
        let wish = json!({ "status": status }).to_string();
        assert_eq!(stage.steer(Method::PUT, &path, &wish).await.0, 200);
        let sid = stage.whatsapp(&[own, CODE]).await;
        assert_eq!(stage.message_in(&sid, "failed").await["error_code"], code, "{status}");
    }
    stage.steer(Method::PUT, &path, r#"{"body":"Hello {{name}}: {{1}}","copy_code":"1"}"#).await;
    let sid = stage.whatsapp(&[own, ("ContentVariables", r#"{"name":"Ann","1":"0421"}"#)]).await;
    assert_eq!(stage.message_in(&sid, "delivered").await["body"], "Hello Ann: 0421");
    let sid = stage.whatsapp(&[own, CODE]).await;
    assert_eq!(stage.message_in(&sid, "failed").await["error_code"], 63028);
    // Within the window WhatsApp asks for no approval.
    stage.steer(Method::PUT, &path, r#"{"status":"unapproved"}"#).await;
    stage.person_writes("hello").await;
    let sid = stage.whatsapp(&[own, ("ContentVariables", r#"{"name":"Ann","1":"0421"}"#)]).await;
    stage.message_in(&sid, "delivered").await;
    let listed = stage.look("templates").await;
    assert_eq!((&listed[0]["sid"], &listed[0]["status"]), (&json!(AUTHENTICATION), &json!("approved")));
    assert_eq!(stage.steer(Method::PUT, "templates/HX1", "{}").await.0, 400);
}

#[tokio::test]
async fn opening_the_chat_is_told_once_and_after_the_delivery() {
    let stage = Stage::new().await;
    let sid = stage.whatsapp(&[TEMPLATE, CODE, ("StatusCallback", &stage.url("/status"))]).await;
    stage.message_in(&sid, "delivered").await;
    assert_eq!(stage.look(&format!("phones/{PHONE}")).await["unread"], 1);
    assert_eq!(stage.open_chat().await, json!([sid]));
    assert_eq!(stage.open_chat().await, json!([]));
    let told = stage.app.wait("/status", 3).await;
    assert_eq!(stage.app.values("/status", "MessageStatus"), ["sent", "delivered", "read"]);
    assert_eq!(told[2].get("EventType").as_deref(), Some("READ"));
    assert_eq!(stage.message_in(&sid, "read").await["error_code"], Value::Null);
    assert_eq!(stage.look(&format!("phones/{PHONE}")).await["unread"], 0);
}

#[tokio::test]
async fn a_chat_opened_before_the_receipt_is_read_right_after_it() {
    let stage = Stage::new().await;
    stage.clock.stop();
    stage.behave(PHONE, r#"{"message":{"receipt_delay_ms":60000}}"#).await;
    let sid = stage.whatsapp(&[TEMPLATE, CODE, ("StatusCallback", &stage.url("/status"))]).await;
    stage.look(&format!("phones/{PHONE}/messages?wait=5")).await;
    assert_eq!(stage.open_chat().await, json!([sid]));
    assert_eq!(stage.fetch(&format!("Messages/{sid}.json")).await.1["status"], "sent");
    stage.clock.advance(Duration::from_secs(60));
    stage.app.wait("/status", 3).await;
    assert_eq!(stage.app.values("/status", "MessageStatus"), ["sent", "delivered", "read"]);
}

#[tokio::test]
async fn what_a_phone_does_with_whatsapp_is_its_owners_wish() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"message":{"outcome":"read"}}"#).await;
    let sid = stage.whatsapp(&[TEMPLATE, CODE]).await;
    stage.message_in(&sid, "read").await;
    assert_eq!(stage.open_chat().await, json!([]), "it was opened already");

    stage.behave(PHONE, r#"{"whatsapp":{"read_receipts":false}}"#).await;
    let sid = stage.whatsapp(&[TEMPLATE, CODE]).await;
    stage.message_in(&sid, "delivered").await;
    assert_eq!(stage.open_chat().await, json!([sid]));
    assert_eq!(stage.fetch(&format!("Messages/{sid}.json")).await.1["status"], "delivered");

    for (wish, code) in [("", 63024), (",\"error_code\":63003", 63003)] {
        stage.behave(PHONE, &format!("{{\"whatsapp\":{{\"account\":false{wish}}}}}")).await;
        let path = format!("/{code}");
        let sid = stage.whatsapp(&[TEMPLATE, CODE, ("StatusCallback", &stage.url(&path))]).await;
        assert_eq!(stage.message_in(&sid, "undelivered").await["error_code"], code);
        let told = stage.app.wait(&path, 2).await;
        assert_eq!(stage.app.values(&path, "MessageStatus"), ["sent", "undelivered"]);
        assert!(told[1].get("ChannelStatusMessage").unwrap().contains("not on WhatsApp"));
    }
    // The same telephone takes texts.
    let sid = stage.text(&[]).await;
    stage.message_in(&sid, "delivered").await;
    let only = async |channel: &str| {
        let path = format!("phones/{PHONE}/messages?channel={channel}");
        stage.look(&path).await.as_array().unwrap().len()
    };
    assert_eq!((only("sms").await, only("whatsapp").await), (1, 2));
    let (status, _) = stage.steer(Method::GET, &format!("phones/{PHONE}/messages?channel=fax"), "").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_person_writes_over_whatsapp_and_is_answered_there() {
    let stage = Stage::new().await;
    stage.app.says("/in", "<Response><Message>got it</Message></Response>");
    stage.steer(Method::PUT, "inbound", &json!({ "sms_url": stage.url("/in") }).to_string()).await;
    stage.person_writes("STOP").await;
    let told = stage.app.wait("/in", 1).await;
    assert!(told[0].signed);
    let get = |name: &str| told[0].get(name).unwrap_or_default();
    assert_eq!((get("From"), get("To")), (ON_WHATSAPP.1.to_owned(), FROM.1.to_owned()));
    assert_eq!((get("WaId"), get("ProfileName")), ("15551230001".to_owned(), "Sandbox".to_owned()));
    assert_eq!((get("Body"), get("MessageType")), ("STOP".to_owned(), "text".to_owned()));
    assert_eq!(told[0].get("FromCity"), None, "WhatsApp knows no places");
    let metadata: Value = serde_json::from_str(&get("ChannelMetadata")).unwrap();
    assert_eq!(metadata["data"]["context"]["WaId"], "15551230001");
    let chat = stage.look(&format!("phones/{PHONE}/messages?channel=whatsapp&wait=5")).await;
    assert_eq!((&chat[0]["body"], &chat[0]["from"]), (&json!("got it"), &json!(FROM.1)));
}
