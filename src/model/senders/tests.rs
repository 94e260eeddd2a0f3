//! In which order senders are taken, and whose share is how much.

use super::*;
use crate::model::service::{Origin, Settings};
use jiff::Timestamp;
use std::collections::BTreeMap;

const POOL: &str = "MG0123456789abcdef0123456789abcdef";

fn service(key: &str, change: impl FnOnce(&mut Settings)) -> Service {
    let mut settings = Settings::default();
    change(&mut settings);
    Service {
        id: ServiceId::from_name(key),
        settings,
        origin: Origin::Api,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

fn sender(name: &str) -> Sender {
    Sender {
        route: Route::of(name),
        channels: usual_channels(name),
        countries: Vec::new(),
        services: Vec::new(),
        weight: 1,
    }
}

fn of_country(name: &str, country: &str) -> Sender {
    Sender { countries: vec![country.to_owned()], ..sender(name) }
}

fn of_service(name: &str, key: &str) -> Sender {
    Sender { services: vec![ServiceId::from_name(key)], ..sender(name) }
}

fn number(text: &str) -> PhoneNumber {
    text.parse().unwrap()
}

fn told(senders: &Senders, service: &Service, channel: Channel, to: &str) -> String {
    let routes = senders.routes(service, channel, &number(to));
    routes.iter().map(|route| route.sender.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn who_is_meant_for_a_request_comes_before_who_is_for_all() {
    let list = vec![
        sender("+15005550001"),
        of_country("+4915200000001", "DE"),
        of_service("12345", "shop"),
        Sender { services: vec![ServiceId::from_name("shop")], ..of_country("Acme", "DE") },
        Sender { channels: vec![Channel::Whatsapp], ..sender(POOL) },
        sender("whatsapp:+15005550009"),
    ];
    let senders = Senders::new(list, Some("+15005550006".into()), Some("+15005550006".into()));
    let (shop, other) = (service("shop", |_| ()), service("other", |_| ()));
    let (german, american) = ("+4915123456789", "+14155550123");
    for (of, channel, to, expected) in [
        (&shop, Channel::Sms, german, "Acme 12345 +4915200000001 +15005550001 +15005550006"),
        (&shop, Channel::Sms, american, "12345 +15005550001 +15005550006"),
        (&other, Channel::Sms, german, "+4915200000001 +15005550001 +15005550006"),
        (&other, Channel::Sms, american, "+15005550001 +15005550006"),
        (&other, Channel::Call, german, "+4915200000001 +15005550001 +15005550006"),
        (&shop, Channel::Call, american, "+15005550001 +15005550006"),
    ] {
        assert_eq!(told(&senders, of, channel, to), expected, "{channel} to {to}");
    }
    let whatsapp = senders.routes(&other, Channel::Whatsapp, &number(german));
    assert_eq!(whatsapp.len(), 2, "the usual one is no sender of WhatsApp: {whatsapp:?}");
}

#[test]
fn a_service_s_own_sender_is_its_first_and_others_follow_only_if_they_are_its() {
    let list = vec![
        sender("+15005550001"),
        of_service("+15005550002", "shop"),
        Sender { route: Route { sender: "12345".into(), account: Some("AC2".into()) }, ..sender("12345") },
    ];
    let senders = Senders::new(list, Some("+15005550006".into()), None);
    let own = |settings: &mut Settings| settings.from = Some("12345".to_owned());
    let routes = senders.routes(&service("shop", own), Channel::Sms, &number("+14155550123"));
    let expected = [Route { sender: "12345".into(), account: Some("AC2".into()) }, Route::of("+15005550002")];
    assert_eq!(routes, expected, "the account of its own sender is that of the list");
    assert_eq!(told(&senders, &service("other", own), Channel::Sms, "+14155550123"), "12345");
    // A short code calls nobody, so calls are the list's.
    let calls = told(&senders, &service("shop", own), Channel::Call, "+14155550123");
    assert!(calls.starts_with("+15005550002 +15005550001"), "{calls}");
}

#[test]
fn a_number_is_one_sender_on_every_channel_and_each_has_its_account() {
    let listed = Sender {
        route: Route { sender: "+15005550001".into(), account: Some("AC2".into()) },
        ..sender("+15005550001")
    };
    let senders =
        Senders::new(vec![listed, sender("+15005550002")], None, None).of_account(Some("AC1".into()));
    let own = |settings: &mut Settings| settings.whatsapp_from = Some("+15005550001".to_owned());
    let routes = senders.routes(&service("shop", own), Channel::Whatsapp, &number("+14155550123"));
    let expected = Route { sender: "whatsapp:+15005550001".into(), account: Some("AC2".into()) };
    assert_eq!(routes, [expected]);
    let by_main = |route: &Route| route.sender == "+15005550002" && route.account.as_deref() == Some("AC1");
    let all = senders.routes(&service("", |_| ()), Channel::Sms, &number("+14155550123"));
    assert!(all.iter().any(by_main), "{all:?}");
}

#[test]
fn the_accounts_of_a_channel_are_those_that_may_send_by_it() {
    let of = |name: &str, account: &str| Sender {
        route: Route { sender: name.into(), account: Some(account.into()) },
        ..sender(name)
    };
    let list = vec![of("whatsapp:+15005550001", "AC2"), of("+15005550002", "AC3")];
    let senders = Senders::new(list, Some(POOL.into()), None).of_account(Some("AC1".into()));
    let accounts = |change: fn(&mut Settings)| {
        let all = senders.accounts(&service("shop", change), Channel::Whatsapp);
        all.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(accounts(|_| ()), "AC1 AC2", "a messaging service takes WhatsApp, too");
    assert_eq!(accounts(|settings| settings.whatsapp_from = Some("+15005550002".to_owned())), "AC3");
    assert_eq!(accounts(|settings| settings.whatsapp_from = Some("+15005550009".to_owned())), "AC1");
}

#[test]
fn without_a_list_there_is_no_choice() {
    let senders = Senders::new(Vec::new(), Some("+15005550006".into()), None);
    let (plain, to) = (service("", |_| ()), number("+14155550123"));
    assert!(senders.routes(&plain, Channel::Sms, &to).is_empty() && !senders.is_list());
    assert_eq!(senders.first(&plain, Channel::Sms, &to).as_deref(), Some("+15005550006"));
    assert_eq!(senders.first(&plain, Channel::Whatsapp, &to), None);
    let own = service("", |settings| settings.whatsapp_from = Some("+15005550007".to_owned()));
    assert_eq!(senders.first(&own, Channel::Whatsapp, &to).as_deref(), Some("whatsapp:+15005550007"));
    assert!(
        senders.has_any(&own, Channel::Whatsapp, &to) && !senders.has_any(&plain, Channel::Whatsapp, &to)
    );
    assert!(Senders::default().has_any(&plain, Channel::Whatsapp, &to), "what sends knows its own");
    let foreign = Senders::new(vec![of_country("+4915200000001", "DE")], None, None);
    assert!(!foreign.has_any(&plain, Channel::Sms, &to));
    assert!(foreign.has_any(&plain, Channel::Sms, &number("+4915123456789")));
}

fn people() -> impl Iterator<Item = PhoneNumber> {
    (0..4000).map(|n| number(&format!("+1415555{n:04}")))
}

fn first_of(senders: &Senders, to: &PhoneNumber) -> String {
    senders.routes(&service("", |_| ()), Channel::Sms, to)[0].sender.clone()
}

#[test]
fn equals_share_people_by_their_weight() {
    let weights = [("+15005550001", 1), ("+15005550002", 2), ("+15005550003", 5)];
    let list = weights.map(|(name, weight)| Sender { weight, ..sender(name) });
    let senders = Senders::new(list.into(), None, None);
    let mut shares: BTreeMap<String, f64> = BTreeMap::new();
    for to in people() {
        *shares.entry(first_of(&senders, &to)).or_default() += 1.0 / 4000.0;
    }
    for (name, weight) in weights {
        let expected = f64::from(weight) / 8.0;
        assert!((shares[name] - expected).abs() < 0.03, "{name}: {} of {expected}", shares[name]);
    }
}

#[test]
fn a_person_keeps_their_sender_though_another_one_leaves_the_list() {
    let all: Vec<Sender> = (1..=5).map(|n| sender(&format!("+1500555000{n}"))).collect();
    let before = Senders::new(all.clone(), None, None);
    let after = Senders::new(all[..4].to_vec(), None, None);
    for to in people().take(500) {
        let was = first_of(&before, &to);
        assert_eq!(first_of(&before, &to), was);
        if was != "+15005550005" {
            assert_eq!(first_of(&after, &to), was);
        }
    }
    // Three plans have two spellings of one line: a person is one.
    assert_eq!(first_of(&before, &number("+5215512345678")), first_of(&before, &number("+525512345678")));
}
