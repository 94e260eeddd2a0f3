//! Budgets: money and calls that nobody asked for, over processes that race; what goes
//! back; and who is told first.

use crate::engines::over_each_engine;
use crate::support::{Engine, Script, World, parts, request};
use dialback::app::admission::{self, AdmissionError, Whose};
use dialback::app::services::ServiceDirectory;
use dialback::app::verification::{self, Again, StartRequest, VerificationError};
use dialback::app::{App, Parts};
use dialback::clock::Clock;
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::counter::Counter;
use dialback::model::limits::{LimitChanges, Limits, Used};
use dialback::model::service::Settings;
use dialback::model::verification::{SendState, Verification};
use dialback::store::memory::Memory;
use dialback::store::{Maintenance, records};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

/// What a text to the country of the tests costs, in millionths of a dollar.
const TEXT: u64 = 7_900;

over_each_engine![no_race_exceeds_a_budget, one_of_many_processes_tells_that_a_budget_is_reached];

/// Three processes and 64 clients at a time: no more is spent than may be, others hear of
/// the limit and of no race, and no more is held back than a block of each process.
async fn no_race_exceeds_a_budget(engine: Engine) {
    let world = World::new(engine);
    // 300 texts; a block of one per cent is three of them.
    let apps = three(&world, json!({ "country_money": ["2.37/day"] }));
    let (mut begun, mut nth) = (0, 0);
    for _ in 0..6 {
        let mut asking = JoinSet::new();
        for _ in 0..64 {
            nth += 1;
            let (app, to) = (apps[nth % 3].clone(), format!("+1415555{nth:04}"));
            asking.spawn(async move { start(&app, &to, Some(Channel::Sms)).await });
        }
        for answer in asking.join_all().await {
            match answer {
                Ok(_) => begun += 1,
                Err(error) => assert_eq!(refused_by(&error), Some("country_money"), "{error:?}"),
            }
        }
    }
    assert!((300 - 9..=300).contains(&begun), "{begun}: a block of each process may be left");
    let spent: u64 = all::<Verification>(&world.store).await.iter().map(|one| one.sends[0].micros).sum();
    assert_eq!(spent, begun * TEXT);
    let [used] = &used_of(&apps[0], "US").await[..] else { panic!() };
    assert!((spent..=2_370_000).contains(&used.used), "{used:?}");
    let shown = used.dollars.clone().unwrap();
    assert_eq!((shown.max.as_deref(), &*used.rule), (Some("2.37"), "country_money"));
    assert!(start(&apps[0], "+4915112345678", Some(Channel::Sms)).await.is_ok(), "another country");
    // What is left of blocks goes back as a whole.
    for app in &apps {
        app.admission.limiting.close(&app.base).await;
    }
    assert_eq!(used_of(&apps[1], "US").await[0].used, spent);
}

/// The first refusal in a window is known to be the first, over all processes; and anew
/// once somebody has reset the budget.
async fn one_of_many_processes_tells_that_a_budget_is_reached(engine: Engine) {
    let world = World::new(engine);
    let apps = three(&world, json!({ "country_money": ["0.01/day"], "whole_money": ["100/day"] }));
    assert!(start(&apps[0], "+14155550001", Some(Channel::Sms)).await.is_ok());
    for _ in 0..2 {
        let mut asking = JoinSet::new();
        for nth in 0..24 {
            let (app, to) = (apps[nth % 3].clone(), format!("+1415555{:04}", nth + 10));
            asking.spawn(async move { start(&app, &to, Some(Channel::Sms)).await });
        }
        for answer in asking.join_all().await {
            assert_eq!(refused_by(&answer.unwrap_err()), Some("country_money"));
        }
        assert_eq!(told(&world).await, ["budget:86400:country_money"]);
    }
    let country = Whose::Country("US".to_owned());
    assert!(admission::reset_limits(&apps[0].admission, &Actor::operator(), &country).await.unwrap());
    assert_eq!(told(&world).await, Vec::<String>::new());
    assert!(start(&apps[0], "+14155550002", Some(Channel::Sms)).await.is_ok());
    assert!(start(&apps[0], "+14155550003", Some(Channel::Sms)).await.is_err());
    assert_eq!(told(&world).await, ["budget:86400:country_money"]);
}

/// Money is counted beside sends in one counter: neither takes the other for its own.
#[tokio::test]
async fn the_same_number_of_sends_and_of_millionths_are_two_limits() {
    let world = World::new(Engine::Memory);
    let apps = three(&world, json!({ "country_money": ["100/day"], "country_sends": ["100000000/day"] }));
    for nth in 0..3 {
        start(&apps[0], &format!("+1415555{nth:04}"), Some(Channel::Sms)).await.unwrap();
    }
    apps[0].admission.limiting.close(&apps[0].base).await;
    let used: Vec<_> = used_of(&apps[0], "US").await.into_iter().map(|one| (one.rule, one.used)).collect();
    assert_eq!(used, [("country_money".to_owned(), 3 * TEXT), ("country_sends".to_owned(), 3)]);
}

/// Each budget refuses by its name, whatever the way in.
#[tokio::test]
async fn every_budget_refuses_what_it_has_no_room_for() {
    for (rule, max) in [("whole_money", "0.016"), ("country_money", "0.016"), ("service_money", "0.016")] {
        let world = World::new(Engine::Memory);
        let app = &three(&world, json!({ rule: [format!("{max}/hour")] }))[0];
        for nth in 0..2 {
            start(app, &format!("+1415555{nth:04}"), Some(Channel::Sms)).await.unwrap();
        }
        let error = start(app, "+14155550009", Some(Channel::Sms)).await.unwrap_err();
        assert_eq!(refused_by(&error), Some(rule), "{error:?}");
        let error = start(app, "+14155550009", Some(Channel::Call)).await.unwrap_err();
        assert_eq!(refused_by(&error), Some(rule), "a call costs, too");
        world.clock.advance(std::time::Duration::from_secs(7200));
        assert!(start(app, "+14155550009", Some(Channel::Sms)).await.is_ok());
    }
}

/// What certainly never left goes back at the price that was counted; approval gives
/// nothing back.
#[tokio::test]
async fn money_goes_back_for_what_never_left_alone() {
    let world = World::new(Engine::Memory);
    let app = &three(&world, json!({ "country_money": ["10/day"], "country_calls": ["5/day"] }))[0];
    let begun = start(app, "+14155550001", Some(Channel::Sms)).await.unwrap();
    assert_eq!(used_of(app, "US").await[0].used, 100_000, "a block");
    verification::cancel(&app.admission, &begun.id).await.unwrap();
    app.admission.limiting.close(&app.base).await;
    assert_eq!(used_of(app, "US").await, []);

    let begun = start(app, "+14155550002", Some(Channel::Sms)).await.unwrap();
    left(app, &begun).await;
    verification::cancel(&app.admission, &begun.id).await.unwrap();
    app.admission.limiting.close(&app.base).await;
    assert_eq!(used_of(app, "US").await[0].used, TEXT);
}

/// A call that nobody asked for by name counts, and one that somebody did does not; sent
/// again it is what it was, unless somebody names it now.
#[tokio::test]
async fn calls_that_nobody_asked_for_are_few() {
    let app = calling(&[Channel::Call, Channel::Sms], json!({ "country_calls": ["2/day"] }));
    let first = start(&app, "+14155550001", None).await.unwrap();
    assert_eq!((first.channel(), first.sends[0].unasked), (Channel::Call, true));
    for nth in 2..6 {
        let asked = start(&app, &format!("+1415555{nth:04}"), Some(Channel::Call)).await.unwrap();
        assert!(!asked.sends[0].unasked);
    }
    left(&app, &first).await;
    app.base.clock.advance(std::time::Duration::from_secs(60));
    let again = verification::resend(&app.verifying, &first.id, &Again::default(), &|_| true).await.unwrap();
    assert!(again.verification.sends[1].unasked, "nobody has asked for it since");
    let error = start(&app, "+14155550007", None).await.unwrap_err();
    assert_eq!(refused_by(&error), Some("country_calls"));
    left(&app, &again.verification).await;
    app.base.clock.advance(std::time::Duration::from_secs(60));
    let named = verification::resend(
        &app.verifying,
        &first.id,
        &Again { channel: Some(Channel::Call), ..Again::default() },
        &|_| true,
    )
    .await;
    assert!(!named.unwrap().verification.sends[2].unasked);
    assert!(start(&app, "+4915112345678", None).await.is_ok(), "another country");
    // One that never left goes back.
    let error = start(&app, "+14155550008", None).await.unwrap_err();
    assert_eq!(refused_by(&error), Some("country_calls"));
}

#[tokio::test]
async fn an_unasked_call_that_never_left_goes_back() {
    let app = calling(&[Channel::Call], json!({ "country_calls": ["1/day"] }));
    for nth in 0..3 {
        let begun = start(&app, &format!("+1415555{nth:04}"), None).await.unwrap();
        verification::cancel(&app.admission, &begun.id).await.unwrap();
    }
}

/// A limit that refuses a text refuses; it makes no call of it.
#[tokio::test]
async fn no_call_follows_where_a_limit_refused_the_text() {
    for (rule, windows) in [
        ("number_sends", "1/hour"),
        ("country_sends", "1/hour"),
        ("country_money", "0.008/hour"),
        ("whole_sends", "1/hour"),
    ] {
        let app = calling(&[Channel::Sms, Channel::Call], json!({ rule: [windows] }));
        assert_eq!(start(&app, "+14155550001", None).await.unwrap().channel(), Channel::Sms);
        let error = start(&app, "+14155550001", None).await.unwrap_err();
        assert_eq!(refused_by(&error), Some(rule), "{error:?}");
    }
}

/// Three processes on one store, with these limits alone.
fn three(world: &World, limits: Value) -> Vec<Arc<App>> {
    let limits = Limits::none().with(&changes(limits));
    let app = || {
        let parts = parts(&world.store, &world.gateway, &world.clock);
        Arc::new(App::new(Parts { limits: limits.clone(), ..parts }))
    };
    vec![app(), app(), app()]
}

/// An app of a service with these channels.
fn calling(channels: &[Channel], limits: Value) -> App {
    let store: Arc<dyn Maintenance> = Arc::new(Memory::new());
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let parts = parts(&store, &Arc::<Script>::default(), &clock);
    let settings = Settings {
        name: "Dialback".to_owned(),
        channels: channels.to_vec(),
        ..Settings::of_policy(&parts.policy)
    };
    let service = ServiceDirectory::of_file(None, settings, clock.now());
    let services = ServiceDirectory::new(service, Vec::new());
    App::new(Parts { services, limits: Limits::none().with(&changes(limits)), ..parts })
}

async fn start(app: &App, to: &str, channel: Option<Channel>) -> Result<Verification, VerificationError> {
    let asked = StartRequest { channel, ..request(to, Channel::Sms) };
    Ok(verification::start(&app.verifying, asked, None).await?.view.verification)
}

/// All that it has to send has been sent.
async fn left(app: &App, begun: &Verification) {
    let found = records::get::<Verification>(app.base.store(), begun.id.as_str()).await.unwrap().unwrap();
    let mut sent = found.record.clone();
    sent.outbox.clear();
    sent.sends.iter_mut().for_each(|send| send.state = SendState::Accepted);
    records::save(app.base.store(), Some(&found), &sent).await.unwrap();
}

async fn used_of(app: &App, country: &str) -> Vec<Used> {
    admission::limits_of(&app.admission, &Whose::Country(country.to_owned())).await.unwrap()
}

/// Of which budgets somebody was told.
async fn told(world: &World) -> Vec<String> {
    let counters = all::<Counter>(&world.store).await;
    let told =
        counters.iter().flat_map(|counter| &counter.times).filter(|(name, _)| name.starts_with("budget:"));
    told.map(|(name, times)| {
        assert_eq!(times.at.values().sum::<u64>(), 1);
        name.clone()
    })
    .collect()
}

fn changes(json: Value) -> LimitChanges {
    serde_json::from_value(json).unwrap()
}

fn refused_by(error: &VerificationError) -> Option<&str> {
    match error {
        VerificationError::Admission(AdmissionError::LimitReached { rule, .. }) => Some(rule),
        _ => None,
    }
}

async fn all<T: records::Record>(store: &Arc<dyn Maintenance>) -> Vec<T> {
    let page = store.walk(T::KIND, None, 1000).await.unwrap();
    let records = page.iter().filter_map(|(id, stored)| records::of::<T>(id, Some(stored)).unwrap());
    records.map(|one| one.record).collect()
}
