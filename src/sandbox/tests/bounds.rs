//! What is kept of messages is bounded, whatever comes. Of everything that is kept
//! `world/tests` says it; `benches/messages` says how much memory that is.

use super::*;
use crate::sandbox::incoming::Request;
use crate::sandbox::settings::Keep;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// Sends messages without a socket in between, no more at once than are taken.
async fn send(stage: &Stage, numbers: std::ops::Range<u64>, phones: u64) {
    let credentials = STANDARD.encode(format!("{ACCOUNT}:{TOKEN}"));
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Basic {credentials}").parse().unwrap());
    for n in numbers {
        let body = format!("To=%2B1555{:07}&From=%2B15005550006&Body=Your+code+is+{n:06}", n % phones);
        let request = Request {
            method: Method::POST,
            path: format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json"),
            query: String::new(),
            headers: headers.clone(),
            body: body.into(),
        };
        let response = stage.sandbox.answer(&request).await;
        assert_eq!(response.status(), 201, "{n}");
        if n % 1_000 == 999 {
            stage.settle().await;
        }
    }
    stage.settle().await;
}

#[tokio::test]
async fn the_oldest_go_first_of_all_that_is_kept() {
    let keep = Keep { messages: 100, phones: 10, exchanges: 20, ..Keep::default() };
    let stage = Stage::with(|settings| settings.keep = keep).await;
    send(&stage, 0..1_000, 30).await;
    let count = |path: &'static str| {
        let stage = &stage;
        async move { stage.look(path).await.as_array().unwrap().len() }
    };
    assert_eq!(count("phones").await, 10);
    assert_eq!(count("exchanges?limit=1000").await, 20);
    let (messages, texts, lines) = stage
        .sandbox
        .world
        .with(|state| (state.messages.newest_first().count(), state.texts(), state.lines.len()));
    assert_eq!((messages, lines), (100, 0));
    assert!(texts <= 100, "{texts}");
    // The youngest are there, and the telephone that was made first is not.
    let newest = stage.look("phones/+15550000009").await;
    assert_eq!(newest["messages"].as_array().unwrap().last().unwrap()["body"], "Your code is 000999");
    let phones = stage.look("phones").await;
    assert!(phones.as_array().unwrap().iter().all(|phone| phone["number"] != "+15550000010"), "{phones}");
}

#[tokio::test]
async fn texts_fall_off_their_telephones_with_the_oldest() {
    let keep = Keep { messages: 100, phones: 1_000, exchanges: 20, ..Keep::default() };
    let stage = Stage::with(|settings| settings.keep = keep).await;
    send(&stage, 0..300, 300).await;
    assert_eq!(stage.sandbox.world.with(|state| state.texts()), 100);
    // A telephone that was taken away and came again keeps its new texts.
    stage.steer(Method::DELETE, "phones/+15550000299", "").await;
    send(&stage, 299..300, 300).await;
    send(&stage, 0..98, 300).await;
    let texts = stage.look("phones/+15550000299").await;
    assert_eq!(texts["messages"].as_array().unwrap().len(), 1);
    stage.steer(Method::DELETE, "state", "").await;
    assert_eq!(stage.look("phones").await, json!([]));
}
