//! A person's device, as applications name it: over a start and a send again, whichever the
//! way in; who asks again is counted under its own key; and what marks a verification is
//! seen by who administers.

use crate::wire::{Answer, answer, with_form, with_json};
use crate::world::{ACCOUNT_SID, API_KEY, OPERATOR_KEY, World};
use dialback::app::admin;
use dialback::app::admission::{self, Whose};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::key::Scope;
use dialback::model::limits::LimitChanges;
use dialback::model::service::Countries;
use dialback::model::verification::Verification;
use dialback::store::records;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const DEVICE: &str = "installation 7f3a \u{1f4f1}";

/// A world whose service has these limits.
async fn limited(limits: Value) -> World {
    let changes: LimitChanges = serde_json::from_value(limits).unwrap();
    World::with_service(|settings| settings.limits = changes).await
}

async fn v1(world: &World, key: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let http = Client::builder().no_proxy().build().unwrap();
    let request = http.request(method, format!("{}{path}", world.base_url)).bearer_auth(key);
    answer(match body {
        Some(body) => with_json(request, body),
        None => request,
    })
    .await
}

async fn start(world: &World, nth: u32, device: Option<&str>) -> Answer {
    let mut body = json!({ "to": format!("+1415555{nth:04}") });
    if let Some(device) = device {
        body["device_id"] = device.into();
    }
    v1(world, API_KEY, Method::POST, "/v1/verifications", Some(&body)).await
}

async fn stored(world: &World, id: &str) -> Verification {
    records::get::<Verification>(world.app.base.store(), id).await.unwrap().unwrap().record
}

/// The device that starts and the one that is sent to again count alike, and none of it is
/// kept as it was said.
#[tokio::test]
async fn a_device_is_counted_over_starts_and_sends_again() {
    let world = limited(json!({ "device_unverified": ["3/hour"], "flag": [] })).await;
    let mut begun = Vec::new();
    for nth in 1..=3 {
        let started = start(&world, nth, Some(DEVICE)).await;
        assert_eq!(started.status, 201, "{}", started.text);
        begun.push(started.json()["id"].as_str().unwrap().to_owned());
    }
    start(&world, 4, Some(DEVICE)).await.problem(429, "limit_reached");
    assert_eq!(start(&world, 5, Some("another")).await.status, 201);
    let nameless = start(&world, 6, None).await;
    assert_eq!(nameless.status, 201, "who names none is counted under none");
    let of = stored(&world, &begun[0]).await.admitted.unwrap().device;
    let id = nameless.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(stored(&world, &id).await.admitted.unwrap().device, None);
    world.clock.advance(Duration::from_secs(60));
    let body = json!({ "device_id": DEVICE, "device_ip": "192.0.2.7" });
    let path = format!("/v1/verifications/{id}/resend");
    let again = v1(&world, OPERATOR_KEY, Method::POST, &path, Some(&body)).await;
    assert_eq!(again.status, 200, "{}", again.text);
    let admitted = stored(&world, &id).await.admitted.unwrap();
    assert!(admitted.device.is_some() && admitted.device == of && admitted.address.is_some());
    assert_eq!(admitted.key.as_deref(), Some("operator"), "who asks again");
    let used = admission::limits_of(&world.app.admission, &Whose::Key("operator".to_owned())).await.unwrap();
    assert!(used.iter().any(|one| one.rule == "key_sends"), "{used:?}");
    // At rest it is a name that tells nobody's device.
    for kind in [dialback::store::Kind::Verification, dialback::store::Kind::Counter] {
        let store = world.app.base.whole_store();
        for (id, stored) in store.walk(kind, None, 1000).await.unwrap() {
            assert!(!String::from_utf8_lossy(&stored.body).contains("7f3a"), "{id}");
        }
    }
}

#[tokio::test]
async fn verifys_face_names_a_device_by_a_parameter_of_its_own() {
    let world = limited(json!({ "device_unverified": ["1/hour"], "flag": [] })).await;
    let service = world.app.directory.services.default_service().id.to_string();
    let ask = async |to: &str, device: &str| {
        let url = format!("{}/v2/Services/{service}/Verifications", world.base_url);
        let http = Client::builder().no_proxy().build().unwrap();
        let params = [("To", to), ("Channel", "sms"), ("DialbackDeviceId", device)];
        answer(with_form(http.post(url).basic_auth(ACCOUNT_SID, Some(API_KEY)), &params)).await
    };
    let first = ask("+14155550101", DEVICE).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let full = ask("+14155550102", DEVICE).await;
    assert_eq!(full.status, 429, "{}", full.text);
    assert_eq!(ask("+14155550102", "another").await.status, 201);
    let long = ask("+14155550103", &"x".repeat(129)).await;
    assert_eq!((long.status, &long.json()["code"]), (400, &json!(60200)), "{}", long.text);
}

#[tokio::test]
async fn a_device_is_a_text_of_some_length() {
    let world = World::start().await;
    for device in [json!(""), json!("x".repeat(129)), json!(7)] {
        let body = json!({ "to": "+14155550101", "device_id": device });
        v1(&world, API_KEY, Method::POST, "/v1/verifications", Some(&body))
            .await
            .problem(422, "invalid_request");
    }
    assert_eq!(start(&world, 1, Some(&"x".repeat(128))).await.status, 201);
}

/// What marks a verification is seen by keys that administer, and by no other.
#[tokio::test]
async fn flags_are_for_who_administers() {
    let watched = Countries { watch: vec!["US".to_owned()], ..Countries::default() };
    let world = World::with_service(|settings| drop(settings.countries.insert(Channel::Sms, watched))).await;
    let begun = start(&world, 1, None).await.json();
    assert_eq!(begun["flags"], Value::Null, "who starts is told nothing");
    let path = format!("/v1/verifications/{}", begun["id"].as_str().unwrap());
    let seen = async |key: &str| v1(&world, key, Method::GET, &path, None).await.json()["flags"].clone();
    assert_eq!(seen(OPERATOR_KEY).await, json!(["country"]));
    let list = v1(&world, OPERATOR_KEY, Method::GET, "/v1/verifications", None).await.json();
    assert_eq!(list["verifications"][0]["flags"], json!(["country"]));
    let access = BTreeSet::from([Scope::Read, Scope::Send]);
    let made = admin::create_key(&world.app.directory, &Actor::operator(), "reader", access).await;
    assert_eq!(seen(made.unwrap().1.expose()).await, Value::Null);
}
