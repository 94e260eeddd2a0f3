//! What answers mean, what callbacks say, and where requests go; the way over the network
//! is tried from outside.

use super::answer::refusal;
use super::*;
use crate::gateway::callbacks::{CallbackHead, NotHeard};
use crate::gateway::webhook::new_secret;
use crate::model::delivery::ERROR_TEXT;
use crate::model::id::VerificationId;
use serde_json::{Value, json};

fn relay(url: &str) -> Relay {
    let settings = Settings {
        url: url.to_owned(),
        secrets: vec![new_secret([7; 32]), new_secret([8; 32])],
        channels: vec![Channel::Sms],
        from: None,
        messages: Arc::new(Catalog::shipped()),
        callback_url: "https://verify.example.com/gateway/status".to_owned(),
        connect_timeout: Duration::from_secs(1),
        request_timeout: Duration::from_secs(1),
        allow_private: true,
    };
    Relay::new(settings, &Trust::compiled_in()).unwrap()
}

fn delivery() -> DeliveryId {
    VerificationId::from_random([0xab; 15]).delivery(3)
}

fn answered(status: u16, retry_after: Option<u64>, body: &str) -> Answer {
    Answer { status, retry_after, body: body.as_bytes().to_vec() }
}

#[test]
fn an_answer_means_one_of_four_things() {
    let said = |answer: Answer| {
        let (word, code, after) = match refusal(&answer) {
            SendError::Refused { code, .. } => ("refused", code, Duration::ZERO),
            SendError::NotProcessed { code, after, .. } => ("not processed", code, after),
            SendError::Unknown { code, after, .. } => ("unknown", code, after),
        };
        (word, code, after.as_secs())
    };
    let with_code = r#"{"code": 30006, "reason": "a landline"}"#;
    for (status, wait, body, meaning) in [
        (400, None, "", ("refused", None, 0)),
        (401, None, "null", ("refused", None, 0)),
        (404, None, "[]", ("refused", None, 0)),
        (422, Some(9), with_code, ("refused", Some(30006), 0)),
        (422, None, r#"{"code": "30006"}"#, ("refused", None, 0)),
        (422, None, r#"{"code": 0}"#, ("refused", None, 0)),
        (422, None, r#"{"code": -4}"#, ("refused", None, 0)),
        (422, None, r#"{"code": 99999999999}"#, ("refused", None, 0)),
        (429, None, "", ("not processed", None, 0)),
        (429, Some(7), with_code, ("not processed", Some(30006), 7)),
        (503, Some(7), "", ("not processed", None, 7)),
        (503, None, "", ("unknown", None, 0)),
        (408, None, "", ("unknown", None, 0)),
        (500, Some(7), "", ("unknown", None, 7)),
        (302, None, "", ("unknown", None, 0)),
    ] {
        assert_eq!(said(answered(status, wait, body)), meaning, "{status} {body}");
    }
    let told = refusal(&answered(422, None, r#"{"reason": "no texts to +14155550123,\n code 123456"}"#));
    assert_eq!(told.to_string(), "refused: the gateway answered 422: no texts to …, code …");
}

#[test]
fn only_a_name_says_that_a_message_was_taken() {
    let name = "x".repeat(128);
    let told = |body: &Value| Taken::read(&answered(200, None, &body.to_string())).is_ok();
    assert!(told(&json!({ "id": "msg_1" })) && told(&json!({ "id": name, "more": 1 })));
    for id in [json!(""), json!(7), json!("a b"), json!("é"), json!(format!("{name}x")), Value::Null] {
        assert!(!told(&json!({ "id": id })), "{id}");
    }
    assert!(Taken::read(&answered(200, None, "<html>")).is_err());
}

#[test]
fn each_message_has_an_address_below_the_one_they_are_posted_to() {
    for (url, at) in [
        ("https://sms.example/messages", "https://sms.example/messages/"),
        ("https://sms.example/messages/", "https://sms.example/messages/"),
        ("https://sms.example", "https://sms.example/"),
        ("https://sms.example/m?key=1", "https://sms.example/m/"),
    ] {
        let relay = relay(url);
        let found = relay.url_of(Ask::LookUp, &delivery());
        assert_eq!(found.as_str().split('?').next().unwrap(), format!("{at}{}", delivery()), "{url}");
        assert_eq!(found.query(), relay.url.query());
        assert_eq!(relay.url_of(Ask::Send, &delivery()), relay.url);
    }
}

#[test]
fn an_address_that_may_not_be_called_is_none() {
    let mut settings = relay("https://sms.example").settings;
    settings.allow_private = false;
    for url in
        ["http://sms.example/", "https://127.0.0.1/", "https://10.0.0.7/", "https://u:p@sms.example/", ""]
    {
        settings.url = url.to_owned();
        let refused = Relay::new(settings.clone(), &Trust::compiled_in());
        assert!(matches!(refused, Err(RelayError::Url(_))), "{url}");
    }
    settings.allow_private = true;
    settings.url = "http://169.254.169.254/latest".to_owned();
    assert!(
        Relay::new(settings, &Trust::compiled_in()).is_err(),
        "a cloud's secrets are refused in any case"
    );
}

/// What is heard of a body that was signed with this secret at that second.
fn heard(body: &str, secret: u8, at: i64, now: i64) -> Result<Report, NotHeard> {
    let relay = relay("https://sms.example");
    let signature = signature("evt", at, body.as_bytes(), &[new_secret([secret; 32])]);
    let head = CallbackHead { id: "evt", timestamp: &at.to_string(), signature: &signature };
    let heard = relay.hear(&head, body.as_bytes(), Timestamp::from_second(now).unwrap(), None);
    heard.map(|(proof, report)| {
        assert_eq!((proof.account(), proof.signer()), (None, "gateway.http"));
        report
    })
}

#[test]
fn a_callback_is_read_once_any_of_the_secrets_proves_it() {
    let told = json!({
        "delivery": delivery(), "id": "msg_1", "status": "undelivered", "new": [1],
        "error": { "code": 30003, "reason": "phone off: +14155550123" }, "at": "2026-11-20T09:00:00Z",
    })
    .to_string();
    let report = heard(&told, 7, 1000, 1300).unwrap();
    assert_eq!(heard(&told, 8, 1300, 1000).unwrap(), report);
    assert_eq!((report.sid, report.id), (delivery().message_sid(), Some(delivery())));
    assert_eq!((report.about.reference.as_deref(), report.about.to), (Some("msg_1"), None));
    let fact = report.fact;
    assert_eq!((fact.status, fact.error_code), (Some(Status::Undelivered), Some(30003)));
    assert_eq!(fact.other[ERROR_TEXT], "phone off: …");
    assert_eq!(fact.carrier_at.unwrap().to_string(), "2026-11-20T09:00:00Z");
    for (secret, at, now, cause) in
        [(9, 1000, 1000, "mismatch"), (7, 1000, 1301, "other_time"), (7, 1301, 1000, "other_time")]
    {
        assert_eq!(heard(&told, secret, at, now), Err(NotHeard::Unproved(cause)), "{secret} {at} {now}");
    }
}

#[test]
fn a_head_that_no_body_could_mend_is_refused_alone() {
    let relay = relay("https://sms.example");
    let now = Timestamp::from_second(1000).unwrap();
    let judged = |id, timestamp, signature| relay.judge_head(&CallbackHead { id, timestamp, signature }, now);
    assert_eq!(judged("evt", "1000", "v1,AAAA"), Ok(()), "the body decides");
    let long = "x".repeat(300);
    for (id, timestamp, signature) in [
        ("", "1000", "v1,AAAA"),
        (&*long, "1000", "v1,AAAA"),
        ("evt", "", "v1,AAAA"),
        ("evt", "1000.0", "v1,AAAA"),
        ("evt", "99999999999999999999", "v1,AAAA"),
        ("evt", "9223372036854775807", "v1,AAAA"),
        ("evt", "1000", ""),
        ("evt", "600", "v1,AAAA"),
    ] {
        assert!(
            matches!(judged(id, timestamp, signature), Err(NotHeard::Unproved(_))),
            "{timestamp} {signature}"
        );
    }
}
