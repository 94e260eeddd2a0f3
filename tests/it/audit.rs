//! The audit log: what somebody does stands in it by the same commit, with who
//! it was and without values.

use crate::instance::{Instance, Setup, binary};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

async fn entries(app: &Instance, query: &str) -> Vec<Value> {
    let answer = app.ask(&app.operator(), Method::GET, &format!("/v1/audit?{query}"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["entries"].as_array().unwrap().clone()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().rev().map(|entry| entry["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn who_changes_something_is_written_up_and_values_are_not() {
    let app = Setup::sandbox().start().await;
    let key = app.key(&["admin"]).await;
    let id = key.split('_').nth(1).unwrap().to_owned();
    let number = "+15551230777";
    app.learn(number);
    let ask = async |method: Method, path: &str, body: Value| {
        let body = Some(body).filter(|body| !body.is_null());
        let answer = app.ask(&key, method, path, body.as_ref()).await;
        assert!((200..300).contains(&answer.status), "{path}: {}", answer.text);
        if answer.text.is_empty() { Value::Null } else { answer.json() }
    };
    let made = ask(Method::POST, "/v1/services", json!({ "name": "Unmistakable" })).await;
    let service = format!("/v1/services/{}", made["id"].as_str().unwrap());
    ask(Method::PATCH, &service, json!({ "max_checks": 3, "locale": "de" })).await;
    ask(Method::DELETE, &service, Value::Null).await;
    let made = ask(Method::POST, "/v1/endpoints", json!({ "url": "http://127.0.0.1:9/hook" })).await;
    let endpoint = format!("/v1/endpoints/{}", made["id"].as_str().unwrap());
    ask(Method::PATCH, &endpoint, json!({ "description": "a secret word" })).await;
    ask(Method::POST, &format!("{endpoint}/rotate"), json!({})).await;
    ask(Method::DELETE, &endpoint, Value::Null).await;
    let path = format!("/v1/opt-outs/{number}");
    ask(Method::PUT, &path, json!({})).await;
    ask(Method::DELETE, &path, Value::Null).await;
    let other = ask(Method::POST, "/v1/keys", json!({ "name": "other", "scopes": ["read"] })).await;
    app.learn(other["key"].as_str().unwrap());
    ask(Method::DELETE, &format!("/v1/keys/{}", other["id"].as_str().unwrap()), Value::Null).await;

    let theirs = entries(&app, &format!("actor={id}")).await;
    let expected = [
        "service.created",
        "service.changed",
        "service.deleted",
        "endpoint.created",
        "endpoint.changed",
        "endpoint.rotated",
        "endpoint.deleted",
        "opt_out.set",
        "opt_out.deleted",
        "key.created",
        "key.revoked",
    ];
    assert_eq!(actions(&theirs), expected);
    let changed = theirs.iter().find(|entry| entry["action"] == "service.changed").unwrap();
    assert_eq!(changed["details"]["settings"], "max_checks, locale");
    let text = serde_json::to_string(&theirs).unwrap();
    for value in [&number[1..], "a secret word", "127.0.0.1:9", &key, other["key"].as_str().unwrap()] {
        assert!(!text.contains(value), "{value}");
    }
    let mine = entries(&app, "actor=operator").await;
    assert_eq!(actions(&mine), ["key.created"]);
    let application = app.key(&["send", "check", "read"]).await;
    let refused = app.ask(&application, Method::GET, "/v1/audit", None).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    app.stop().await;
}

#[tokio::test]
async fn a_start_with_another_configuration_names_what_changed() {
    let dir = TempDir::new().unwrap();
    let setup = Setup::sandbox().dir(dir.path()).set("LOG__LEVEL", "debug");
    setup.clone().start().await.stop().await;
    setup.clone().start().await.stop().await;
    let other = setup.set("VERIFICATION__MAX_CHECKS", "3").set("TWILIO__AUTH_TOKEN", &"5e".repeat(16));
    let app = other.start().await;
    app.learn("5e".repeat(16));
    let found = entries(&app, "action=configuration.changed").await;
    assert_eq!(found.len(), 2, "the second start changed nothing: {found:?}");
    assert_eq!(found[0]["details"]["changed"], "twilio.auth_token, verification.max_checks");
    assert!(found[0]["actor"] == "configuration" && found[0]["marks"].is_null());
    let store = app.store.clone();
    app.stop().await;

    let list = |args: &[&str]| {
        let mut run = binary(dir.path());
        run.env("DIALBACK_STORE__URL", &store).args(["audit", "list"]).args(args);
        let output = run.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let lines = list(&[]);
    assert!(lines.lines().count() == 2 && lines.contains("verification.max_checks"), "{lines}");
    let json: Value = serde_json::from_str(&list(&["--json", "--limit", "1"])).unwrap();
    assert_eq!(json["entries"].as_array().unwrap().len(), 1);
    assert_eq!(list(&["--since", "2999-01-01T00:00:00Z"]), "");
}
