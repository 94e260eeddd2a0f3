//! Tests of calls that the API sends elsewhere, or ends, whatever they do.

use super::*;
use serde_json::json;

const ELSEWHERE: &str = "<Response><Say>elsewhere</Say><Gather timeout=\"500\"/></Response>";

/// Sends a call elsewhere, and ends it once it has got there.
async fn goes_elsewhere(stage: &Stage, sid: &str, what: &str) {
    let path = format!("Calls/{sid}.json");
    let (status, document) = stage.create(&path, &[("Twiml", ELSEWHERE)]).await;
    assert_eq!((status, &document["status"]), (200, &json!("in-progress")), "{what}: {document}");
    let spoken = async || stage.look(&format!("calls/{sid}")).await["spoken"].clone();
    let mut heard = spoken().await;
    for _ in 0..3_000 {
        if heard.as_array().unwrap().last() == Some(&json!("elsewhere")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        heard = spoken().await;
    }
    assert_eq!(heard.as_array().unwrap().last(), Some(&json!("elsewhere")), "{what}: {heard}");
    assert_eq!(stage.look(&format!("calls/{sid}")).await["status"], "in-progress", "{what}");
    assert_eq!(stage.create(&path, &[("Status", "completed")]).await.1["status"], "completed", "{what}");
    assert_eq!(stage.call_in("completed").await["sid"], json!(sid), "{what}");
}

/// A call that rings, at a pace at which nothing goes on unless the clock is moved.
async fn ringing(stage: &Stage, more: &[(&str, &str)]) -> String {
    let sid = stage.call(&[more, &[("Timeout", "600")]].concat()).await;
    for _ in 0..30 {
        if stage.look(&format!("calls/{sid}")).await["status"] == "ringing" {
            return sid;
        }
        stage.clock.advance(Duration::from_secs(16));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never rang");
}

/// The same, answered, while it is found out who answered.
async fn detecting(stage: &Stage, more: &[(&str, &str)]) -> String {
    let sid = ringing(stage, &[more, &[("MachineDetection", "Enable")]].concat()).await;
    stage.steer(Method::POST, &format!("calls/{sid}/answer"), "").await;
    stage.call_in("in-progress").await;
    sid
}

#[tokio::test]
async fn a_call_is_sent_elsewhere_while_it_is_found_out_who_answered() {
    let stage = Stage::with(|settings| settings.pace = 100.0).await;
    let url = stage.url("/voice");
    let sid = detecting(&stage, &[("Url", &url)]).await;
    goes_elsewhere(&stage, &sid, "detection").await;
    assert!(stage.app.told("/voice").is_empty(), "the first document is not wanted any more");
}

#[tokio::test]
async fn a_call_is_ended_while_it_is_found_out_who_answered() {
    let stage = Stage::with(|settings| settings.pace = 100.0).await;
    let url = stage.url("/voice");
    let sid = detecting(&stage, &[("Url", &url)]).await;
    let path = format!("Calls/{sid}.json");
    assert_eq!(stage.create(&path, &[("Status", "canceled")]).await.1["code"], 21220);
    assert_eq!(stage.create(&path, &[("Status", "completed")]).await.1["status"], "completed");
    stage.call_in("completed").await;
    assert!(stage.app.told("/voice").is_empty());
}

#[tokio::test]
async fn a_call_is_sent_elsewhere_whatever_it_does() {
    let stage = Stage::with(|settings| settings.pace = 1.0).await;
    stage.behave(PHONE, r#"{"answer_after_ms":0,"word_ms":100000}"#).await;
    // It is connected to, and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/", silent.local_addr().unwrap());
    let documents = [
        "<Response><Say>a very long speech</Say></Response>",
        "<Response><Play>https://example.com/long.mp3</Play></Response>",
        "<Response><Gather><Say>a very long question</Say></Gather></Response>",
        "<Response><Gather timeout=\"500\"/></Response>",
        "<Response><Pause length=\"500\"/></Response>",
        &format!("<Response><Redirect>{silent}</Redirect></Response>"),
    ];
    for document in documents {
        let sid = stage.call(&[("Twiml", document)]).await;
        stage.call_in("in-progress").await;
        goes_elsewhere(&stage, &sid, document).await;
    }
}

#[tokio::test]
async fn a_call_that_is_not_answered_yet_is_sent_nowhere_and_rings_on() {
    let stage = Stage::with(|settings| settings.pace = 100.0).await;
    let first = ("Twiml", "<Response><Say>first</Say></Response>");
    let queued = stage.call(&[first]).await;
    let path = format!("Calls/{queued}.json");
    let (status, document) = stage.create(&path, &[("Twiml", ELSEWHERE)]).await;
    assert_eq!((status, &document["code"]), (400, &json!(21220)));
    assert_eq!(stage.create(&path, &[("Status", "completed")]).await.1["status"], "canceled");
    stage.call_in("canceled").await;

    let sid = ringing(&stage, &[first]).await;
    let path = format!("Calls/{sid}.json");
    assert_eq!(stage.create(&path, &[("Twiml", ELSEWHERE)]).await.1["code"], 21220);
    assert_eq!(stage.call_in("ringing").await["sid"], json!(sid));
    stage.steer(Method::POST, &format!("calls/{sid}/answer"), "").await;
    let heard = stage.look(&format!("phones/{PHONE}/calls?wait=30&spoken=1")).await;
    assert_eq!(heard.as_array().unwrap().last().unwrap()["spoken"], json!(["first"]));
}
