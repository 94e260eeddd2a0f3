//! Tests of messages and of the REST API around them.

use super::*;
use serde_json::json;

#[tokio::test]
async fn a_message_goes_all_its_way_and_tells_of_it_in_order() {
    let stage = Stage::new().await;
    let sid = stage.text(&[("StatusCallback", &stage.url("/status?a=%2b1"))]).await;
    let told = stage.app.wait("/status", 3).await;
    assert_eq!(stage.app.values("/status", "MessageStatus"), ["sending", "sent", "delivered"]);
    for told in &told {
        assert!(told.signed);
        assert_eq!(told.header("user-agent"), "TwilioProxy/1.1");
        assert_eq!(told.header("accept"), "*/*");
        assert_eq!(told.header("content-type"), "application/x-www-form-urlencoded");
        assert_eq!(told.header("connection"), "close");
        assert_eq!(told.header("x-home-region"), "us1");
        assert!(uuid::Uuid::parse_str(told.header("i-twilio-idempotency-token")).is_ok());
        assert_eq!(told.get("SmsSid").as_deref(), Some(sid.as_str()));
        assert_eq!(told.get("SmsStatus"), told.get("MessageStatus"));
        assert_eq!(told.get("AccountSid").as_deref(), Some(ACCOUNT));
        assert_eq!(told.get("From").as_deref(), Some(SENDER));
        assert_eq!(told.query, "a=%2b1");
    }
    assert_eq!(told[2].get("RawDlrDoneDate").unwrap().len(), 10);
    let on_screen = stage.look(&format!("phones/{PHONE}/messages?wait=5")).await;
    assert_eq!(on_screen[0]["body"], "hello");
    assert_eq!(on_screen[0]["status"], "delivered");
}

#[tokio::test]
async fn what_twilio_refuses_is_refused_with_its_code() {
    let stage = Stage::with(|settings| settings.own_numbers = vec!["+15017122661".to_owned()]).await;
    let long = "x".repeat(1601);
    let mut cases: Vec<(u64, Vec<(&str, &str)>)> = vec![
        (21604, vec![("From", SENDER), ("Body", "x")]),
        (21211, vec![("To", "12"), ("From", SENDER), ("Body", "x")]),
        (21603, vec![("To", PHONE), ("Body", "x")]),
        (21212, vec![("To", PHONE), ("From", "1234567"), ("Body", "x")]),
        (21606, vec![("To", PHONE), ("From", "+15017122662"), ("Body", "x")]),
        (21266, vec![("To", "+15017122661"), ("From", "+15017122661"), ("Body", "x")]),
        (21705, vec![("To", PHONE), ("MessagingServiceSid", "MG1"), ("Body", "x")]),
    ];
    let more: [(u64, &str, &str); 9] = [
        (21617, "Body", &long),
        (21602, "Body", ""),
        (21609, "StatusCallback", "ftp://example.com/"),
        (90007, "ValidityPeriod", "0"),
        (90007, "ValidityPeriod", "36001"),
        (21620, "MediaUrl", "cat.gif"),
        (21655, "ContentSid", "HX1"),
        (21656, "ContentVariables", "[1]"),
        (20001, "SendAt", "tomorrow"),
    ];
    for (code, name, value) in more {
        let mut fields = vec![("To", PHONE), ("From", SENDER), (name, value)];
        if name != "Body" {
            fields.push(("Body", "x"));
        }
        cases.push((code, fields));
    }
    let magic = [("0001", 21211), ("0002", 21612), ("0003", 21408), ("0004", 21610), ("0009", 21614)];
    let magic = magic.map(|(end, code)| (code, format!("+1500555{end}")));
    for (code, to) in &magic {
        cases.push((*code, vec![("To", to), ("From", SENDER), ("Body", "x")]));
    }
    let from = [("0001", 21212), ("0007", 21606), ("0008", 21611)];
    let from = from.map(|(end, code)| (code, format!("+1500555{end}")));
    for (code, from) in &from {
        cases.push((*code, vec![("To", PHONE), ("From", from), ("Body", "x")]));
    }
    for (code, fields) in cases {
        let (status, document) = stage.create("Messages.json", &fields).await;
        assert_eq!((status, &document["code"]), (400, &json!(code)), "{fields:?}");
        assert_eq!(document["more_info"], format!("https://www.twilio.com/docs/errors/{code}"));
        assert_eq!(document["status"], 400);
    }
    assert_eq!(stage.fetch("Messages.json").await.1["messages"], json!([]));
}

#[tokio::test]
async fn strangers_and_wrong_paths_are_told_so_in_twilios_words() {
    let stage = Stage::new().await;
    let path = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", stage.base);
    let http = Client::new();
    let (status, document) = answer(http.get(&path)).await;
    assert_eq!(
        (status, &document["code"], &document["message"]),
        (401, &json!(20003), &json!("Authenticate"))
    );
    let (status, document) = answer(http.get(&path).basic_auth(ACCOUNT, Some("wrong"))).await;
    assert_eq!((status, &document["code"]), (401, &json!(20003)));
    assert_eq!(document["detail"], "Your AccountSid or AuthToken was incorrect.");
    let (status, document) = stage.fetch("Messages/SM0.json").await;
    assert_eq!((status, &document["code"]), (404, &json!(20404)));
    let whole =
        format!("The requested resource /2010-04-01/Accounts/{ACCOUNT}/Messages/SM0.json was not found");
    assert_eq!(document["message"], whole);
    let (status, document) = answer(stage.api(Method::PUT, "Messages.json")).await;
    assert_eq!((status, &document["code"]), (405, &json!(20004)));
    let response = stage.api(Method::GET, "Messages.json").send().await.unwrap();
    assert!(response.headers()["twilio-request-id"].to_str().unwrap().starts_with("RQ"));
    assert_eq!(response.headers()["content-type"], "application/json;charset=utf-8");
}

#[tokio::test]
async fn a_carriers_refusal_is_told_with_its_code_and_leaves_the_phone_empty() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"message":{"outcome":"undelivered","error_code":30005}}"#).await;
    let sid = stage.text(&[("StatusCallback", &stage.url("/status"))]).await;
    let told = stage.app.wait("/status", 3).await;
    assert_eq!(told[2].get("MessageStatus").as_deref(), Some("undelivered"));
    assert_eq!(told[2].get("ErrorCode").as_deref(), Some("30005"));
    let message = stage.message_in(&sid, "undelivered").await;
    assert_eq!(message["error_code"], 30005);
    assert_eq!(message["error_message"], "Unknown destination handset");
    assert_eq!(stage.look(&format!("phones/{PHONE}/messages")).await, json!([]));
}

#[tokio::test]
async fn a_service_accepts_first_and_picks_a_sender_later() {
    let stage = Stage::new().await;
    let service = format!("MG{}", "a".repeat(32));
    let fields = [("To", PHONE), ("MessagingServiceSid", &service), ("Body", "x")];
    let callback = stage.url("/status");
    let (_, document) =
        stage.create("Messages.json", &[&fields[..], &[("StatusCallback", &callback)]].concat()).await;
    assert_eq!((&document["status"], &document["from"]), (&json!("accepted"), &Value::Null));
    assert_eq!(document["num_segments"], "0");
    stage.app.wait("/status", 4).await;
    assert_eq!(stage.app.values("/status", "MessageStatus"), ["queued", "sending", "sent", "delivered"]);
    assert_eq!(stage.app.values("/status", "MessagingServiceSid"), [service.as_str(); 4]);
}

#[tokio::test]
async fn a_service_in_from_is_taken_as_a_service() {
    let stage = Stage::new().await;
    let service = format!("MG{}", "a".repeat(32));
    let callback = stage.url("/status");
    for (channel, sender) in [("", SENDER.to_owned()), ("whatsapp:", format!("whatsapp:{SENDER}"))] {
        let to = format!("{channel}{PHONE}");
        let fields = [("To", to.as_str()), ("From", &service), ("Body", "x"), ("StatusCallback", &callback)];
        let (status, document) = stage.create("Messages.json", &fields).await;
        assert_eq!((status, &document["status"]), (201, &json!("accepted")), "{document}");
        assert_eq!((&document["from"], &document["num_segments"]), (&Value::Null, &json!("0")));
        assert_eq!(document["messaging_service_sid"], service);
        let sid = document["sid"].as_str().unwrap();
        let end = if channel.is_empty() { "delivered" } else { "failed" };
        let message = stage.message_in(sid, end).await;
        assert_eq!((&message["from"], &message["messaging_service_sid"]), (&json!(sender), &json!(service)));
    }
    let told = stage.app.wait("/status", 4).await;
    assert_eq!(told[0].get("MessagingServiceSid").as_deref(), Some(service.as_str()));
    // Both at once, and scheduled, which takes a service.
    stage.text(&[("From", &service), ("MessagingServiceSid", &service)]).await;
    let at = (stage.clock.now() + jiff::SignedDuration::from_hours(1)).to_string();
    stage.text(&[("From", &service), ("ScheduleType", "fixed"), ("SendAt", &at)]).await;
    let (_, list) = stage.fetch(&format!("Messages.json?From={service}")).await;
    assert_eq!(list["messages"], json!([]), "no message came from a number of this name");
}

#[tokio::test]
async fn services_that_are_none_are_refused_with_their_codes() {
    let known = format!("MG{}", "a".repeat(32));
    let stage = Stage::with(|settings| settings.own_numbers = vec![known.clone()]).await;
    let (unknown, torn) = (format!("MG{}", "b".repeat(32)), format!("MG{}", "x".repeat(32)));
    for (name, sid, status, code) in [
        ("From", unknown.as_str(), 404, 21701),
        ("MessagingServiceSid", &unknown, 404, 21701),
        ("MessagingServiceSid", &torn, 400, 21705),
        ("From", &torn, 400, 21212),
    ] {
        let (answered, document) =
            stage.create("Messages.json", &[("To", PHONE), ("Body", "x"), (name, sid)]).await;
        assert_eq!((answered, &document["code"]), (status, &json!(code)), "{name}={sid}");
    }
    let sid = stage.text(&[("From", &known)]).await;
    assert_eq!(stage.message_in(&sid, "delivered").await["from"], SENDER);
    let both = [("To", PHONE), ("Body", "x"), ("MessagingServiceSid", &known), ("From", &unknown)];
    assert_eq!(stage.create("Messages.json", &both).await.1["code"], 21212);
    let (_, document) =
        stage.create("Calls.json", &[("To", PHONE), ("From", &known), ("Twiml", "<Response/>")]).await;
    assert_eq!(document["code"], 21212, "a service sends messages alone");
}

#[tokio::test]
async fn what_waits_beyond_its_validity_expires_by_the_clock() {
    let stage = Stage::new().await;
    stage.clock.stop();
    stage.behave(PHONE, r#"{"message":{"queue_delay_ms":120000}}"#).await;
    let sid = stage.text(&[("ValidityPeriod", "60")]).await;
    stage.steer(Method::POST, "clock", r#"{"advance_seconds":59}"#).await;
    assert_eq!(stage.fetch(&format!("Messages/{sid}.json")).await.1["status"], "queued");
    stage.steer(Method::POST, "clock", r#"{"advance_seconds":2}"#).await;
    assert_eq!(stage.message_in(&sid, "failed").await["error_code"], 30036);
}

#[tokio::test]
async fn redaction_empties_the_resource_and_not_the_phone() {
    let stage = Stage::new().await;
    let sid = stage.text(&[("Body", "code 0421")]).await;
    stage.message_in(&sid, "delivered").await;
    let path = format!("Messages/{sid}.json");
    let (status, document) = stage.create(&path, &[("Body", "")]).await;
    assert_eq!((status, &document["body"]), (200, &json!("")));
    assert_eq!(stage.look(&format!("phones/{PHONE}/messages")).await[0]["body"], "code 0421");
    assert_eq!(answer(stage.api(Method::DELETE, &path)).await.0, 204);
    assert_eq!(stage.fetch(&path).await.0, 404);
}

#[tokio::test]
async fn what_has_not_left_yet_is_neither_redacted_nor_deleted() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"message":{"queue_delay_ms":120000}}"#).await;
    let sid = stage.text(&[("Body", "code 0421")]).await;
    let path = format!("Messages/{sid}.json");
    let (status, refusal) = stage.create(&path, &[("Body", "")]).await;
    assert_eq!((status, &refusal["code"]), (409, &json!(20009)));
    assert_eq!(answer(stage.api(Method::DELETE, &path)).await.0, 409);
    assert_eq!(stage.fetch(&path).await.1["body"], "code 0421");
    stage.steer(Method::POST, "clock", r#"{"advance_seconds":121}"#).await;
    stage.message_in(&sid, "delivered").await;
    assert_eq!(stage.create(&path, &[("Body", "")]).await.0, 200);
}

#[tokio::test]
async fn a_scheduled_message_can_be_canceled_and_never_leaves() {
    let stage = Stage::new().await;
    let service = format!("MG{}", "b".repeat(32));
    let at = stage.clock.now().checked_add(jiff::SignedDuration::from_hours(1)).unwrap().to_string();
    let fields = [("MessagingServiceSid", service.as_str()), ("ScheduleType", "fixed"), ("SendAt", &at)];
    let callback = stage.url("/status");
    let sid = stage.text(&[&fields[..], &[("StatusCallback", &callback)]].concat()).await;
    let path = format!("Messages/{sid}.json");
    assert_eq!(stage.fetch(&path).await.1["status"], "scheduled");
    assert_eq!(stage.create(&path, &[("Status", "canceled")]).await.1["status"], "canceled");
    stage.app.wait("/status", 1).await;
    stage.clock.advance(Duration::from_secs(7200));
    stage.settle().await;
    assert_eq!(stage.app.values("/status", "MessageStatus"), ["canceled"]);
    assert_eq!(stage.create(&path, &[("Status", "canceled")]).await.0, 409);
}

#[tokio::test]
async fn the_api_fails_as_often_as_wished() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"api":{"status":429,"times":2}}"#).await;
    let fields = [("To", PHONE), ("From", SENDER), ("Body", "x")];
    for _ in 0..2 {
        let (status, document) = stage.create("Messages.json", &fields).await;
        assert_eq!((status, &document["code"]), (429, &json!(20429)));
    }
    assert_eq!(stage.create("Messages.json", &fields).await.0, 201);
    stage.behave(PHONE, r#"{"api":{"status":503}}"#).await;
    assert_eq!(stage.create("Messages.json", &fields).await.1["code"], 20500);
    let count = async || stage.fetch("Messages.json").await.1["messages"].as_array().unwrap().len();
    assert_eq!(count().await, 1);
    stage.behave(PHONE, r#"{"api":{"timeout":"before","hold_ms":20}}"#).await;
    assert_eq!(stage.create("Messages.json", &fields).await.0, 504);
    assert_eq!(count().await, 1);
    stage.behave(PHONE, r#"{"api":{"timeout":"after","hold_ms":20}}"#).await;
    assert_eq!(stage.create("Messages.json", &fields).await.0, 504);
    assert_eq!(count().await, 2);
    stage.behave(PHONE, r#"{"api":{"status":500,"accepted":true}}"#).await;
    assert_eq!(stage.create("Messages.json", &fields).await.1["code"], 20500);
    assert_eq!(count().await, 3);
    stage.behave(PHONE, r#"{"api":{"listed_after_ms":3600000}}"#).await;
    assert_eq!(stage.create("Messages.json", &fields).await.0, 201);
    let listed = stage.fetch(&format!("Messages.json?To=%2B{}", &PHONE[1..])).await.1;
    assert_eq!((listed["messages"].as_array().unwrap().len(), count().await), (0, 4), "the list lags");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_messages_of_one_reply_arrive_in_their_order() {
    let stage = Stage::new().await;
    let words: Vec<String> = (0..10).map(|n| format!("part {n}")).collect();
    let replies: String = words.iter().map(|words| format!("<Message>{words}</Message>")).collect();
    stage.app.says("/sms", &format!("<Response>{replies}</Response>"));
    let inbound = json!({ "sms_url": stage.url("/sms") }).to_string();
    stage.steer(Method::PUT, "inbound", &inbound).await;
    for round in 1..=10 {
        let phone = format!("phones/+1555124{round:04}/messages");
        assert_eq!(stage.steer(Method::POST, &phone, r#"{"body":"hello"}"#).await.0, 201);
        let mut texts = Vec::new();
        for _ in 0..3_000 {
            texts = stage.look(&phone).await.as_array().unwrap().clone();
            if texts.len() == 10 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let bodies: Vec<&str> = texts.iter().map(|text| text["body"].as_str().unwrap()).collect();
        assert_eq!(bodies, words);
    }
}

#[tokio::test]
async fn who_says_stop_is_left_alone_until_start() {
    let stage = Stage::new().await;
    stage.app.says("/sms", "<Response><Message>got it</Message></Response>");
    let inbound = json!({ "sms_url": stage.url("/sms") }).to_string();
    stage.steer(Method::PUT, "inbound", &inbound).await;
    let phone = format!("phones/{PHONE}/messages");
    let say = async |word: &str| {
        let body = json!({ "to": SENDER, "body": word }).to_string();
        assert_eq!(stage.steer(Method::POST, &phone, &body).await.0, 201);
    };
    say("hello").await;
    let told = stage.app.wait("/sms", 1).await;
    assert!(told[0].signed);
    assert_eq!(told[0].get("Body").as_deref(), Some("hello"));
    assert_eq!(told[0].get("SmsStatus").as_deref(), Some("received"));
    assert_eq!(told[0].get("NumMedia").as_deref(), Some("0"));
    assert_eq!(stage.look(&format!("{phone}?wait=5")).await[0]["body"], "got it");

    say(" stop ").await;
    stage.app.wait("/sms", 2).await;
    let fields = [("To", PHONE), ("From", SENDER), ("Body", "x")];
    assert_eq!(stage.create("Messages.json", &fields).await.1["code"], 21610);
    assert_eq!(
        stage.create("Messages.json", &[("To", PHONE), ("From", "+15017122661"), ("Body", "x")]).await.0,
        201
    );
    let service = format!("MG{}", "c".repeat(32));
    let by_service = [("To", PHONE), ("MessagingServiceSid", service.as_str()), ("Body", "x")];
    assert_eq!(stage.create("Messages.json", &by_service).await.1["code"], 21610);
    say("START").await;
    stage.app.wait("/sms", 3).await;
    assert_eq!(stage.create("Messages.json", &fields).await.0, 201);
    assert!(stage.alerts().await.contains(&21610), "the reply to STOP was not sent");
}

#[tokio::test]
async fn plain_text_is_a_reply_and_a_redirect_is_followed() {
    let stage = Stage::new().await;
    let inbound = json!({ "sms_url": stage.url("/sms") }).to_string();
    stage.steer(Method::PUT, "inbound", &inbound).await;
    stage.app.says("/sms", "<Response><Redirect>/next</Redirect></Response>");
    stage.app.answers("/next", 200, &[("content-type", "text/plain")], "plain words");
    let body = json!({ "body": "hello" }).to_string();
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &body).await;
    let texts = stage.look(&format!("phones/{PHONE}/messages?wait=5&status=delivered")).await;
    assert_eq!((&texts[0]["body"], &texts[0]["from"]), (&json!("plain words"), &json!(SENDER)));
    assert_eq!(stage.app.told("/next")[0].get("Body").as_deref(), Some("hello"));
}

#[tokio::test]
async fn segments_are_counted_and_smart_encoding_saves_some() {
    let stage = Stage::new().await;
    let body = format!("\u{201c}{}\u{201d}", "x".repeat(80));
    let fields = [("To", PHONE), ("From", SENDER), ("Body", body.as_str())];
    assert_eq!(stage.create("Messages.json", &fields).await.1["num_segments"], "2");
    let smart = [&fields[..], &[("SmartEncoded", "true")]].concat();
    let (_, document) = stage.create("Messages.json", &smart).await;
    assert_eq!(
        (&document["num_segments"], document["body"].as_str().unwrap().contains('"')),
        (&json!("1"), true)
    );
}

#[tokio::test]
async fn what_is_under_way_ends_with_the_last_clone() {
    let settings = Settings::new(ACCOUNT, Secret::new(TOKEN));
    let sandbox = Sandbox::new(settings, Clock::real(), Entropy::seeded(1)).unwrap();
    sandbox.world.spawn(std::future::pending());
    let (other, tasks) = (sandbox.clone(), Arc::downgrade(&sandbox.tasks));
    drop(sandbox);
    assert_eq!(other.lives(), 1);
    drop(other);
    assert!(tasks.upgrade().is_none());
}
