//! What a service's settings may be.

use super::*;
use serde_json::json;

fn changed(changes: Value) -> Result<Settings, String> {
    let Value::Object(changes) = changes else { panic!("an object") };
    Settings::default().with(changes).map_err(|error| error.to_string())
}

#[test]
fn a_setting_is_changed_and_the_others_stay() {
    let settings = changed(json!({ "name": "Shop", "channels": ["call", "sms"] })).unwrap();
    assert_eq!(settings.name, "Shop");
    assert_eq!(settings.channels, [Channel::Call, Channel::Sms]);
    assert_eq!(settings.max_checks, Settings::default().max_checks);
}

#[test]
fn a_cooldown_is_set_by_whoever_names_it_though_it_be_as_usual() {
    let unset = Settings::default();
    assert!(!unset.sets_cooldown() && !changed(json!({ "name": "Shop" })).unwrap().sets_cooldown());
    let set = changed(json!({ "resend_cooldown_seconds": unset.resend_cooldown_seconds })).unwrap();
    let renamed = set.with(Map::from_iter([("name".to_owned(), json!("Shop"))])).unwrap();
    assert!(set.sets_cooldown() && renamed.sets_cooldown() && set.all() == unset.all());
    // As it is stored: with a word where the spans alone do not show it.
    let stored = |settings: &Settings| serde_json::to_value(settings).unwrap();
    assert_eq!(stored(&set)["resend_cooldown_is_set"], true);
    assert_eq!(stored(&unset).get("resend_cooldown_is_set"), None);
    let read = |stored: Value| serde_json::from_value::<Settings>(stored).unwrap();
    assert!(read(stored(&set)).sets_cooldown() && !read(stored(&unset)).sets_cooldown());
    let mut before = stored(&unset);
    before["resend_cooldown_seconds"] = json!([30]);
    assert!(read(before).sets_cooldown(), "what older versions stored otherwise was set");
    let told = changed(json!({ "resend_cooldown_is_set": true })).unwrap_err();
    assert!(told.contains("there is no such setting"), "{told}");
}

#[test]
fn a_mistake_is_named_and_its_value_is_not_repeated() {
    let rows = [
        (json!({ "nam": "x" }), "nam: there is no such setting"),
        (json!({ "name": "314159 secret" }), "name: has no more than 4 digits in a row"),
        (json!({ "code_length": 3 }), "code_length: is a whole number from 4 to 10"),
        (json!({ "code_length": "314159" }), "code_length: has to be u8"),
        (json!({ "code_alphabet": "00112233" }), "code_alphabet: has 8 to 36 different"),
        (json!({ "channels": [] }), "channels: names each channel once"),
        (json!({ "channels": ["fax"] }), "channels: unknown variant"),
        (json!({ "countries": { "sms": { "allow": ["Germany"] } } }), "countries.sms: has ISO 3166"),
        (json!({ "domain": "https://example.com" }), "domain: is a host name alone"),
        (json!({ "messaging_service_sid": "MG1" }), "messaging_service_sid: is MG and 32"),
        (json!({ "resend_cooldown_seconds": [] }), "resend_cooldown_seconds: has 1 to 20 spans"),
        (json!({ "pages": { "colour": "red" } }), "pages.colour: is written like"),
    ];
    for (changes, expected) in rows {
        let told = changed(changes).unwrap_err();
        assert!(told.contains(expected) && !told.contains("314159"), "{told}");
    }
}

#[test]
fn countries_are_allowed_refused_and_watched_per_channel() {
    let countries = json!({ "sms": { "allow": ["DE", "GB"], "refuse": ["GB"], "watch": ["DE"] } });
    let settings = changed(json!({ "countries": countries })).unwrap();
    let service = Service {
        id: ServiceId::from_name("x"),
        settings,
        origin: Origin::Api,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    let reach = |channel, number: &str| service.reach(channel, &number.parse().unwrap());
    assert_eq!(reach(Channel::Sms, "+4915123456789"), Reach::Watched);
    assert_eq!(reach(Channel::Sms, "+447400123456"), Reach::No);
    assert_eq!(reach(Channel::Sms, "+14155552671"), Reach::No);
    assert_eq!(reach(Channel::Call, "+14155552671"), Reach::Yes);
    assert_eq!(service.channels_for(&"+14155552671".parse().unwrap()), [Channel::Call]);
}

#[test]
fn a_service_says_what_is_done_about_a_code_and_never_against_a_wish() {
    let told = |remedies: Value| changed(json!({ "remedies": remedies }));
    let settings = told(json!({ "30003": "stop", "7": "again" })).unwrap();
    let service = Service {
        id: ServiceId::from_name(""),
        settings,
        origin: Origin::Api,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    let kept: Service = serde_json::from_value(serde_json::to_value(&service).unwrap()).unwrap();
    assert_eq!(kept, service);
    let code = 30 * 1000 + 3;
    assert_eq!(service.remedy(code, Remedy::NextChannel), Remedy::Stop);
    assert_eq!(service.remedy(code, Remedy::OptOut), Remedy::OptOut);
    assert_eq!(service.remedy(code + 1, Remedy::NextChannel), Remedy::NextChannel);
    for wrong in ["0", "07", "-1", "123456", "x", ""] {
        let told = told(json!({ wrong: "stop" })).unwrap_err();
        assert!(told.starts_with(&format!("remedies.{wrong}: is named by a code")), "{told}");
    }
    let many = |count: u32| (1..=count).map(|code| (code.to_string(), json!("stop"))).collect::<Map<_, _>>();
    assert!(told(Value::Object(many(100))).is_ok());
    assert_eq!(told(Value::Object(many(101))).unwrap_err(), "remedies: has at most 100 codes");
    assert!(told(json!({ "30003": "hope" })).is_err());
}
