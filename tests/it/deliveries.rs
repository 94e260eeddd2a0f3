//! What becomes of messages and calls, as it is listed: by which channel, of
//! whose number, and from when on.

use crate::instance::{Instance, Setup, binary, text};
use reqwest::Method;
use serde_json::{Value, json};

const PERSON: &str = "+14155550123";

/// A status callback about a message between these addresses.
async fn reported(app: &Instance, sid: &str, from: &str, to: &str, more: &[(&str, &str)]) {
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

async fn listed(app: &Instance, query: &str) -> Vec<Value> {
    let page = app.get(&format!("/v1/deliveries?{query}")).await;
    assert_eq!(page.status, 200, "{query}: {}", page.text);
    page.json()["deliveries"].as_array().unwrap().clone()
}

fn sid(kind: &str, n: u32) -> String {
    format!("{kind}{n:032x}")
}

/// The command line beside the server.
fn run(app: &Instance, args: &[&str]) -> (i32, String, String) {
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

/// Names of all that is listed, gone through in pages of one.
async fn paged(app: &Instance, query: &str) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/v1/deliveries?limit=1&{query}{cursor}")).await.json();
        names.extend(page["deliveries"].as_array().unwrap().iter().map(|one| text(&one["id"])));
        let Some(next) = page["next_cursor"].as_str() else { return names };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_send_is_listed_from_its_promise_on_and_stays_where_it_was() {
    let app = Setup::sandbox().without_failover().start().await;
    let (held, refused, taken) = ("+15551230501", "+15551230502", "+15551230503");
    app.phone(held, json!({ "api": { "timeout": "before", "hold_ms": 20_000, "times": 1 } })).await;
    app.phone(refused, json!({ "message": { "outcome": "failed", "error_code": 30006 } })).await;
    let begin = async |number: &str, channel: &str| {
        let id = text(&app.begin(number, channel).await["id"]);
        app.advance(1).await;
        id
    };
    let first = begin(taken, "sms").await;
    app.texted_code(taken, 1).await;
    let hanging = begin(held, "sms").await;
    app.verification(&hanging, |view| view["deliveries"][0]["status"] == "sending").await;
    // Twilio holds its answer back: the send has no name yet, and is there.
    let name = |id: &str| format!("DL{}01", &id[2..32]);
    let listed_now = listed(&app, "to=%2B15551230501").await;
    assert_eq!(listed_now.len(), 1, "{}", app.end_of_log());
    assert_eq!(listed_now[0]["id"], name(&hanging));
    assert_eq!((&listed_now[0]["sid"], &listed_now[0]["channel"]), (&Value::Null, &json!("sms")));
    assert_eq!(listed_now[0]["delivered"], false);
    let status = "sending";
    assert_eq!(listed_now[0]["status"], status);
    assert_eq!(listed(&app, &format!("to=%2B15551230501&status={status}")).await.len(), 1);
    assert_eq!(listed(&app, "to=%2B15551230501&channel=whatsapp").await.len(), 0);
    assert_eq!(listed(&app, "to=whatsapp:%2B15551230501").await.len(), 0);
    assert_eq!(listed(&app, &format!("verification={hanging}")).await.len(), 1);
    let (code, shown, err) = run(&app, &["delivery", "+1 555 123 0501"]);
    assert!(code == 0 && shown.contains(&name(&hanging)) && shown.contains("+1********01"), "{shown}{err}");
    let last = begin(refused, "sms").await;
    let expected = [name(&last), name(&hanging), name(&first)];
    assert_eq!(paged(&app, "").await, expected);
    // A page that ended before it got its name goes on behind it afterwards.
    let page = app.get("/v1/deliveries?limit=2").await.json();
    let sent_at = text(&page["deliveries"][1]["created_at"]);
    let callback = [
        ("MessageSid", "SM000000000000000000000000000005ff"),
        ("MessageStatus", "delivered"),
        ("From", "+15005550006"),
        ("To", held),
        ("AccountSid", app.account.as_str()),
    ];
    let path = format!("/twilio/status?delivery={}", name(&hanging));
    assert_eq!(app.webhook(&path, &callback).await.status, 204);
    let named = app.delivery(callback[0].1, |_| true).await;
    assert_eq!((&named["id"], &named["created_at"]), (&json!(name(&hanging)), &json!(sent_at)));
    let rest = app.get(&format!("/v1/deliveries?limit=2&cursor={}", text(&page["next_cursor"]))).await.json();
    let rest: Vec<String> =
        rest["deliveries"].as_array().unwrap().iter().map(|one| text(&one["id"])).collect();
    assert_eq!(rest, [name(&first)], "nothing twice");
    assert_eq!(paged(&app, "").await, expected, "once each, where it was");
    assert_eq!(listed(&app, &format!("to=%2B15551230501&status={status}")).await.len(), 0);
    let (code, shown, err) = run(&app, &["delivery", &hanging]);
    assert!(code == 0 && shown.contains(callback[0].1) && shown.contains("delivered"), "{shown}{err}");
    let (code, _, err) = run(&app, &["delivery", "+15551239999"]);
    assert!(code == 1 && err.contains("+1********99") && !err.contains("5551239999"), "{err}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_left_stays_listed_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let number = "+14155550177";
    // Nobody listens where Twilio should be.
    let app = Setup::live().dir(dir.path()).start().await;
    app.learn(number);
    let id = text(&app.begin(number, "sms").await["id"]);
    app.ask(crate::instance::KEY, Method::DELETE, &format!("/v1/verifications/{id}"), None).await;
    let ended = app.verification(&id, |view| {
        ["failed", "canceled"].contains(&view["deliveries"][0]["status"].as_str().unwrap())
    });
    let status = text(&ended.await["deliveries"][0]["status"]);
    let found = listed(&app, "to=%2B14155550177").await;
    assert_eq!((found.len(), &found[0]["verification"]), (1, &json!(id)));
    assert_eq!((&found[0]["status"], &found[0]["final"]), (&json!(status), &json!(true)));
    let store = app.store.clone();
    app.stop().await;
    // The command line finds it without a server.
    let output = tokio::task::block_in_place(|| {
        binary(dir.path())
            .env("DIALBACK_STORE__URL", &store)
            .args(["delivery", "--json", number])
            .output()
            .unwrap()
    });
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["deliveries"][0]["verification"], *id, "{}", String::from_utf8_lossy(&output.stderr));
}
