//! Looking up what became of a send, and what a list proves.

use super::*;

/// A text of ours as Twilio lists it, with one thing changed.
fn listed(name: &str, other: Value) -> Value {
    let code = send_request(Channel::Sms).code().unwrap().clone();
    let mut text = json!({
        "sid": format!("SM{:032x}", 5), "direction": "outbound-api", "status": "sent", "to": TO,
        "date_created": "Fri, 20 Nov 2026 09:30:02 +0000", "error_code": null,
        "body": format!("Your Acme code is {}. It is good for 9 minutes.", code.expose()),
    });
    text[name] = other;
    text
}

#[tokio::test]
async fn a_look_up_finds_our_text_and_none_that_only_resembles_it() {
    let strangers = [
        listed("direction", json!("inbound")),
        listed("direction", json!("outbound-reply")),
        listed("date_created", json!("Fri, 20 Nov 2026 09:28:00 +0000")),
        listed("date_created", Value::Null),
        listed("body", json!("Your Acme code is not here")),
        listed("body", Value::Null),
        listed("sid", json!(format!("SM{:032x}", 9))),
    ];
    for stranger in &strangers {
        let (found, _) = look_up_in(Channel::Sms, since(), &json!({"messages": [stranger]})).await;
        assert_eq!(found, Ok(None), "{stranger}");
    }
    let ours = listed("to", json!(TO));
    let list =
        json!({"messages": strangers.iter().chain([&ours]).collect::<Vec<_>>(), "next_page_uri": null});
    let (found, url) = look_up_in(Channel::Sms, since(), &list).await;
    let report = found.unwrap().unwrap();
    assert_eq!(report.sid.as_str(), format!("SM{:032x}", 5));
    assert_eq!((report.id, report.fact.status), (Some(send_request(Channel::Sms).id), Some(Status::Sent)));
    assert!(url.ends_with("/Messages.json?To=%2B14155550123&PageSize=100"), "{url}");
}

#[tokio::test]
async fn a_look_up_finds_our_call() {
    let call = |direction: &str, n: u8| {
        json!({"sid": format!("CA{n:032x}"), "direction": direction, "status": "ringing", "to": TO,
            "date_created": "Fri, 20 Nov 2026 09:30:02 +0000", "duration": null, "answered_by": null})
    };
    let list = json!({"calls": [call("inbound", 1), call("outbound-dial", 2), call("outbound-api", 9), call("outbound-api", 5)]});
    let (found, url) = look_up_in(Channel::Call, since(), &list).await;
    assert_eq!(found.unwrap().unwrap().sid.as_str(), format!("CA{:032x}", 5));
    assert!(url.contains("/Calls.json?To=%2B14155550123&PageSize=100"), "{url}");
}

#[tokio::test]
async fn a_look_up_just_after_midnight_finds_what_was_made_the_day_before() {
    let midnight = "2026-11-20T00:00:10Z".parse().unwrap();
    let late = listed("date_created", json!("Thu, 19 Nov 2026 23:59:50 +0000"));
    let (found, _) = look_up_in(Channel::Sms, midnight, &json!({"messages": [late]})).await;
    assert!(found.unwrap().is_some());
}

#[tokio::test]
async fn a_page_that_ends_too_soon_proves_nothing() {
    let page = |at: &str| {
        let other = listed("body", json!("not ours"));
        let mut oldest = other.clone();
        oldest["date_created"] = json!(at);
        json!({"messages": [other, oldest], "next_page_uri": "/2010-04-01/more"})
    };
    let (found, _) = look_up_in(Channel::Sms, since(), &page("Fri, 20 Nov 2026 09:30:01 +0000")).await;
    assert!(matches!(found, Err(SendError::Unknown { .. })), "{found:?}");
    let (found, _) = look_up_in(Channel::Sms, since(), &page("Fri, 20 Nov 2026 09:00:00 +0000")).await;
    assert_eq!(found, Ok(None));
}

#[tokio::test]
async fn a_list_that_cannot_be_read_proves_nothing() {
    for body in [&json!({"messages": [{"sid": "nonsense"}]}), &json!([])] {
        let (found, _) = look_up_in(Channel::Sms, since(), body).await;
        assert!(matches!(found, Err(SendError::Unknown { .. })), "{body}");
    }
    let fake = fake(answer(503, &json!({"code": 20503})));
    let found = Twilio::new(settings(), fake).look_up(&send_request(Channel::Sms), since(), &[]).await;
    assert!(matches!(found, Err(SendError::Unknown { .. })));
}
