//! Tests that one judge looks at every message, whatever made it: a request, a service,
//! a document in a conversation, a verb of a call.

use super::*;
use crate::sandbox::lasting::lasting_sid;
use crate::sandbox::{Profile, Senders};
use serde_json::json;

const OWN: &str = "+14155550199";
const OTHER: &str = "+14155550188";
const GERMAN: &str = "+4915112345678";

/// A sandbox whose account owns two numbers and nothing else.
async fn owned() -> Stage {
    Stage::with(|settings| {
        settings.own_numbers = [OWN, OTHER].map(str::to_owned).to_vec();
        settings.senders = Senders::Owned;
    })
    .await
}

/// What is made of a message, by whatever makes it: the code that it is refused with, or
/// fails with; 0 when it is delivered.
struct Message<'a> {
    to: &'a str,
    from: &'a str,
    media: bool,
}

impl Message<'_> {
    /// By the API.
    async fn asked_for(&self, stage: &Stage) -> u64 {
        let picture = stage.url("/picture");
        let mut fields = vec![("To", self.to), ("From", self.from), ("Body", "x")];
        if self.media {
            fields.push(("MediaUrl", &picture));
        }
        stage.create("Messages.json", &fields).await.1["code"].as_u64().unwrap_or(0)
    }

    fn verb(&self, stage: &Stage, name: &str) -> String {
        let (to, from) = (self.to, self.from);
        let media =
            if self.media { format!("<Media>{}</Media>", stage.url("/picture")) } else { String::new() };
        let body = if name == "Sms" { "x".to_owned() } else { format!("<Body>x</Body>{media}") };
        format!("<Response><{name} to=\"{to}\" from=\"{from}\">{body}</{name}></Response>")
    }

    /// By a document that answers a text.
    async fn replied(&self, stage: &Stage) -> u64 {
        stage.app.says("/sms", &self.verb(stage, "Message"));
        let inbound = json!({ "sms_url": stage.url("/sms") }).to_string();
        stage.steer(Method::PUT, "inbound", &inbound).await;
        let before = stage.alerts().await.len();
        let words = json!({ "to": OTHER, "body": "hello" }).to_string();
        stage.steer(Method::POST, "phones/+12125550123/messages", &words).await;
        stage.settle().await;
        newest(stage, before).await
    }

    /// By a verb of a call.
    async fn spoken(&self, stage: &Stage) -> u64 {
        let twiml = self.verb(stage, "Sms");
        stage.behave("+12125550123", r#"{"answer_after_ms":0}"#).await;
        let before = stage.alerts().await.len();
        stage.call(&[("To", "+12125550123"), ("From", OTHER), ("Twiml", &twiml)]).await;
        stage.settle().await;
        newest(stage, before).await
    }
}

/// The code of the alert that came since there were so many; 0 when none did.
async fn newest(stage: &Stage, before: usize) -> u64 {
    let alerts = stage.alerts().await;
    if alerts.len() > before { alerts[0] } else { 0 }
}

async fn all_say(stage: &Stage, message: &Message<'_>, code: u64, why: &str) {
    assert_eq!(message.asked_for(stage).await, code, "asked for: {why}");
    assert_eq!(message.replied(stage).await, code, "replied: {why}");
    if !message.media {
        assert_eq!(message.spoken(stage).await, code, "spoken: {why}");
    }
    stage.settle().await;
}

fn text<'a>(from: &'a str, to: &'a str) -> Message<'a> {
    Message { to, from, media: false }
}

async fn set(stage: &Stage, path: &str, wish: Value) {
    let (status, said) = stage.steer(Method::PUT, path, &wish.to_string()).await;
    assert_eq!(status, 200, "{said}");
}

#[tokio::test]
async fn what_a_number_may_not_do_it_may_not_do_by_any_way() {
    let stage = owned().await;
    all_say(&stage, &text(OWN, PHONE), 0, "it may").await;
    let picture = Message { media: true, ..text(OWN, PHONE) };
    let own = format!("numbers/{OWN}");
    set(&stage, &own, json!({ "capabilities": { "voice": true, "sms": true, "mms": false } })).await;
    all_say(&stage, &picture, 21606, "no media").await;
    set(&stage, &own, json!({ "capabilities": { "voice": true, "sms": false, "mms": false } })).await;
    all_say(&stage, &text(OWN, PHONE), 21606, "no texts").await;
    set(&stage, &own, json!({ "capabilities": { "voice": true, "sms": true, "mms": true } })).await;
    set(&stage, &own, json!({ "not_permitted": ["+49"], "unreachable": ["+49", "+1555"] })).await;
    all_say(&stage, &text(OWN, GERMAN), 21408, "not permitted goes before unreachable").await;
    all_say(&stage, &text(OWN, PHONE), 21612, "unreachable").await;
}

#[tokio::test]
async fn who_may_not_send_may_not_by_any_way() {
    let stage = owned().await;
    for (from, to, code) in [
        ("+19995550100", PHONE, 21606),
        ("+15005550001", PHONE, 21212),
        ("+15005550007", PHONE, 21606),
        ("+15005550008", PHONE, 21611),
        (OWN, OWN, 21266),
        (OWN, "+15005550001", 21211),
        (OWN, "+15005550002", 21612),
        (OWN, "+15005550003", 21408),
        (OWN, "+15005550004", 21610),
        (OWN, "+15005550009", 21614),
        (OWN, "whatsapp:+15551230001", 21910),
        ("whatsapp:+14155550199", PHONE, 21910),
        ("whatsapp:+19995550100", "whatsapp:+15551230001", 63007),
        ("whatsapp:+14155550199", "whatsapp:+14155550199", 63031),
        ("Dialback", PHONE, 21612),
        ("Dialback", GERMAN, 0),
    ] {
        all_say(&stage, &text(from, to), code, &format!("{from} to {to}")).await;
    }
}

#[tokio::test]
async fn a_country_a_trial_and_stop_hold_for_every_way() {
    let stage = owned().await;
    set(&stage, "permissions/DE", json!({ "messages": false })).await;
    all_say(&stage, &text(OWN, GERMAN), 21408, "a country").await;
    let stop = json!({ "to": OWN, "body": "STOP" }).to_string();
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &stop).await;
    all_say(&stage, &text(OWN, PHONE), 21610, "it was told to stop").await;
    all_say(&stage, &text(OTHER, PHONE), 0, "another one was not").await;
    set(&stage, "limits", json!({ "profile": "trial", "verified": ["+12125550123"], "message_rates": { "long-code": 1000 }, "calls_per_second": 1000 })).await;
    all_say(&stage, &text(OTHER, "+15551230009"), 21608, "not verified").await;
    all_say(&stage, &text(OTHER, "+12125550123"), 0, "verified").await;
    // And every text says whose it is.
    let (_, shown) = answer(stage.control(Method::GET, "phones/+12125550123/messages")).await;
    let texts = shown.as_array().unwrap();
    assert_eq!(texts.len(), 3, "{shown}");
    for text in texts {
        assert_eq!(text["body"], "Sent from your Twilio trial account - x");
    }
}

#[tokio::test]
async fn a_full_queue_and_the_pumping_protection_hold_for_every_way() {
    let stage = Stage::with(|settings| {
        settings.own_numbers = [OWN, OTHER].map(str::to_owned).to_vec();
        settings.profile = Profile::Paid;
    })
    .await;
    set(&stage, "limits", json!({ "profile": "paid", "message_queue_seconds": 0, "message_rates": { "long-code": 0.001 }, "calls_per_second": 1000 })).await;
    assert_eq!(text(OWN, PHONE).asked_for(&stage).await, 0);
    all_say(&stage, &text(OWN, PHONE), 21611, "its queue is full").await;

    let stage = owned().await;
    stage.steer(Method::PUT, "pumping", r#"{"enabled":true,"burst":1}"#).await;
    for message in [text(OWN, GERMAN), text(OWN, "+4915112345679")] {
        message.replied(&stage).await;
    }
    let (_, list) = stage.fetch("Messages.json?From=%2B14155550199").await;
    let codes: Vec<&Value> =
        list["messages"].as_array().unwrap().iter().map(|message| &message["error_code"]).collect();
    assert_eq!(codes, [&json!(30450), &Value::Null], "the second to the prefix is blocked");
}

#[tokio::test]
async fn a_text_beside_a_call_goes_over_whatsapp_whatever_was_said_by_text() {
    let stage = owned().await;
    let stop = json!({ "to": OTHER, "body": "STOP" }).to_string();
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &stop).await;
    // Free text is let out where the phone wrote over whatsapp before.
    let words = json!({ "to": format!("whatsapp:{OTHER}"), "body": "hi" }).to_string();
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &words).await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    let twiml =
        format!("<Response><Sms to=\"whatsapp:{PHONE}\">over whatsapp</Sms><Sms>by text</Sms></Response>");
    stage.call(&[("From", OTHER), ("Twiml", &twiml)]).await;
    stage.settle().await;
    assert_eq!(stage.alerts().await, [21610], "the text alone was refused");
    let texts = stage.look(&format!("phones/{PHONE}/messages?wait=30")).await;
    assert_eq!(texts.as_array().unwrap().len(), 1, "{texts}");
    let from = json!(format!("whatsapp:{OTHER}"));
    assert_eq!((&texts[0]["body"], &texts[0]["from"]), (&json!("over whatsapp"), &from));
}

#[tokio::test]
async fn what_is_too_much_for_a_request_is_too_much_for_a_document() {
    let stage = owned().await;
    let reply = async |content: &str| {
        stage.app.says("/sms", &format!("<Response><Message>{content}</Message></Response>"));
        let inbound = json!({ "sms_url": stage.url("/sms") }).to_string();
        stage.steer(Method::PUT, "inbound", &inbound).await;
        let before = stage.alerts().await.len();
        let words = json!({ "to": OWN, "body": "hello" }).to_string();
        stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &words).await;
        stage.settle().await;
        newest(&stage, before).await
    };
    let media = |url: &str, count: usize| format!("<Media>{url}</Media>").repeat(count);
    let picture = stage.url("/picture");
    assert_eq!(reply(&"x".repeat(1_600)).await, 0);
    assert_eq!(reply(&"x".repeat(1_601)).await, 21617);
    assert_eq!(reply(&media(&picture, 11)).await, 21623);
    assert_eq!(reply(&media("cat.gif", 1)).await, 21620);
}

/// A service with these of the account's numbers.
async fn service(stage: &Stage, numbers: &[&str]) -> String {
    let (_, made) = stage.newer(Method::POST, "/v1/Services", &[("FriendlyName", "tests")]).await;
    let sid = made["sid"].as_str().unwrap().to_owned();
    for number in numbers {
        let path = format!("/v1/Services/{sid}/PhoneNumbers");
        let pn = lasting_sid("PN", 0, number);
        assert_eq!(stage.newer(Method::POST, &path, &[("PhoneNumberSid", &pn)]).await.0, 201);
    }
    sid
}

async fn by_service(stage: &Stage, service: &str, to: &str) -> Value {
    let fields = [("To", to), ("MessagingServiceSid", service), ("Body", "x")];
    stage.create("Messages.json", &fields).await.1
}

#[tokio::test]
async fn a_service_passes_over_who_may_not_and_says_why_nobody_may() {
    let stage = owned().await;
    let sid = service(&stage, &[OWN, OTHER]).await;
    for wish in [
        json!({ "unreachable": ["+1555"] }),
        json!({ "not_permitted": ["+1555"], "unreachable": [] }),
        json!({ "not_permitted": [], "capabilities": { "voice": true, "sms": false, "mms": false } }),
    ] {
        set(&stage, &format!("numbers/{OWN}"), wish.clone()).await;
        for _ in 0..3 {
            let sent = by_service(&stage, &sid, PHONE).await;
            let message = stage.message_in(sent["sid"].as_str().unwrap(), "delivered").await;
            assert_eq!(message["from"], OTHER, "{wish}");
        }
    }
    let from = async |to: &str| {
        let sent = by_service(&stage, &sid, to).await;
        stage.message_in(sent["sid"].as_str().unwrap(), "delivered").await["from"].clone()
    };
    set(
        &stage,
        &format!("numbers/{OWN}"),
        json!({ "capabilities": { "voice": true, "sms": true, "mms": true } }),
    )
    .await;
    assert_eq!(from(OTHER).await, OWN, "nobody writes to itself");
    // A number that is the account's no more writes no more, though it stands in the pool.
    stage.steer(Method::DELETE, &format!("numbers/{OWN}"), "").await;
    for to in ["+12125550101", "+12125550102"] {
        assert_eq!(from(to).await, OTHER);
    }
    stage.newer(Method::DELETE, &format!("/v1/Services/{sid}"), &[]).await;
    let sid = service(&stage, &[OTHER]).await;
    let other = format!("numbers/{OTHER}");
    for (wish, code) in [
        (json!({ "unreachable": ["+1555"] }), 21703),
        (json!({ "unreachable": [], "not_permitted": ["+1555"] }), 21408),
        (json!({ "not_permitted": [], "capabilities": { "voice": true, "sms": false, "mms": true } }), 21703),
    ] {
        set(&stage, &other, wish.clone()).await;
        assert_eq!(by_service(&stage, &sid, PHONE).await["code"], code, "{wish}");
    }
}

#[tokio::test]
async fn a_trials_service_writes_by_no_name() {
    let stage = owned().await;
    let sid = service(&stage, &[OWN]).await;
    let path = format!("/v1/Services/{sid}/AlphaSenders");
    assert_eq!(stage.newer(Method::POST, &path, &[("AlphaSender", "Dialback")]).await.0, 201);
    let from = async || {
        let sent = by_service(&stage, &sid, GERMAN).await;
        stage.message_in(sent["sid"].as_str().unwrap(), "delivered").await["from"].clone()
    };
    assert_eq!(from().await, "Dialback");
    set(&stage, "limits", json!({ "profile": "trial", "verified": [GERMAN] })).await;
    assert_eq!(from().await, OWN);
}

#[tokio::test]
async fn a_scheduled_message_is_judged_again_when_it_leaves() {
    let stage = owned().await;
    let sid = service(&stage, &[OWN]).await;
    let at = (stage.clock.now() + jiff::SignedDuration::from_hours(1)).to_string();
    let later = async |to: &str| {
        let fields = [
            ("To", to),
            ("MessagingServiceSid", &sid),
            ("Body", "x"),
            ("ScheduleType", "fixed"),
            ("SendAt", &at),
        ];
        stage.create("Messages.json", &fields).await.1["sid"].as_str().unwrap().to_owned()
    };
    let (stopped, german, fine) = (later(PHONE).await, later(GERMAN).await, later("+12125550123").await);
    let stop = json!({ "to": OWN, "body": "STOP" }).to_string();
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &stop).await;
    set(&stage, "permissions/DE", json!({ "messages": false })).await;
    stage.steer(Method::POST, "clock", r#"{"advance_seconds":3600}"#).await;
    assert_eq!(stage.message_in(&stopped, "failed").await["error_code"], 21610);
    assert_eq!(stage.message_in(&german, "failed").await["error_code"], 21408);
    stage.message_in(&fine, "delivered").await;
}

#[tokio::test]
async fn start_to_one_of_a_service_lets_all_of_it_write_again() {
    let stage = owned().await;
    let sid = service(&stage, &[OWN, OTHER]).await;
    let say = async |to: &str, word: &str| {
        let words = json!({ "to": to, "body": word }).to_string();
        stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &words).await;
    };
    say(OWN, "STOP").await;
    assert_eq!(by_service(&stage, &sid, PHONE).await["code"], 21610);
    say(OTHER, "START").await;
    assert_eq!(by_service(&stage, &sid, PHONE).await["code"], Value::Null);
}

#[tokio::test]
async fn an_account_that_is_not_active_replies_nothing() {
    let stage = owned().await;
    let (_, made) = stage.newer(Method::POST, "/2010-04-01/Accounts.json", &[("FriendlyName", "sub")]).await;
    let sub = made["sid"].as_str().unwrap().to_owned();
    set(&stage, &format!("numbers/{OTHER}"), json!({ "account_sid": sub })).await;
    let message = text(OTHER, PHONE);
    assert_eq!(message.replied(&stage).await, 0);
    let path = format!("/2010-04-01/Accounts/{sub}.json");
    assert_eq!(stage.newer(Method::POST, &path, &[("Status", "suspended")]).await.0, 200);
    assert_eq!(message.replied(&stage).await, 20005);
}

#[tokio::test]
async fn a_number_takes_in_what_it_can() {
    let stage = owned().await;
    let own = format!("numbers/{OWN}");
    set(&stage, &own, json!({ "capabilities": { "voice": true, "sms": true, "mms": false } })).await;
    let path = format!("phones/{PHONE}/messages");
    let with = json!({ "to": OWN, "media": [{ "content_type": "image/png", "base64": "eA==" }] });
    let (status, said) = stage.steer(Method::POST, &path, &with.to_string()).await;
    assert_eq!((status, &said["error"]), (409, &json!("the number takes no media")));
    let without = json!({ "to": OWN, "body": "hi" });
    assert_eq!(stage.steer(Method::POST, &path, &without.to_string()).await.0, 201);
}

#[tokio::test]
async fn a_validation_calls_only_where_the_account_may_call() {
    let stage = owned().await;
    set(&stage, "permissions/DE", json!({ "calls": false })).await;
    let ask = async |number: &str| {
        stage.create("OutgoingCallerIds.json", &[("PhoneNumber", number)]).await.1["code"].clone()
    };
    assert_eq!((ask(GERMAN).await, ask("+15005550002").await), (json!(21215), json!(21214)));
    assert_eq!(ask("+442071838750").await, Value::Null);
}
