//! Own certificate authorities: what the process calls by https believes those
//! that `SSL_CERT_FILE` names, and no others.

#[expect(dead_code, reason = "the rest is for the tests beside the code")]
#[path = "../../src/trust/tests/stage.rs"]
mod stage;

use crate::instance::{Instance, Setup, binary};
use crate::wire::{poll, with_json};
use reqwest::Method;
use serde_json::{Value, json};
use stage::{Authority, Valid};

const PHONE: &str = "+15551230001";
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n<Response/>";

/// The codes of the sandbox's alerts once a text's status was told there.
async fn texts(app: &Instance, url: &str) -> Vec<Value> {
    let form = crate::wire::form(&[
        ("To", PHONE),
        ("From", "+15005550006"),
        ("Body", "hello"),
        ("StatusCallback", url),
    ]);
    let path = format!("{}/2010-04-01/Accounts/{}/Messages.json", app.sandbox, app.account);
    let request = app.http.post(path).basic_auth(&app.account, Some(&app.token)).body(form);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(crate::wire::answer(request).await.status, 201);
    let told = poll(|| async {
        let told = app.control(Method::GET, "/exchanges?kind=status-callback", None).await;
        told.as_array().filter(|told| told.len() >= 3).map(|_| ())
    });
    told.await.expect("three callbacks were tried");
    let alerts = app.control(Method::GET, "/alerts", None).await;
    alerts.as_array().unwrap().iter().map(|alert| alert["code"].clone()).collect()
}

/// Whether an endpoint at this address takes an event.
async fn is_taken(app: &Instance, url: &str) -> Value {
    let made = json!({ "url": url, "events": ["*"] });
    let made = app.ask(&app.operator(), Method::POST, "/v1/endpoints", Some(&made)).await;
    let path = format!("/v1/endpoints/{}/test", made.json()["id"].as_str().unwrap());
    app.ask(&app.operator(), Method::POST, &path, Some(&json!({}))).await.json()["delivered"].clone()
}

#[tokio::test]
async fn the_authority_of_ssl_cert_file_is_believed_by_callbacks_and_events() {
    let authority = Authority::new();
    let url = format!("https://localhost:{}/", authority.serve(&["localhost"], Valid::Now, ANSWER));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();

    let app = Setup::sandbox().variable("SSL_CERT_FILE", file.to_str().unwrap()).start().await;
    assert_eq!(is_taken(&app, &url).await, json!(true));
    assert_eq!(texts(&app, &url).await, Vec::<Value>::new());
    app.stop().await;

    let app = Setup::sandbox().start().await;
    assert_eq!(is_taken(&app, &url).await, json!(false));
    assert_eq!(texts(&app, &url).await, vec![json!(11237); 3]);
    app.stop().await;
}

#[tokio::test]
async fn the_authority_of_ssl_cert_file_is_believed_of_the_api_that_sends() {
    let authority = Authority::new();
    let refusal = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n\
                   {\"code\":21211,\"message\":\"no such number\",\"status\":400}";
    let url = format!("https://localhost:{}", authority.serve(&["localhost"], Valid::Now, refusal));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let setup = Setup::live().set("TWILIO__BASE_URL", &url);
    let app = setup.variable("SSL_CERT_FILE", file.to_str().unwrap()).start().await;
    let request = app.api(Method::POST, "/v1/verifications");
    let begun =
        crate::wire::answer(with_json(request, &json!({ "to": "+14155552671", "channel": "sms" }))).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    // What it said was understood, so it was believed.
    let id = begun.json()["id"].as_str().unwrap().to_owned();
    let failed = app.verification(&id, |one| one.to_string().contains("21211")).await;
    assert!(failed.to_string().contains("21211"), "{failed}");
    app.stop().await;
}

#[test]
fn a_file_that_is_not_there_or_holds_nothing_is_said_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("empty.pem"), "nothing").unwrap();
    for (file, why) in [("missing.pem", "cannot read"), ("empty.pem", "no certificate in")] {
        for arguments in [&["serve"][..], &["sandbox"], &["config", "check"]] {
            let mut command = binary(dir.path());
            let command = command.env("DIALBACK_STORE__URL", "memory:").env("SSL_CERT_FILE", file);
            let output = command
                .env("DIALBACK_SERVER__LISTEN", "127.0.0.1:0")
                .env("DIALBACK_SANDBOX__LISTEN", "127.0.0.1:0")
                .args(arguments)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "{arguments:?} {file}");
            assert!(said.contains(&format!("SSL_CERT_FILE: {why} {file}")), "{arguments:?}: {said}");
        }
    }
}
