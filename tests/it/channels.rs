//! The table of channels: what `GET /v1/channels` says is what a start then says, it says
//! nothing about persons, and channels are called as language and service have it.

use crate::instance::Setup;
use crate::wire::{Answer, answer, text, with_json};
use crate::world::{API_KEY, World};
use dialback::app::admin;
use dialback::app::admission::{self, NewEntry};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::key::{Access, Scope, ServiceSet};
use dialback::model::lists::{Effect, Target};
use dialback::model::service::{Countries, OnVoip, Settings};
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OFFERED: &str = "";
const NO_CHANNEL: &str = "channel_not_offered";
const NO_COUNTRY: &str = "country_not_offered";
const NO_NUMBER: &str = "invalid_number";

fn http() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn asked(world: &World, key: &str, query: &[(&str, &str)]) -> Answer {
    answer(http().get(format!("{}/v1/channels", world.base_url)).query(query).bearer_auth(key)).await
}

async fn told(world: &World, query: &[(&str, &str)]) -> Value {
    let told = asked(world, API_KEY, query).await;
    assert_eq!(told.status, 200, "{query:?}: {}", told.text);
    told.json()
}

/// What is said of a channel: its code, or nothing where it is offered.
fn code_of(told: &Value, channel: Channel) -> (String, Value) {
    let all = told["channels"].as_array().unwrap();
    let one = all.iter().find(|one| one["channel"] == channel.as_str()).unwrap();
    assert_eq!(one["offered"], one["reason"].is_null(), "{one}");
    (one["reason"]["code"].as_str().unwrap_or(OFFERED).to_owned(), one["reason"]["detail"].clone())
}

async fn started(world: &World, to: &str, channel: Channel) -> (String, Value) {
    let request = http().post(format!("{}/v1/verifications", world.base_url)).bearer_auth(API_KEY);
    let told = answer(with_json(request, &json!({ "to": to, "channel": channel }))).await;
    match told.status {
        201 => (OFFERED.to_owned(), Value::Null),
        _ => (text(&told.json()["code"]), told.json()["detail"].clone()),
    }
}

fn all_channels(settings: &mut Settings) {
    settings.channels = vec![Channel::Whatsapp, Channel::Sms, Channel::Call];
    settings.whatsapp_from = Some("+15005550006".to_owned());
}

fn refuse(settings: &mut Settings, channels: &[Channel]) {
    all_channels(settings);
    for channel in channels {
        let own = Countries { refuse: vec!["DE".to_owned()], ..Countries::default() };
        settings.countries.insert(*channel, own);
    }
}

/// A service, a number, and what is said of texts, calls and WhatsApp.
struct Row {
    what: &'static str,
    settings: fn(&mut Settings),
    /// All but its last digit, which differs from channel to channel.
    to: &'static str,
    /// The country, where that says as much as the number.
    country: Option<&'static str>,
    expected: [&'static str; 3],
}

const MOBILE: &str = "+491512345678";
const LANDLINE: &str = "+493012345";

const ROWS: [Row; 11] = [
    Row {
        what: "all offered",
        settings: all_channels,
        to: MOBILE,
        country: Some("DE"),
        expected: [OFFERED, OFFERED, OFFERED],
    },
    Row {
        what: "texts refused in the country",
        settings: |settings| refuse(settings, &[Channel::Sms]),
        to: MOBILE,
        country: Some("DE"),
        expected: [NO_COUNTRY, OFFERED, OFFERED],
    },
    Row {
        what: "calls refused in the country",
        settings: |settings| refuse(settings, &[Channel::Call]),
        to: MOBILE,
        country: Some("DE"),
        expected: [OFFERED, NO_COUNTRY, OFFERED],
    },
    Row {
        what: "WhatsApp refused in the country",
        settings: |settings| refuse(settings, &[Channel::Whatsapp]),
        to: MOBILE,
        country: Some("DE"),
        expected: [OFFERED, OFFERED, NO_COUNTRY],
    },
    Row {
        what: "everything refused in another country",
        settings: |settings| refuse(settings, &Channel::ALL),
        to: "+4366412345",
        country: Some("AT"),
        expected: [OFFERED, OFFERED, OFFERED],
    },
    Row {
        what: "nobody to send as by WhatsApp",
        settings: |settings| {
            all_channels(settings);
            settings.whatsapp_from = None;
        },
        to: MOBILE,
        country: Some("DE"),
        expected: [OFFERED, OFFERED, NO_CHANNEL],
    },
    Row {
        what: "texts alone",
        settings: |settings| settings.channels = vec![Channel::Sms],
        to: MOBILE,
        country: Some("DE"),
        expected: [OFFERED, NO_CHANNEL, NO_CHANNEL],
    },
    Row {
        what: "WhatsApp off and refused in the country",
        settings: |settings| {
            refuse(settings, &[Channel::Whatsapp]);
            settings.channels = vec![Channel::Sms, Channel::Call];
        },
        to: MOBILE,
        country: Some("DE"),
        expected: [OFFERED, OFFERED, NO_CHANNEL],
    },
    Row {
        what: "a landline where these are called alone",
        settings: |settings| {
            all_channels(settings);
            settings.skip_sms_to_landlines = true;
        },
        to: LANDLINE,
        country: None,
        expected: [NO_CHANNEL, OFFERED, NO_CHANNEL],
    },
    Row {
        what: "a landline where that makes no difference",
        settings: all_channels,
        to: LANDLINE,
        country: Some("DE"),
        expected: [OFFERED, OFFERED, OFFERED],
    },
    Row {
        what: "internet telephony where it is refused",
        settings: |settings| {
            all_channels(settings);
            settings.voip = OnVoip::Refuse;
        },
        to: "+44561234567",
        country: None,
        expected: [NO_NUMBER, NO_NUMBER, NO_NUMBER],
    },
];

#[tokio::test]
async fn what_the_table_says_a_start_says_too() {
    for row in ROWS {
        let world = World::with_service(row.settings).await;
        let expected = Channel::ALL.into_iter().zip(row.expected);
        for (digit, (channel, expected)) in expected.enumerate() {
            let to = format!("{}{digit}", row.to);
            let by_number = told(&world, &[("to", &to)]).await;
            let said = code_of(&by_number, channel);
            assert_eq!(said.0, expected, "{}: {channel}: {by_number}", row.what);
            assert_eq!(said, started(&world, &to, channel).await, "{}: a start by {channel}", row.what);
            if let Some(country) = row.country {
                let by_country = told(&world, &[("country", country)]).await;
                assert_eq!(by_country, by_number, "{}", row.what);
            }
        }
    }
}

#[tokio::test]
async fn the_services_channels_come_first_in_their_order() {
    let world =
        World::with_service(|settings| settings.channels = vec![Channel::Call, Channel::Whatsapp]).await;
    let said = told(&world, &[]).await;
    let order: Vec<_> = said["channels"].as_array().unwrap().iter().map(|one| &one["channel"]).collect();
    assert_eq!(order, ["call", "whatsapp", "sms"]);
    let positions: Vec<_> = said["channels"].as_array().unwrap().iter().map(|one| &one["position"]).collect();
    assert_eq!(positions, [1, 2, 3]);
    assert_eq!(said["country"], Value::Null);
    assert_eq!(said["service"], world.app.directory.services.default_service().id.as_str());
}

#[tokio::test]
async fn the_country_of_the_number_goes_before_the_one_that_is_named() {
    let world = World::with_service(|settings| refuse(settings, &[Channel::Sms])).await;
    let offered = |said: &Value| code_of(said, Channel::Sms).0;
    // Nobody has named a country, so none is refused.
    assert_eq!(offered(&told(&world, &[]).await), OFFERED);
    let said = told(&world, &[("country", "AT"), ("to", "+4915123456789")]).await;
    assert_eq!((said["country"].as_str(), offered(&said).as_str()), (Some("DE"), NO_COUNTRY));
    // A plus that was left unencoded.
    let raw = format!("{}/v1/channels?to=+4915123456789", world.base_url);
    let said = answer(http().get(raw).bearer_auth(API_KEY)).await.json();
    assert_eq!(said["country"], "DE");
    for (query, code, field) in [
        (("country", "UK"), "invalid_request", "country"),
        (("country", "de"), "invalid_request", "country"),
        (("country", "AQ"), "invalid_request", "country"),
        (("to", "12"), "invalid_number", "to"),
        (("to", "+4990012345678"), "invalid_number", "to"),
        (("service", "nowhere"), "service_not_found", "service"),
    ] {
        let refused = asked(&world, API_KEY, &[query]).await;
        assert_eq!(refused.problem(422, code)["field"], field, "{query:?}: {}", refused.text);
        let mend = refused.json()["detail"].as_str().unwrap().contains("did you mean");
        assert_eq!(mend, matches!(query.1, "UK" | "de"), "{query:?}: {}", refused.text);
    }
}

#[tokio::test]
async fn nothing_is_said_about_a_person() {
    let world = World::with_service(|settings| refuse(settings, &[Channel::Whatsapp])).await;
    let number = "+4915123456789";
    let before = asked(&world, API_KEY, &[("to", number)]).await;
    assert!(!before.text.contains("15123456789") && !before.text.contains("+49"), "{}", before.text);
    let operator = Actor::operator();
    let block = NewEntry {
        effect: Effect::Block,
        target: Target::Number(number.parse().unwrap()),
        service: None,
        reason: None,
        ends_at: None,
    };
    // It waits for a code, was looked at by every rule, opted out, is allowed, and is blocked.
    assert_eq!(started(&world, number, Channel::Sms).await.0, OFFERED);
    admission::set_opt_out(&world.app.admission, &operator, number, None, true).await.unwrap();
    admission::add_safe_number(&world.app.admission, &operator, number).await.unwrap();
    let seen = asked(&world, API_KEY, &[("to", number)]).await;
    assert_eq!(seen.text, before.text);
    admission::remove_safe_number(&world.app.admission, &operator, number).await.unwrap();
    admission::add_entry(&world.app.admission, &operator, &block).await.unwrap();
    assert_eq!(started(&world, number, Channel::Call).await.0, "blocked");
    let seen = asked(&world, API_KEY, &[("to", number)]).await;
    assert_eq!(seen.text, before.text);
}

#[tokio::test]
async fn channels_are_called_as_the_language_and_the_service_have_it() {
    let world = World::with_service(all_channels).await;
    let called = |said: &Value| {
        let all = said["channels"].as_array().unwrap().iter();
        all.map(|one| format!("{}/{}", text(&one["label"]), text(&one["icon"]))).collect::<Vec<_>>()
    };
    let english = ["WhatsApp/whatsapp", "Text message/message", "Phone call/phone"];
    assert_eq!(called(&told(&world, &[]).await), english);
    let german = ["WhatsApp/whatsapp", "SMS/message", "Anruf/phone"];
    assert_eq!(called(&told(&world, &[("locale", "de-AT")]).await), german);
    let make = async |body: Value| {
        let request = http().post(format!("{}/v1/services", world.base_url)).bearer_auth(API_KEY);
        answer(with_json(request, &body)).await
    };
    let labels = json!({ "call": { "label": "Ring me" }, "sms": { "icon": "fa-solid fa-message" } });
    let made = make(json!({ "name": "Shop", "locale": "de", "channel_labels": labels })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["channel_labels"], labels);
    let own = ["WhatsApp/whatsapp", "SMS/fa-solid fa-message", "Ring me/phone"];
    assert_eq!(called(&told(&world, &[("service", "Shop")]).await), own);
    let own = ["WhatsApp/whatsapp", "Text message/fa-solid fa-message", "Ring me/phone"];
    assert_eq!(called(&told(&world, &[("service", "Shop"), ("locale", "en")]).await), own);
    // Whatever is said in the service's name leads nowhere.
    let evil = json!({ "sms": { "label": "evil.com" } });
    let refused = make(json!({ "name": "Evil", "channel_labels": evil })).await;
    assert_eq!(refused.problem(422, "invalid_request")["field"], "channel_labels.sms.label");
    let allowed = make(json!({ "name": "Fine", "channel_labels": evil, "allow_links": true })).await;
    assert_eq!(allowed.status, 201, "{}", allowed.text);
}

#[tokio::test]
async fn a_file_names_channels_and_a_language_without_texts_is_refused() {
    let labels = "{ sms = { label = \"Texto\", icon = \"sms\" } }";
    let app = Setup::sandbox()
        .set("SERVICES", &format!("{{ default = {{ channel_labels = {labels} }} }}"))
        .start()
        .await;
    let said = app.get("/v1/channels?locale=de&country=DE").await.json();
    let first = &said["channels"][0];
    assert_eq!((&first["label"], &first["icon"]), (&json!("Texto"), &json!("sms")), "{said}");
    assert_eq!(said["channels"][1]["label"], "Anruf", "{said}");
    let refused = app.get("/v1/channels?locale=xx").await;
    assert_eq!(refused.problem(422, "invalid_request")["field"], "locale");
}

#[tokio::test]
async fn a_key_sees_the_channels_of_its_services_if_it_may_send() {
    let world = World::start().await;
    let (own, other) = (json!({ "name": "Own" }), json!({ "name": "Other" }));
    let make = async |body: &Value| {
        let body = body.as_object().unwrap().clone();
        admin::create_service(&world.app.directory, &Actor::operator(), body).await.unwrap().id.clone()
    };
    let (own, other) = (make(&own).await, make(&other).await);
    let key = async |scope, services| {
        let access = Access { scopes: BTreeSet::from([scope]), services };
        let made = admin::create_key(&world.app.directory, &Actor::operator(), "a test's", access).await;
        made.unwrap().1.expose().to_owned()
    };
    let bound = key(Scope::Send, ServiceSet::of(BTreeSet::from([own.clone()]))).await;
    assert_eq!(asked(&world, &bound, &[]).await.json()["service"], own.as_str());
    assert_eq!(asked(&world, &bound, &[("service", own.as_str())]).await.status, 200);
    for named in [other.as_str(), "default", "Other"] {
        asked(&world, &bound, &[("service", named)]).await.problem(422, "service_not_found");
    }
    let reads = key(Scope::Read, ServiceSet::all()).await;
    asked(&world, &reads, &[]).await.problem(403, "scope_missing");
}
