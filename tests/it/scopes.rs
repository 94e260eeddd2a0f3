//! Which scope opens which operation, of all there are; and what those hear who
//! may check or send and not read.

use crate::verify_v2::{TO, Verify, failed};
use crate::wire::{Answer, answer, text, wrong};
use crate::world::{ACCOUNT_SID, World};
use dialback::app::admin;
use dialback::model::audit::Actor;
use dialback::model::key::{Access, Scope, ServiceSet};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The table of operations; a unit test says that it has them all.
const SCOPES: &str = include_str!("../../fixtures/scopes.txt");

/// A line of the table.
struct Line {
    method: Method,
    path: String,
    scope: &'static str,
    is_whole: bool,
    said: Option<&'static str>,
}

fn lines() -> impl Iterator<Item = Line> {
    let lines = SCOPES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let mut words = line.split_whitespace();
        let method = words.next().unwrap().parse().unwrap();
        let (path, scope) = (words.next().unwrap().to_owned(), words.next().unwrap());
        let is_whole = match words.next().unwrap() {
            "whole" => true,
            "own" => false,
            other => panic!("{other:?} in {line}"),
        };
        Line { method, path, scope, is_whole, said: words.next() }
    })
}

async fn key_of(world: &World, access: impl Into<Access>) -> String {
    admin::create_key(&world.app.directory, &Actor::operator(), "a test's", access)
        .await
        .unwrap()
        .1
        .expose()
        .to_owned()
}

/// What has to be said for an operation to be tried at all.
fn body(line: &Line) -> &'static str {
    match (line.method.as_str(), line.path.as_str()) {
        ("POST", "/v1/services" | "/v1/keys") => r#"{"name":"Shop"}"#,
        ("POST", "/v1/endpoints") => r#"{"url":"https://example.com/hooks"}"#,
        ("POST", "/v1/decisions/replay") => r#"{"fraud":{}}"#,
        ("POST", "/v1/erasures") => r#"{"number":"+15005550139"}"#,
        ("POST", "/v2/Services") => "FriendlyName=Shop",
        ("POST", "/v2/SafeList/Numbers") => "PhoneNumber=%2B15005550139",
        (_, path) if path.starts_with("/v1/") => "{}",
        _ => line.said.unwrap_or_default(),
    }
}

async fn ask(http: &Client, world: &World, key: &str, line: &Line, path: &str) -> Answer {
    let request = http.request(line.method.clone(), format!("{}{path}", world.base_url));
    let request = match path.starts_with("/v1/") {
        true => request.bearer_auth(key).header("content-type", "application/json").body(body(line)),
        false => request
            .basic_auth(ACCOUNT_SID, Some(key))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body(line)),
    };
    answer(request).await
}

#[tokio::test]
async fn each_operation_opens_to_its_scope_and_to_no_other() {
    let world = World::start().await;
    let http = Client::builder().no_proxy().build().unwrap();
    let service = text(&Verify::of(&world).get("/Services").await.json()["services"][0]["sid"]);
    for line in lines() {
        // Names in the path that lead to a service, and to nothing in it.
        let path = line.path.replace("{service}", &service).replace(['{', '}'], "");
        let named = Scope::ALL.into_iter().find(|scope| scope.as_str() == line.scope).unwrap();
        let others = |scope: &Scope| *scope != named && *scope != Scope::Admin;
        let without = key_of(&world, Scope::ALL.into_iter().filter(others).collect::<BTreeSet<_>>()).await;
        let refused = ask(&http, &world, &without, &line, &path).await;
        let what = format!("{} {path}: {}", line.method, refused.text);
        match path.starts_with("/v1/") {
            true => assert_eq!(refused.problem(403, "scope_missing")["scope"], line.scope, "{what}"),
            false => {
                let message = failed(&refused, 403, 20003);
                assert!(message.ends_with(&format!("lacks the scope {}", line.scope)), "{what}");
            }
        }
        for scope in [named, Scope::Admin] {
            let with = key_of(&world, BTreeSet::from([scope])).await;
            let told = ask(&http, &world, &with, &line, &path).await;
            let is_refused = told.text.contains("scope_missing") || told.text.contains("lacks the scope");
            assert!(!is_refused, "{} {path}: {}", line.method, told.text);
        }
    }
}

#[tokio::test]
async fn what_is_about_the_whole_is_refused_to_a_key_of_some_services() {
    let world = World::start().await;
    let http = Client::builder().no_proxy().build().unwrap();
    let service = Verify::of(&world).service(&[]).await;
    let services = ServiceSet::of(BTreeSet::from([service.parse().unwrap()]));
    let bound = key_of(&world, Access { scopes: BTreeSet::from(Scope::ALL), services }).await;
    let all = key_of(&world, BTreeSet::from(Scope::ALL)).await;
    for line in lines() {
        // Names that could be: what is refused is refused before it is looked for.
        let kind = ["endpoints", "events", "erasures"].into_iter().zip(["EP", "EV", "ER"]);
        let mut path = line.path.replace("{service}", &service).replace("{number}", "+15005550139");
        for (folder, prefix) in kind {
            path = path.replace(&format!("{folder}/{{id}}"), &format!("{folder}/{prefix}{}", "0".repeat(32)));
        }
        let path = path.replace("keys/{id}", "keys/000000000000").replace(['{', '}'], "");
        // This one is deleted in its turn; it is not about the whole.
        if line.method == Method::DELETE && path == format!("/v2/Services/{service}") {
            continue;
        }
        let told = ask(&http, &world, &bound, &line, &path).await;
        let what = format!("{} {path}: {} {}", line.method, told.status, told.text);
        match (line.is_whole, path.starts_with("/v1/")) {
            (true, true) => drop(told.problem(403, "key_bound")),
            (true, false) => assert!(failed(&told, 403, 20003).contains("some services alone"), "{what}"),
            (false, _) => {
                assert!(!told.text.contains("key_bound") && !told.text.contains("some services"), "{what}");
            }
        }
        if line.is_whole {
            let told = ask(&http, &world, &all, &line, &path).await;
            assert_ne!(told.status, 403, "{what}");
        }
    }
}

#[tokio::test]
async fn an_application_approves_the_codes_that_it_chose_with_the_scope_for_it() {
    let world = World::start().await;
    let all = Verify::of(&world);
    let service = all.service(&[("CustomCodeEnabled", "true")]).await;
    let door = Verify::with(&world, &key_of(&world, BTreeSet::from([Scope::Send, Scope::Check])).await);
    let own = Verify::with(&world, &key_of(&world, BTreeSet::from([Scope::Approve, Scope::Read])).await);
    let blind = Verify::with(&world, &key_of(&world, BTreeSet::from([Scope::Approve])).await);
    let path = |name: &str| format!("/Services/{service}/Verifications/{name}");
    let approved = [("Status", "approved")];
    // A code of ours: nobody but who was sent it knows whether it was right.
    let ours = text(&all.start(&service, &[]).await.json()["sid"]);
    failed(&door.post(&path(&ours), &approved).await, 403, 20003);
    for one in [&own, &all] {
        let refused = one.post(&path(&ours), &approved).await;
        assert_eq!(failed(&refused, 403, 60204), "Service does not support this feature");
    }
    failed(&blind.post(&path(&ours), &approved).await, 404, 20404);
    assert_eq!(all.get(&path(&ours)).await.json()["status"], "pending");
    // A code of the application's.
    all.start(&service, &[("CustomCode", "4321")]).await;
    failed(&door.post(&path(&ours), &approved).await, 403, 20003);
    assert_eq!(blind.post(&path(&ours), &approved).await.json()["status"], "approved");
    // A payment is no way round it.
    let psd2 = all.service(&[("Psd2Enabled", "true"), ("CustomCodeEnabled", "true")]).await;
    let pay = [("Amount", "39.99"), ("Payee", "Acme")];
    let paid = text(&all.start(&psd2, &pay).await.json()["sid"]);
    let refused = own.post(&format!("/Services/{psd2}/Verifications/{paid}"), &approved).await;
    failed(&refused, 403, 60204);
}

#[tokio::test]
async fn to_who_may_not_read_every_no_of_verify_is_the_same() {
    let world = World::start().await;
    let all = Verify::of(&world);
    let service = all.service(&[]).await;
    let key = key_of(&world, BTreeSet::from([Scope::Send, Scope::Check])).await;
    let door = Verify::with(&world, &key);
    let path = format!("/Services/{service}/VerificationCheck");
    let check = async |to: &str, code: &str| {
        let begun = Instant::now();
        let told = door.post(&path, &[("To", to), ("Code", code)]).await;
        assert_eq!(told.status, 201, "{}", told.text);
        (told.json(), told.headers_but_the_time(), begun.elapsed())
    };
    let begin = async |to: &str, nth: usize| {
        let params = [("To", to), ("Channel", "sms")];
        assert_eq!(all.post(&format!("/Services/{service}/Verifications"), &params).await.status, 201);
        all.code(nth).await
    };
    let (expired, used_up, canceled, pending) =
        ("+15005550131", "+15005550132", "+15005550133", "+15005550134");
    let expired_code = begin(expired, 1).await;
    world.clock.advance(Duration::from_secs(601));
    let used_up_code = begin(used_up, 2).await;
    for _ in 0..5 {
        check(used_up, &wrong(&used_up_code)).await;
    }
    let canceled_code = begin(canceled, 3).await;
    let named = format!("/Services/{service}/Verifications/{canceled}");
    assert_eq!(all.post(&named, &[("Status", "canceled")]).await.status, 200);
    let code = begin(pending, 4).await;
    let wrong_code = wrong(&code);
    let noes = [
        ("+15005550139", "123456"),
        (expired, &*expired_code),
        (used_up, &*used_up_code),
        (canceled, &*canceled_code),
        (pending, &*wrong_code),
        (pending, "12345"),
    ];
    // What is no number tells of nobody, and is refused as at the start.
    let strange = door.post(&path, &[("To", "no number"), ("Code", "123456")]).await;
    assert_eq!((strange.status, &strange.json()["code"]), (400, &json!(60200)));
    let (_, headers, _) = check("+15005550138", "000000").await;
    let no = |sid: Value, to: Value| {
        json!({
            "sid": sid, "service_sid": service, "account_sid": ACCOUNT_SID, "to": to, "channel": null,
            "status": "pending", "valid": false, "amount": null, "payee": null,
            "date_created": null, "date_updated": null, "sna_attempts_error_codes": [],
        })
    };
    for (to, offered) in noes {
        let (body, own, took) = check(to, offered).await;
        assert_eq!(body, no(Value::Null, json!(to)));
        assert_eq!(own, headers, "{to}");
        assert!(took >= Duration::from_millis(50), "{to}: {took:?}");
    }
    let sid = text(&all.get(&format!("/Services/{service}/Verifications/{pending}")).await.json()["sid"]);
    for sid in [&*sid, "VE0123456789abcdef0123456789abcdef"] {
        let told = door.post(&path, &[("VerificationSid", sid), ("Code", &wrong_code)]).await;
        assert_eq!((told.status, told.json()), (201, no(json!(sid), Value::Null)));
    }
    // The right one is told, and what was sent to a number before is not.
    assert_eq!(check(pending, &code).await.0["status"], "approved");
    all.start(&service, &[]).await;
    world.clock.advance(Duration::from_secs(5));
    let again = door.start(&service, &[]).await.json();
    assert_eq!(again["send_code_attempts"].as_array().unwrap().len(), 1);
    assert_eq!(again["date_created"], again["send_code_attempts"][0]["time"]);
    // By number it can neither see nor stop one; by the name that it was given it can stop it.
    let by = |name: &str| format!("/Services/{service}/Verifications/{name}");
    let canceled = [("Status", "canceled")];
    let never = door.post(&by("+15005550137"), &canceled).await;
    assert_eq!(
        failed(&never, 404, 20404),
        failed(&door.post(&by(TO), &canceled).await, 404, 20404).replace(TO, "+15005550137")
    );
    failed(&door.get(&by(TO)).await, 403, 20003);
    assert_eq!(door.post(&by(&text(&again["sid"])), &canceled).await.json()["status"], "canceled");
}
