//! Services by the names that people know, and what is said where nothing has
//! the name that was asked for.

use crate::instance::{Instance, KEY, Setup, text};
use dialback::app::admin;
use reqwest::Method;
use serde_json::json;

const SERVICES: &str =
    r#"{ shop = { name = "The Shop", pages = { return_urls = ["https://shop.example/*"] } } }"#;
const TO: &str = "+15005550006";

async fn app() -> Instance {
    Setup::sandbox().set("SERVICES", SERVICES).start().await
}

async fn id_of(app: &Instance, name: &str) -> String {
    let all = app.get("/v1/services").await.json();
    let mut named = all["services"].as_array().unwrap().iter().filter(|service| service["name"] == name);
    text(&named.next().unwrap()["id"])
}

#[tokio::test]
async fn a_service_goes_by_its_id_its_key_and_its_name_wherever_it_is_named() {
    let app = app().await;
    let (shop, own) = (id_of(&app, "The Shop").await, id_of(&app, "Dialback").await);
    let made = app.post("/v1/services", &json!({ "name": "Bank" })).await;
    assert_eq!(made.status, 201, "the sandbox's key may do at /v1 what it may at /v2: {}", made.text);
    let bank = text(&made.json()["id"]);
    for (nth, (name, id)) in [
        ("shop", &shop),
        ("The Shop", &shop),
        (&shop, &shop),
        ("default", &own),
        (&own, &own),
        ("Bank", &bank),
        (&bank, &bank),
    ]
    .into_iter()
    .enumerate()
    {
        let to = format!("+1555123074{nth}");
        let begun = app.post("/v1/verifications", &json!({ "to": to, "service": name })).await;
        assert_eq!((begun.status, &begun.json()["service"]), (201, &json!(id)), "{name}: {}", begun.text);
        let query = name.replace(' ', "%20");
        let listed = app.get(&format!("/v1/verifications?service={query}")).await.json();
        let all = listed["verifications"].as_array().unwrap();
        assert!(!all.is_empty() && all.iter().all(|one| one["service"] == **id), "{name}: {listed}");
        let key = app.post("/v1/keys", &json!({ "name": "x", "services": [name] })).await;
        assert_eq!(key.json()["services"], json!([id]), "{name}");
        app.learn(text(&key.json()["key"]));
        let looked = app.get(&format!("/v1/services/{query}")).await.json();
        assert_eq!(&looked["id"], id, "{name}");
    }
    let session = json!({ "service": "shop", "return_url": "https://shop.example/x" });
    assert_eq!(app.post("/v1/sessions", &session).await.status, 201);
    for body in
        [json!({ "to": TO, "service": "nobody" }), json!({ "to": TO, "service": format!("VA{:032}", 0) })]
    {
        let told = app.post("/v1/verifications", &body).await.problem(422, "service_not_found");
        assert!(text(&told["detail"]).contains("no service has this id or name"), "{told}");
    }
    app.get("/v1/verifications?service=nobody").await.problem(422, "service_not_found");
    app.post("/v1/keys", &json!({ "name": "x", "services": ["nobody"] }))
        .await
        .problem(422, "service_not_found");
    // Two of one name are told apart by their ids.
    app.post("/v1/services", &json!({ "name": "Bank" })).await;
    let told = app.post("/v1/verifications", &json!({ "to": TO, "service": "Bank" })).await;
    assert!(text(&told.problem(422, "invalid_request")["detail"]).contains("several have this name"));
}

/// Whoever has a key of one service hears of no other by its name.
#[tokio::test]
async fn a_key_of_some_services_knows_the_names_of_these_alone() {
    let app = app().await;
    let made = app.post("/v1/keys", &json!({ "name": "bound", "services": ["default"] })).await.json();
    let key = text(&made["key"]);
    app.learn(key.clone());
    for name in ["shop", "The Shop"] {
        let body = json!({ "to": TO, "service": name });
        let told = app.ask(&key, Method::POST, "/v1/verifications", Some(&body)).await;
        told.problem(422, "service_not_found");
    }
    let body = json!({ "to": TO, "service": "default" });
    assert_eq!(app.ask(&key, Method::POST, "/v1/verifications", Some(&body)).await.status, 201);
}

#[tokio::test]
async fn what_is_not_there_is_named_for_what_it_is() {
    let app = app().await;
    let hex = "0".repeat(32);
    for (path, said) in [
        (format!("verifications/VE{hex}"), "no verification has this id"),
        (format!("deliveries/SM{hex}"), "no delivery has this name"),
        (format!("services/VA{hex}"), "no service has this id or name"),
        ("keys/000000000000".to_owned(), "no API key has this id"),
        (format!("endpoints/EP{hex}"), "no endpoint has this id"),
        (format!("events/EV{hex}"), "no event has this id"),
        (format!("erasures/ER{hex}"), "no erasure has this id"),
        (format!("opt-outs/{TO}"), "this number has said nothing"),
    ] {
        let told = app.get(&format!("/v1/{path}")).await.problem(404, "not_found");
        assert!(text(&told["detail"]).contains(said), "{path}: {told}");
    }
    let told = app.ask(KEY, Method::DELETE, &format!("/v1/sessions/PS{hex}"), None).await;
    assert!(text(&told.problem(404, "not_found")["detail"]).contains("no session has this id"));
}

/// A filter that can be no number finds nothing because it is wrong.
#[tokio::test]
async fn what_is_no_number_is_no_filter() {
    let app = app().await;
    for list in ["verifications", "deliveries"] {
        for to in ["abc", "x", "12", "whatsapp:abc", "%2B1", "12345678901234567890", "+"] {
            let told = app.get(&format!("/v1/{list}?to={to}")).await;
            let problem = told.problem(422, "invalid_number");
            assert!(!problem["reason"].is_null(), "{list} {to}: {problem}");
        }
        assert_eq!(app.get(&format!("/v1/{list}?to=%2B15005550006")).await.status, 200);
    }
    app.get("/v1/verifications?to=12345").await.problem(422, "invalid_number");
    assert_eq!(app.get("/v1/deliveries?to=12345").await.status, 200, "a short code");
    assert_eq!(app.get("/v1/deliveries?to=rcs:brand_agent").await.status, 200);
}

/// Twilio lets a service's name have 32 characters.
#[tokio::test]
async fn names_are_as_long_as_at_twilio() {
    let app = app().await;
    for length in [1, 30, 31, 32, 33] {
        let name = "n".repeat(length);
        let request =
            app.http.post(format!("{}/v2/Services", app.server)).basic_auth(&app.account, Some(KEY));
        let form = crate::wire::form(&[("FriendlyName", &name)]);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let made = crate::wire::answer(request).await;
        assert_eq!(made.status, if length > 32 { 400 } else { 201 }, "{length}: {}", made.text);
        let own = app.post("/v1/services", &json!({ "name": name })).await;
        assert_eq!(own.status, if length > 32 { 422 } else { 201 }, "{length}: {}", own.text);
        let to = format!("+155512307{length:02}");
        let one = app.post("/v1/verifications", &json!({ "to": to, "friendly_name": name })).await;
        assert_eq!(one.status, if length > 32 { 422 } else { 201 }, "{length}: {}", one.text);
    }
}

/// In many countries a number has as few digits as other countries' short codes.
#[tokio::test]
async fn a_national_number_of_few_digits_is_found_by_them() {
    let app = Setup::sandbox().set("NUMBERS__DEFAULT_REGION", "NO").start().await;
    let begun = app.post("/v1/verifications", &json!({ "to": "91234567" })).await.json();
    assert_eq!(begun["to"], "+4791234567");
    for list in ["verifications", "deliveries"] {
        let found = app.get(&format!("/v1/{list}?to=91234567")).await.json();
        assert_eq!(found[list].as_array().map(Vec::len), Some(1), "{list}: {found}");
    }
    let wish = json!({ "opted_out": true });
    let kept = app.ask(KEY, Method::PUT, "/v1/opt-outs/91234567", Some(&wish)).await;
    assert!(kept.status < 300, "{}", kept.text);
    assert_eq!(app.get("/v1/deliveries?to=12345").await.status, 200, "a short code");
}

/// Two processes on one store: what one makes, renames and deletes the other finds.
#[tokio::test]
async fn a_service_is_found_by_its_name_among_many_and_after_others_wrote() {
    use dialback::model::audit::Actor;
    use dialback::model::key::ServiceSet;
    let store = std::sync::Arc::new(dialback::store::memory::Memory::new());
    let one = crate::world::World::over(store.clone()).await;
    let other = crate::world::World::over(store).await;
    let named = |name: &str| serde_json::Map::from_iter([("name".to_owned(), serde_json::json!(name))]);
    let first = admin::create_service(&one.app.directory, &Actor::operator(), named("First"))
        .await
        .unwrap()
        .id
        .clone();
    for n in 0..1200 {
        admin::create_service(&one.app.directory, &Actor::operator(), named(&format!("Shop {}", n % 100)))
            .await
            .unwrap();
    }
    let theirs = other.app.seen_by(ServiceSet::all(), Actor::operator());
    let find = async |name: &str| theirs.service_named(Some(name.to_owned())).await;
    assert_eq!(find("First").await.unwrap(), Some(first.clone()));
    assert!(find("Shop 7").await.unwrap_err().to_string().contains("several"));
    // Made since: found at once.
    let new =
        admin::create_service(&one.app.directory, &Actor::operator(), named("New")).await.unwrap().id.clone();
    assert_eq!(find("New").await.unwrap(), Some(new.clone()));
    // Renamed and deleted since: by the old name at once no more, by the new one in a moment.
    admin::change_service(&one.app.directory, &Actor::operator(), &first, named("Renamed")).await.unwrap();
    assert!(find("First").await.is_err());
    other.clock.advance(std::time::Duration::from_secs(3));
    assert_eq!(find("Renamed").await.unwrap(), Some(first));
    admin::delete_service(&one.app.directory, &Actor::operator(), &new).await.unwrap();
    assert!(find("New").await.is_err());
}
