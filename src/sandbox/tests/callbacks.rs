//! Tests of the status callbacks of messages: how they go wrong, and how they are asked for.

use super::*;

#[tokio::test]
async fn callbacks_come_twice_shuffled_or_not_at_all_when_the_phone_wishes_so() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"callbacks":{"repeat":2}}"#).await;
    stage.text(&[("StatusCallback", &stage.url("/twice"))]).await;
    let told = stage.app.wait("/twice", 9).await;
    let token = |told: &Told| told.header("i-twilio-idempotency-token").to_owned();
    assert_eq!(token(&told[0]), token(&told[2]));
    assert_ne!(token(&told[2]), token(&told[3]));

    stage.behave(PHONE, r#"{"callbacks":{"reorder":true}}"#).await;
    stage.text(&[("StatusCallback", &stage.url("/shuffled"))]).await;
    stage.app.wait("/shuffled", 3).await;
    let mut order = stage.app.values("/shuffled", "MessageStatus");
    assert_ne!(order, ["sending", "sent", "delivered"]);
    order.sort();
    assert_eq!(order, ["delivered", "sending", "sent"]);

    stage.behave(PHONE, r#"{"callbacks":{"lose":1}}"#).await;
    let sid = stage.text(&[("StatusCallback", &stage.url("/lost"))]).await;
    stage.message_in(&sid, "delivered").await;
    let log = stage.look(&format!("exchanges?kind=status-callback&sid={sid}")).await;
    assert!(stage.app.told("/lost").is_empty());
    assert_eq!(log.as_array().unwrap().iter().filter(|it| it["verdict"] == "lost on purpose").count(), 3);
}

#[tokio::test]
async fn late_callbacks_wait_for_the_clock() {
    let stage = Stage::new().await;
    stage.clock.stop();
    stage.behave(PHONE, r#"{"callbacks":{"delay_ms":60000}}"#).await;
    let sid = stage.text(&[("StatusCallback", &stage.url("/late"))]).await;
    stage.message_in(&sid, "delivered").await;
    assert!(stage.app.told("/late").is_empty());
    // Each waits from when it is its turn, which is seen by its arrival alone.
    let begun = std::time::Instant::now();
    while stage.app.told("/late").len() < 3 && begun.elapsed() < Duration::from_secs(30) {
        stage.clock.advance(Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(stage.app.values("/late", "MessageStatus"), ["sending", "sent", "delivered"]);
}

/// Which of ten messages' callbacks arrive under a seed.
async fn survivors(seed: u64) -> Vec<String> {
    let stage = Stage::with(|settings| settings.seed = seed).await;
    stage.behave(PHONE, r#"{"callbacks":{"lose":0.5}}"#).await;
    let mut survivors = Vec::new();
    for n in 0..10 {
        let path = format!("/{n}");
        let sid = stage.text(&[("StatusCallback", &stage.url(&path))]).await;
        for _ in 0..6_000 {
            let log = stage.look(&format!("exchanges?kind=status-callback&sid={sid}")).await;
            if log.as_array().unwrap().len() == 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        survivors.extend(stage.app.values(&path, "MessageStatus").into_iter().map(|it| format!("{n} {it}")));
    }
    survivors
}

#[tokio::test]
async fn the_same_seed_loses_the_same_callbacks() {
    let (first, again, other) = (survivors(7).await, survivors(7).await, survivors(8).await);
    assert!(!first.is_empty() && first.len() < 30, "{first:?}");
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[tokio::test]
async fn a_wrong_signature_and_a_missing_port_are_signed_as_wished() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"callbacks":{"bad_signature":true}}"#).await;
    stage.text(&[("StatusCallback", &stage.url("/bad"))]).await;
    assert!(stage.app.wait("/bad", 3).await.iter().all(|told| !told.signed));
    stage.behave(PHONE, r#"{"callbacks":{"port":"without"}}"#).await;
    stage.text(&[("StatusCallback", &stage.url("/portless"))]).await;
    stage.behave(PHONE, "{}").await;
    stage.text(&[("StatusCallback", &stage.url("/plain"))]).await;
    let (portless, plain) = (stage.app.wait("/portless", 3).await, stage.app.wait("/plain", 3).await);
    assert!(portless.iter().chain(&plain).all(|told| told.signed), "both are accepted");
    // The same request over the URL without its port, signed by hand.
    let pairs = form::parse(portless[0].body.as_bytes());
    let algorithm = crate::twilio::signature::Algorithm::HmacSha1;
    let url = "http://127.0.0.1/portless";
    let by_hand = crate::twilio::signature::sign(&Secret::new(TOKEN), algorithm, url, &pairs);
    assert_eq!(portless[0].header("x-twilio-signature"), by_hand);
}

#[tokio::test]
async fn a_failing_callback_is_repeated_as_its_fragment_wishes() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"message":{"outcome":"failed"}}"#).await;
    stage.app.answers("/status", 500, &[], "");
    stage.text(&[("StatusCallback", &stage.url("/status#rc=2&rp=5xx"))]).await;
    let told = stage.app.wait("/status", 6).await;
    assert!(told.iter().all(|told| told.signed));
    let token = |n: usize| told[n].header("i-twilio-idempotency-token").to_owned();
    assert_eq!((token(0), token(3)), (token(2), token(5)));
    assert_ne!(token(2), token(3));
    assert_eq!(stage.app.values("/status", "MessageStatus")[2..4], ["sending", "failed"]);
}

#[tokio::test]
async fn a_password_is_sent_once_it_is_asked_for_and_never_signed() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"message":{"outcome":"failed"}}"#).await;
    stage.app.answers("/status", 401, &[("www-authenticate", "Basic realm=\"app\"")], "");
    let url = stage.url("/status").replace("http://", "http://user:pass@");
    stage.text(&[("StatusCallback", &url)]).await;
    let told = stage.app.wait("/status", 4).await;
    assert!(told.iter().all(|told| told.signed));
    assert_eq!(
        (told[0].header("authorization"), told[1].header("authorization")),
        ("", "Basic dXNlcjpwYXNz")
    );
    let log = stage.look("exchanges?kind=status-callback").await.to_string();
    assert!(!log.contains("dXNlcjpwYXNz") && !log.contains("user:pass"));
}

#[tokio::test]
async fn jitter_lets_callbacks_overtake_each_other_and_loses_none() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"callbacks":{"jitter_ms":40}}"#).await;
    let mut orders = std::collections::HashSet::new();
    for n in 0..12 {
        let path = format!("/{n}");
        stage.text(&[("StatusCallback", &stage.url(&path))]).await;
        stage.app.wait(&path, 3).await;
        orders.insert(stage.app.values(&path, "MessageStatus"));
    }
    assert!(orders.len() > 1, "{orders:?}");
}
