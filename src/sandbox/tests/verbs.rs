//! Tests of the verbs of a call that are not played, and of `<Sms>`.

use super::*;
use serde_json::json;

/// A call that is answered and does this TwiML: it, once it is over.
async fn called(stage: &Stage, twiml: &str) -> Value {
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    let sid = stage.call(&[("Twiml", twiml)]).await;
    stage.settle().await;
    stage.look(&format!("calls/{sid}")).await
}

#[tokio::test]
async fn a_call_ends_failed_at_a_verb_that_is_not_played_and_says_so() {
    for (verb, code) in [
        ("<Dial>+15551230002</Dial>", 13224),
        ("<Enqueue>support</Enqueue>", 12400),
        ("<Connect><Stream url=\"wss://a.invalid\"/></Connect>", 12400),
        ("<Start><Stream url=\"wss://a.invalid\"/></Start>", 12400),
        ("<Pay/>", 12400),
        ("<Refer><Sip>sip:a@b.invalid</Sip></Refer>", 12400),
        ("<Leave/>", 12400),
    ] {
        let stage = Stage::new().await;
        let call = called(&stage, &format!("<Response><Say>Hi</Say>{verb}<Say>never</Say></Response>")).await;
        assert_eq!(call["status"], "failed", "{verb}: {call}");
        assert_eq!(stage.alerts().await, [code], "{verb}");
        let spoken = call["spoken"].as_array().unwrap();
        assert_eq!((spoken.len(), &spoken[0]), (2, &json!("Hi")), "{call}");
        assert!(spoken[1].as_str().unwrap().contains("is not played by the sandbox"), "{call}");
    }
}

#[tokio::test]
async fn what_it_was_not_the_turn_of_ends_nothing() {
    let stage = Stage::new().await;
    let call = called(&stage, "<Response><Hangup/><Dial>+15551230002</Dial></Response>").await;
    assert_eq!(call["status"], "completed");
    let call = called(&stage, "<Response><Blink/><Say loud=\"yes\">Hi</Say></Response>").await;
    assert_eq!((&call["status"], &call["spoken"]), (&json!("completed"), &json!(["Hi"])));
    assert_eq!(stage.alerts().await, [12200, 13224]);
}

#[tokio::test]
async fn a_fetched_document_is_refused_as_one_that_came_with_the_call() {
    let stage = Stage::new().await;
    stage.app.says("/menu", "<Response><Dial>+15551230002</Dial></Response>");
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    let sid = stage.call(&[("Url", &stage.url("/menu")), ("StatusCallback", &stage.url("/end"))]).await;
    stage.app.wait("/end", 1).await;
    assert_eq!(stage.app.values("/end", "CallStatus"), ["failed"]);
    assert_eq!(stage.fetch(&format!("Calls/{sid}.json")).await.1["status"], "failed");
    assert_eq!(stage.alerts().await, [13224]);

    let voice = json!({ "voice_url": stage.url("/menu"), "voice_status_url": stage.url("/ended") });
    stage.steer(Method::PUT, "inbound", &voice.to_string()).await;
    stage.steer(Method::POST, &format!("phones/{PHONE}/calls"), "").await;
    stage.app.wait("/ended", 1).await;
    assert_eq!(stage.app.values("/ended", "CallStatus"), ["failed"]);
}

#[tokio::test]
async fn a_call_can_send_a_text() {
    let stage = Stage::new().await;
    let twiml = format!(
        "<Response><Sms>Your code is 0421</Sms><Sms to=\"+15551230002\" statusCallback=\"{}\">Hi</Sms>\
         <Sms to=\"x\">no</Sms><Sms/><Say>Sent.</Say></Response>",
        stage.url("/sms")
    );
    let call = called(&stage, &twiml).await;
    assert_eq!((&call["status"], &call["spoken"]), (&json!("completed"), &json!(["Sent."])));
    let texts = stage.look(&format!("phones/{PHONE}/messages?wait=30")).await;
    assert_eq!((&texts[0]["body"], &texts[0]["from"]), (&json!("Your code is 0421"), &json!(SENDER)));
    stage.app.wait("/sms", 1).await;
    let sid = texts[0]["sid"].as_str().unwrap();
    assert_eq!(stage.fetch(&format!("Messages/{sid}.json")).await.1["direction"], "outbound-call");
    assert_eq!(stage.alerts().await, [14103, 14101]);
}
