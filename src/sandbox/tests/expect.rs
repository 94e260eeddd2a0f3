//! Tests of `GET /sandbox/expect`.

use super::*;
use serde_json::json;
use std::time::Duration;

async fn expect(stage: &Stage, query: &str) -> (u16, Value) {
    stage.steer(Method::GET, &format!("expect?{query}"), "").await
}

#[tokio::test]
async fn what_is_awaited_is_answered_with_its_code_whether_it_came_or_is_to_come() {
    let stage = Stage::new().await;
    let sandbox = stage.sandbox.clone();
    let later = async {
        // The message leaves once somebody waits for it.
        while sandbox.world.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        stage.text(&[("Body", "Your Acme code is 481516.")]).await
    };
    let query = format!("to={PHONE}&body~=acme%20code%20is%20%5Cd%7B6%7D&within=30");
    let ((status, found), sid) = tokio::join!(expect(&stage, &query), later);
    assert_eq!((status, &found["sid"], &found["code"]), (200, &json!(sid), &json!("481516")), "{found}");
    assert_eq!((&found["channel"], &found["from"]), (&json!("sms"), &json!(SENDER)));

    // The plus may be encoded or not, and only what is newer counts.
    for query in ["to=%2B15551230001", "to=+15551230001&channel=sms", "from=+15005550006"] {
        assert_eq!(expect(&stage, query).await.1["sid"], json!(sid), "{query}");
    }
    let (status, none) = expect(&stage, &format!("to={PHONE}&since={sid}&within=0")).await;
    assert_eq!(status, 404, "{none}");
    let next = stage.text(&[("Body", "It is 2342")]).await;
    let (_, found) = expect(&stage, &format!("to={PHONE}&since={sid}")).await;
    assert_eq!((&found["sid"], &found["code"]), (&json!(next), &json!("2342")));
    assert_eq!(expect(&stage, "within=1").await.1["sid"], json!(next));
}

#[tokio::test]
async fn what_came_instead_is_named_nearest_first() {
    let stage = Stage::new().await;
    let sid = stage.text(&[("Body", "Your parcel has left")]).await;
    stage.message_in(&sid, "delivered").await;
    let lost = "+15551230009";
    stage.behave(lost, r#"{"message":{"outcome":"undelivered","error_code":30005}}"#).await;
    let other = stage.text(&[("To", lost), ("Body", "code 1234")]).await;
    stage.message_in(&other, "undelivered").await;
    let (status, document) = expect(&stage, &format!("to={PHONE}&body~=code&within=0.01")).await;
    assert_eq!(status, 404);
    assert_eq!(document["wanted"], json!({ "to": PHONE, "body~": "code" }));
    assert_eq!(document["came"], 2);
    let near = &document["near_misses"];
    assert_eq!((&near[0]["sid"], &near[0]["why_not"]), (&json!(sid), &json!(["its body is another"])));
    let why = ["it has not reached the telephone: undelivered, error 30005", "it is to +15551230009"];
    assert_eq!((&near[1]["sid"], &near[1]["why_not"]), (&json!(other), &json!(why)));
}

#[tokio::test]
async fn a_call_is_awaited_by_what_it_says() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    let twiml = "<Response><Say>Hello.</Say><Say voice=\"Polly.Joanna\">Your code is \
                 <say-as interpret-as=\"digits\">481516</say-as>.</Say></Response>";
    let sid = stage.call(&[("Twiml", twiml)]).await;
    let (status, found) = expect(&stage, &format!("to={PHONE}&said~=your%20code&within=30")).await;
    assert_eq!((status, &found["sid"], &found["code"]), (200, &json!(sid), &json!("481516")), "{found}");
    assert_eq!(expect(&stage, "channel=call").await.1["sid"], json!(sid));
    // A call is no text unless one asks for calls.
    let (status, document) = expect(&stage, &format!("to={PHONE}&within=0")).await;
    assert_eq!((status, &document["near_misses"][0]["why_not"]), (404, &json!(["it is no text"])));
    let (_, document) = expect(&stage, "said~=goodbye&within=0").await;
    assert_eq!(document["near_misses"][0]["why_not"], json!(["something else was said"]));
}

/// The code of the newest call, once so much was said of it.
async fn code_after(stage: &Stage, spoken: usize) -> Value {
    let calls = stage.look(&format!("phones/{PHONE}/calls?spoken={spoken}&wait=30")).await;
    let said = calls.as_array().unwrap().last().unwrap()["spoken"].as_array().unwrap().len();
    assert_eq!(said, spoken, "{calls}");
    expect(stage, "channel=call").await.1["code"].clone()
}

/// The same, once there is one.
async fn code_of(stage: &Stage, spoken: usize) -> Value {
    for _ in 0..3_000 {
        let code = code_after(stage, spoken).await;
        if !code.is_null() {
            return code;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no code is said");
}

/// Who looks while digits are read out has no code yet, or they would type a part of it.
#[tokio::test]
async fn a_code_that_is_read_digit_by_digit_is_one_once_it_is_said() {
    let stage = Stage::with(|settings| settings.pace = 1.0).await;
    stage.behave(PHONE, r#"{"answer_after_ms":0,"word_ms":0}"#).await;
    let say = |digits: &str| digits.chars().map(|digit| format!("<Say>{digit}</Say>")).collect::<String>();
    let (begun, rest) = (format!("<Say>Your code is</Say>{}", say("684141")), say("50"));
    let call = async |verbs: String, status: &str| {
        let sid = stage.call(&[("Twiml", &format!("<Response>{verbs}</Response>"))]).await;
        stage.call_in(status).await;
        sid
    };
    let sid = call(format!("{begun}<Pause length=\"3600\"/>{rest}"), "in-progress").await;
    assert_eq!(code_after(&stage, 7).await, Value::Null);
    stage.steer(Method::POST, &format!("calls/{sid}/hang-up"), "").await;
    stage.call_in("completed").await;
    assert_eq!(code_after(&stage, 7).await, "684141", "no more of it comes");
    call(format!("{begun}{rest}<Gather timeout=\"3600\"/>"), "in-progress").await;
    assert_eq!(code_of(&stage, 9).await, "68414150");
    call(format!("{begun}{rest}<Say>Goodbye</Say><Pause length=\"3600\"/>"), "in-progress").await;
    assert_eq!(code_after(&stage, 10).await, "68414150");
}

#[tokio::test]
async fn what_cannot_be_awaited_is_named() {
    let stage = Stage::new().await;
    for (query, named) in [
        ("body=x", "body is not known"),
        ("channel=fax", "channel=fax"),
        ("body~=(", "body~ is no regular expression"),
        ("within=soon", "within=soon"),
        ("within=-1", "within=-1"),
        ("within=NaN", "within=NaN"),
        ("body~=a&said~=b", "write one of them"),
        ("body~=a&channel=call", "write said~"),
    ] {
        let (status, document) = expect(&stage, query).await;
        let error = document["error"].as_str().unwrap_or_default();
        assert!(status == 400 && error.contains(named), "{query}: {document}");
    }
    assert_eq!(stage.steer(Method::POST, "expect", "").await.0, 405);
}
