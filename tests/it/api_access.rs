//! Who may do what at the application's API, how often, and what those who may
//! do little can find out.

use crate::instance::{Instance, KEY, Setup, answer, text, with_json, wrong};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test]
async fn each_key_may_do_what_its_scopes_say() {
    let app = Setup::sandbox().start().await;
    let number = "+15551230410";
    let id = text(&app.begin(number, "sms").await["id"]);
    let code = app.texted_code(number, 1).await;
    let verification = format!("/v1/verifications/{id}");
    let service = json!({ "name": "x", "code_length": 3 });
    // What each scope opens; what it opens is wrong otherwise, so nothing is done.
    let routes: [(&str, Method, String, Option<Value>); 13] = [
        ("send", Method::POST, "/v1/verifications".into(), Some(json!({ "to": "x", "channel": "sms" }))),
        ("send", Method::POST, format!("{verification}/resend"), None),
        ("check", Method::POST, format!("{verification}/check"), Some(json!({ "code": wrong(&code) }))),
        ("read", Method::GET, verification.clone(), None),
        ("read", Method::GET, "/v1/verifications".into(), None),
        ("read", Method::GET, "/v1/deliveries".into(), None),
        ("read", Method::GET, "/v1/services".into(), None),
        ("read", Method::GET, "/v1/test-numbers".into(), None),
        ("admin", Method::GET, "/v1/keys".into(), None),
        ("admin", Method::GET, "/v1/opt-outs".into(), None),
        ("admin", Method::POST, "/v1/services".into(), Some(service)),
        ("admin", Method::POST, "/v1/test-numbers".into(), None),
        ("admin", Method::DELETE, "/v1/keys/000000000000".into(), None),
    ];
    for scope in ["send", "check", "read", "admin"] {
        let key = app.key(&[scope]).await;
        for (needed, method, path, body) in &routes {
            let told = app.ask(&key, method.clone(), path, body.as_ref()).await;
            if scope == *needed || scope == "admin" {
                assert_ne!(told.status, 403, "{scope} {method} {path}: {}", told.text);
            } else {
                let problem = told.problem(403, "scope_missing");
                assert_eq!(problem["scope"], *needed, "{scope} {method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_from_the_next_request_on() {
    let app = Setup::sandbox().start().await;
    let operator = app.operator();
    let key = app.key(&["read"]).await;
    let id = key.split('_').nth(1).unwrap();
    let path = format!("/v1/keys/{id}");
    assert_eq!(app.ask(&key, Method::GET, "/v1/services", None).await.status, 200);
    let shown = app.ask(&operator, Method::GET, &path, None).await.json();
    assert_eq!((&shown["scopes"], &shown["name"]), (&json!(["read"]), &json!("a test's")));
    assert!(!shown.to_string().contains(key.rsplit('_').next().unwrap()));
    let listed = app.ask(&operator, Method::GET, "/v1/keys", None).await.json();
    assert_eq!(listed["keys"], json!([shown]));
    assert_eq!(app.ask(&operator, Method::DELETE, &path, None).await.status, 204);
    app.ask(&key, Method::GET, "/v1/services", None).await.problem(401, "unauthorized");
    app.ask(&operator, Method::DELETE, &path, None).await.problem(404, "not_found");
    app.ask(&operator, Method::GET, &path, None).await.problem(404, "not_found");
}

#[tokio::test]
async fn keys_are_made_with_scopes_that_exist() {
    let app = Setup::sandbox().start().await;
    let operator = app.operator();
    let make = |body: Value| {
        let (app, operator) = (&app, &operator);
        async move { app.ask(operator, Method::POST, "/v1/keys", Some(&body)).await }
    };
    for scopes in [json!([]), json!(["root"]), json!(["read", "read"]), json!("read"), json!([1])] {
        let refused = make(json!({ "name": "x", "scopes": scopes })).await;
        let field = text(&refused.problem(422, "invalid_request")["field"]);
        assert!(field.starts_with("scopes"), "{field}");
    }
    let made = make(json!({ "name": "shop" })).await;
    assert_eq!(made.json()["scopes"], json!(["send", "check", "read"]));
    app.learn(text(&made.json()["key"]));
    assert_eq!(made.header("location"), format!("/v1/keys/{}", text(&made.json()["id"])));
}

#[tokio::test]
async fn keys_are_made_listed_and_revoked_in_the_terminal_with_and_without_a_server() {
    let dir = tempfile::TempDir::new().unwrap();
    let run = |args: &[&str]| {
        let mut command = crate::instance::binary(dir.path());
        command.env("DIALBACK_STORE__URL", format!("sled:{}", dir.path().join("data").display()));
        let output = command.args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let life = || {
        let (made, key, _) = run(&["key", "create", "shop", "--scope", "check", "--scope", "send"]);
        assert!(made && key.starts_with("dbk_"), "{key}");
        let (id, secret) = key[4..].split_once('_').unwrap();
        let (listed, table, _) = run(&["key", "list"]);
        assert!(
            listed && table.contains(id) && table.contains("send,check") && !table.contains(secret),
            "{table}"
        );
        let (_, json, _) = run(&["key", "list", "--json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["keys"][0]["id"], id);
        assert!(run(&["key", "revoke", id]).0);
        let (again, _, why) = run(&["key", "revoke", id]);
        assert!(!again && !why.is_empty(), "{why}");
        assert!(!run(&["key", "list"]).1.contains(id));
        // A whole key is not an id, and is not repeated.
        let (taken, _, why) = run(&["key", "revoke", &key]);
        assert!(!taken && !why.contains(secret), "{why}");
    };
    life();
    let app = Setup::sandbox().dir(dir.path()).start().await;
    life();
    app.stop().await;
    assert!(!run(&["key", "create", "shop", "--scope", "root"]).0);
}

#[tokio::test]
async fn to_who_may_only_check_every_no_is_the_same() {
    let app = Setup::sandbox().start().await;
    let key = app.key(&["check"]).await;
    let mut numbers = (0..).map(|n| format!("+1555123042{n}"));
    let mut begin = async || {
        let number = numbers.next().unwrap();
        let id = text(&app.begin(&number, "sms").await["id"]);
        let code = app.texted_code(&number, 1).await;
        (id, code, number)
    };
    let (expired, expired_code, _) = begin().await;
    app.advance(601).await;
    let (used_up, used_up_code, _) = begin().await;
    for _ in 0..5 {
        app.check(&used_up, &wrong(&used_up_code)).await;
    }
    let (canceled, canceled_code, _) = begin().await;
    app.ask(KEY, Method::DELETE, &format!("/v1/verifications/{canceled}"), None).await;
    let (pending, code, number) = begin().await;
    let check = async |id: &str, code: &str| {
        let begun = Instant::now();
        let path = format!("/v1/verifications/{id}/check");
        let told = app.ask(&key, Method::POST, &path, Some(&json!({ "code": code }))).await;
        assert_eq!(told.status, 200, "{}", told.text);
        (told.json(), told.headers_but_the_time(), begun.elapsed())
    };
    let unknown = "VE0123456789abcdef0123456789abcdef";
    let noes = [
        (unknown, "123456"),
        ("nonsense", "123456"),
        (&expired, &expired_code),
        (&used_up, &used_up_code),
        (&canceled, &canceled_code),
        (&pending, &wrong(&code)),
        (&pending, "12345"),
        (&pending, "not a code at all"),
    ];
    let (_, headers, _) = check(unknown, "000000").await;
    let mut took = Vec::new();
    for (id, offered) in noes {
        let (body, own, time) = check(id, offered).await;
        assert_eq!(body, json!({ "valid": false, "id": id, "status": null, "to": null, "test": null }));
        assert_eq!(own, headers, "{id}");
        took.push(time);
    }
    // A beat is 50 milliseconds, and a write to the disk is far shorter. A machine
    // that does other things besides may take longer once, but not each time:
    // who spends nothing is asked again until all have had a quick answer.
    assert!(took.iter().all(|time| *time >= Duration::from_millis(50)), "{took:?}");
    let is_close = |took: &[Duration]| {
        *took.iter().max().unwrap() - *took.iter().min().unwrap() < Duration::from_millis(50)
    };
    let spends = |id: &str, offered: &str| id == pending && offered.len() == code.len();
    let free: Vec<usize> = (0..noes.len()).filter(|nth| !spends(noes[*nth].0, noes[*nth].1)).collect();
    for _ in 0..200 {
        if is_close(&free.iter().map(|nth| took[*nth]).collect::<Vec<_>>()) {
            break;
        }
        for nth in &free {
            took[*nth] = took[*nth].min(check(noes[*nth].0, noes[*nth].1).await.2);
        }
    }
    let quickest: Vec<Duration> = free.iter().map(|nth| took[*nth]).collect();
    assert!(is_close(&quickest), "{quickest:?}");
    // What was no code spent nothing, and the right one still works.
    let view = app.get(&format!("/v1/verifications/{pending}")).await.json();
    assert_eq!(view["checks_left"], 4);
    let (yes, ..) = check(&pending, &code).await;
    assert_eq!(
        yes,
        json!({ "valid": true, "id": pending, "status": "approved", "to": number, "test": false })
    );
    assert_eq!(check(&pending, &code).await.0["valid"], false);
    // Who may read is told why.
    app.check(unknown, "123456").await.problem(404, "not_found");
    app.check(&expired, &expired_code).await.problem(409, "verification_ended");
    app.check(&used_up, "12345").await.problem(422, "invalid_code");
}

#[tokio::test]
async fn to_who_may_only_send_what_ended_never_was() {
    let app = Setup::sandbox().start().await;
    let key = app.key(&["send"]).await;
    let id = text(&app.begin("+15551230430", "sms").await["id"]);
    app.advance(601).await;
    for (method, path) in [(Method::POST, "/resend"), (Method::DELETE, "")] {
        let ended = format!("/v1/verifications/{id}{path}");
        let never = format!("/v1/verifications/VE0123456789abcdef0123456789abcdef{path}");
        let one = app.ask(&key, method.clone(), &ended, None).await;
        let other = app.ask(&key, method.clone(), &never, None).await;
        assert_eq!(one.problem(404, "not_found"), other.problem(404, "not_found"));
        app.ask(KEY, method, &ended, None).await.problem(409, "verification_ended");
    }
}

#[tokio::test]
async fn a_key_that_asks_too_often_waits_and_others_do_not() {
    let app = Setup::sandbox().set("API__REQUESTS_PER_MINUTE", "20").start().await;
    let (one, other) = (app.key(&["read"]).await, app.key(&["read"]).await);
    let mut refused = None;
    for n in 0..60 {
        let told = app.ask(&one, Method::GET, "/v1/services", None).await;
        assert_eq!(told.header("ratelimit-policy"), "\"key\";q=20;w=60");
        if told.status != 200 {
            assert!(n >= 20, "the {n}th was refused");
            refused = Some(told);
            break;
        }
    }
    let refused = refused.expect("sixty requests passed where twenty may");
    assert!(refused.header("ratelimit").starts_with("\"key\";r=0;t="), "{}", refused.header("ratelimit"));
    let seconds: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=3).contains(&seconds), "{seconds}");
    assert_eq!(refused.problem(429, "rate_limited")["retry_after"], seconds);
    assert_eq!(app.ask(&other, Method::GET, "/v1/services", None).await.status, 200);
    // Nobody's key has no limit of its own, and none of somebody else's.
    app.ask("dbk_nobody", Method::GET, "/v1/services", None).await.problem(401, "unauthorized");
}

#[tokio::test]
async fn what_one_has_already_is_not_sent_again() {
    let app = Setup::sandbox().start().await;
    let id = text(&app.begin("+15551230431", "sms").await["id"]);
    app.texted_code("+15551230431", 1).await;
    let path = format!("/v1/verifications/{id}");
    app.verification(&id, |view| view["deliveries"][0]["status"] == "delivered").await;
    let first = app.get(&path).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() == 66, "{tag}");
    let ask = async |known: &str| answer(app.api(Method::GET, &path).header("if-none-match", known)).await;
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".into()] {
        let same = ask(&known).await;
        assert_eq!(
            (same.status, same.text.as_str(), same.header("etag")),
            (304, "", tag.as_str()),
            "{known}"
        );
    }
    assert_eq!(ask("\"x\"").await.text, first.text);
    app.check(&id, "000000").await;
    let changed = ask(&tag).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), tag);
}

#[tokio::test]
async fn the_same_request_with_the_same_key_is_done_once() {
    let app = Setup::sandbox().start().await;
    let (number, operator) = ("+15551230432", app.operator());
    let id = text(&app.begin(number, "sms").await["id"]);
    let code = app.texted_code(number, 1).await;
    app.advance(30).await;
    let again = async |path: &str, body: &Value, key: &str, name: &str| {
        let request = app.http.post(format!("{}{path}", app.server)).bearer_auth(key);
        answer(with_json(request.header("idempotency-key", name), body)).await
    };
    let verification = format!("/v1/verifications/{id}");
    let cases = [
        (format!("{verification}/resend"), json!({ "channel": "sms" }), KEY),
        (format!("{verification}/check"), json!({ "code": code }), KEY),
        ("/v1/services".to_owned(), json!({ "name": "Shop" }), operator.as_str()),
    ];
    for (n, (path, body, key)) in cases.iter().enumerate() {
        let name = format!("request-{n}");
        let first = again(path, body, key, &name).await;
        assert!(first.status < 300 && first.header("idempotent-replayed").is_empty(), "{}", first.text);
        let second = again(path, body, key, &name).await;
        assert_eq!((second.status, &second.text), (first.status, &first.text), "{path}");
        assert_eq!(second.header("idempotent-replayed"), "true", "{path}");
        assert_eq!(second.header("location"), first.header("location"));
        let other = match path.ends_with("/check") {
            true => json!({ "code": wrong(&code) }),
            false => json!({ "channel": "call" }),
        };
        if path.ends_with("/resend") {
            // Before the check, which leaves nothing to be sent.
            app.texts(number, 2).await;
        }
        if !path.ends_with("services") {
            again(path, &other, key, &name).await.problem(422, "idempotency_key_reused");
        }
    }
    // One text for the start, one for the two requests to send again.
    assert_eq!(app.texts(number, 2).await.len(), 2);
    let listed = app.ask(&operator, Method::GET, "/v1/services", None).await.json();
    assert_eq!(listed["services"].as_array().unwrap().len(), 2);
    // What failed is not kept: it may go better the next time.
    let path = format!("{verification}/resend");
    again(&path, &json!({}), KEY, "late").await.problem(409, "verification_ended");
    let second = again(&path, &json!({}), KEY, "late").await;
    second.problem(409, "verification_ended");
    assert!(second.header("idempotent-replayed").is_empty());
    // A day later the key is as good as new.
    app.advance(24 * 3600 + 1).await;
    let path = "/v1/services";
    let anew = crate::instance::poll(|| async {
        let anew = again(path, &json!({ "name": "Shop" }), &operator, "request-2").await;
        Some(anew).filter(|anew| anew.status == 201)
    });
    assert!(anew.await.unwrap().header("idempotent-replayed").is_empty());
}

#[tokio::test]
async fn two_at_once_with_the_same_key_are_one() {
    let app = Setup::sandbox().start().await;
    let operator = app.operator();
    let make = || async {
        let request = app.http.post(format!("{}/v1/services", app.server)).bearer_auth(&operator);
        answer(with_json(request.header("idempotency-key", "once"), &json!({ "name": "Shop" }))).await
    };
    let answers = futures_util::future::join_all((0..8).map(|_| make())).await;
    for told in &answers {
        if told.status != 201 {
            told.problem(409, "idempotency_in_progress");
            assert_eq!(told.header("retry-after"), "1");
        }
    }
    let services = services(&app, &operator).await;
    assert_eq!(services.iter().filter(|service| service["name"] == "Shop").count(), 1);
}

async fn services(app: &Instance, key: &str) -> Vec<Value> {
    let listed = app.ask(key, Method::GET, "/v1/services", None).await.json();
    listed["services"].as_array().unwrap().clone()
}
