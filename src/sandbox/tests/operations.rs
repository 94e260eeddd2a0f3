//! Tests of all operations at once, as the tables of routes have them.

use super::*;
use serde_json::json;

/// Every method that a client may come with.
const METHODS: [&str; 5] = ["GET", "POST", "DELETE", "PUT", "PATCH"];

/// The operations, and a path of each with SIDs that nothing has.
async fn operations(stage: &Stage) -> Vec<(String, String, String)> {
    let all = stage.look("operations").await;
    let text = |operation: &Value, name: &str| operation[name].as_str().unwrap().to_owned();
    let named = |operation| (text(operation, "host"), text(operation, "method"), text(operation, "path"));
    all.as_array().unwrap().iter().map(named).collect()
}

/// A path of a template.
fn path(template: &str) -> String {
    let part = |part: &str| match part.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some(("AccountSid", end)) => format!("{ACCOUNT}{end}"),
        Some(("Sid", end)) if template.starts_with("/2010-04-01/Accounts/{Sid}") => format!("{ACCOUNT}{end}"),
        Some((_, end)) => format!("XX{}{end}", "0".repeat(32)),
        None => part.to_owned(),
    };
    template.split('/').map(part).collect::<Vec<_>>().join("/")
}

async fn ask(stage: &Stage, method: &str, path: &str, known: bool) -> (u16, Value) {
    let request = stage.http.request(method.parse().unwrap(), format!("{}{path}", stage.base));
    answer(if known { request.basic_auth(ACCOUNT, Some(TOKEN)) } else { request }).await
}

/// The content of media and recordings.
fn is_public(template: &str) -> bool {
    template.ends_with("/Media/{Sid}")
        || template.ends_with("/Recordings/{Sid}")
        || template.ends_with("/Recordings/{Sid}.mp3")
        || template.ends_with("/Recordings/{Sid}.wav")
}

/// Twilio's error document, whole.
fn assert_refused(what: &str, (status, document): &(u16, Value), wanted: (u16, u64)) {
    assert_eq!((*status, &document["code"]), (wanted.0, &json!(wanted.1)), "{what}: {document}");
    assert_eq!(document["status"], json!(status), "{what}: {document}");
    let more = format!("https://www.twilio.com/docs/errors/{}", wanted.1);
    assert_eq!(document["more_info"], json!(more), "{what}: {document}");
    assert!(document["message"].is_string(), "{what}: {document}");
}

#[tokio::test]
async fn every_operation_asks_who_it_is_and_knows_its_methods() {
    let stage = Stage::new().await;
    let all = operations(&stage).await;
    assert!(all.len() > 15, "{all:?}");
    let mut seen = std::collections::HashSet::new();
    for (host, method, template) in &all {
        assert!(seen.insert((host, method, template)), "{method} {host}{template} stands twice");
        let (path, what) = (path(template), format!("{method} {host}{template}"));
        // What anybody may have who knows its name is only not there.
        let stranger = if is_public(template) { (404, 20404) } else { (401, 20003) };
        assert_refused(&what, &ask(&stage, method, &path, false).await, stranger);
        let (status, document) = ask(&stage, method, &path, true).await;
        assert!(status < 500 && ![401, 405].contains(&status), "{what}: {status} {document}");
        if status >= 400 {
            let code = document["code"].as_u64().unwrap();
            assert_refused(&what, &(status, document), (status, code));
        }
        for other in METHODS {
            let is_there =
                |(_, method, path): &&(String, String, String)| method == other && path == template;
            if all.iter().find(is_there).is_none() {
                let what = format!("{other} {template}");
                assert_refused(&what, &ask(&stage, other, &path, true).await, (405, 20004));
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_played_is_answered_with_twilios_document_and_named_in_the_log() {
    let stage = Stage::new().await;
    let account = format!("/2010-04-01/Accounts/{ACCOUNT}");
    for path in [
        "/nowhere",
        "/favicon.ico",
        "/2010-04-01",
        "/2010-04-01/Nothing.json",
        &format!("{account}/Queues.json"),
        &format!("{account}/Messages"),
        "/v1/Chats",
        "/v2/PhoneNumbers",
        "/v2/Services/VA0/Entities",
        "/v3/Anything/at/all",
        "/healthz",
    ] {
        for (method, known) in [("GET", true), ("POST", true), ("DELETE", true), ("GET", false)] {
            let refused = ask(&stage, method, path, known).await;
            assert_refused(path, &refused, (404, 20404));
            let wanted = format!("The requested resource {path} was not found");
            assert_eq!(refused.1["message"], json!(wanted), "{method}");
        }
        let noted = stage.look("exchanges?kind=api&limit=1").await;
        assert_eq!((&noted[0]["request"]["url"], &noted[0]["operation"]), (&json!(path), &Value::Null));
        assert!(noted[0]["verdict"].as_str().unwrap().contains("nothing"), "{noted}");
    }
    // The telephones' page and the controls stay what they were.
    assert!(answer(stage.http.get(format!("{}/", stage.base))).await.1.as_str().unwrap().contains("<html"));
    let (status, document) = ask(&stage, "GET", "/sandbox/nowhere", false).await;
    assert_eq!((status, document["hint"].is_string()), (404, true));
}

#[tokio::test]
async fn the_log_names_the_operation() {
    let stage = Stage::new().await;
    let sid = stage.text(&[]).await;
    stage.fetch(&format!("Messages/{sid}.json")).await;
    let noted = stage.look("exchanges?kind=api&limit=1").await;
    let wanted = "GET api.twilio.com/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json";
    assert_eq!((&noted[0]["operation"], &noted[0]["sid"]), (&json!(wanted), &json!(sid)));
}
