//! Tests of webhooks that fail: each cause with Twilio's own code.

use super::*;
use crate::trust::Trust;
use crate::trust::stage::{Authority, Valid, serve_plain, serve_self_signed};
use serde_json::json;

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n\
                      <Response><Say>secure</Say></Response>";

async fn trusting(authority: &Authority) -> Stage {
    let stage = Stage::with(|settings| settings.trust = Trust::of([authority.der()])).await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    stage
}

/// What becomes of a call whose TwiML is there: its error code.
async fn called(stage: &Stage, url: &str) -> Value {
    stage.call(&[("Url", url)]).await;
    stage.call_in("completed").await["error_code"].clone()
}

#[tokio::test]
async fn an_authority_of_ones_own_is_believed_under_every_name_of_this_machine() {
    let authority = Authority::new();
    let stage = trusting(&authority).await;
    let names = ["localhost", "shop.localhost", "127.0.0.1"];
    let port = authority.serve(&names, Valid::Now, ANSWER);
    for name in names {
        assert_eq!(called(&stage, &format!("https://{name}:{port}/voice")).await, Value::Null, "{name}");
        assert_eq!(stage.call_in("completed").await["spoken"], json!(["secure"]), "{name}");
    }
    let texted = stage.text(&[("StatusCallback", &format!("https://localhost:{port}/status"))]).await;
    stage.message_in(&texted, "delivered").await;
    assert_eq!(stage.alerts().await, [0; 0]);
}

/// The port of somebody who closes every connection.
async fn hangs_up() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // After the first bytes, or it would be a reset.
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 8192]).await;
        }
    });
    port
}

#[tokio::test]
async fn every_failure_of_tls_has_its_code() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let stage = trusting(&authority).await;
    let (self_signed, _) = serve_self_signed("localhost", ANSWER);
    let plain = stage.app.base.rsplit_once(':').unwrap().1.parse().unwrap();
    let cases = [
        (11237, "a stranger's", stranger.serve(&["localhost"], Valid::Now, ANSWER)),
        (11237, "its own", self_signed),
        (11235, "another name's", authority.serve(&["example.com"], Valid::Now, ANSWER)),
        (11236, "old", authority.serve(&["localhost"], Valid::Past, ANSWER)),
        (11236, "not yet valid", authority.serve(&["localhost"], Valid::Future, ANSWER)),
        (11220, "none at all", plain),
        (11220, "an end", hangs_up().await),
    ];
    for (code, what, port) in cases {
        assert_eq!(called(&stage, &format!("https://localhost:{port}/")).await, json!(code), "{what}");
        assert_eq!(stage.alerts().await[0], code, "{what}");
    }
    // The other way round is bytes that are no HTTP.
    let port = authority.serve(&["localhost"], Valid::Now, ANSWER);
    assert_eq!(called(&stage, &format!("http://localhost:{port}/")).await, json!(11206));
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_believed_where_it_was_named() {
    let (port, certificate) = serve_self_signed("localhost", ANSWER);
    let stage = Stage::with(|settings| settings.trust = Trust::of([certificate])).await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    assert_eq!(called(&stage, &format!("https://localhost:{port}/")).await, Value::Null);
    assert_eq!(called(&stage, &format!("https://127.0.0.1:{port}/")).await, json!(11235));
}

#[tokio::test]
async fn every_failure_of_the_network_has_its_code() {
    let stage = Stage::new().await;
    stage.behave(PHONE, r#"{"answer_after_ms":0}"#).await;
    // Its port is taken, so that nobody else gets it, and nobody listens there.
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cut = serve_plain(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<Resp");
    let cases = [
        (11205, "refused", format!("http://{}/", deaf.local_addr().unwrap())),
        (11205, "refused by TLS' port", format!("https://{}/", deaf.local_addr().unwrap())),
        (11205, "no answer in time", format!("http://{}/#rt=200", silent.local_addr().unwrap())),
        (11206, "cut short", format!("http://127.0.0.1:{cut}/")),
        (11206, "no HTTP", format!("http://127.0.0.1:{}/", serve_plain(b"SSH-2.0-OpenSSH_9.9\r\n"))),
        (11206, "nothing", format!("http://127.0.0.1:{}/", serve_plain(b""))),
        (11210, "no such host", "https://nowhere.invalid/voice".to_owned()),
    ];
    for (code, what, url) in cases {
        assert_eq!(called(&stage, &url).await, json!(code), "{what}");
        assert_eq!(stage.alerts().await[0], code, "{what}");
        let alert = &stage.look("alerts").await[0];
        assert_eq!(alert["url"], json!(url.split('#').next()), "{what}");
    }
}

#[tokio::test]
async fn what_becomes_of_a_status_callback_and_of_an_answer_to_a_text_has_the_same_codes() {
    let authority = Authority::new();
    let stage = Stage::new().await;
    let port = authority.serve(&["localhost"], Valid::Now, ANSWER);
    let url = format!("https://localhost:{port}/");
    stage.behave(PHONE, r#"{"message":{"outcome":"failed"}}"#).await;
    let sid = stage.text(&[("StatusCallback", &url)]).await;
    let alert = alert_about(&stage, 11237).await;
    assert_eq!((&alert["sid"], &alert["url"]), (&json!(sid), &json!(url)));

    stage.steer(Method::DELETE, "state", "").await;
    stage
        .steer(Method::PUT, "inbound", &json!({ "sms_url": "https://nowhere.invalid/sms" }).to_string())
        .await;
    let wrote = stage.steer(Method::POST, &format!("phones/{PHONE}/messages"), r#"{"body":"hi"}"#).await;
    assert_eq!(wrote.0, 201, "{}", wrote.1);
    let alert = alert_about(&stage, 11210).await;
    assert_eq!(alert["more_info"], "https://www.twilio.com/docs/errors/11210");
}

/// The newest alert of a code, once there is one.
async fn alert_about(stage: &Stage, code: u32) -> Value {
    for _ in 0..3_000 {
        let alerts = stage.look("alerts").await;
        if let Some(alert) = alerts.as_array().unwrap().iter().find(|alert| alert["code"] == code) {
            return alert.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no {code} in {}", stage.look("alerts").await);
}
