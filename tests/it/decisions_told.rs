//! Decisions as operators meet them: listed and explained, reported, replayed by another
//! policy and told as events, by the API and on the command line, with a server and
//! without one.

use crate::instance::{Instance, Setup, binary, poll, text};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

/// Eight numbers of one hundred, by their ends.
fn number(n: usize) -> String {
    format!("+141555501{n:02}")
}

/// A burst in a block is refused from the third number on.
fn tiny() -> Value {
    json!({ "signals": { "block_burst": { "action": "refuse", "numbers": 3, "hundred": 3 } } })
}

fn run(dir: &Path, store: &str, args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        binary(dir).env("DIALBACK_STORE__URL", store).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn said(dir: &Path, store: &str, args: &[&str]) -> String {
    let (code, out, wrong) = run(dir, store, args);
    assert_eq!(code, 0, "{args:?}: {wrong}");
    assert!(out.lines().all(|line| line.starts_with(['{', ' ', '}']) || line.chars().count() <= 80), "{out}");
    out
}

/// Decisions of a query, once there are so many.
async fn decisions(app: &Instance, query: &str, count: usize) -> Vec<Value> {
    let last = std::sync::Mutex::new(String::new());
    let found = poll(|| async {
        let answer = app.get(&format!("/v1/decisions?limit=100{query}")).await;
        last.lock().unwrap().clone_from(&answer.text);
        let decisions = answer.json()["decisions"].as_array().cloned()?;
        Some(decisions).filter(|decisions| decisions.len() >= count)
    });
    found.await.unwrap_or_else(|| panic!("{query}: {}", last.lock().unwrap()))
}

async fn events(app: &Instance, event_type: &str) -> Vec<Value> {
    let page = app.get(&format!("/v1/events?limit=100&type={event_type}&numbers=full")).await;
    page.json()["events"].as_array().cloned().unwrap_or_default()
}

/// A burst of eight numbers: two are sent, the others refused; the last comes by another
/// service and proves its number.
async fn burst(app: &Instance) -> (String, String) {
    let shop = app.post("/v1/services", &json!({ "name": "Shop", "fraud": tiny() })).await;
    assert_eq!(shop.status, 201, "{}", shop.text);
    let shop = text(&shop.json()["id"]);
    let mut taken = String::new();
    for n in 0..8 {
        let answer = app.post("/v1/verifications", &json!({ "to": number(n), "service": shop })).await;
        match answer.status {
            201 => taken = text(&answer.json()["id"]),
            _ => assert_eq!(answer.json()["code"], "fraud_suspected", "{}", answer.text),
        }
    }
    let honest = app.begin(&number(7), "sms").await;
    let code = app.texted_code(&number(7), 1).await;
    let checked = app.check(&text(&honest["id"]), &code).await;
    assert_eq!(checked.json()["valid"], true, "{}", checked.text);
    (taken, text(&honest["id"]))
}

#[tokio::test]
async fn an_operator_sees_explains_reports_and_tries_decisions_with_a_server_and_without() {
    let dir = TempDir::new().unwrap();
    let app = Setup::sandbox().dir(dir.path()).start().await;
    let (taken, honest) = burst(&app).await;

    // Each is listed, the newest first, and none tells a number.
    let all = decisions(&app, "", 9).await;
    assert_eq!(all.len(), 9);
    let at: Vec<Timestamp> = all.iter().map(|one| one["at"].as_str().unwrap().parse().unwrap()).collect();
    assert!(at.is_sorted_by(|one, other| one >= other), "{at:?}");
    assert!(!json!(all).to_string().contains("14155550"), "a number is told");
    let refused = decisions(&app, "&outcome=refused&rule=block_burst", 5).await;
    assert!((5..=6).contains(&refused.len()), "{refused:#?}");
    let one = &refused[0];
    let reason = one["reasons"].as_array().unwrap().iter().find(|one| one["rule"] == "block_burst").unwrap();
    assert_eq!((one["code"].as_str(), reason["action"].as_str()), (Some("fraud_suspected"), Some("refuse")));
    assert!(reason["value"].as_f64() >= reason["threshold"].as_f64() && reason["until"].is_string(), "{one}");
    assert!(one["advice"].to_string().contains("[fraud.signals.block_burst]"), "{one}");
    pages(&app).await;

    // Of the last number it is told that it was proved after all.
    let found = app.post("/v1/decisions/search", &json!({ "number": "+1 (415) 555-0107" })).await.json();
    let of_last: Vec<_> = found["decisions"].as_array().unwrap().clone();
    assert_eq!(of_last.len(), 2, "{of_last:#?}");
    let id = text(&of_last[1]["id"]);
    let proved = poll(|| async {
        let fetched = app.get(&format!("/v1/decisions/{id}")).await.json();
        Some(fetched).filter(|fetched| fetched["verified_at"].is_string())
    });
    let proved = proved.await.expect("the proof is not told");
    assert_eq!((proved["outcome"].as_str(), proved["verification"].is_null()), (Some("refused"), true));
    let of_honest = decisions(&app, &format!("&verification={honest}"), 1).await;
    assert_eq!((of_honest.len(), of_honest[0]["outcome"].is_string()), (1, true));
    assert_eq!(app.get("/v1/decisions/nobody").await.json()["code"], "not_found");

    let store = app.store.clone();
    told(&app, refused.len()).await;
    bound(&app).await;
    let online = looks(dir.path(), &store, &taken, &id);
    app.stop().await;
    let offline = looks(dir.path(), &store, &taken, &id);
    assert_eq!(online, offline, "a store tells what its server told");

    // After a restart the same is there, and what was told once is not told again.
    let app = Setup::sandbox().dir(dir.path()).start().await;
    app.logged("what was decided before is known").await;
    assert_eq!(decisions(&app, "", 9).await.len(), 9);
    let before = events(&app, "fraud.detected").await.len();
    let shop = text(&refused[0]["service"]);
    let again = app.post("/v1/verifications", &json!({ "to": number(9), "service": shop })).await;
    assert_eq!(
        again.json()["code"],
        "fraud_suspected",
        "what is known of traffic outlives it: {}",
        again.text
    );
    decisions(&app, "", 10).await;
    let is_told = poll(|| async {
        Some(events(&app, "admission.refused").await).filter(|told| told.len() > refused.len())
    });
    assert!(is_told.await.is_some());
    let detected = events(&app, "fraud.detected").await;
    assert_eq!(detected.len(), before, "{detected:#?}");
    app.stop().await;
}

/// Every decision stands once on pages of two.
async fn pages(app: &Instance) {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/v1/decisions?limit=2{cursor}")).await.json();
        seen.extend(page["decisions"].as_array().unwrap().iter().map(|one| text(&one["id"])));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (9, 9));
}

/// What applications hear: each refusal with its number, each finding once.
async fn told(app: &Instance, refused: usize) {
    let found =
        poll(|| async { Some(events(app, "admission.refused").await).filter(|told| told.len() >= refused) });
    let refusals = found.await.expect("refusals are not told");
    assert_eq!(refusals.len(), refused);
    let one = &refusals[0]["data"];
    assert_eq!(one["to"].as_str().map(|to| to.starts_with("+14155550")), Some(true), "{one}");
    let admission = &one["admission"];
    assert_eq!(
        (admission["outcome"].as_str(), admission["rule"].as_str(), admission["country"].as_str()),
        (Some("refused"), Some("block_burst"), Some("US")),
        "{one}"
    );
    let found = app.get(&format!("/v1/decisions/{}", text(&admission["decision"]))).await;
    assert_eq!(found.status, 200, "{}", found.text);
    let masked = app.get("/v1/events?type=admission.refused").await;
    assert!(!masked.text.contains("14155550"), "{}", masked.text);
    let is_burst = |event: &&Value| event["data"]["admission"]["rule"] == "block_burst";
    let found = poll(|| async {
        Some(events(app, "fraud.detected").await).filter(|told| told.iter().any(|event| is_burst(&event)))
    });
    let detected = found.await.expect("the burst is not told");
    assert_eq!(detected.iter().filter(is_burst).count(), 1, "{detected:#?}");
}

/// A key of one service sees that one's decisions alone, and tries no policy.
async fn bound(app: &Instance) {
    let shop = app.get("/v1/services").await.json()["services"]
        .as_array()
        .unwrap()
        .iter()
        .find(|service| service["name"] == "Shop")
        .map(|service| text(&service["id"]))
        .unwrap();
    let body = json!({ "name": "a shop's", "scopes": ["admin"], "services": [shop] });
    let key = app.post("/v1/keys", &body).await.json();
    let key = text(&key["key"]);
    app.learn(&key);
    let listed = app.ask(&key, Method::GET, "/v1/decisions?limit=100", None).await.json();
    let listed = listed["decisions"].as_array().unwrap();
    assert!(listed.len() == 8 && listed.iter().all(|one| one["service"] == shop.as_str()), "{listed:#?}");
    let report = app.ask(&key, Method::GET, "/v1/decisions/report", None).await.json();
    assert_eq!(report["total"]["requests"], 8, "{report}");
    let all = decisions(app, "", 9).await;
    let others = all.iter().find(|one| one["service"] != shop.as_str()).unwrap();
    let foreign = app.ask(&key, Method::GET, &format!("/v1/decisions/{}", text(&others["id"])), None).await;
    assert_eq!(foreign.status, 404, "{}", foreign.text);
    let tried = json!({ "fraud": { "action": "refuse" } });
    let tried = app.ask(&key, Method::POST, "/v1/decisions/replay", Some(&tried)).await;
    assert_eq!(tried.json()["code"], "key_bound", "{}", tried.text);
    let reader = app.key(&["read"]).await;
    assert_eq!(app.ask(&reader, Method::GET, "/v1/decisions", None).await.status, 403);
}

/// What the command line says of it, for a person.
fn looks(dir: &Path, store: &str, taken: &str, refused: &str) -> Vec<String> {
    let report = said(dir, store, &["fraud", "report"]);
    assert!(report.contains("asked for               9") && report.contains("by rule"), "{report}");
    assert!(report.contains("1  after a refusal"), "{report}");
    let by = said(dir, store, &["fraud", "report", "--by", "country", "--since", "1d"]);
    assert!(by.contains("by country") && by.contains("US") && !by.contains("by rule"), "{by}");
    let found: Value = serde_json::from_str(&said(dir, store, &["fraud", "report", "--json"])).unwrap();
    let (total, rules) = (&found["total"], &found["by"]["rule"]["rows"]);
    assert_eq!((total["requests"].as_u64(), total["verified"].as_u64()), (Some(9), Some(1)), "{found:#}");
    assert!(rules.as_array().unwrap().iter().any(|row| row["name"] == "block_burst"), "{rules}");

    let of_number = said(dir, store, &["fraud", "explain", &number(7)]);
    assert!(
        of_number.contains("block_burst asks to refuse") && of_number.contains("probably honest"),
        "{of_number}"
    );
    assert!(!of_number.contains("5550107"), "{of_number}");
    let of_one = said(dir, store, &["fraud", "explain", refused]);
    assert!(of_one.starts_with(refused) && of_one.contains("dialback allow"), "{of_one}");
    let of_taken = said(dir, store, &["fraud", "explain", taken]);
    assert!(of_taken.contains(&format!("verification {taken}")), "{of_taken}");
    let (code, out, none) = run(dir, store, &["fraud", "explain", "+14155559999"]);
    assert!(
        code == 1 && out.is_empty() && none.contains("nothing is known") && !none.contains("5559999"),
        "{none}"
    );

    let policy = dir.join("policy.toml");
    std::fs::write(&policy, "[fraud.signals.block_burst]\naction = \"refuse\"\nnumbers = 2\nhundred = 2\n")
        .unwrap();
    let policy = policy.to_str().unwrap();
    let replayed = said(dir, store, &["fraud", "replay", "--policy", policy, "--since", "14d"]);
    assert!(replayed.contains("not sent any more"), "{replayed}");
    let tried: Value =
        serde_json::from_str(&said(dir, store, &["fraud", "replay", "--policy", policy, "--json"])).unwrap();
    assert_eq!(tried["requests"], 9);
    assert_eq!(tried["now_refused"]["requests"], 1, "the one of the service that sets nothing: {tried:#}");
    assert_eq!(tried["now_refused"]["verified"], 1, "{tried:#}");
    std::fs::write(policy, "[fraud]\naction = \"refuze\"\n[limits]\nnumber_sends = []\n").unwrap();
    let (code, _, wrong) = run(dir, store, &["fraud", "replay", "--policy", policy]);
    assert!(
        code == 1 && wrong.contains(":2:10: fraud.action:") && wrong.contains("take [limits] out"),
        "{wrong}"
    );
    let stable =
        |text: String| text.lines().filter(|line| !line.contains(" UTC")).collect::<Vec<_>>().join("\n");
    vec![stable(report), of_number, of_one, of_taken, stable(replayed)]
}

/// Of many requests that a spent budget refuses each is told, and the budget once.
#[tokio::test]
async fn a_spent_budget_is_told_once() {
    let app = Setup::sandbox().set("LIMITS__COUNTRY_MONEY", "[\"0.01/day\"]").start().await;
    let mut refused = 0;
    for n in 0..6 {
        let answer = app.post("/v1/verifications", &json!({ "to": number(n) })).await;
        refused += usize::from(answer.status != 201);
    }
    assert!(refused > 2, "{refused}");
    let told =
        poll(|| async { Some(events(&app, "admission.refused").await).filter(|told| told.len() >= refused) });
    let told = told.await.expect("refusals are not told");
    assert!(told.iter().all(|event| event["data"]["admission"]["rule"] == "country_money"), "{told:#?}");
    let spent = events(&app, "budget.reached").await;
    assert_eq!(spent.len(), 1, "{spent:#?}");
    let admission = &spent[0]["data"]["admission"];
    assert_eq!(
        (admission["rule"].as_str(), admission["subject"].as_str()),
        (Some("country_money"), Some("US"))
    );
    assert!(admission["until"].is_string(), "{admission}");
    app.stop().await;
}
