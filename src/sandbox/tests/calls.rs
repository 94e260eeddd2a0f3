//! Tests of calls: who answers, what is said, what is told.

use super::*;
use serde_json::json;

const EVENTS: [(&str, &str); 4] = [
    ("StatusCallbackEvent", "initiated"),
    ("StatusCallbackEvent", "ringing"),
    ("StatusCallbackEvent", "answered"),
    ("StatusCallbackEvent", "completed"),
];

#[tokio::test]
async fn a_call_rings_is_answered_hears_the_code_and_ends() {
    let stage = Stage::new().await;
    stage.app.says(
        "/gate",
        "<Response><Gather numDigits=\"1\" action=\"code?n=1\" timeout=\"9\"><Say language=\"en-US\">Press a key.</Say>\
         </Gather><Say>Nobody there.</Say></Response>",
    );
    stage.app.says(
        "/code",
        "<Response><Say voice=\"Polly.Joanna\">Your code is <say-as interpret-as=\"digits\">0421</say-as></Say>\
         <Pause length=\"1\"/><Play>https://example.com/bye.mp3</Play><Redirect method=\"GET\">/end</Redirect></Response>",
    );
    stage.app.says("/end", "<Response><Hangup/><Say>never</Say></Response>");
    let (url, callback) = (stage.url("/gate"), stage.url("/call-status"));
    let sid =
        stage.call(&[&[("Url", url.as_str()), ("StatusCallback", &callback)][..], &EVENTS].concat()).await;
    let ringing = stage.call_in("ringing").await;
    assert_eq!((&ringing["sid"], &ringing["spoken"]), (&json!(sid), &json!([])));
    assert_eq!(
        stage.steer(Method::POST, &format!("calls/{sid}/answer"), "").await.1["status"],
        "in-progress"
    );
    let heard = stage.look(&format!("phones/{PHONE}/calls?wait=30&spoken=1")).await;
    assert_eq!(heard[0]["spoken"], json!(["Press a key."]));
    assert_eq!(heard[0]["captions"][0]["language"], "en-US");
    assert_eq!(stage.steer(Method::POST, &format!("calls/{sid}/press"), r#"{"digits":"7"}"#).await.0, 200);
    let done = stage.call_in("completed").await;
    let spoken = ["Press a key.", "Your code is 0 4 2 1", "[sound: https://example.com/bye.mp3]"];
    assert_eq!(done["spoken"], json!(spoken));
    assert_eq!(stage.steer(Method::POST, &format!("calls/{sid}/press"), r#"{"digits":"1"}"#).await.0, 409);

    let gate = &stage.app.told("/gate")[0];
    assert!(gate.signed);
    assert_eq!(gate.header("content-type"), "application/x-www-form-urlencoded; charset=UTF-8");
    assert_eq!(gate.get("CallStatus").as_deref(), Some("in-progress"));
    assert_eq!(gate.get("Direction").as_deref(), Some("outbound-api"));
    let code = &stage.app.told("/code")[0];
    assert!(code.signed && code.query == "n=1");
    assert_eq!(code.get("Digits").as_deref(), Some("7"));
    assert_eq!(code.get("msg").as_deref(), Some("Gather End"));
    let end = &stage.app.told("/end")[0];
    assert!(end.signed && end.method == "GET");
    assert_eq!(end.get("CallSid").as_deref(), Some(sid.as_str()));

    let told = stage.app.wait("/call-status", 4).await;
    assert!(told.iter().all(|told| told.signed));
    assert_eq!(
        stage.app.values("/call-status", "CallStatus"),
        ["initiated", "ringing", "in-progress", "completed"]
    );
    assert_eq!(stage.app.values("/call-status", "SequenceNumber"), ["0", "1", "2", "3"]);
    assert_eq!(told[3].get("CallbackSource").as_deref(), Some("call-progress-events"));
    assert_eq!(told[3].get("CallDuration").as_deref(), Some("1"));
    assert_eq!(told[3].get("Duration").as_deref(), Some("1"));
    assert_eq!(told[3].get("SipResponseCode").as_deref(), Some("200"));
    assert_eq!(told[0].get("CallDuration"), None);
    let (_, document) = stage.fetch(&format!("Calls/{sid}.json")).await;
    assert_eq!((&document["duration"], &document["status"]), (&json!("1"), &json!("completed")));
}

#[tokio::test]
async fn without_an_event_list_only_the_end_is_told() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answers":"busy"}"#).await;
    stage.call(&[("Twiml", "<Response/>"), ("StatusCallback", &stage.url("/end"))]).await;
    let told = stage.app.wait("/end", 1).await;
    assert_eq!(told[0].get("CallStatus").as_deref(), Some("busy"));
    assert_eq!(told[0].get("SipResponseCode").as_deref(), Some("486"));
    assert_eq!(told[0].get("CallDuration").as_deref(), Some("0"));
    assert_eq!(told[0].get("SequenceNumber").as_deref(), Some("2"));
}

#[tokio::test]
async fn every_way_of_not_answering_has_its_status() {
    let stage = Stage::new().await;
    for (wish, status) in [("busy", "busy"), ("declines", "busy"), ("fails", "failed")] {
        stage.behave(PHONE, &json!({ "answers": wish }).to_string()).await;
        stage.call(&[("Twiml", "<Response/>")]).await;
        stage.call_in(status).await;
    }
    stage.behave(PHONE, "{}").await;
    let sid = stage.call(&[("Twiml", "<Response/>")]).await;
    stage.call_in("ringing").await;
    stage.steer(Method::POST, &format!("calls/{sid}/decline"), "").await;
    stage.call_in("busy").await;

    stage.clock.stop();
    for wish in ["person", "nobody"] {
        stage.behave(PHONE, &json!({ "answers": wish }).to_string()).await;
        stage.call(&[("Twiml", "<Response/>"), ("Timeout", "25")]).await;
        stage.call_in("ringing").await;
        stage.clock.until_somebody_sleeps_for(Duration::from_secs(25)).await;
        stage.clock.advance(Duration::from_secs(26));
        stage.call_in("no-answer").await;
    }
}

#[tokio::test]
async fn a_phone_can_answer_and_press_by_itself() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answer_after_ms":1,"press":["12#"]}"#).await;
    stage.app.says("/keys", "<Response><Say>thanks</Say></Response>");
    let twiml =
        format!("<Response><Gather action=\"{}\"><Say>Keys?</Say></Gather></Response>", stage.url("/keys"));
    stage.call(&[("Twiml", &twiml)]).await;
    assert_eq!(stage.call_in("completed").await["spoken"], json!(["Keys?", "thanks"]));
    let told = &stage.app.told("/keys")[0];
    assert_eq!(told.get("Digits").as_deref(), Some("12"));
    assert_eq!(told.get("FinishedOnKey").as_deref(), Some("#"));
}

#[tokio::test]
async fn a_gather_listens_by_the_clock_and_then_goes_on() {
    let stage = Stage::new().await;
    stage.clock.stop();
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    stage.app.says("/empty", "<Response><Say>empty</Say></Response>");
    let empty = format!("<Gather actionOnEmptyResult=\"true\" action=\"{}\"/>", stage.url("/empty"));
    let twiml =
        format!("<Response><Gather timeout=\"7\"/><Say>too late</Say>{empty}<Say>never</Say></Response>");
    stage.call(&[("Twiml", &twiml)]).await;
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(7)).await;
    stage.clock.advance(Duration::from_secs(6));
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(1)).await;
    assert_eq!(stage.call_in("in-progress").await["spoken"], json!([]));
    stage.clock.advance(Duration::from_secs(1));
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(5)).await;
    stage.clock.advance(Duration::from_secs(5));
    assert_eq!(stage.call_in("completed").await["spoken"], json!(["too late", "empty"]));
    assert_eq!(stage.app.told("/empty")[0].get("Digits").as_deref(), Some(""));
}

#[tokio::test]
async fn a_key_interrupts_what_is_said_in_a_gather() {
    let stage = Stage::with(|settings| settings.pace = 1.0).await;
    stage.behave(PHONE, r#"{"answer_after_ms":0,"word_ms":10000}"#).await;
    stage.app.says("/keys", "<Response><Hangup/></Response>");
    let action = stage.url("/keys");
    let twiml = format!(
        "<Response><Gather numDigits=\"1\" action=\"{action}\"><Say>a very long prompt</Say><Say>more</Say></Gather></Response>"
    );
    let sid = stage.call(&[("Twiml", &twiml)]).await;
    stage.look(&format!("phones/{PHONE}/calls?wait=30&spoken=1")).await;
    stage.steer(Method::POST, &format!("calls/{sid}/press"), r#"{"digits":"1"}"#).await;
    assert_eq!(stage.call_in("completed").await["spoken"], json!(["a very long prompt"]));
}

#[tokio::test]
async fn a_machine_is_detected_before_or_beside_the_call() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answers":"machine"}"#).await;
    stage.app.says("/voice", "<Response/>");
    let url = stage.url("/voice");
    stage.call(&[("Url", &url), ("MachineDetection", "Enable")]).await;
    assert_eq!(stage.call_in("completed").await["answered_by"], "machine_start");
    assert_eq!(stage.app.told("/voice")[0].get("AnsweredBy").as_deref(), Some("machine_start"));
    let told = stage.url("/amd");
    let aside = [("AsyncAmd", "true"), ("AsyncAmdStatusCallback", told.as_str())];
    stage
        .call(&[&[("Url", url.as_str()), ("MachineDetection", "DetectMessageEnd")][..], &aside].concat())
        .await;
    let told = stage.app.wait("/amd", 1).await;
    assert!(told[0].signed);
    assert_eq!(told[0].get("AnsweredBy").as_deref(), Some("machine_end_beep"));
    assert!(told[0].get("MachineDetectionDuration").is_some());
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    stage.call(&[("Url", &url), ("MachineDetection", "Enable")]).await;
    stage.call_in("completed").await;
    assert_eq!(stage.app.told("/voice").last().unwrap().get("AnsweredBy").as_deref(), Some("human"));
}

#[tokio::test]
async fn what_cannot_be_executed_is_recorded_with_twilios_code() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    let xml = [("content-type", "text/xml")];
    let big = format!("<Response><!--{}--></Response>", "x".repeat(65_536));
    stage.app.answers("/500", 500, &xml, "<Response/>");
    stage.app.answers("/404", 404, &xml, "<Response/>");
    stage.app.answers("/broken", 200, &xml, "<Response><Say>");
    stage.app.answers("/root", 200, &xml, "<html></html>");
    stage.app.answers("/json", 200, &[("content-type", "application/json")], "{}");
    stage.app.answers("/bare", 200, &[], "<Response/>");
    stage.app.answers("/empty", 200, &xml, "");
    stage.app.answers("/big", 200, &xml, &big);
    stage.app.answers("/loop", 302, &[("location", "/loop")], "");
    stage.app.answers("/lost", 302, &[("location", "")], "");
    let cases = [
        ("/500", 11200),
        ("/404", 11200),
        ("/broken", 12100),
        ("/root", 12102),
        ("/json", 12300),
        ("/bare", 12300),
        ("/empty", 11770),
        ("/big", 11750),
        ("/loop", 11215),
        ("/lost", 11216),
    ];
    for (path, code) in cases {
        let sid = stage.call(&[("Url", &stage.url(path))]).await;
        let call = stage.call_in("completed").await;
        assert_eq!((&call["sid"], &call["error_code"]), (&json!(sid), &json!(code)), "{path}");
        assert!(call["spoken"][0].as_str().unwrap().contains("application error"), "{path}");
        assert_eq!(stage.alerts().await[0], code, "{path}");
    }
    assert_eq!(stage.app.told("/loop").len(), 11);
    let sid = stage.call(&[("Url", "http://127.0.0.1:9/")]).await;
    assert_eq!(stage.call_in("completed").await["error_code"], 11205);
    let tried = stage.look(&format!("exchanges?sid={sid}&kind=twiml")).await;
    assert_eq!(tried.as_array().unwrap().len(), 2, "a failed connection is tried once more");
    stage.call(&[("Url", "http://192.0.2.1/")]).await;
    assert_eq!(stage.call_in("completed").await["error_code"], 11100);
}

#[tokio::test]
async fn a_redirect_loses_the_parameters_unless_it_keeps_the_method() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    stage.app.answers("/303", 303, &[("location", "/here?x=1")], "");
    stage.app.answers("/307", 307, &[("location", "/here?x=2")], "");
    stage.app.says("/here", "<Response/>");
    for path in ["/303", "/307"] {
        stage.call(&[("Url", &stage.url(path))]).await;
        stage.call_in("completed").await;
    }
    let told = stage.app.told("/here");
    assert!(told.iter().all(|told| told.signed));
    assert_eq!((told[0].method.as_str(), told[0].query.as_str()), ("GET", "x=1"));
    assert_eq!(told[1].method, "POST");
    assert!(told[1].get("CallSid").is_some());
}

#[tokio::test]
async fn the_fallback_is_asked_and_told_why() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    stage.app.answers("/broken", 500, &[], "");
    stage.app.says("/fallback", "<Response><Say>sorry</Say></Response>");
    let (url, fallback) = (stage.url("/broken"), stage.url("/fallback"));
    stage.call(&[("Url", &url), ("FallbackUrl", &fallback)]).await;
    let call = stage.call_in("completed").await;
    assert_eq!((&call["spoken"], &call["error_code"]), (&json!(["sorry"]), &Value::Null));
    let told = &stage.app.told("/fallback")[0];
    assert_eq!(told.get("ErrorCode").as_deref(), Some("11200"));
    assert_eq!(told.get("ErrorUrl"), Some(url));
}

#[tokio::test]
async fn plain_text_is_spoken_and_unknown_verbs_are_skipped_with_a_warning() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    stage.app.answers("/plain", 200, &[("content-type", "text/plain; charset=utf-8")], "hello there");
    stage.call(&[("Url", &stage.url("/plain"))]).await;
    assert_eq!(stage.call_in("completed").await["spoken"], json!(["hello there"]));
    stage.app.says("/odd", "<Response><Blink/><Say>seen</Say></Response>");
    stage.call(&[("Url", &stage.url("/odd"))]).await;
    assert_eq!(stage.call_in("completed").await["spoken"], json!(["seen"]));
    assert_eq!(stage.alerts().await, [12200]);
}

#[tokio::test]
async fn the_api_ends_and_redirects_a_live_call() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    let forever = "<Response><Gather timeout=\"500\"/></Response>";
    let sid = stage.call(&[("Twiml", forever)]).await;
    stage.call_in("in-progress").await;
    let path = format!("Calls/{sid}.json");
    let other = "<Response><Say>elsewhere</Say><Gather timeout=\"500\"/></Response>";
    assert_eq!(stage.create(&path, &[("Twiml", other)]).await.0, 200);
    stage.look(&format!("phones/{PHONE}/calls?wait=30&spoken=1")).await;
    assert_eq!(stage.create(&path, &[("Status", "canceled")]).await.1["code"], 21220);
    assert_eq!(stage.create(&path, &[("Status", "completed")]).await.1["status"], "completed");
    assert_eq!(stage.call_in("completed").await["spoken"], json!(["elsewhere"]));
    assert_eq!(stage.create(&path, &[("Twiml", other)]).await.1["code"], 21220);
}

#[tokio::test]
async fn an_inbound_call_is_taken_or_rejected() {
    let stage = Stage::new().await;
    let calls = format!("phones/{PHONE}/calls");
    assert_eq!(stage.steer(Method::POST, &calls, "{}").await.0, 409);
    let inbound = json!({ "voice_url": stage.url("/in"), "voice_status_url": stage.url("/in-status") });
    stage.steer(Method::PUT, "inbound", &inbound.to_string()).await;
    stage.app.says("/in", "<Response><Reject reason=\"busy\"/></Response>");
    assert_eq!(stage.steer(Method::POST, &calls, "{}").await.0, 201);
    stage.call_in("busy").await;
    stage.app.says("/in", "<Response><Say>welcome</Say></Response>");
    stage.steer(Method::POST, &calls, &json!({ "to": SENDER }).to_string()).await;
    let call = stage.call_in("completed").await;
    assert_eq!((&call["spoken"], &call["direction"]), (&json!(["welcome"]), &json!("inbound")));
    let told = &stage.app.told("/in")[1];
    assert!(told.signed);
    assert_eq!(told.get("CallStatus").as_deref(), Some("ringing"));
    assert_eq!((told.get("From").as_deref(), told.get("To").as_deref()), (Some(PHONE), Some(SENDER)));
    let ends = stage.app.wait("/in-status", 2).await;
    assert_eq!(ends[1].get("CallStatus").as_deref(), Some("completed"));
    assert_eq!(ends[1].get("SequenceNumber").as_deref(), Some("0"));
}

#[tokio::test]
async fn what_twilio_refuses_of_a_call_is_refused_with_its_code() {
    let stage = Stage::with(|settings| settings.own_numbers = vec!["+15017122661".to_owned()]).await;
    let twiml = ("Twiml", "<Response/>");
    let long = "x".repeat(4001);
    let cases: Vec<(u64, Vec<(&str, &str)>)> = vec![
        (21201, vec![("From", SENDER), twiml]),
        (21211, vec![("To", "me"), ("From", SENDER), twiml]),
        (21213, vec![("To", PHONE), twiml]),
        (21212, vec![("To", PHONE), ("From", "Dialback"), twiml]),
        (21210, vec![("To", PHONE), ("From", "+15017122662"), twiml]),
        (21205, vec![("To", PHONE), ("From", SENDER)]),
        (21205, vec![("To", PHONE), ("From", SENDER), ("Url", "/relative")]),
        (21209, vec![("To", PHONE), ("From", SENDER), ("Url", "http://127.0.0.1/"), ("Method", "PUT")]),
        (32018, vec![("To", PHONE), ("From", SENDER), ("Twiml", &long)]),
        (21208, vec![("To", PHONE), ("From", SENDER), twiml, ("Timeout", "601")]),
        (21206, vec![("To", PHONE), ("From", SENDER), twiml, ("SendDigits", "12x")]),
        (20001, vec![("To", PHONE), ("From", SENDER), twiml, ("MachineDetection", "yes")]),
        (21214, vec![("To", "+15005550002"), ("From", SENDER), twiml]),
        (21215, vec![("To", "+15005550003"), ("From", SENDER), twiml]),
        (21216, vec![("To", "+15005550004"), ("From", SENDER), twiml]),
        (21210, vec![("To", PHONE), ("From", "+15005550007"), twiml]),
    ];
    for (code, fields) in cases {
        let (status, document) = stage.create("Calls.json", &fields).await;
        assert_eq!((status, &document["code"]), (400, &json!(code)), "{fields:?}");
    }
    assert_eq!(stage.fetch("Calls.json?Status=nonsense").await.1["code"], 20001);
}

#[tokio::test]
async fn a_call_with_an_event_that_nobody_knows_is_placed_and_warned_of() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    let told = stage.url("/told");
    let events = ["failed", "initiated", "no-answer"].map(|event| ("StatusCallbackEvent", event));
    let fields = [("Twiml", "<Response/>"), ("StatusCallback", told.as_str())];
    stage.call(&[&fields[..], &events[..]].concat()).await;
    assert_eq!(stage.app.wait("/told", 1).await[0].get("CallStatus").as_deref(), Some("initiated"));
    assert_eq!(stage.alerts().await, [21626]);
    // Where none is known the call's end is told, as without any.
    stage.call(&[&fields[..], &[("StatusCallbackEvent", "initiated ringing")]].concat()).await;
    assert_eq!(stage.app.wait("/told", 2).await[1].get("CallStatus").as_deref(), Some("completed"));
}

#[tokio::test]
async fn speech_takes_its_time_unless_it_is_instant() {
    let stage = Stage::with(|settings| settings.pace = 1.0).await;
    let twiml = "<Response><Say>one two three four five</Say><Pause length=\"1\"/></Response>";
    let lasted = async |wish: &str| {
        stage.behave(PHONE, wish).await;
        stage.call(&[("Twiml", twiml)]).await;
        let call = stage.call_in("completed").await;
        let at = |name: &str| call[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        at("ended_at").duration_since(at("answered_at")).as_millis()
    };
    // Five words and a second; a machine that is busy takes longer for them.
    let paced = lasted(r#"{"answer_after_ms":0,"word_ms":20}"#).await;
    assert!(paced >= 1_100, "{paced} ms");
    // It would be half an hour.
    let instant = lasted(r#"{"answer_after_ms":0,"word_ms":360000,"speech":"instant"}"#).await;
    assert!(instant < 1_800_000, "{instant} ms");
}

#[tokio::test]
async fn a_time_limit_ends_a_call_by_the_clock() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    stage.clock.stop();
    stage.call(&[("Twiml", "<Response><Gather timeout=\"9000\"/></Response>"), ("TimeLimit", "60")]).await;
    stage.clock.until_somebody_sleeps_for(Duration::from_secs(60)).await;
    stage.clock.advance(Duration::from_secs(61));
    stage.call_in("completed").await;
}
