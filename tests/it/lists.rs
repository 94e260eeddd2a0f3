//! Who is allowed or blocked: over processes that race, to the second, at `/v1`, and as
//! Verify's safe list has it.

use crate::engines::over_each_engine;
use crate::support::{Engine, World, eventually, request, resend, word};
use crate::verify_v2::{Verify, failed};
use crate::wire::{Answer, answer, text, with_json};
use crate::world::{OPERATOR_KEY, World as Served};
use dialback::app::admission::{self, ListFilter, NamedTarget, NewEntry};
use dialback::app::verification::{self, StartRequest};
use dialback::app::{App, Window};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::lists::{Effect, ListLine, Target};
use dialback::store::Kind;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;

const NUMBER: &str = "+14155550123";
const OTHER: &str = "+14155550199";

over_each_engine![
    two_who_add_or_remove_the_same_do_it_once,
    what_one_process_changes_another_knows,
    an_entry_stops_at_its_second_and_is_taken_away_later,
];

fn new(app: &App, effect: Effect, whom: &str) -> NewEntry {
    let target = NamedTarget::of_text(whom, None).target(&app.admission).unwrap();
    NewEntry { effect, target, service: None, reason: None, ends_at: None }
}

async fn add(app: &App, new: &NewEntry) -> ListLine {
    admission::add_entry(&app.admission, &Actor::operator(), new).await.unwrap()
}

async fn block(app: &App, whom: &str) -> ListLine {
    add(app, &new(app, Effect::Block, whom)).await
}

async fn all(app: &App) -> Vec<ListLine> {
    let window = Window { limit: 1000, after: None };
    admission::list_entries(&app.admission, &ListFilter::default(), &window).await.unwrap().items
}

/// What a start comes to; each is another caller's, so that none is shown another's.
async fn start(app: &App, to: &str, caller: u32) -> String {
    let asked = StartRequest { caller: Some(format!("{caller:012x}")), ..request(to, Channel::Sms) };
    match verification::start(&app.verifying, asked, None).await {
        Ok(_) => "begun".to_owned(),
        Err(error) => word(&error),
    }
}

async fn two_who_add_or_remove_the_same_do_it_once(engine: Engine) {
    let world = World::unlimited(engine);
    let apps = [world.app.clone(), world.beside(&world.clock)];
    for (effect, whom, kind) in [
        (Effect::Block, NUMBER, Kind::ListEntry),
        (Effect::Block, "+1415555*", Kind::ListEntry),
        (Effect::Allow, NUMBER, Kind::SafeNumber),
    ] {
        let mut adding = JoinSet::new();
        for nth in 0..12 {
            let app = apps[nth % 2].clone();
            let new = new(&app, effect, whom);
            adding.spawn(async move { add(&app, &new).await.id });
        }
        let ids: BTreeSet<String> = adding.join_all().await.into_iter().collect();
        assert_eq!(ids.len(), 1, "{whom}");
        assert_eq!(world.store.walk(kind, None, 10).await.unwrap().len(), 1, "{whom}");
        let mut removing = JoinSet::new();
        for nth in 0..12 {
            let (app, id) = (apps[nth % 2].clone(), ids.first().unwrap().clone());
            removing.spawn(async move {
                admission::remove_entry(&app.admission, &Actor::operator(), &id)
                    .await
                    .map_err(|error| word(&error))
            });
        }
        let removed = removing.join_all().await;
        assert!(removed.iter().any(Result::is_ok), "{whom}: {removed:?}");
        let is_gone =
            |one: &Result<(), String>| one.as_ref().is_ok_and(|()| true) || one == &Err("NotFound".into());
        assert!(removed.iter().all(is_gone), "{whom}: {removed:?}");
        assert!(all(&apps[0]).await.is_empty() && all(&apps[1]).await.is_empty(), "{whom}");
        assert_eq!(world.store.walk(kind, None, 10).await.unwrap().len(), 0, "{whom}");
    }
}

async fn what_one_process_changes_another_knows(engine: Engine) {
    let world = World::unlimited(engine);
    let (one, other) = (world.app.clone(), world.beside(&world.clock));
    // Both have looked at the lists just now.
    assert_eq!([start(&one, NUMBER, 0).await, start(&other, NUMBER, 1).await], ["begun", "begun"]);
    let made = block(&one, "+1415*").await;
    assert_eq!(start(&one, NUMBER, 2).await, "Blocked", "who changed it knows at once");
    eventually("the other knows of the block", async || start(&other, NUMBER, 3).await == "Blocked").await;
    admission::remove_entry(&other.admission, &Actor::operator(), &made.id).await.unwrap();
    assert_eq!(start(&other, NUMBER, 4).await, "begun");
    eventually("the one knows that it is gone", async || start(&one, NUMBER, 5).await == "begun").await;
}

async fn an_entry_stops_at_its_second_and_is_taken_away_later(engine: Engine) {
    let mut world = World::unlimited(engine);
    let app = world.app.clone();
    let entry = NewEntry { ends_at: Some(world.later(60)), ..new(&app, Effect::Block, NUMBER) };
    let made = add(&app, &entry).await;
    world.pass(59);
    assert_eq!((start(&app, NUMBER, 0).await, all(&app).await.len()), ("Blocked".to_owned(), 1));
    world.pass(1);
    assert_eq!((start(&app, NUMBER, 1).await, all(&app).await.len()), ("begun".to_owned(), 0));
    let found = admission::list_entry(&app.admission, &made.id).await;
    assert_eq!(found.map_err(|error| word(&error)), Err("NotFound".to_owned()));
    assert_eq!(
        world.store.walk(Kind::ListEntry, None, 10).await.unwrap().len(),
        1,
        "its record is there still"
    );
    let again = add(&app, &NewEntry { ends_at: Some(world.later(60)), ..entry }).await;
    assert_ne!(again.id, made.id, "it is another one");
    assert_eq!(start(&app, NUMBER, 2).await, "Blocked");
    world.pass(24 * 3600);
    world.work();
    eventually("it is taken away", async || {
        world.store.walk(Kind::ListEntry, None, 10).await.unwrap().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_block_stops_resends_and_leaves_checks_alone() {
    let mut world = World::new(Engine::Memory);
    let (id, code) = world.sent().await;
    let app = world.app.clone();
    block(&app, "US").await;
    world.pass(60);
    assert_eq!(resend(&app, &id, None).await.map_err(|error| word(&error)).err().as_deref(), Some("Blocked"));
    assert_eq!(start(&app, crate::support::PERSON, 0).await, "Blocked");
    let checked = verification::check(&app.verifying, &id, code.as_str()).await;
    assert_eq!(checked.unwrap().view.verification.status.as_str(), "approved");
}

#[tokio::test]
async fn a_network_is_the_person_s_and_a_test_number_is_on_no_list() {
    let world = World::unlimited(Engine::Memory);
    let app = &world.app;
    block(app, "203.0.113.0/24").await;
    block(app, "2001:db8:0:1::7").await;
    for (nth, (address, expected)) in [
        (None, "begun"),
        (Some("203.0.113.9"), "Blocked"),
        (Some("::ffff:203.0.113.9"), "Blocked"),
        (Some("203.0.114.9"), "begun"),
        (Some("2001:db8:0:1:ffff::1"), "Blocked"),
        (Some("2001:db8:0:2::1"), "begun"),
    ]
    .into_iter()
    .enumerate()
    {
        let address = address.map(|address| address.parse().unwrap());
        let asked = StartRequest {
            address,
            caller: Some(format!("{nth:012x}")),
            ..request(&format!("+1415555012{nth}"), Channel::Sms)
        };
        let begun = verification::start(&app.verifying, asked, None).await;
        let said = begun.map_or_else(|error| word(&error), |_| "begun".to_owned());
        assert_eq!(said, expected, "{address:?}");
    }
}

async fn ask(world: &Served, method: Method, path: &str, body: Value) -> Answer {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.request(method, format!("{}{path}", world.base_url)).bearer_auth(OPERATOR_KEY);
    answer(if body.is_null() { request } else { with_json(request, &body) }).await
}

#[tokio::test]
async fn entries_are_made_listed_and_taken_away_at_v1() {
    let world = Served::start().await;
    let end = "2030-01-01T00:00:00Z";
    for (body, kind, shown) in [
        (json!({ "number": "+1 (415) 555-0123", "reason": "pumping", "ends_at": end }), "number", NUMBER),
        (json!({ "range": "+44 79*" }), "range", "+4479*"),
        (json!({ "network": "203.0.113.7" }), "network", "203.0.113.7/32"),
        (json!({ "country": "gb", "channel": "call", "effect": "block" }), "country", "GB"),
        (json!({ "country": "GB", "effect": "allow", "service": "default" }), "country", "GB"),
    ] {
        let made = ask(&world, Method::POST, "/v1/blocks", body.clone()).await;
        assert_eq!(made.status, 201, "{body}: {}", made.text);
        let one = made.json();
        assert_eq!((&one[kind], &one["kind"]), (&json!(shown), &json!(kind)), "{one}");
        let path = format!("/v1/blocks/{}", text(&one["id"]));
        assert_eq!(made.header("location"), path);
        assert_eq!(ask(&world, Method::GET, &path, Value::Null).await.json(), one);
        // Said again it is the same.
        assert_eq!(ask(&world, Method::POST, "/v1/blocks", body).await.json()["id"], one["id"]);
        world.clock.advance(Duration::from_secs(1));
    }
    let list = async |query: &str| {
        let page = ask(&world, Method::GET, &format!("/v1/blocks{query}"), Value::Null).await;
        assert_eq!(page.status, 200, "{}", page.text);
        page.json()["blocks"].as_array().unwrap().clone()
    };
    for (query, count) in [
        ("", 5),
        ("?effect=allow", 1),
        ("?effect=block", 4),
        ("?kind=country", 2),
        ("?country=GB", 1),
        ("?country=GB&channel=call", 1),
        ("?number=%2B14155550123", 1),
        ("?number=%2B14155550124", 0),
        ("?range=%2B4479*", 1),
        ("?range=+4479*", 1),
        ("?network=203.0.113.7", 1),
        ("?service=default", 1),
    ] {
        assert_eq!(list(query).await.len(), count, "{query}");
    }
    assert_eq!(list("?kind=number").await[0]["number"], "+1********23", "masked in lists");
    assert_eq!(list("?kind=number&full_numbers=true").await[0]["number"], NUMBER);
    let pages = async {
        let (mut seen, mut next) = (0, "?limit=2".to_owned());
        loop {
            let page = ask(&world, Method::GET, &format!("/v1/blocks{next}"), Value::Null).await.json();
            seen += page["blocks"].as_array().unwrap().len();
            match page["next_cursor"].as_str() {
                Some(cursor) => next = format!("?limit=2&cursor={cursor}"),
                None => break seen,
            }
        }
    };
    assert_eq!(pages.await, 5);
    let id = text(&list("?kind=number").await[0]["id"]);
    let body = json!({ "to": NUMBER });
    let refused = ask(&world, Method::POST, "/v1/verifications", body.clone()).await;
    let problem = refused.problem(403, "blocked");
    assert_eq!(problem["retry_at"], end, "{problem}");
    assert!(!refused.text.contains("pumping") && !refused.text.contains(&NUMBER[1..]), "{}", refused.text);
    assert_eq!(ask(&world, Method::DELETE, &format!("/v1/blocks/{id}"), Value::Null).await.status, 204);
    ask(&world, Method::DELETE, &format!("/v1/blocks/{id}"), Value::Null).await.problem(404, "not_found");
    assert_eq!(ask(&world, Method::POST, "/v1/verifications", body).await.status, 201);
    let audit = ask(&world, Method::GET, "/v1/audit?action=list_entry.removed", Value::Null).await;
    assert!(audit.text.contains("+1********23") && !audit.text.contains(&NUMBER[1..]), "{}", audit.text);
}

#[tokio::test]
async fn what_cannot_be_listed_is_told_where_and_what_would_be_right() {
    let world = Served::start().await;
    for (body, field, told) in [
        (json!({}), "number", "one of number, range, network and country"),
        (json!({ "effect": "block" }), "number", "one of number, range, network and country"),
        (json!({ "number": NUMBER, "range": "+4479" }), "range", "make one for each"),
        (json!({ "range": "+44*" }), "range", "calling code alone"),
        (json!({ "range": "79*" }), "range", "like +4479*"),
        (json!({ "network": "203.0.113.7/24" }), "network", "write 203.0.113.0/24"),
        (json!({ "network": "0.0.0.0/0" }), "network", "wider"),
        (json!({ "country": "UK" }), "country", "did you mean GB?"),
        (json!({ "number": NUMBER, "channel": "sms" }), "channel", "is for countries"),
        (json!({ "country": "GB", "ends_at": "2020-01-01T00:00:00Z" }), "ends_at", "is over already"),
        (json!({ "country": "GB", "effect": "deny" }), "effect", "block, allow"),
        (json!({ "country": "GB", "reason": "x".repeat(201) }), "reason", "200"),
    ] {
        let refused = ask(&world, Method::POST, "/v1/blocks", body.clone()).await;
        let problem = refused.problem(422, "invalid_request");
        assert_eq!(problem["field"], field, "{body}: {problem}");
        assert!(text(&problem["detail"]).contains(told), "{body}: {problem}");
    }
    let refused = ask(&world, Method::POST, "/v1/blocks", json!({ "number": "+1415555" })).await;
    refused.problem(422, "invalid_number");
    let unknown =
        ask(&world, Method::POST, "/v1/blocks", json!({ "country": "GB", "service": "none" })).await;
    unknown.problem(422, "service_not_found");
    assert!(all(&world.app).await.is_empty());
}

#[tokio::test]
async fn a_safe_number_has_two_faces() {
    let world = Served::start().await;
    let verify = Verify::of(&world);
    let safe = verify.post("/SafeList/Numbers", &[("PhoneNumber", NUMBER)]).await;
    let sid = text(&safe.json()["sid"]);
    let listed =
        ask(&world, Method::GET, "/v1/blocks?effect=allow&full_numbers=true", Value::Null).await.json();
    let one = &listed["blocks"][0];
    assert_eq!(
        (&one["id"], &one["number"], &one["reason"], &one["ends_at"]),
        (&json!(sid), &json!(NUMBER), &Value::Null, &Value::Null)
    );
    assert_eq!(ask(&world, Method::DELETE, &format!("/v1/blocks/{sid}"), Value::Null).await.status, 204);
    failed(&verify.get(&format!("/SafeList/Numbers/{NUMBER}")).await, 404, 20404);

    let allowed = json!({ "number": NUMBER, "effect": "allow", "reason": "the shop's own" });
    let made = ask(&world, Method::POST, "/v1/blocks", allowed.clone()).await.json();
    let found = verify.get(&format!("/SafeList/Numbers/{NUMBER}")).await;
    assert_eq!((found.status, &found.json()["sid"]), (200, &made["id"]), "{}", found.text);
    // With an end it is no safe number any more, and without one again.
    let ended = json!({ "number": NUMBER, "effect": "allow", "ends_at": "2030-01-01T00:00:00Z" });
    assert_eq!(ask(&world, Method::POST, "/v1/blocks", ended).await.status, 201);
    failed(&verify.get(&format!("/SafeList/Numbers/{NUMBER}")).await, 404, 20404);
    assert_eq!(all(&world.app).await.len(), 1);
    assert_eq!(ask(&world, Method::POST, "/v1/blocks", allowed).await.status, 201);
    assert_eq!(verify.get(&format!("/SafeList/Numbers/{NUMBER}")).await.status, 200);
    assert_eq!(verify.delete(&format!("/SafeList/Numbers/{NUMBER}")).await.status, 204);
    assert!(all(&world.app).await.is_empty());
}

#[tokio::test]
async fn an_allowed_country_passes_rules_about_countries_by_its_channel_alone() {
    let countries = json!({ "sms": { "allow": ["DE"] }, "call": { "allow": ["DE"] } });
    let world = Served::with_service(|settings| {
        settings.channels = vec![Channel::Sms, Channel::Call];
        settings.countries = serde_json::from_value(countries).unwrap();
    })
    .await;
    let start = async |to: &str, channel: Option<&str>| {
        let asked =
            ask(&world, Method::POST, "/v1/verifications", json!({ "to": to, "channel": channel })).await;
        asked.json()["code"].as_str().map_or_else(|| text(&asked.json()["channel"]), str::to_owned)
    };
    assert_eq!(start(NUMBER, Some("sms")).await, "country_not_offered");
    let entry = json!({ "country": "US", "channel": "sms", "effect": "allow" });
    assert_eq!(ask(&world, Method::POST, "/v1/blocks", entry).await.status, 201);
    assert_eq!(start(NUMBER, Some("call")).await, "country_not_offered");
    assert_eq!(start(NUMBER, Some("sms")).await, "sms");
    // A block of one channel leaves the other, and of both none.
    let german = "+4915123456789";
    let entry = json!({ "country": "DE", "channel": "sms" });
    assert_eq!(ask(&world, Method::POST, "/v1/blocks", entry).await.status, 201);
    assert_eq!(start(german, Some("sms")).await, "blocked");
    assert_eq!(start(german, Some("call")).await, "call");
    let entry = json!({ "country": "DE" });
    assert_eq!(ask(&world, Method::POST, "/v1/blocks", entry).await.status, 201);
    assert_eq!(start("+4915123456780", None).await, "blocked");
}

#[tokio::test]
async fn an_idempotency_key_makes_one_entry_of_two_requests() {
    let world = Served::start().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({ "range": "+4479*" });
    let post = async || {
        let request = http.post(format!("{}/v1/blocks", world.base_url)).bearer_auth(OPERATOR_KEY);
        answer(with_json(request.header("idempotency-key", "once"), &body)).await
    };
    let (first, second) = (post().await, post().await);
    assert_eq!((first.status, second.status, &first.text), (201, 201, &second.text));
}

#[tokio::test]
async fn the_lists_are_bounded_and_say_so() {
    let world = World::unlimited(Engine::Memory);
    let app = &world.app;
    block(app, "+4479*").await;
    let most = dialback::model::lists::ListEntry::MOST;
    // What is made one by one would take long here.
    for nth in 1..most {
        let target = Target::Range(format!("+49{nth}").parse().unwrap());
        let key = format!("{nth:032x}");
        let entry: dialback::model::lists::ListEntry = serde_json::from_value(json!({
            "key": key, "id": format!("LE{nth:032x}"), "effect": "block", "target": target,
            "actor": "operator", "created_at": world.now(),
        }))
        .unwrap();
        dialback::store::records::save(&*world.store, None, &entry).await.unwrap();
    }
    let beside = world.beside(&world.clock);
    let another = new(&beside, Effect::Block, OTHER);
    let refused = admission::add_entry(&beside.admission, &Actor::operator(), &another).await;
    let told = refused.unwrap_err().to_string();
    assert!(told.contains("10000") && told.contains("ranges and networks"), "{told}");
    // What is there may be said again.
    block(&beside, "+4479*").await;
    assert_eq!(start(&beside, "+447912345678", 0).await, "Blocked");
    assert_eq!(start(&beside, OTHER, 1).await, "begun");
}
