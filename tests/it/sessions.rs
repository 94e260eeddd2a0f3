//! Sessions as applications see them: where people may be sent back to, what a
//! session says of its person, and ending one.

use crate::instance::binary;
use crate::support::eventually;
use crate::wire::{Answer, answer, text, with_json};
use crate::world::{API_KEY, World};
use dialback::app::admin;
use dialback::app::verification::{self, VerificationError, Visitor};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::id::SessionId;
use dialback::model::key::Scope;
use dialback::model::service::Settings;
use dialback::secret::Secret;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const BACK: &str = "https://shop.example/back";
const TO: &str = "+15005550006";

fn shop(settings: &mut Settings) {
    settings.name = "Shop".into();
    settings.channels = vec![Channel::Sms];
    settings.pages.return_urls = vec![BACK.into(), "https://*.shop.example/in/*".into()];
}

async fn ask(world: &World, key: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let http = Client::builder().no_proxy().build().unwrap();
    let request = http.request(method, format!("{}{path}", world.base_url)).bearer_auth(key);
    answer(match &body {
        Some(body) => with_json(request, body),
        None => request,
    })
    .await
}

async fn create(world: &World, body: Value) -> Answer {
    ask(world, API_KEY, Method::POST, "/v1/sessions", Some(body)).await
}

async fn begun(world: &World, body: Value) -> (SessionId, Secret) {
    let made = create(world, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id: SessionId = text(&made.json()["id"]).parse().unwrap();
    let browser = verification::new_browser(&world.app.base);
    verification::session_begin(&world.app.verifying, &id, &browser, Visitor::default()).await.unwrap();
    (id, browser)
}

#[tokio::test]
async fn a_refused_address_says_which_are_allowed_and_what_differs() {
    let world = World::with_service(shop).await;
    for good in [BACK, "https://a.shop.example/in/x?y=1", "HTTPS://shop.example:443/back"] {
        assert_eq!(create(&world, json!({ "return_url": good })).await.status, 201, "{good}");
    }
    for (url, why) in [
        ("https://shop.example:8443/back", "from https://shop.example/back it differs in its port"),
        ("https://shop.example/back2", "it differs in its path"),
        ("https://evil.example/back", "it differs in its host"),
        ("https://a.b.shop.example/in/x", "it differs in its host"),
        ("http://shop.example/back", "begins with https://"),
        ("https://a.shop.example/in/%252e%252e/x", "without . and .."),
        ("https://a.shop.example/in/..%2fx", "without encoded slashes"),
        ("https://shop.example@evil.example/back", "neither user nor password"),
        ("https://shop.example/back#x", "no fragment"),
        ("https://shop.example\\@evil.example/back", "backslashes"),
    ] {
        let told = create(&world, json!({ "return_url": url })).await.problem(422, "not_allowed");
        let detail = text(&told["detail"]);
        assert!(told["field"] == "return_url" && detail.contains(why), "{url}: {detail}");
        assert!(!detail.contains("evil"), "{detail}");
    }
    let told = create(&world, json!({})).await.problem(422, "not_allowed");
    assert!(text(&told["detail"]).contains("pages.success_url"), "{told}");
    // What the person is sent to is what was read, and not what was written.
    let (id, browser) = begun(&world, json!({ "return_url": "https://A.shop.example/in/ä", "to": TO })).await;
    let way = verification::session_leave(&world.app.admission, &id, &browser, true).await.unwrap().unwrap();
    assert!(way.expose().starts_with("https://a.shop.example/in/%C3%A4?session="), "{}", way.expose());
}

/// One rule for the file and the API.
#[tokio::test]
async fn a_service_allows_no_more_than_its_own_addresses() {
    let world = World::start().await;
    let dir = tempfile::tempdir().unwrap();
    for (url, why) in [
        ("https://*", "* only"),
        ("https://*.com/*", "one's own"),
        ("https://*.co.uk:8443/", "one's own"),
        ("http://shop.example/*", "begins with https://"),
        ("https://shop.example/../x", "without . and .."),
    ] {
        for (field, pages) in [
            ("pages.return_urls", json!({ "return_urls": [url] })),
            ("pages.success_url", json!({ "success_url": url })),
        ] {
            let settings = json!({ "name": "Shop", "pages": pages });
            let refused = admin::create_service(
                &world.app.directory,
                &Actor::operator(),
                settings.as_object().unwrap().clone(),
            )
            .await
            .unwrap_err();
            let refused = refused.to_string();
            assert!(refused.starts_with(field), "{url}: {refused}");
            assert!(field == "pages.success_url" || refused.contains(why), "{url}: {refused}");
        }
        // Beside the sandbox as well.
        let services = format!("{{ shop = {{ pages = {{ return_urls = [\"{url}\"] }} }} }}");
        let told = binary(dir.path()).env("DIALBACK_SERVICES", services).args(["config", "check"]).output();
        let told = told.unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
        assert!(!told.status.success(), "{url}: {said}");
        assert!(said.contains("shop.pages.return_urls") && said.contains(why), "{url}: {said}");
    }
}

#[tokio::test]
async fn who_is_proved_without_a_way_back_goes_to_the_services_own_page() {
    let welcome = "https://shop.example/welcome?from=us";
    let settings = |settings: &mut Settings| {
        shop(settings);
        settings.pages.success_url = Some(welcome.into());
    };
    let world = World::with_service(settings).await;
    let (id, browser) = begun(&world, json!({ "to": TO })).await;
    let code = world.post.first().await.0.code().unwrap().clone();
    assert!(
        verification::session_check(&world.app.verifying, &id, &browser, code.expose())
            .await
            .unwrap()
            .unwrap()
            .valid
    );
    let way = verification::session_leave(&world.app.admission, &id, &browser, false).await.unwrap().unwrap();
    let (page, result) = way.expose().split_once("&session=").unwrap();
    assert_eq!(page, welcome);
    let result = result.split_once("result=").unwrap().1;
    let path = format!("/v1/sessions/{id}/result");
    let told = ask(&world, API_KEY, Method::POST, &path, Some(json!({ "result": result }))).await;
    assert_eq!(told.json()["status"], "approved");
    // Nobody who turned back is sent there.
    let (id, browser) = begun(&world, json!({ "to": TO })).await;
    assert!(verification::session_leave(&world.app.admission, &id, &browser, true).await.unwrap().is_none());
    let page = looked_at(&world, &id, &browser).await;
    assert!(page.contains("You have canceled") && !page.contains("/return\""), "{page}");
    // A way back of its own goes first.
    let (id, browser) = begun(&world, json!({ "to": TO, "return_url": BACK })).await;
    let way = verification::session_leave(&world.app.admission, &id, &browser, true).await.unwrap().unwrap();
    assert!(way.expose().starts_with(BACK));
}

async fn looked_at(world: &World, id: &SessionId, browser: &Secret) -> String {
    let http = Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/verify/{id}", world.base_url);
    answer(http.get(url).header("cookie", format!("dialback_browser={}", browser.expose()))).await.text
}

#[tokio::test]
async fn an_application_ends_a_session_and_its_code_with_it() {
    let world = World::with_service(shop).await;
    let (id, browser) = begun(&world, json!({ "to": TO, "return_url": BACK, "state": "x" })).await;
    let code = world.post.first().await.0.code().unwrap().clone();
    let path = format!("/v1/sessions/{id}");
    for _ in 0..2 {
        let ended = ask(&world, API_KEY, Method::DELETE, &path, None).await;
        assert_eq!(ended.status, 200, "{}", ended.text);
        assert_eq!(ended.json(), json!({ "id": id.to_string(), "status": "canceled", "state": "x" }));
    }
    // The code is worth nothing, by the pages and without them.
    assert!(
        verification::session_check(&world.app.verifying, &id, &browser, code.expose())
            .await
            .unwrap()
            .is_none()
    );
    let verification =
        verification::session(&world.app.admission, &id, Some(&browser)).await.unwrap().verification.unwrap();
    let id_of_it = &verification.verification.id;
    assert_eq!(verification.status.as_str(), "canceled");
    let checked = verification::check(&world.app.verifying, id_of_it, code.expose()).await;
    assert!(matches!(checked, Err(VerificationError::Ended(_))), "{checked:?}");
    // The page says that it is over, not that the person wanted it so.
    let page = looked_at(&world, &id, &browser).await;
    assert!(
        page.contains("This was ended")
            && page.contains("Your number was not confirmed. You can close this page."),
        "{page}"
    );
    assert!(!page.contains("You have canceled") && !page.contains("/code\""), "{page}");
    let way = verification::session_leave(&world.app.admission, &id, &browser, false).await.unwrap().unwrap();
    let result = way.expose().split_once("result=").unwrap().1.to_owned();
    let result =
        ask(&world, API_KEY, Method::POST, &format!("{path}/result"), Some(json!({ "result": result })))
            .await;
    assert_eq!(result.json()["status"], "canceled");
    // One that nobody has come to yet; and what was proved stays so.
    let made = create(&world, json!({ "return_url": BACK })).await.json();
    let unseen = format!("/v1/sessions/{}", text(&made["id"]));
    assert_eq!(ask(&world, API_KEY, Method::DELETE, &unseen, None).await.status, 200);
    let (id, browser) = begun(&world, json!({ "to": TO, "return_url": BACK })).await;
    let code = world.post.nth(2).await.0.code().unwrap().clone();
    verification::session_check(&world.app.verifying, &id, &browser, code.expose()).await.unwrap();
    let path = format!("/v1/sessions/{id}");
    let told = ask(&world, API_KEY, Method::DELETE, &path, None).await.problem(409, "session_ended");
    assert!(text(&told["detail"]).contains("approved"), "{told}");
    // Who may not read hears what of none.
    let door = admin::create_key(
        &world.app.directory,
        &Actor::operator(),
        "door",
        BTreeSet::from([Scope::Send, Scope::Check]),
    )
    .await
    .unwrap()
    .1;
    let told = ask(&world, door.expose(), Method::DELETE, &path, None).await;
    let none = format!("/v1/sessions/PS{}", "0".repeat(32));
    let other = ask(&world, door.expose(), Method::DELETE, &none, None).await;
    assert_eq!(told.problem(404, "not_found"), other.problem(404, "not_found"));
    // Past its time it is not there.
    let made = create(&world, json!({ "return_url": BACK })).await.json();
    world.clock.advance(std::time::Duration::from_secs(31 * 60));
    let late = format!("/v1/sessions/{}", text(&made["id"]));
    ask(&world, API_KEY, Method::DELETE, &late, None).await.problem(404, "not_found");
}

/// What the application says of a person goes along wherever it is told of them.
#[tokio::test]
async fn marks_and_user_and_session_go_along_in_what_is_told() {
    let settings = |settings: &mut Settings| {
        shop(settings);
        settings.pages.return_urls = vec![BACK.into()];
    };
    let world = World::with_service(settings).await;
    let said = json!({ "user": "u-17", "tags": { "order": "4711" }, "friendly_name": "Corner Shop" });
    let mut session = said.clone();
    (session["to"], session["return_url"]) = (TO.into(), BACK.into());
    let (id, browser) = begun(&world, session).await;
    let (order, sid) = world.post.first().await;
    assert_eq!(order.details().unwrap().friendly_name.as_deref(), Some("Corner Shop"));
    let view =
        verification::session(&world.app.admission, &id, Some(&browser)).await.unwrap().verification.unwrap();
    let of_session = view.verification.id.to_string();
    let shown =
        ask(&world, API_KEY, Method::GET, &format!("/v1/verifications/{of_session}"), None).await.json();
    for (field, expected) in
        [("user", json!("u-17")), ("tags", json!({ "order": "4711" })), ("session", json!(id.to_string()))]
    {
        assert_eq!(shown[field], expected, "{shown}");
    }
    world.tell_failed(&order, &sid).await;
    verification::session_leave(&world.app.admission, &id, &browser, true).await.unwrap();
    let mut plain = said.clone();
    plain["to"] = TO.into();
    let begun = ask(&world, API_KEY, Method::POST, "/v1/verifications", Some(plain)).await.json();
    let events = async || ask(&world, API_KEY, Method::GET, "/v1/events?limit=100", None).await.json();
    let types = [
        "verification.started",
        "verification.sent",
        "verification.failed",
        "verification.canceled",
        "session.ended",
    ];
    let of = |events: &Value, verification: &str| -> Vec<Value> {
        let all = events["events"].as_array().unwrap().iter();
        all.filter(|event| event["data"]["verification"] == verification).cloned().collect()
    };
    eventually("each is told", async || of(&events().await, &of_session).len() >= types.len()).await;
    let told = events().await;
    let of_session = of(&told, &of_session);
    for wanted in types {
        let event = of_session
            .iter()
            .find(|event| event["type"] == wanted)
            .unwrap_or_else(|| panic!("{wanted} in {told}"));
        let data = &event["data"];
        assert_eq!(
            (&data["user"], &data["tags"], &data["session"]),
            (&json!("u-17"), &json!({ "order": "4711" }), &json!(id.to_string())),
            "{event}"
        );
    }
    let by_itself = of(&told, &text(&begun["id"]));
    assert!(!by_itself.is_empty());
    for event in by_itself {
        assert!(event["data"]["session"].is_null() && event["data"]["user"] == "u-17", "{event}");
    }
}
