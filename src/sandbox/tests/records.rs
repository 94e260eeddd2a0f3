//! Tests of media, recordings, notifications and the events of calls.

use super::super::Inbound;
use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

#[tokio::test]
async fn a_picture_goes_out_and_is_on_the_telephone_and_in_the_api() {
    let stage = Stage::new().await;
    stage.app.answers("/cat.png", 200, &[("content-type", "image/png")], "a picture");
    let sid = stage.text(&[("MediaUrl", &stage.url("/cat.png"))]).await;
    let message = stage.message_in(&sid, "delivered").await;
    let media = message["subresource_uris"]["media"].as_str().unwrap().to_owned();
    let path = media.split_once(&format!("{ACCOUNT}/")).unwrap().1;
    let (_, list) = stage.fetch(path).await;
    let one = &list["media_list"][0];
    assert_eq!((&one["content_type"], &one["parent_sid"]), (&json!("image/png"), &json!(sid)));
    let document = one["uri"].as_str().unwrap();
    let content = format!("{}{}", stage.base, document.trim_end_matches(".json"));
    let answer = stage.http.get(&content).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(answer.text().await.unwrap(), "a picture");
    let texts = stage.look(&format!("phones/{PHONE}/messages")).await;
    let shown = texts[0]["media"][0]["url"].as_str().unwrap();
    assert_eq!(stage.http.get(format!("{}{shown}", stage.base)).send().await.unwrap().status(), 200);
    let (status, _) =
        super::answer(stage.api(Method::DELETE, document.split_once(&format!("{ACCOUNT}/")).unwrap().1))
            .await;
    assert_eq!(status, 204);
    assert_eq!(stage.http.get(&content).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn media_that_cannot_be_had_let_a_message_fail_and_what_is_elsewhere_is_not_asked_for() {
    let stage = Stage::new().await;
    stage.app.answers("/gone.png", 404, &[], "");
    stage.app.answers("/run.exe", 200, &[("content-type", "application/x-msdownload")], "x");
    stage.app.answers("/big.png", 200, &[("content-type", "image/png")], &"x".repeat(5 * 1024 * 1024 + 1));
    for (path, code) in [("/gone.png", 11200), ("/run.exe", 12300), ("/big.png", 30019)] {
        let sid = stage.text(&[("MediaUrl", &stage.url(path))]).await;
        assert_eq!(stage.message_in(&sid, "failed").await["error_code"], code, "{path}");
    }
    let to = format!("whatsapp:{PHONE}");
    let from = format!("whatsapp:{SENDER}");
    let sid = stage.text(&[("MediaUrl", &stage.url("/gone.png")), ("To", &to), ("From", &from)]).await;
    assert_eq!(stage.message_in(&sid, "failed").await["error_code"], 63019);
    let sid = stage.text(&[("MediaUrl", "https://example.com/a.png")]).await;
    stage.message_in(&sid, "delivered").await;
    assert_eq!(stage.alerts().await, [11100, 63019, 30019, 12300, 11200]);
}

#[tokio::test]
async fn a_telephone_sends_a_picture_in() {
    let stage = Stage::new().await;
    let sms_url = Some(stage.url("/text"));
    stage.sandbox.set_inbound(Inbound { sms_url, ..Inbound::default() });
    let picture = json!({ "content_type": "image/jpeg", "base64": STANDARD.encode("x".repeat(300_000)) });
    let path = format!("phones/{PHONE}/messages");
    let (status, sent) = stage.steer(Method::POST, &path, &json!({ "media": [picture] }).to_string()).await;
    assert_eq!(status, 201, "{sent}");
    let told = stage.app.wait("/text", 1).await.pop().unwrap();
    assert!(told.signed && told.get("MessageSid").unwrap().starts_with("MM"));
    assert_eq!(
        (told.get("NumMedia").unwrap(), told.get("MediaContentType0").unwrap()),
        ("1".into(), "image/jpeg".into())
    );
    let content = stage.http.get(told.get("MediaUrl0").unwrap()).send().await.unwrap();
    assert_eq!(content.bytes().await.unwrap().len(), 300_000);
    for wrong in [json!({}), json!({ "media": [{ "content_type": "text/html", "base64": "" }] })] {
        assert_eq!(stage.steer(Method::POST, &path, &wrong.to_string()).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_recorded_call_has_a_recording_and_says_what_was_asked_for_it() {
    let stage = Stage::new().await;
    stage.app.says("/voice", "<Response><Say>hello</Say><Message>no</Message></Response>");
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    let (url, told) = (stage.url("/voice"), stage.url("/recorded"));
    let fields = [("Url", url.as_str()), ("Record", "true"), ("RecordingStatusCallback", &told)];
    let sid = stage.call(&fields).await;
    stage.call_in("completed").await;
    let told = stage.app.wait("/recorded", 1).await.pop().unwrap();
    assert!(told.signed && told.get("RecordingStatus").as_deref() == Some("completed"));
    let (_, call) = stage.fetch(&format!("Calls/{sid}.json")).await;
    for (name, uri) in call["subresource_uris"].as_object().unwrap() {
        let path = uri.as_str().unwrap().split_once(&format!("{ACCOUNT}/")).unwrap().1;
        let (status, list) = stage.fetch(path).await;
        assert_eq!(status, 200, "{name}: {list}");
        assert!(!list[name].as_array().unwrap().is_empty(), "{name}: {list}");
    }
    let (_, asked) = stage.fetch(&format!("Calls/{sid}/Events.json")).await;
    let first = asked["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&first["request"]["url"], &first["response"]["response_code"]), (&json!(url), &json!(200)));
    let (_, recordings) = stage.fetch(&format!("Recordings.json?CallSid={sid}")).await;
    let one = &recordings["recordings"][0];
    assert_eq!(
        (&one["sid"], &one["duration"]),
        (&json!(told.get("RecordingSid").unwrap()), &call["duration"])
    );
    let recording = format!("Recordings/{}", one["sid"].as_str().unwrap());
    let sound = stage.api(Method::GET, &format!("{recording}.wav")).send().await.unwrap();
    assert_eq!(sound.headers()["content-type"], "audio/x-wav");
    let seconds: usize = one["duration"].as_str().unwrap().parse().unwrap();
    assert_eq!(sound.bytes().await.unwrap().len(), 44 + 8_000 * seconds);
    let (_, noted) = stage.fetch("Notifications.json").await;
    let note = noted["notifications"][0].clone();
    assert_eq!((&note["error_code"], &note["call_sid"]), (&json!("12200"), &json!(sid)));
    let (status, whole) = stage.fetch(&format!("Notifications/{}.json", note["sid"].as_str().unwrap())).await;
    assert_eq!((status, &whole["message_text"]), (200, &note["message_text"]));
    let gone = answer(stage.api(Method::DELETE, &format!("{recording}.json"))).await.0;
    assert_eq!((gone, stage.fetch(&format!("{recording}.json")).await.0), (204, 404));
}

#[tokio::test]
async fn what_went_wrong_is_an_alert_of_its_account() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    stage.app.answers("/broken", 500, &[], "");
    let broken = stage.call(&[("Url", &stage.url("/broken"))]).await;
    stage.call_in("completed").await;
    stage.call(&[("Twiml", "<Response><Blink/></Response>")]).await;
    stage.settle().await;
    let alerts = async |query: &str| {
        let (status, document) = stage.newer(Method::GET, &format!("/v1/Alerts{query}"), &[]).await;
        assert_eq!(status, 200, "{document}");
        let code = |alert: &Value| alert["error_code"].as_str().unwrap().to_owned();
        document["alerts"].as_array().unwrap().iter().map(code).collect::<Vec<_>>()
    };
    assert_eq!(alerts("").await, ["12200", "11200"]);
    assert_eq!(alerts("?LogLevel=warning").await, ["12200"]);
    assert_eq!(alerts("?LogLevel=notice").await, Vec::<String>::new());
    assert_eq!(alerts("?EndDate=2020-01-01").await, Vec::<String>::new());
    assert_eq!(alerts("?StartDate=2020-01-01&LogLevel=error").await, ["11200"]);
    let (_, all) = stage.newer(Method::GET, "/v1/Alerts?LogLevel=error", &[]).await;
    let one = &all["alerts"][0];
    assert_eq!((&one["resource_sid"], &one["request_url"]), (&json!(broken), &json!(stage.url("/broken"))));
    let path = format!("/v1/Alerts/{}", one["sid"].as_str().unwrap());
    assert_eq!(stage.newer(Method::GET, &path, &[]).await.1["alert_text"], one["alert_text"]);
    assert_eq!(stage.newer(Method::GET, "/v1/Alerts?LogLevel=loud", &[]).await.1["code"], 20001);
    let (_, sub) = stage.newer(Method::POST, "/2010-04-01/Accounts.json", &[]).await;
    let request = stage.http.get(format!("{}/v1/Alerts", stage.base));
    let (user, password) = (sub["sid"].as_str().unwrap(), sub["auth_token"].as_str().unwrap());
    assert_eq!(answer(request.basic_auth(user, Some(password))).await.1["alerts"], json!([]));
}
