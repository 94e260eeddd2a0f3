//! What becomes of messages and calls, as it is listed: by which channel, of
//! whose number, and from when on.

use crate::app::{App, Setup, binary, text};
use serde_json::Value;

const PERSON: &str = "+14155550123";

/// A status callback about a message between these addresses.
async fn reported(app: &App, sid: &str, from: &str, to: &str, more: &[(&str, &str)]) {
    let mut params = vec![
        ("MessageSid", sid),
        ("SmsSid", sid),
        ("MessageStatus", "delivered"),
        ("SmsStatus", "delivered"),
        ("From", from),
        ("To", to),
        ("AccountSid", app.account.as_str()),
        ("ApiVersion", "2010-04-01"),
    ];
    params.extend(more);
    assert_eq!(app.webhook("/twilio/status", &params).await.status, 204);
}

async fn listed(app: &App, query: &str) -> Vec<Value> {
    let page = app.get(&format!("/v1/deliveries?{query}")).await;
    assert_eq!(page.status, 200, "{query}: {}", page.text);
    page.json()["deliveries"].as_array().unwrap().clone()
}

fn sid(kind: &str, n: u32) -> String {
    format!("{kind}{n:032x}")
}

/// The command line beside the server.
fn run(app: &App, args: &[&str]) -> (i32, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let output = tokio::task::block_in_place(|| {
        binary(dir.path()).env("DIALBACK_STORE__URL", &app.store).args(args).output().unwrap()
    });
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_is_found_on_every_channel_and_each_by_its_name() {
    let app = Setup::sandbox().start().await;
    let own = "+15005550006";
    let rows = [
        (1, own, PERSON.to_owned(), "sms", &[][..]),
        (
            2,
            "whatsapp:+15005550006",
            format!("whatsapp:{PERSON}"),
            "whatsapp",
            &[("ChannelPrefix", "whatsapp"), ("NumSegments", "1")],
        ),
        (3, "rcs:brand_agent", format!("rcs:{PERSON}"), "rcs", &[]),
        (4, "rcs:brand_agent", PERSON.to_owned(), "rcs", &[]),
        (5, "messenger:8675309", "messenger:5551234567".to_owned(), "messenger", &[]),
    ];
    for (n, from, to, _, more) in &rows {
        reported(&app, &sid("SM", *n), from, to, more).await;
    }
    for (n, _, _, channel, _) in &rows {
        let delivery = app.delivery(&sid("SM", *n), |_| true).await;
        assert_eq!(delivery["channel"], *channel);
        assert!(*channel == "sms" || delivery["segments"].is_null(), "{delivery}");
        let by_channel = listed(&app, &format!("channel={channel}")).await;
        assert!(by_channel.iter().any(|one| one["sid"] == sid("SM", *n)), "{by_channel:?}");
        assert!(by_channel.iter().all(|one| one["channel"] == *channel), "{by_channel:?}");
    }
    for writing in ["%2B14155550123", "+1 (415) 555-0123", "%2B1%20415%20555%200123"] {
        assert_eq!(listed(&app, &format!("to={writing}")).await.len(), 4, "{writing}");
        let whatsapp = listed(&app, &format!("to={writing}&channel=whatsapp")).await;
        assert_eq!(whatsapp.iter().map(|one| text(&one["sid"])).collect::<Vec<_>>(), [sid("SM", 2)]);
    }
    assert_eq!(listed(&app, "to=whatsapp:%2B14155550123").await.len(), 1);
    assert_eq!(listed(&app, "to=messenger:5551234567").await.len(), 1);
    let (code, shown, err) = run(&app, &["delivery", &sid("SM", 2)]);
    assert_eq!(code, 0, "{err}");
    assert!(shown.contains("  whatsapp\n") && !shown.contains("segment"), "{shown}");
    app.stop().await;
}
