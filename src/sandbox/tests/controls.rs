//! Tests of the controls under `/sandbox/`.

use super::*;
use serde_json::json;
use std::time::Instant;

#[tokio::test]
async fn other_names_and_other_sites_are_refused() {
    let stage = Stage::new().await;
    let host = |name: &str| stage.control(Method::GET, "state").header("host", name.to_owned());
    for name in ["evil.example:80", "127.0.0.1.evil.example"] {
        assert_eq!(answer(host(name)).await.0, 403, "{name}");
    }
    // None at all is refused before anybody looks.
    assert_eq!(answer(host("")).await.0, 400);
    for name in ["localhost", "LOCALHOST:1", "[::1]:8001", "127.0.0.1:1"] {
        assert_eq!(answer(host(name)).await.0, 200, "{name}");
    }
    let origin = |origin: &str| {
        stage
            .control(Method::POST, "clock")
            .body(r#"{"advance_seconds":1}"#)
            .header("origin", origin.to_owned())
    };
    for site in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(answer(origin(site)).await.0, 403, "{site}");
    }
    assert_eq!(answer(origin(&stage.base)).await.0, 200);
    // The REST API has credentials and goes by path alone.
    assert_eq!(answer(stage.api(Method::GET, "Messages.json").header("host", "api.twilio.com")).await.0, 200);
}

#[tokio::test]
async fn a_long_poll_waits_for_a_message_and_not_for_ever() {
    let stage = Stage::new().await;
    let path = format!("phones/{PHONE}/messages");
    let begun = Instant::now();
    assert_eq!(stage.look(&format!("{path}?wait=0.1")).await, json!([]));
    assert!(begun.elapsed() >= Duration::from_millis(100));
    let (polled, sid) = tokio::join!(stage.look("phones/15551230001/messages?wait=60"), stage.text(&[]));
    assert_eq!(polled[0]["sid"], json!(sid));
    assert!(begun.elapsed() < Duration::from_secs(30));
    let (polled, second) = tokio::join!(
        async { stage.look(&format!("{path}?wait=30&since={sid}")).await },
        stage.text(&[("Body", "second")])
    );
    assert_eq!(polled.as_array().unwrap().len(), 1);
    assert_eq!(polled[0]["sid"], json!(second));
}

#[tokio::test]
async fn a_webhook_is_sent_again_as_it_was() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"message":{"outcome":"failed"}}"#).await;
    stage.app.answers("/status", 503, &[], "");
    let sid = stage.text(&[("StatusCallback", &stage.url("/status"))]).await;
    stage.app.wait("/status", 2).await;
    stage.app.answers("/status", 204, &[], "");
    let mut log = Value::Null;
    for _ in 0..3_000 {
        log = stage.look(&format!("exchanges?kind=status-callback&sid={sid}")).await;
        if log.as_array().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!((&log[0]["status"], &log[0]["verdict"]), (&json!(503), &json!("failed on its side")));
    let id = log[0]["id"].as_str().unwrap();
    let (status, document) = stage.steer(Method::POST, &format!("exchanges/{id}/replay"), "").await;
    assert_eq!((status, &document["status"]), (200, &json!(204)));
    let told = stage.app.told("/status");
    let (first, again) = (&told[1], &told[2]);
    assert!(again.signed && first.body == again.body);
    let token = "i-twilio-idempotency-token";
    assert_eq!(first.header(token), again.header(token));
    let file = answer(stage.control(Method::GET, &format!("exchanges/{id}/http"))).await.1;
    let file = file.as_str().unwrap();
    assert!(file.contains(&format!("\nPOST {} HTTP/1.1\n", stage.url("/status"))), "{file}");
    assert!(file.ends_with(&format!("\n\n{}\n", first.body)), "{file}");
    let api = stage.look("exchanges?kind=api&limit=1").await;
    assert!(!api.to_string().to_lowercase().contains("authorization"));
    let id = api[0]["id"].as_str().unwrap();
    assert_eq!(stage.steer(Method::POST, &format!("exchanges/{id}/replay"), "").await.0, 409);
}

#[tokio::test]
async fn starting_afresh_forgets_what_happened_and_ends_what_goes_on() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answers":"busy"}"#).await;
    stage.text(&[]).await;
    stage.call(&[("To", "+15551239999"), ("Twiml", "<Response/>")]).await;
    assert_eq!(stage.steer(Method::DELETE, "state", "").await.0, 204);
    let state = stage.look("state").await;
    assert_eq!((&state["phones"], &state["messages"]), (&json!([]), &json!([])));
    assert_eq!(stage.look("exchanges").await, json!([]));
    stage.settle().await;
}

#[tokio::test]
async fn starting_afresh_sets_the_clock_back() {
    let stage = Stage::new().await;
    stage.steer(Method::POST, "clock", r#"{"advance_seconds":86400,"stop":true}"#).await;
    assert!(stage.clock.now() > Clock::system() && stage.clock.is_stopped());
    assert_eq!(stage.steer(Method::DELETE, "state", "").await.0, 204);
    assert!(stage.clock.now() <= Clock::system() && !stage.clock.is_stopped());
}

#[tokio::test]
async fn a_phone_can_be_forgotten_alone() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answers":"busy"}"#).await;
    stage.behave("+15551230002", "{}").await;
    assert_eq!(stage.steer(Method::DELETE, &format!("phones/{PHONE}"), "").await.0, 204);
    let phones = stage.look("phones").await;
    assert_eq!(phones.as_array().unwrap().len(), 1);
    assert_eq!(phones[0]["number"], "+15551230002");
}

#[tokio::test]
async fn the_clock_is_moved_stopped_and_run() {
    let stage = Stage::new().await;
    let (status, shown) = stage.steer(Method::POST, "clock", r#"{"stop":true}"#).await;
    assert_eq!((status, &shown["stopped"]), (200, &json!(true)));
    let before: jiff::Timestamp = shown["now"].as_str().unwrap().parse().unwrap();
    stage.steer(Method::POST, "clock", r#"{"advance_seconds":90}"#).await;
    assert_eq!(stage.clock.now().duration_since(before).as_secs(), 90);
    assert_eq!(stage.steer(Method::POST, "clock", r#"{"run":true}"#).await.1["stopped"], false);
    for wrong in [
        r#"{"advance_seconds":-1}"#,
        r#"{"advance_seconds":1e12}"#,
        r#"{"back":1}"#,
        "x",
        r#"{"stop":true,"run":true}"#,
    ] {
        let (status, complaint) = stage.steer(Method::POST, "clock", wrong).await;
        assert_eq!(status, 400, "{wrong}");
        assert!(complaint["hint"].as_str().unwrap().contains("advance_seconds"));
    }
}

#[tokio::test]
async fn wrong_controls_are_answered_with_a_hint() {
    let stage = Stage::new().await;
    let cases = [
        (Method::GET, "nowhere", 404),
        (Method::GET, "phones/abc", 400),
        (Method::POST, "phones/+15551230001", 405),
        (Method::PATCH, "clock", 405),
        (Method::HEAD, "state", 200),
        (Method::GET, "calls/CA0", 404),
        (Method::POST, "calls/CA0/answer", 404),
        (Method::POST, "calls/CA0/dance", 404),
        (Method::GET, "exchanges/9999", 404),
        (Method::POST, "app/verifications", 503),
        (Method::GET, "app/../secrets", 404),
    ];
    for (method, path, status) in cases {
        let (got, document) = answer(stage.control(method.clone(), path)).await;
        assert_eq!(got, status, "{method} {path} {document}");
        assert!(method == Method::HEAD || document["hint"].is_string(), "{method} {path}");
    }
    let (status, complaint) = stage.steer(Method::PUT, "behaviour", r#"{"answers":"maybe"}"#).await;
    assert_eq!(status, 400);
    assert!(complaint["error"].as_str().unwrap().contains("person"), "{complaint}");
}

#[tokio::test]
async fn wishes_for_all_hold_where_a_phone_has_none() {
    let stage = Stage::new().await;
    stage.steer(Method::PUT, "behaviour", r#"{"message":{"outcome":"failed","error_code":30007}}"#).await;
    let sid = stage.text(&[]).await;
    assert_eq!(stage.message_in(&sid, "failed").await["error_code"], 30007);
    stage.behave("+15551230002", r#"{"message":{"outcome":"delivered"}}"#).await;
    let sid = stage.text(&[("To", "+15551230002")]).await;
    stage.message_in(&sid, "delivered").await;
}

#[tokio::test]
async fn the_form_is_handed_on_with_the_key_and_the_answer_handed_back() {
    let stage = Stage::new().await;
    stage.set_app("dbk_secret");
    stage.app.answers("/v1/verifications", 201, &[("content-type", "application/json")], r#"{"id":"VE1"}"#);
    let problem = [("content-type", "application/problem+json")];
    stage.app.answers("/v1/verifications/VE1/check", 429, &problem, r#"{"code":"spent"}"#);
    let (status, document) = stage.steer(Method::POST, "app/verifications", r#"{"to":"+1"}"#).await;
    assert_eq!((status, &document), (201, &json!({ "id": "VE1" })));
    let told = &stage.app.told("/v1/verifications")[0];
    assert_eq!((told.header("authorization"), told.body.as_str()), ("Bearer dbk_secret", r#"{"to":"+1"}"#));
    let (status, document) =
        stage.steer(Method::POST, "app/verifications/VE1/check", r#"{"code":"1"}"#).await;
    assert_eq!((status, &document["code"]), (429, &json!("spent")));
    assert_eq!(stage.steer(Method::POST, "app/verifications/..%2Fkeys/check", "{}").await.0, 400);
    assert_eq!(stage.steer(Method::GET, "app/verifications", "").await.0, 405);
}

#[tokio::test]
async fn the_page_is_told_what_happens() {
    let stage = Stage::new().await;
    let mut response = stage.control(Method::GET, "events").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    stage.text(&[]).await;
    stage.call(&[("Twiml", "<Response><Say>hello there</Say></Response>")]).await;
    let mut heard = String::new();
    let wanted = ["event:hello", "event:phone", "event:message", "event:text", "event:call", "event:caption"];
    let all = async {
        while !wanted.iter().all(|event| heard.contains(event)) || !heard.contains("completed") {
            heard.push_str(&String::from_utf8_lossy(&response.chunk().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all).await.expect("every kind of event");
    assert!(heard.contains("hello there"));
}

#[tokio::test]
async fn everything_ends_when_the_sandbox_is_told_to_stop() {
    let stage = Stage::new().await;
    stage.call(&[("Twiml", "<Response/>")]).await;
    stage.call_in("ringing").await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let run = tokio::spawn(stage.sandbox.clone().run(async move {
        let _ = stopped.await;
    }));
    let events = stage.control(Method::GET, "events").send().await.unwrap();
    let poll = stage.look("phones/+15550009999/messages?wait=60");
    let stopping = async {
        while stage.sandbox.world.waiting() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.send(()).unwrap();
    };
    let all = async { tokio::join!(poll, events.bytes(), stopping) };
    let (polled, streamed, ()) =
        tokio::time::timeout(Duration::from_secs(30), all).await.expect("all of them end");
    run.await.unwrap();
    assert_eq!(polled, json!([]));
    assert!(streamed.is_ok());
}

#[tokio::test]
async fn who_is_beside_the_sandbox_begins_afresh_first_and_is_told_of_when_it_does_not() {
    let stage = Stage::new().await;
    let mut asked = stage.sandbox.afresh();
    stage.sandbox.set_verify("http://127.0.0.1:9".to_owned());
    stage.app.answers("/v2/Services", 200, &[("content-type", "application/json")], "{}");
    let sid = stage.text(&[]).await;
    assert_eq!(stage.newer(Method::GET, "/v2/Services", &[]).await.0, 503);
    let begins = async {
        let tell = asked.recv().await.unwrap();
        assert_eq!(stage.fetch(&format!("Messages/{sid}.json")).await.0, 200, "not forgotten yet");
        tell.send(stage.app.base.clone()).unwrap();
    };
    let (done, ()) = tokio::join!(stage.steer(Method::DELETE, "state", ""), begins);
    assert_eq!((done.0, stage.fetch(&format!("Messages/{sid}.json")).await.0), (204, 404));
    assert_eq!(stage.newer(Method::GET, "/v2/Services", &[]).await.0, 200);
    assert_eq!(stage.look("state").await["verify"], true);
    drop(asked);
    let (status, said) = stage.steer(Method::DELETE, "state", "").await;
    assert_eq!((status, said["error"].is_string()), (503, true), "{said}");
}
