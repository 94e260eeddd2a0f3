//! Tests of cookies, with applications that keep their state in a session.

use super::*;
use serde_json::json;

const SESSION: (&str, &str) = ("set-cookie", "sid=s1; Path=/; HttpOnly");

/// The cookies that came on a path, in order of arrival.
fn cookies(stage: &Stage, path: &str) -> Vec<String> {
    stage.app.told(path).iter().map(|told| told.header("cookie").to_owned()).collect()
}

#[tokio::test]
async fn a_menu_that_keeps_its_place_in_a_session_gets_beyond_its_greeting() {
    let stage = Stage::new().await;
    let menu = |app: &Application| {
        // One URL, whose answer depends on the session alone.
        let steps = [
            (None, "<Response><Gather numDigits=\"1\"><Say>Welcome.</Say></Gather></Response>"),
            (
                Some("at=language"),
                "<Response><Gather numDigits=\"1\"><Say>Your PIN?</Say></Gather></Response>",
            ),
            (Some("at=pin"), "<Response><Say>Thank you.</Say></Response>"),
        ];
        let sets = ["at=language; Path=/", "at=pin; Path=/", "at=; Path=/; Max-Age=0"];
        for ((cookie, twiml), set) in steps.into_iter().zip(sets) {
            let headers = [("content-type", "text/xml"), ("set-cookie", set)];
            app.answers_cookie("/menu", cookie, &headers, twiml);
        }
    };
    menu(&stage.app);
    stage.behave(PHONE, r#"{"answer_after_ms":1,"press":["1","2"]}"#).await;
    stage.call(&[("Url", &stage.url("/menu")), ("StatusCallback", &stage.url("/end"))]).await;
    let call = stage.call_in("completed").await;
    assert_eq!(call["spoken"], json!(["Welcome.", "Your PIN?", "Thank you."]));
    assert_eq!(cookies(&stage, "/menu"), ["", "at=language", "at=pin"]);
    let told = stage.app.wait("/end", 1).await;
    assert_eq!(told[0].header("cookie"), "", "the last answer took the cookie back");
    assert!(stage.app.told("/menu").iter().all(|told| told.signed));

    // And so does somebody who calls in.
    let url = stage.url("/menu");
    stage.steer(Method::PUT, "inbound", &json!({ "voice_url": url }).to_string()).await;
    let (status, _) = stage.steer(Method::POST, &format!("phones/{PHONE}/calls"), "{}").await;
    assert_eq!(status, 201);
    stage.app.wait("/menu", 6).await;
    let call = stage.call_in("completed").await;
    assert_eq!(call["spoken"], json!(["Welcome.", "Your PIN?", "Thank you."]));
}

#[tokio::test]
async fn a_text_dialogue_has_its_cookies_for_four_hours_and_its_pair_alone() {
    let stage = Stage::new().await;
    stage.clock.stop();
    stage.steer(Method::PUT, "inbound", &json!({ "sms_url": stage.url("/sms") }).to_string()).await;
    stage.app.answers("/sms", 200, &[("content-type", "text/xml"), SESSION], "<Response/>");
    let write = async |phone: &str, count: usize| {
        let body = json!({ "to": SENDER, "body": "hello" }).to_string();
        assert_eq!(stage.steer(Method::POST, &format!("phones/{phone}/messages"), &body).await.0, 201);
        stage.app.wait("/sms", count).await;
        // The answer is read when its exchange is noted.
        let noted = |list: &Value| list.as_array().unwrap().len() >= count;
        while !noted(&stage.look("exchanges?kind=inbound-message").await) {}
        cookies(&stage, "/sms").pop().unwrap()
    };
    assert_eq!(write(PHONE, 1).await, "");
    assert_eq!(write(PHONE, 2).await, "sid=s1");
    assert_eq!(write("+15551230002", 3).await, "");
    stage.clock.advance(Duration::from_secs(4 * 3600 - 1));
    assert_eq!(write(PHONE, 4).await, "sid=s1");
    stage.clock.advance(Duration::from_secs(4 * 3600));
    assert_eq!(write(PHONE, 5).await, "");
    assert_eq!(write(PHONE, 6).await, "sid=s1");
    stage.steer(Method::DELETE, &format!("phones/{PHONE}"), "").await;
    assert_eq!(write(PHONE, 7).await, "");
    stage.steer(Method::DELETE, "state", "").await;
    let body = json!({ "to": SENDER, "body": "hello" }).to_string();
    stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), &body).await;
    stage.app.wait("/sms", 8).await;
    assert_eq!(cookies(&stage, "/sms")[7], "");
}

#[tokio::test]
async fn cookies_pass_redirects_fallbacks_and_reach_callbacks() {
    let stage = Stage::new().await;
    let moved = [("location", "/moved"), ("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2")];
    stage.app.answers("/start", 302, &moved, "");
    stage.app.answers("/moved", 500, &[("set-cookie", "c=3; Path=/")], "");
    stage.app.says("/fallback", "<Response><Say>hello</Say><Redirect>/more</Redirect></Response>");
    stage.app.says("/more", "<Response/>");
    stage.behave(PHONE, r#"{"answer_after_ms":1}"#).await;
    let (url, fallback, end) = (stage.url("/start"), stage.url("/fallback"), stage.url("/end"));
    stage.call(&[("Url", &url), ("FallbackUrl", &fallback), ("StatusCallback", &end)]).await;
    stage.app.wait("/end", 1).await;
    assert_eq!(cookies(&stage, "/moved"), ["a=1; b=2"]);
    for path in ["/fallback", "/more", "/end"] {
        assert_eq!(cookies(&stage, path), ["a=1; b=2; c=3"], "{path}");
    }
    let about = stage.look("exchanges?kind=status-callback").await;
    assert!(about[0]["request"]["headers"].to_string().contains("a=1; b=2; c=3"), "{about}");
}

#[tokio::test]
async fn a_callback_that_came_without_cookies_leaves_a_conversations_alone() {
    let stage = Stage::new().await;
    stage.app.answers("/status", 204, &[("set-cookie", "sid=of-the-callback; Path=/")], "");
    // The callback is answered before and after the first TwiML, whichever is faster.
    let twiml = "<Response><Gather numDigits=\"1\" action=\"/next\"><Say>Key?</Say></Gather></Response>";
    let headers = [("content-type", "text/xml"), ("set-cookie", "sid=of-the-menu; Path=/")];
    stage.app.answers("/menu", 200, &headers, twiml);
    stage.app.says("/next", "<Response/>");
    stage.behave(PHONE, r#"{"answer_after_ms":1,"press":["1"]}"#).await;
    let (url, status) = (stage.url("/menu"), stage.url("/status"));
    let answered = ("StatusCallbackEvent", "answered");
    stage.call(&[("Url", &url), ("StatusCallback", &status), answered]).await;
    stage.call_in("completed").await;
    assert_eq!(cookies(&stage, "/next"), ["sid=of-the-menu"]);
}
