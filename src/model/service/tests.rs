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
