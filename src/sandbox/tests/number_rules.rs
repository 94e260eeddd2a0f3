//! Tests of what numbers may do, of numbers on offer, of short codes, and of numbers
//! that are verified to call from.

use super::numbers::buy;
use super::*;
use serde_json::json;

const OWN: &str = "+14155550199";
const TOLL_FREE: &str = "+18005550199";
const MINE: &str = "+14155550142";

async fn set(stage: &Stage, number: &str, wish: Value) {
    let (status, document) = stage.steer(Method::PUT, &format!("numbers/{number}"), &wish.to_string()).await;
    assert_eq!(status, 200, "{document}");
}

#[tokio::test]
async fn a_message_is_refused_by_what_its_number_cannot_do() {
    let stage = Stage::new().await;
    set(&stage, OWN, json!({ "unreachable": ["+44"], "not_permitted": ["+49", "+43"] })).await;
    let sends = async |to: &str, media: Option<&str>| {
        let mut fields = vec![("To", to), ("From", OWN), ("Body", "x")];
        fields.extend(media.map(|url| ("MediaUrl", url)));
        let (status, document) = stage.create("Messages.json", &fields).await;
        if status == 201 { 0 } else { document["code"].as_u64().unwrap() }
    };
    assert_eq!(sends(PHONE, None).await, 0);
    assert_eq!((sends("+447400123456", None).await, sends("+4915112345678", None).await), (21612, 21408));
    set(&stage, OWN, json!({ "capabilities": { "voice": true, "sms": true, "mms": false } })).await;
    let picture = stage.url("/picture");
    assert_eq!((sends(PHONE, Some(&picture)).await, sends(PHONE, None).await), (21606, 0));
    assert_eq!(sends("+447400123456", None).await, 21612, "what a control leaves out stays");
    set(&stage, OWN, json!({ "capabilities": { "voice": false, "sms": false, "mms": false } })).await;
    assert_eq!(sends(PHONE, None).await, 21606);
    for (to, code) in [(PHONE, 21210), ("+447400123456", 21210)] {
        let (_, refused) =
            stage.create("Calls.json", &[("To", to), ("From", OWN), ("Twiml", "<Response/>")]).await;
        assert_eq!(refused["code"], code, "{refused}");
    }
    set(&stage, OWN, json!({ "capabilities": { "voice": true, "sms": false, "mms": false } })).await;
    for (to, code) in [("+447400123456", 21214), ("+436641234567", 21215)] {
        let (_, refused) =
            stage.create("Calls.json", &[("To", to), ("From", OWN), ("Twiml", "<Response/>")]).await;
        assert_eq!(refused["code"], code, "{refused}");
    }
    // Nor does anything come in.
    let inbound = json!({ "sms_url": stage.url("/in"), "voice_url": stage.url("/call") });
    stage.steer(Method::PUT, "inbound", &inbound.to_string()).await;
    let body = json!({ "to": OWN, "body": "hi" }).to_string();
    let (status, said) = stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &body).await;
    assert_eq!((status, &said["error"]), (409, &json!("the number takes no texts")));
    set(&stage, OWN, json!({ "capabilities": { "voice": false, "sms": true, "mms": false } })).await;
    let body = json!({ "to": OWN }).to_string();
    let (status, said) = stage.steer(Method::POST, &format!("phones/{PHONE}/calls"), &body).await;
    assert_eq!((status, &said["error"]), (409, &json!("the number takes no calls")));
}

#[tokio::test]
async fn carriers_deliver_nothing_of_who_is_not_registered() {
    let stage = Stage::new().await;
    for number in [OWN, TOLL_FREE, "+447400123456"] {
        set(&stage, number, json!({ "registered": false })).await;
    }
    for (from, to, wanted) in [
        (OWN, PHONE, Some(30034)),
        (TOLL_FREE, PHONE, Some(30032)),
        (OWN, "+447400123457", None),
        ("+447400123456", PHONE, None),
    ] {
        let sid = stage.text(&[("From", from), ("To", to), ("StatusCallback", &stage.url("/status"))]).await;
        let status = if wanted.is_some() { "undelivered" } else { "delivered" };
        let message = stage.message_in(&sid, status).await;
        assert_eq!(message["error_code"], json!(wanted), "{message}");
    }
    set(&stage, OWN, json!({ "registered": true })).await;
    let sid = stage.text(&[("From", OWN)]).await;
    stage.message_in(&sid, "delivered").await;
}

#[tokio::test]
async fn numbers_are_offered_by_country_and_kind() {
    let stage = Stage::new().await;
    let (_, all) = stage.fetch("AvailablePhoneNumbers.json").await;
    let countries = all["countries"].as_array().unwrap();
    assert!(countries.len() > 60);
    let (_, us) = stage.fetch("AvailablePhoneNumbers/US.json").await;
    assert!(countries.contains(&us));
    assert_eq!(us["country"], "United States");
    let kinds: Vec<&String> = us["subresource_uris"].as_object().unwrap().keys().collect();
    assert_eq!(kinds, ["local", "toll_free"]);
    for path in [
        "AvailablePhoneNumbers/XX.json",
        "AvailablePhoneNumbers/US/Mobile.json",
        "AvailablePhoneNumbers/XX/Local.json",
    ] {
        assert_eq!(stage.fetch(path).await.1["code"], 20404, "{path}");
    }
    let found = async |path: &str| {
        let (status, list) = stage.fetch(&format!("AvailablePhoneNumbers/{path}")).await;
        assert_eq!(status, 200, "{list}");
        list["available_phone_numbers"].as_array().unwrap().clone()
    };
    let texas = found("US/Local.json?InRegion=TX&SmsEnabled=true&VoiceEnabled=true&PageSize=5").await;
    assert!(texas.len() == 5 && texas.iter().all(|row| row["region"] == "TX"), "{texas:?}");
    assert_eq!(
        texas,
        found("US/Local.json?InRegion=TX&PageSize=5").await,
        "the same question, the same numbers"
    );
    assert_eq!(found("US/Local.json").await.len(), 30);
    assert_eq!(found("US/Local.json?MmsEnabled=false").await, [] as [Value; 0]);
    assert_eq!(found("GB/Mobile.json?MmsEnabled=true").await, [] as [Value; 0]);
    let near = found("US/Local.json?NearNumber=%2B14155550123&PageSize=2").await;
    assert!(near.iter().all(|row| row["phone_number"].as_str().unwrap().starts_with("+1415")), "{near:?}");
    let holds = found("US/TollFree.json?Contains=734&PageSize=2").await;
    assert!(
        holds.len() == 2 && holds.iter().all(|row| row["phone_number"].as_str().unwrap().contains("734"))
    );
    let zip = texas[0]["postal_code"].as_str().unwrap();
    let there = found(&format!("US/Local.json?InPostalCode={zip}&PageSize=2")).await;
    assert!(there.len() == 2 && there.iter().all(|row| row["region"] == "TX"), "{there:?}");
    let (_, refused) = stage.fetch("AvailablePhoneNumbers/US/Local.json?PageSize=0").await;
    assert_eq!(refused["code"], 20007);
}

#[tokio::test]
async fn a_short_code_takes_texts() {
    let stage = Stage::with(|settings| settings.own_numbers = vec!["+15017122661".to_owned()]).await;
    let sends =
        async || stage.create("Messages.json", &[("To", PHONE), ("From", "12345"), ("Body", "x")]).await.0;
    assert_eq!(sends().await, 400);
    set(&stage, "12345", json!({ "friendly_name": "votes" })).await;
    assert_eq!(sends().await, 201);
    let (_, list) = stage.fetch("SMS/ShortCodes.json?ShortCode=12345").await;
    let code = &list["short_codes"][0];
    assert_eq!((&code["short_code"], &code["friendly_name"]), (&json!("12345"), &json!("votes")));
    let path = format!("SMS/ShortCodes/{}.json", code["sid"].as_str().unwrap());
    let (status, code) = stage.create(&path, &[("SmsUrl", &stage.url("/votes")), ("SmsMethod", "GET")]).await;
    assert_eq!((status, &code["sms_url"]), (200, &json!(stage.url("/votes"))));
    assert_eq!(stage.fetch(&path).await.1, code);
    let body = json!({ "to": "12345", "body": "yes" }).to_string();
    let (status, _) = stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &body).await;
    assert_eq!(status, 201);
    let told = stage.app.wait("/votes", 1).await.remove(0);
    assert_eq!((told.get("To").as_deref(), told.method.as_str()), (Some("12345"), "GET"));
    assert_eq!(stage.steer(Method::PUT, "numbers/12345", r#"{"registered":false}"#).await.0, 400);
    assert_eq!(stage.steer(Method::DELETE, "numbers/12345", "").await.0, 204);
    assert_eq!((stage.fetch(&path).await.0, sends().await), (404, 400));
}

/// Asks to validate a number, and gives the answer.
async fn ask_for(stage: &Stage, number: &str, more: &[(&str, &str)]) -> Value {
    let mut fields = vec![("PhoneNumber", number)];
    fields.extend(more);
    let (status, asked) = stage.create("OutgoingCallerIds.json", &fields).await;
    assert_eq!(status, 200, "{asked}");
    asked
}

#[tokio::test]
async fn who_types_the_code_lets_the_account_call_from_the_number() {
    let stage = Stage::with(|settings| settings.own_numbers = vec!["+15017122661".to_owned()]).await;
    let calls =
        async || stage.create("Calls.json", &[("To", PHONE), ("From", MINE), ("Twiml", "<Response/>")]).await;
    assert_eq!(calls().await.1["code"], 21210);
    let callback = stage.url("/validated");
    let asked = ask_for(&stage, MINE, &[("FriendlyName", "me"), ("StatusCallback", &callback)]).await;
    assert_eq!(asked["phone_number"], MINE);
    let (code, call) = (asked["validation_code"].as_str().unwrap(), asked["call_sid"].as_str().unwrap());
    assert_eq!(stage.look("numbers").await["validations"][0]["code"], code);
    assert_eq!(stage.fetch("OutgoingCallerIds.json").await.1["outgoing_caller_ids"], json!([]));
    stage.steer(Method::POST, &format!("calls/{call}/answer"), "").await;
    stage.steer(Method::POST, &format!("calls/{call}/press"), r#"{"digits":"000000"}"#).await;
    stage.look(&format!("phones/{MINE}/calls?wait=30&spoken=2")).await;
    stage.steer(Method::POST, &format!("calls/{call}/press"), &json!({ "digits": code }).to_string()).await;
    let told = stage.app.wait("/validated", 1).await.remove(0);
    assert_eq!(told.get("VerificationStatus").as_deref(), Some("success"));
    let sid = told.get("OutgoingCallerIdSid").unwrap();
    assert!(told.signed && told.get("CallSid").as_deref() == Some(call));
    let (_, list) =
        stage.fetch(&format!("OutgoingCallerIds.json?PhoneNumber={}", MINE.replace('+', "%2B"))).await;
    let caller = &list["outgoing_caller_ids"][0];
    assert_eq!((&caller["sid"], &caller["friendly_name"]), (&json!(sid), &json!("me")));
    assert_eq!(stage.look("numbers").await["validations"], json!([]));
    let (status, made) = calls().await;
    assert_eq!((status, &made["phone_number_sid"]), (201, &json!(sid)), "{made}");
    let (_, refused) = stage.create("OutgoingCallerIds.json", &[("PhoneNumber", MINE)]).await;
    assert_eq!(refused["code"], 21450);
    // It may be called from, and not written from.
    let (_, refused) = stage.create("Messages.json", &[("To", PHONE), ("From", MINE), ("Body", "x")]).await;
    assert_eq!(refused["code"], 21606);
    let path = format!("OutgoingCallerIds/{sid}.json");
    assert_eq!(stage.create(&path, &[("FriendlyName", "home")]).await.1["friendly_name"], "home");
    assert_eq!(stage.fetch(&path).await.1["friendly_name"], "home");
    assert_eq!(stage.api(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert_eq!((stage.fetch(&path).await.0, &calls().await.1["code"]), (404, &json!(21210)));
}

#[tokio::test]
async fn a_validation_fails_with_its_call_and_a_control_does_without_one() {
    let stage = Stage::with(|settings| settings.own_numbers = vec!["+15017122661".to_owned()]).await;
    let callback = stage.url("/validated");
    stage.behave(MINE, r#"{"answers":"declines"}"#).await;
    ask_for(&stage, MINE, &[("StatusCallback", &callback)]).await;
    let told = stage.app.wait("/validated", 1).await.remove(0);
    assert_eq!(told.get("VerificationStatus").as_deref(), Some("failed"));
    assert_eq!(told.get("OutgoingCallerIdSid"), None);
    // Wrong three times.
    stage.behave(MINE, r#"{"answers":"machine","press":["1","2","3"]}"#).await;
    ask_for(&stage, MINE, &[("StatusCallback", &callback)]).await;
    let told = stage.app.wait("/validated", 2).await.remove(1);
    assert_eq!(told.get("VerificationStatus").as_deref(), Some("failed"));
    assert_eq!(stage.fetch("OutgoingCallerIds.json").await.1["outgoing_caller_ids"], json!([]));
    // By the control, while it rings.
    stage.behave(MINE, "{}").await;
    let asked = ask_for(&stage, MINE, &[("StatusCallback", &callback), ("CallDelay", "30")]).await;
    let path = format!("numbers/{MINE}/validate");
    assert_eq!(stage.steer(Method::POST, &path, r#"{"code":"000000"}"#).await.0, 409);
    let (status, done) =
        stage.steer(Method::POST, &path, &json!({ "code": asked["validation_code"] }).to_string()).await;
    assert_eq!((status, &done["validated"]), (200, &json!(true)), "{done}");
    let told = stage.app.wait("/validated", 3).await.remove(2);
    assert_eq!(told.get("OutgoingCallerIdSid").as_deref(), done["sid"].as_str());
    // And without any call.
    let other = "+14155550143";
    assert_eq!(
        stage.steer(Method::POST, &format!("numbers/{other}/validate"), r#"{"code":"1"}"#).await.0,
        409
    );
    assert_eq!(stage.steer(Method::POST, &format!("numbers/{other}/validate"), "").await.0, 200);
    assert_eq!(
        stage.fetch("OutgoingCallerIds.json").await.1["outgoing_caller_ids"].as_array().unwrap().len(),
        2
    );
    for (field, value, code) in
        [("PhoneNumber", "x", 21401), ("CallDelay", "61", 20001), ("Extension", "a", 20001)]
    {
        let mut fields = vec![("PhoneNumber", "+14155550144")];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let (status, refused) = stage.create("OutgoingCallerIds.json", &fields).await;
        assert_eq!((status, &refused["code"]), (400, &json!(code)), "{field} {refused}");
    }
}

#[tokio::test]
async fn the_controls_show_and_change_numbers() {
    let stage = Stage::new().await;
    buy(&stage, OWN, &[("SmsUrl", "http://user:secret@127.0.0.1:9/own#rc=1")]).await;
    let shown = stage.look(&format!("numbers/{OWN}")).await;
    assert_eq!(
        (&shown["texts_go_to"], &shown["calls_go_to"]),
        (&json!("http://127.0.0.1:9/own"), &json!(null))
    );
    assert_eq!((&shown["type"], &shown["registered"]), (&json!("local"), &json!(true)));
    let state = stage.look("state").await;
    assert_eq!(state["numbers"]["numbers"].as_array().unwrap().len(), 2);
    assert_eq!(stage.steer(Method::GET, "numbers/+14155550000", "").await.0, 404);
    assert_eq!(stage.steer(Method::GET, "numbers/x", "").await.0, 400);
    for wrong in [
        r#"{"unreachable":["44"]}"#,
        r#"{"account_sid":"AC1"}"#,
        r#"{"capabilities":{"voice":true}}"#,
        r#"{"colour":1}"#,
    ] {
        assert_eq!(stage.steer(Method::PUT, &format!("numbers/{OWN}"), wrong).await.0, 400, "{wrong}");
    }
}
