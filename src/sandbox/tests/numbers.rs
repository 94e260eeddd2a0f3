//! Tests of numbers that accounts own: bought, listed, moved, released, and where what
//! comes in at them goes.

use super::accounts::ask;
use super::*;
use serde_json::json;

const OWN: &str = "+14155550199";

/// Buys a number: its SID.
pub(super) async fn buy(stage: &Stage, number: &str, more: &[(&str, &str)]) -> String {
    let mut fields = vec![("PhoneNumber", number)];
    fields.extend(more);
    let (status, document) = stage.create("IncomingPhoneNumbers.json", &fields).await;
    assert_eq!(status, 201, "{document}");
    document["sid"].as_str().unwrap().to_owned()
}

/// Somebody writes to a number.
async fn write(stage: &Stage, to: &str) -> (u16, Value) {
    let body = json!({ "to": to, "body": "hi" }).to_string();
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &body).await
}

/// Somebody calls a number.
async fn dial(stage: &Stage, to: &str) -> (u16, Value) {
    stage.steer(Method::POST, &format!("phones/{PHONE}/calls"), &json!({ "to": to }).to_string()).await
}

async fn listed(stage: &Stage, query: &str) -> Vec<String> {
    let (status, list) = stage.fetch(&format!("IncomingPhoneNumbers{query}")).await;
    assert_eq!(status, 200, "{list}");
    let rows = list["incoming_phone_numbers"].as_array().unwrap();
    rows.iter().map(|row| row["phone_number"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn configured_senders_are_the_accounts_with_the_urls_that_the_sandbox_was_told() {
    let stage = Stage::with(|settings| settings.own_numbers = vec!["+15017122661".to_owned()]).await;
    assert_eq!(listed(&stage, ".json").await, ["+15017122661", SENDER]);
    let (_, list) = stage.fetch("IncomingPhoneNumbers.json?PhoneNumber=%2B15017122661").await;
    let own = &list["incoming_phone_numbers"][0];
    assert_eq!((&own["sms_url"], &own["friendly_name"]), (&json!(""), &json!("(501) 712-2661")));
    let urls = json!({ "sms_url": stage.url("/in"), "voice_url": stage.url("/call"),
        "voice_status_url": stage.url("/ended") });
    stage.steer(Method::PUT, "inbound", &urls.to_string()).await;
    let sid = own["sid"].as_str().unwrap();
    let path = format!("IncomingPhoneNumbers/{sid}.json");
    let (_, own) = stage.fetch(&path).await;
    assert_eq!(own["sms_url"], stage.url("/in"));
    assert_eq!(own["voice_url"], stage.url("/call"));
    assert_eq!(own["status_callback"], stage.url("/ended"));
    // After a new start it is the same number, and what was said of it is forgotten.
    stage.create(&path, &[("SmsUrl", &stage.url("/own")), ("FriendlyName", "mine")]).await;
    assert_eq!(stage.fetch(&path).await.1["friendly_name"], "mine");
    stage.steer(Method::DELETE, "state", "").await;
    let (status, own) = stage.fetch(&path).await;
    assert_eq!((status, &own["sms_url"]), (200, &json!(stage.url("/in"))));
}

#[tokio::test]
async fn a_number_is_bought_found_changed_and_released() {
    let stage = Stage::new().await;
    let urls = [("SmsUrl", "https://example.com/sms"), ("SmsMethod", "GET"), ("FriendlyName", "desk")];
    let sid = buy(&stage, "(415) 555-0199", &urls).await;
    let toll_free = buy(&stage, "+18005550123", &[]).await;
    let mobile = buy(&stage, "+447400123456", &[]).await;
    let path = format!("IncomingPhoneNumbers/{sid}.json");
    let (_, own) = stage.fetch(&path).await;
    for (field, wanted) in [
        ("phone_number", OWN),
        ("friendly_name", "desk"),
        ("sms_url", "https://example.com/sms"),
        ("sms_method", "GET"),
        ("voice_url", ""),
        ("voice_method", "POST"),
        ("type", "local"),
        ("status", "in-use"),
        ("address_requirements", "none"),
        ("account_sid", ACCOUNT),
    ] {
        assert_eq!(own[field], wanted, "{field}");
    }
    assert_eq!(own["capabilities"], json!({ "voice": true, "sms": true, "mms": true, "fax": false }));
    assert_eq!(
        stage.fetch(&format!("IncomingPhoneNumbers/{mobile}.json")).await.1["capabilities"]["mms"],
        false
    );
    for (query, wanted) in [
        (".json", vec!["+447400123456", "+18005550123", OWN, SENDER]),
        (".json?PhoneNumber=%2B14155550199", vec![OWN]),
        (".json?PhoneNumber=415***0199", vec![OWN]),
        (".json?FriendlyName=desk", vec![OWN]),
        (".json?Origin=hosted", vec![]),
        (".json?Beta=false&Origin=twilio&PhoneNumber=800", vec!["+18005550123"]),
        ("/Local.json", vec![OWN, SENDER]),
        ("/Mobile.json", vec!["+447400123456"]),
        ("/TollFree.json", vec!["+18005550123"]),
    ] {
        assert_eq!(listed(&stage, query).await, wanted, "{query}");
    }
    let (status, own) = stage.create(&path, &[("SmsUrl", ""), ("VoiceCallerIdLookup", "true")]).await;
    assert_eq!((status, &own["sms_url"], &own["sms_method"]), (200, &json!(""), &json!("GET")));
    assert_eq!(own["voice_caller_id_lookup"], true);
    for (field, value, code) in [
        ("SmsUrl", "nowhere", 21402),
        ("VoiceFallbackUrl", "ftp://example.com/", 21402),
        ("StatusCallbackMethod", "PUT", 21403),
        ("AccountSid", "AC00000000000000000000000000000000", 20001),
    ] {
        let (status, refused) = stage.create(&path, &[(field, value)]).await;
        assert_eq!((status, &refused["code"]), (400, &json!(code)), "{field} {refused}");
    }
    for (fields, code) in [
        (vec![("PhoneNumber", OWN)], 21422),
        (vec![("PhoneNumber", SENDER)], 21422),
        (vec![("PhoneNumber", "+15005550000")], 21422),
        (vec![("PhoneNumber", "+15005550001")], 21421),
        (vec![("PhoneNumber", "soon")], 21421),
        (vec![("AreaCode", "4")], 21451),
        (vec![("AreaCode", "123")], 21451),
        (vec![("AreaCode", "4155")], 21451),
        (vec![], 21404),
    ] {
        let (status, refused) = stage.create("IncomingPhoneNumbers.json", &fields).await;
        assert_eq!((status, &refused["code"]), (400, &json!(code)), "{fields:?} {refused}");
    }
    let (_, refused) =
        stage.create("IncomingPhoneNumbers/TollFree.json", &[("PhoneNumber", "+14155550177")]).await;
    assert_eq!(refused["code"], 21421);
    // Released, it can be had again.
    let gone = stage.api(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(gone.status().as_u16(), 204);
    assert_eq!(stage.fetch(&path).await.0, 404);
    buy(&stage, OWN, &[]).await;
    assert_eq!(
        stage
            .api(Method::DELETE, &format!("IncomingPhoneNumbers/{toll_free}.json"))
            .send()
            .await
            .unwrap()
            .status(),
        204
    );
}

#[tokio::test]
async fn an_area_code_finds_a_free_number_and_never_the_same_twice() {
    let stage = Stage::new().await;
    let (_, offered) = stage.fetch("AvailablePhoneNumbers/US/Local.json?AreaCode=559&PageSize=3").await;
    let offered = offered["available_phone_numbers"].clone();
    let mut had = Vec::new();
    for _ in 0..3 {
        let (status, own) = stage.create("IncomingPhoneNumbers.json", &[("AreaCode", "559")]).await;
        assert_eq!(status, 201, "{own}");
        let number = own["phone_number"].as_str().unwrap().to_owned();
        assert!(number.starts_with("+1559") && !had.contains(&number), "{number}");
        had.push(number);
    }
    let (status, own) = stage.create("IncomingPhoneNumbers.json", &[("AreaCode", "888")]).await;
    assert_eq!((status, &own["type"]), (201, &json!("toll-free")), "{own}");
    // The lists of a kind take whole numbers alone.
    for kind in ["Local", "Mobile", "TollFree"] {
        let path = format!("IncomingPhoneNumbers/{kind}.json");
        assert_eq!(stage.create(&path, &[("AreaCode", "559")]).await.1["code"], 21457, "{kind}");
    }
    let rows = offered.as_array().unwrap();
    let numbers: Vec<&str> = rows.iter().map(|row| row["phone_number"].as_str().unwrap()).collect();
    assert_eq!(numbers, had, "what is offered can be had");
    let (_, left) = stage.fetch("AvailablePhoneNumbers/US/Local.json?AreaCode=559&PageSize=3").await;
    let left = left["available_phone_numbers"].as_array().unwrap().clone();
    assert_eq!(left.len(), 3);
    assert!(
        left.iter().all(|row| !had.contains(&row["phone_number"].as_str().unwrap().to_owned())),
        "{left:?}"
    );
}

#[tokio::test]
async fn what_comes_in_goes_where_its_number_says() {
    let stage = Stage::new().await;
    let inbound = json!({ "sms_url": stage.url("/in"), "voice_url": stage.url("/call"),
        "voice_status_url": stage.url("/ended") });
    stage.steer(Method::PUT, "inbound", &inbound.to_string()).await;
    stage.app.says("/call", "<Response><Hangup/></Response>");
    stage.app.says("/own-call", "<Response><Hangup/></Response>");
    let sid = buy(&stage, OWN, &[]).await;
    // Nothing was said of it yet.
    assert_eq!(write(&stage, OWN).await.1["told"], true);
    dial(&stage, OWN).await;
    assert_eq!(stage.app.wait("/in", 1).await[0].get("To").as_deref(), Some(OWN));
    stage.app.wait("/call", 1).await;
    stage.app.wait("/ended", 1).await;
    let path = format!("IncomingPhoneNumbers/{sid}.json");
    let urls = [
        ("SmsUrl", stage.url("/own-text")),
        ("SmsMethod", "GET".to_owned()),
        ("VoiceUrl", stage.url("/own-call")),
        ("StatusCallback", stage.url("/own-end")),
        ("StatusCallbackMethod", "GET".to_owned()),
    ];
    let urls: Vec<(&str, &str)> = urls.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(stage.create(&path, &urls).await.0, 200);
    write(&stage, OWN).await;
    let (_, call) = dial(&stage, OWN).await;
    let told = stage.app.wait("/own-text", 1).await;
    assert_eq!((told[0].method.as_str(), told[0].signed), ("GET", true));
    let told = stage.app.wait("/own-call", 1).await;
    assert_eq!((told[0].method.as_str(), told[0].signed), ("POST", true));
    let ended = stage.app.wait("/own-end", 1).await;
    assert_eq!((ended[0].method.as_str(), ended[0].get("CallStatus").as_deref()), ("GET", Some("completed")));
    let (_, call) = stage.fetch(&format!("Calls/{}.json", call["sid"].as_str().unwrap())).await;
    assert_eq!(call["phone_number_sid"], json!(sid));
    // Emptied, it goes nowhere; what others say is not asked.
    stage.create(&path, &[("SmsUrl", ""), ("VoiceUrl", "")]).await;
    assert_eq!(write(&stage, OWN).await.1["told"], false);
    assert_eq!(dial(&stage, OWN).await.0, 409);
    stage.settle().await;
    assert_eq!((stage.app.told("/in").len(), stage.app.told("/call").len()), (1, 1));
    // Other numbers go where they went.
    write(&stage, SENDER).await;
    stage.app.wait("/in", 2).await;
}

#[tokio::test]
async fn a_fallback_is_asked_and_told_why() {
    let stage = Stage::new().await;
    let urls = [
        ("SmsUrl", stage.url("/broken")),
        ("SmsFallbackUrl", stage.url("/text-instead")),
        ("VoiceUrl", stage.url("/broken-call")),
        ("VoiceFallbackUrl", stage.url("/call-instead")),
        ("VoiceFallbackMethod", "GET".to_owned()),
    ];
    let urls: Vec<(&str, &str)> = urls.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sid = buy(&stage, OWN, &urls).await;
    stage.app.answers("/broken", 500, &[], "");
    stage.app.says("/text-instead", "<Response><Message>instead</Message></Response>");
    stage.app.says("/broken-call", "<Response><Say></Response>");
    stage.app.says("/call-instead", "<Response><Say>instead</Say></Response>");
    write(&stage, OWN).await;
    let told = stage.app.wait("/text-instead", 1).await.remove(0);
    assert_eq!(told.get("ErrorCode").as_deref(), Some("11200"));
    assert_eq!(told.get("ErrorUrl"), Some(stage.url("/broken")));
    assert_eq!(told.get("Body").as_deref(), Some("hi"));
    assert!(told.signed);
    let texts = stage.look(&format!("phones/{PHONE}/messages?wait=30")).await;
    assert_eq!(texts[0]["body"], "instead");
    dial(&stage, OWN).await;
    let call = stage.call_in("completed").await;
    assert_eq!(call["spoken"], json!(["instead"]));
    let told = stage.app.wait("/call-instead", 1).await.remove(0);
    assert_eq!((told.method.as_str(), told.get("ErrorCode").as_deref()), ("GET", Some("12100")));
    assert_eq!(told.get("ErrorUrl"), Some(stage.url("/broken-call")));
    // A fallback that fails as well is the end of it.
    stage.app.answers("/text-instead", 404, &[], "");
    write(&stage, OWN).await;
    stage.app.wait("/text-instead", 2).await;
    stage.settle().await;
    assert_eq!(stage.app.told("/text-instead").len(), 2);
    assert_eq!(stage.alerts().await[..2], [11200, 11200]);
    // A word in a redirected document that fails leads there too.
    stage.app.says("/broken", &format!("<Response><Redirect>{}</Redirect></Response>", stage.url("/gone")));
    stage.app.answers("/gone", 410, &[], "");
    stage.app.says("/text-instead", "<Response/>");
    write(&stage, OWN).await;
    let told = stage.app.wait("/text-instead", 3).await.remove(2);
    assert_eq!(told.get("ErrorUrl"), Some(stage.url("/gone")));
    assert_eq!(
        stage.api(Method::DELETE, &format!("IncomingPhoneNumbers/{sid}.json")).send().await.unwrap().status(),
        204
    );
}

#[tokio::test]
async fn a_number_moves_to_a_sub_account_with_everything_that_comes_in() {
    let stage = Stage::new().await;
    let (_, below) = ask(&stage, ACCOUNT, TOKEN, Method::POST, "Accounts.json", "FriendlyName=one").await;
    let (one, token) = (below["sid"].as_str().unwrap(), below["auth_token"].as_str().unwrap());
    let sid = buy(&stage, OWN, &[("SmsUrl", &stage.url("/own"))]).await;
    let (status, moved) =
        stage.create(&format!("IncomingPhoneNumbers/{sid}.json"), &[("AccountSid", one)]).await;
    assert_eq!((status, &moved["account_sid"]), (200, &json!(one)), "{moved}");
    assert!(moved["uri"].as_str().unwrap().contains(one));
    assert_eq!(stage.fetch(&format!("IncomingPhoneNumbers/{sid}.json")).await.0, 404);
    let path = format!("Accounts/{one}/IncomingPhoneNumbers/{sid}.json");
    assert_eq!(ask(&stage, one, token, Method::GET, &path, "").await.0, 200);
    write(&stage, OWN).await;
    let told = stage.app.wait("/own", 1).await.remove(0);
    assert_eq!(told.get("AccountSid").as_deref(), Some(one));
    let url = stage.url("/own");
    assert!(is_signed_with(token, &told.method, &url, &told.headers, told.body.as_bytes()));
    // Who sends from it is its account, and no other.
    let words = format!("To={PHONE}&From={OWN}&Body=hello").replace('+', "%2B");
    let texts = format!("Accounts/{one}/Messages.json");
    assert_eq!(ask(&stage, one, token, Method::POST, &texts, &words).await.0, 201);
    let (status, refused) =
        stage.create("Messages.json", &[("To", PHONE), ("From", OWN), ("Body", "x")]).await;
    assert_eq!((status, &refused["code"]), (400, &json!(21606)), "{refused}");
    // A sub-account gives nothing to its parent.
    let (status, refused) =
        ask(&stage, one, token, Method::POST, &path, &format!("AccountSid={ACCOUNT}")).await;
    assert_eq!((status, &refused["code"]), (400, &json!(20001)), "{refused}");
    let (status, back) =
        ask(&stage, ACCOUNT, TOKEN, Method::POST, &path, &format!("AccountSid={ACCOUNT}")).await;
    assert_eq!((status, &back["account_sid"]), (200, &json!(ACCOUNT)));
}

#[tokio::test]
async fn a_released_sender_is_nobodys_where_not_everybody_may_send() {
    let stage = Stage::with(|settings| settings.own_numbers = vec!["+15017122661".to_owned()]).await;
    let sends = async |from: &str| {
        stage.create("Messages.json", &[("To", PHONE), ("From", from), ("Body", "x")]).await.0
    };
    assert_eq!((sends("+15017122661").await, sends(OWN).await), (201, 400));
    let sid = buy(&stage, OWN, &[]).await;
    assert_eq!(sends(OWN).await, 201);
    stage.api(Method::DELETE, &format!("IncomingPhoneNumbers/{sid}.json")).send().await.unwrap();
    assert_eq!(sends(OWN).await, 400);
    assert_eq!(stage.steer(Method::DELETE, "numbers/+15017122661", "").await.0, 204);
    assert_eq!((sends("+15017122661").await, sends(SENDER).await), (400, 201));
}
