//! Tests of messaging services: their resources, their pools, and what is sent by them.

use super::*;
use crate::sandbox::Senders;
use crate::sandbox::lasting::lasting_sid;
use serde_json::json;

const US: &str = "+14155550100";
const GB: &str = "+442071838750";
const CODE: &str = "12345";

/// A sandbox in which only these numbers are owned.
async fn owned() -> Stage {
    Stage::with(|settings| {
        settings.own_numbers = [US, GB, CODE].map(str::to_owned).to_vec();
        settings.senders = Senders::Owned;
    })
    .await
}

async fn service(stage: &Stage, more: &[(&str, &str)]) -> String {
    let fields = [&[("FriendlyName", "tests")], more].concat();
    let (status, made) = stage.newer(Method::POST, "/v1/Services", &fields).await;
    assert_eq!(status, 201, "{made}");
    made["sid"].as_str().unwrap().to_owned()
}

async fn add(stage: &Stage, service: &str, list: &str, field: &str, value: &str) -> (u16, Value) {
    stage.newer(Method::POST, &format!("/v1/Services/{service}/{list}"), &[(field, value)]).await
}

async fn add_number(stage: &Stage, service: &str, number: &str) -> (u16, Value) {
    let list = format!("IncomingPhoneNumbers.json?PhoneNumber={}", number.replace('+', "%2B"));
    let (_, found) = stage.fetch(&list).await;
    let sid = found["incoming_phone_numbers"][0]["sid"].as_str().unwrap_or("PN0");
    add(stage, service, "PhoneNumbers", "PhoneNumberSid", sid).await
}

async fn add_code(stage: &Stage, service: &str) -> (u16, Value) {
    let (_, found) = stage.fetch("SMS/ShortCodes.json").await;
    let sid = found["short_codes"][0]["sid"].as_str().unwrap_or("SC0");
    add(stage, service, "ShortCodes", "ShortCodeSid", sid).await
}

async fn send(stage: &Stage, service: &str, to: &str) -> (u16, Value) {
    stage.create("Messages.json", &[("To", to), ("MessagingServiceSid", service), ("Body", "hello")]).await
}

/// Who a message by a service came from.
async fn sender(stage: &Stage, service: &str, to: &str) -> Value {
    let (status, sent) = send(stage, service, to).await;
    assert_eq!((status, &sent["status"], &sent["from"]), (201, &json!("accepted"), &Value::Null), "{sent}");
    stage.message_in(sent["sid"].as_str().unwrap(), "delivered").await["from"].clone()
}

#[tokio::test]
async fn a_service_is_made_listed_changed_and_deleted() {
    let stage = Stage::new().await;
    let sid =
        service(&stage, &[("StatusCallback", "https://example.com/s"), ("ValidityPeriod", "600")]).await;
    let path = format!("/v1/Services/{sid}");
    let (_, found) = stage.newer(Method::GET, &path, &[]).await;
    assert_eq!((&found["validity_period"], &found["sticky_sender"]), (&json!(600), &json!(true)));
    assert_eq!(found["links"]["phone_numbers"], json!(format!("{}{path}/PhoneNumbers", stage.base)));
    let changes = [("FriendlyName", "other"), ("StickySender", "false"), ("StatusCallback", "")];
    let (status, changed) = stage.newer(Method::POST, &path, &changes).await;
    assert_eq!((status, &changed["friendly_name"]), (200, &json!("other")));
    assert_eq!((&changed["sticky_sender"], &changed["status_callback"]), (&json!(false), &Value::Null));
    let (_, list) = stage.newer(Method::GET, "/v1/Services", &[]).await;
    assert_eq!((&list["services"][0]["sid"], &list["meta"]["key"]), (&json!(sid), &json!("services")));
    for wrong in
        [("ValidityPeriod", "36001"), ("InboundRequestUrl", "x"), ("InboundMethod", "PUT"), ("Usecase", "x")]
    {
        let (status, refused) = stage.newer(Method::POST, &path, &[wrong]).await;
        assert_eq!((status, &refused["code"]), (400, &json!(20001)), "{wrong:?}");
    }
    assert_eq!(stage.newer(Method::POST, "/v1/Services", &[]).await.0, 400);
    assert_eq!(stage.newer(Method::DELETE, &path, &[]).await.0, 204);
    assert_eq!(stage.newer(Method::GET, &path, &[]).await.0, 404);
}

#[tokio::test]
async fn senders_come_and_go_and_are_in_one_service_only() {
    let stage = owned().await;
    let (one, two) = (service(&stage, &[]).await, service(&stage, &[]).await);
    let (status, added) = add_number(&stage, &one, US).await;
    assert_eq!((status, &added["phone_number"], &added["country_code"]), (201, &json!(US), &json!("US")));
    for (service, code) in [(&one, 21710), (&two, 21712)] {
        let (status, refused) = add_number(&stage, service, US).await;
        assert_eq!((status, &refused["code"]), (409, &json!(code)));
    }
    // What is none, or of another kind, or sends no texts.
    let pn = |number: &str| lasting_sid("PN", 0, number);
    for (list, field, sid, code) in [
        ("PhoneNumbers", "PhoneNumberSid", "PN0".to_owned(), 21421),
        ("PhoneNumbers", "PhoneNumberSid", lasting_sid("SC", 0, CODE), 21421),
        ("ShortCodes", "ShortCodeSid", pn(GB), 21421),
        ("ChannelSenders", "Sid", pn(GB), 20404),
    ] {
        let refused = add(&stage, &one, list, field, &sid).await.1;
        assert_eq!(refused["code"], code, "{list} {sid}");
    }
    let path = format!("numbers/{GB}");
    let able = |sms: bool| format!(r#"{{"capabilities":{{"voice":true,"sms":{sms},"mms":false}}}}"#);
    stage.steer(Method::PUT, &path, &able(false)).await;
    assert_eq!(add_number(&stage, &one, GB).await.1["code"], 21715);
    stage.steer(Method::PUT, &path, &able(true)).await;
    let (_, code) = add_code(&stage, &one).await;
    assert_eq!(code["short_code"], CODE);
    let (_, channel) = add(&stage, &one, "ChannelSenders", "Sid", &lasting_sid("XE", 0, GB)).await;
    assert_eq!(
        (&channel["sender"], &channel["sender_type"]),
        (&json!(format!("whatsapp:{GB}")), &json!("WhatsApp"))
    );
    for service in [&one, &two] {
        assert_eq!(add(&stage, service, "AlphaSenders", "AlphaSender", "Dialback").await.0, 201);
    }
    for wrong in ["12345", "D", "Dial!back", "Dialback1234"] {
        let (status, refused) = add(&stage, &one, "AlphaSenders", "AlphaSender", wrong).await;
        assert_eq!((status, &refused["code"]), (400, &json!(21709)), "{wrong}");
    }
    assert_eq!(add(&stage, &one, "AlphaSenders", "AlphaSender", "Dialback").await.1["code"], 21710);
    for (list, key) in [
        ("PhoneNumbers", "phone_numbers"),
        ("ShortCodes", "short_codes"),
        ("AlphaSenders", "alpha_senders"),
        ("ChannelSenders", "senders"),
    ] {
        let path = format!("/v1/Services/{one}/{list}");
        let (_, found) = stage.newer(Method::GET, &path, &[]).await;
        assert_eq!(found[key].as_array().unwrap().len(), 1, "{found}");
        let own = format!("{path}/{}", found[key][0]["sid"].as_str().unwrap());
        assert_eq!(stage.newer(Method::GET, &own, &[]).await.0, 200);
        assert_eq!(stage.newer(Method::DELETE, &own, &[]).await.0, 204);
        assert_eq!(stage.newer(Method::GET, &own, &[]).await.0, 404);
    }
    assert_eq!(add_number(&stage, &two, US).await.0, 201, "it is free again");
}

#[tokio::test]
async fn a_message_by_a_service_has_a_sender_of_its_pool() {
    let stage = owned().await;
    let sid = service(&stage, &[]).await;
    let (status, refused) = send(&stage, &sid, PHONE).await;
    assert_eq!((status, &refused["code"]), (400, &json!(21704)));
    assert_eq!(add(&stage, &sid, "AlphaSenders", "AlphaSender", "Dialback").await.0, 201);
    assert_eq!(send(&stage, &sid, "+14155550123").await.1["code"], 21703);
    assert_eq!(sender(&stage, &sid, "+4915112345678").await, "Dialback");
    assert_eq!(add_number(&stage, &sid, US).await.0, 201);
    assert_eq!(add_number(&stage, &sid, GB).await.0, 201);
    assert_eq!(sender(&stage, &sid, "+14155550123").await, US);
    assert_eq!(sender(&stage, &sid, "+6421123456").await, US, "new zealand takes no names");
    assert_eq!(add_code(&stage, &sid).await.0, 201);
    assert_eq!(sender(&stage, &sid, "+12125550123").await, CODE);
    // What somebody told one of its senders holds for all of them.
    stage.steer(Method::POST, "phones/+12125550123/messages", r#"{"to":"12345","body":"STOP"}"#).await;
    assert_eq!(send(&stage, &sid, "+12125550123").await.1["code"], 21610);
}

#[tokio::test]
async fn only_what_is_owned_passes_when_that_is_wanted() {
    let stage = owned().await;
    let made_up = format!("MG{}", "0".repeat(32));
    let (_, refused) = send(&stage, &made_up, PHONE).await;
    assert_eq!((&refused["code"], &refused["status"]), (&json!(21705), &json!(400)));
    let from = async |from: &str, to: &str| {
        stage.create("Messages.json", &[("To", to), ("From", from), ("Body", "x")]).await.1["code"].clone()
    };
    assert_eq!(from("+19995550100", PHONE).await, 21606);
    assert_eq!(from("Dialback", "+14155550123").await, 21612);
    assert_eq!((from(US, PHONE).await, from("Dialback", "+4915112345678").await), (Value::Null, Value::Null));
    assert_eq!(stage.look("state").await["senders"], "owned");
    let content = format!("HX{}", "0".repeat(32));
    let (_, refused) =
        stage.create("Messages.json", &[("To", PHONE), ("From", US), ("ContentSid", &content)]).await;
    assert_eq!(refused["code"], 21655);
    // By default everything passes, and the state says so.
    let stage = Stage::new().await;
    assert_eq!(send(&stage, &made_up, PHONE).await.0, 201);
    assert_eq!(stage.look("state").await["senders"], "any");
}

#[tokio::test]
async fn a_service_says_what_its_messages_leave_open() {
    let stage = owned().await;
    let (told, inbound) = (stage.url("/told"), stage.url("/in"));
    let fallback = stage.url("/fallback");
    let more = [
        ("StatusCallback", told.as_str()),
        ("InboundRequestUrl", &inbound),
        ("InboundMethod", "GET"),
        ("FallbackUrl", &fallback),
    ];
    let sid = service(&stage, &more).await;
    assert_eq!(add_number(&stage, &sid, GB).await.0, 201);
    // A curly quotation mark would make it 70 characters a segment.
    let body = format!("\u{201c}{}\u{201d}", "x".repeat(100));
    let fields = [("To", PHONE), ("MessagingServiceSid", sid.as_str()), ("Body", &body)];
    let (_, sent) = stage.create("Messages.json", &fields).await;
    assert!(sent["body"].as_str().unwrap().starts_with("\"x"), "{sent}");
    let told = stage.app.wait("/told", 4).await;
    assert_eq!(told[0].get("MessagingServiceSid").as_deref(), Some(sid.as_str()));
    // A message to its number is told to the service, and where that fails, elsewhere.
    stage.app.answers("/in", 500, &[], "");
    stage.app.says("/fallback", "<Response><Message>hi</Message></Response>");
    let words = format!(r#"{{"to":"{GB}","body":"hello"}}"#);
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &words).await;
    let came = stage.app.wait("/in", 1).await;
    assert_eq!((came[0].method.as_str(), came[0].get("MessagingServiceSid")), ("GET", Some(sid.clone())));
    let fallback = stage.app.wait("/fallback", 1).await;
    assert_eq!(fallback[0].get("ErrorUrl"), Some(inbound));
    assert!(fallback[0].get("ErrorCode").is_some() && fallback[0].signed);
    // Or to the number, as the sandbox was told.
    stage.newer(Method::POST, &format!("/v1/Services/{sid}"), &[("UseInboundWebhookOnNumber", "true")]).await;
    let own = format!(r#"{{"sms_url":"{}"}}"#, stage.url("/number"));
    stage.steer(Method::PUT, "inbound", &own).await;
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &words).await;
    stage.app.wait("/number", 1).await;
}

#[tokio::test]
async fn a_pool_has_room_for_400_numbers_and_codes_together() {
    let stage = owned().await;
    let sid = service(&stage, &[]).await;
    assert_eq!(add_number(&stage, &sid, US).await.0, 201);
    stage.sandbox.world.change(|state| {
        let service = state.services.its_mut(ACCOUNT, &sid).unwrap();
        let one = service.pool[0].clone();
        service.pool.resize(400, one);
    });
    let (status, refused) = add_code(&stage, &sid).await;
    assert_eq!((status, &refused["code"]), (412, &json!(21714)), "{refused}");
    assert_eq!(add(&stage, &sid, "AlphaSenders", "AlphaSender", "Dialback").await.0, 201);
}
