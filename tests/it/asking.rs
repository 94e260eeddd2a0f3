//! One verification for a number, over each engine: what leads to it and what
//! was counted is forgotten in its time, and a code that the application chose
//! survives what makes codes anew.

use crate::engines::over_each_engine;
use crate::support::{Engine, PERSON, World, request};
use dialback::app::admission::AdmissionError;
use dialback::app::fault::Fault;
use dialback::app::verification::{self, Ask, StartRequest, VerificationError};
use dialback::app::{admin, services};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::compat::{Bucket, Compat, RateLimit};
use dialback::model::counter::{Counter, WindowCount};
use dialback::model::id::ServiceId;
use dialback::model::policy::Policy;
use dialback::model::verification::Status;
use dialback::secret::Secret;
use dialback::store::{Key, Kind, records};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU32, Ordering};

over_each_engine![
    a_number_and_its_counts_are_forgotten,
    a_chosen_code_survives_a_policy_of_new_codes,
    a_value_that_all_share_is_counted_for_all,
    a_request_that_came_to_nothing_is_not_counted,
    what_older_versions_counted_goes_on,
];

fn ask(request: StartRequest) -> Ask {
    Ask { request, limits: vec![("ip".into(), "192.0.2.1".into())], skip_risk_check: false }
}

/// Lets the top level's service count by `ip`, so many in an hour.
async fn limit(world: &World, max: u32) {
    limit_of(world, &world.app.directory.services.default_service().id, max).await;
}

/// The same of any service.
async fn limit_of(world: &World, id: &ServiceId, max: u32) {
    limit_by(world, id, ("RK1", "ip"), max).await;
}

/// The same by any name.
async fn limit_by(world: &World, id: &ServiceId, (sid, name): (&str, &str), max: u32) {
    let change = |compat: &mut Compat, now| {
        let bucket = Bucket { sid: "BL1".into(), max, interval: 3600, created_at: now, updated_at: now };
        compat.rate_limits.push(RateLimit {
            sid: sid.into(),
            unique_name: name.into(),
            description: String::new(),
            buckets: vec![bucket],
            created_at: now,
            updated_at: now,
        });
        Ok::<_, Fault>(())
    };
    services::change_compat(&world.app.directory, &Actor::operator(), id, change).await.unwrap();
}

async fn kept(world: &World, kind: Kind) -> bool {
    let due = world.store.due_in(kind.lane(), jiff::Timestamp::MAX, 1000).await.unwrap();
    due.iter().any(|(key, _)| key.kind == kind)
}

async fn a_number_and_its_counts_are_forgotten(engine: Engine) {
    let mut world = World::new(engine);
    world.work();
    limit(&world, 1).await;
    let view = verification::ask(&world.app.verifying, &ask(request(PERSON, Channel::Sms))).await.unwrap();
    let refused =
        verification::ask(&world.app.verifying, &ask(request(PERSON, Channel::Sms))).await.unwrap_err();
    assert!(
        matches!(refused, VerificationError::Admission(AdmissionError::Reached { name, .. }) if name == "ip")
    );
    let service = world.app.directory.services.default_service().clone();
    assert_eq!(
        verification::last_asked(&world.app.admission, &service, PERSON).await.unwrap(),
        view.verification.id
    );
    assert!(kept(&world, Kind::ActiveVerification).await && kept(&world, Kind::Counter).await);
    let key = Key::new(Kind::ActiveVerification, format!("{}|{PERSON}", service.id));
    assert!(world.store.read(&key).await.unwrap().is_some());
    // Over, and still kept for a while: whoever has read it may not write over
    // the next one.
    world.pass(600);
    world.settle().await;
    assert!(verification::last_asked(&world.app.admission, &service, PERSON).await.is_err());
    // What was counted counts for a part until the window after its own has ended.
    world.pass(3600);
    world.settle().await;
    assert!(kept(&world, Kind::Counter).await);
    world.pass(3600 + 301);
    world.settle().await;
    assert!(!kept(&world, Kind::ActiveVerification).await && !kept(&world, Kind::Counter).await);
    assert!(world.store.read(&key).await.unwrap().is_none());
    verification::ask(&world.app.verifying, &ask(request(PERSON, Channel::Sms))).await.unwrap();
}

async fn a_chosen_code_survives_a_policy_of_new_codes(engine: Engine) {
    let policy = Policy { new_code_on_resend: true, cooldown: vec![], ..Policy::default() };
    let mut world = World::with(engine, policy);
    world.work();
    let settings = json!({ "name": "Shop", "custom_code": true, "resend_cooldown_seconds": [0] });
    let settings = settings.as_object().unwrap().clone();
    let shop = admin::create_service(&world.app.directory, &Actor::operator(), settings).await;
    let shop = shop.unwrap().id.clone();
    limit_of(&world, &shop, 100).await;
    let chosen = |code: &str| StartRequest {
        custom_code: Some(Secret::new(code)),
        service: Some(shop.clone()),
        ..request(PERSON, Channel::Sms)
    };
    // The top level's takes none, by whichever face one comes.
    let elsewhere = StartRequest { service: None, ..chosen("Ab12345") };
    let refused = verification::start(&world.app.verifying, elsewhere.clone(), None).await.unwrap_err();
    assert!(matches!(refused, VerificationError::Admission(AdmissionError::CustomCodeOff)), "{refused}");
    let refused =
        verification::ask(&world.app.verifying, &Ask { limits: vec![], ..ask(elsewhere) }).await.unwrap_err();
    assert!(matches!(refused, VerificationError::Admission(AdmissionError::CustomCodeOff)), "{refused}");
    let id = verification::ask(&world.app.verifying, &ask(chosen("Ab12345"))).await.unwrap().verification.id;
    world.settle().await;
    // By the other face, which brings no code.
    verification::resend(&world.app.verifying, &id, None).await.unwrap();
    world.settle().await;
    // And by this one, with another.
    verification::ask(&world.app.verifying, &ask(chosen("777111"))).await.unwrap();
    world.settle().await;
    let codes: Vec<String> = world.gateway.orders().into_iter().map(|order| order.code).collect();
    assert_eq!(codes, ["Ab12345", "Ab12345", "777111"]);
    assert!(!world.at_rest().iter().any(|text| text.contains("Ab12345") || text.contains("777111")));
    assert!(
        !verification::check(&world.app.verifying, &id, "Ab1234").await.is_ok_and(|checked| checked.valid)
    );
    let checked = verification::check(&world.app.verifying, &id, "777111").await.unwrap();
    assert_eq!((checked.valid, checked.view.status), (true, Status::Approved));
}

/// A value that all requests share, as a limit for the whole application does: as many
/// pass as the limit says, through whichever process, and nobody loses a race.
async fn a_value_that_all_share_is_counted_for_all(engine: Engine) {
    const ASKED: usize = 64;
    const MAX: u32 = 40;
    let world = World::new(engine);
    limit(&world, MAX).await;
    let apps = [world.app.clone(), world.beside(&world.clock)];
    let before = world.store.stats().await.unwrap().conflicts;
    let one = |n: usize| {
        let (app, to) = (apps[n % 2].clone(), format!("+1415555{:04}", 100 + n));
        tokio::spawn(async move {
            verification::ask(&app.verifying, &ask(request(&to, Channel::Sms))).await.map(drop)
        })
    };
    let all = join_all((0..ASKED).map(one)).await;
    let refused: Vec<VerificationError> = all.into_iter().filter_map(|asked| asked.unwrap().err()).collect();
    assert_eq!(refused.len(), ASKED - MAX as usize, "{refused:?}");
    let wait = |error: &VerificationError| match error {
        VerificationError::Admission(AdmissionError::Reached { name, seconds }) if name == "ip" => *seconds,
        other => panic!("refused for something else: {other:?}"),
    };
    // A fortieth of the next hour, when the first of them has room, and the rest of this one.
    assert!(refused.iter().all(|error| wait(error) == 3600 + 3600 / 40), "{refused:?}");
    assert_eq!(world.store.stats().await.unwrap().conflicts, before, "somebody lost a race");
    assert_eq!(counters(&world).await.len(), 1);
    assert_eq!(taken(&world).await, u64::from(MAX));
    assert_eq!(world.store.check().await.unwrap().damaged, 0);
}

async fn counters(world: &World) -> Vec<Counter> {
    let all = world.store.walk(Kind::Counter, None, 99).await.unwrap();
    let mut counters = Vec::new();
    for (id, _) in all {
        counters.push(records::get::<Counter>(&*world.store, &id).await.unwrap().unwrap().record);
    }
    counters
}

/// What all counters have in their current buckets.
async fn taken(world: &World) -> u64 {
    counters(world).await.iter().flat_map(|counter| counter.counts.values()).map(|count| count.taken).sum()
}

/// A request that nothing was written for counts nowhere, whatever it met.
async fn a_request_that_came_to_nothing_is_not_counted(engine: Engine) {
    let policy = Policy { max_sends: 2, cooldown: vec![], ..Policy::default() };
    let world = World::with(engine, policy);
    let service = world.app.directory.services.default_service().id.clone();
    limit(&world, 100).await;
    // Those who meet at one number: who lost has added nothing.
    let one = |_| {
        let app = world.app.clone();
        tokio::spawn(
            async move { verification::ask(&app.verifying, &ask(request(PERSON, Channel::Sms))).await },
        )
    };
    let met = join_all((0..8).map(one)).await;
    let done = met.into_iter().filter(|asked| asked.as_ref().unwrap().is_ok()).count();
    assert!((1..=2).contains(&done), "{done}");
    assert_eq!(taken(&world).await, done as u64);
    // Who has no message left.
    while verification::ask(&world.app.verifying, &ask(request(PERSON, Channel::Sms))).await.is_ok() {}
    let refused = verification::ask(&world.app.verifying, &ask(request(PERSON, Channel::Sms))).await;
    assert!(
        matches!(refused, Err(VerificationError::Admission(AdmissionError::NoSendsLeft { .. }))),
        "{refused:?}"
    );
    assert_eq!(taken(&world).await, 2);
    // Of several limits one has no room, and another lets nobody through at all.
    limit_by(&world, &service, ("RK2", "door"), 1).await;
    limit_by(&world, &service, ("RK3", "closed"), 0).await;
    let by = |names: &[&str]| Ask {
        limits: names.iter().map(|name| ((*name).to_owned(), "192.0.2.1".to_owned())).collect(),
        ..ask(request("+14155550199", Channel::Sms))
    };
    verification::ask(&world.app.verifying, &by(&["ip", "door"])).await.unwrap();
    for (names, expected, wait) in [
        (["ip", "door"], "door", 7200),
        (["ip", "closed"], "closed", 3600),
        (["door", "closed"], "closed", 3600),
    ] {
        match verification::ask(&world.app.verifying, &by(&names)).await {
            Err(VerificationError::Admission(AdmissionError::Reached { name, seconds })) => {
                assert_eq!((name.as_str(), seconds), (expected, wait))
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(taken(&world).await, 2 + 2, "one by each of two");
    let refused = verification::ask(&world.app.verifying, &by(&["ip", "none"])).await;
    assert!(
        matches!(refused, Err(VerificationError::Admission(AdmissionError::NoSuchLimit { name })) if name == "none")
    );
    assert_eq!(taken(&world).await, 2 + 2);
}

/// A counter as versions wrote it whose windows did not slide.
fn older(id: &str, taken: u64, since: Timestamp) -> Counter {
    let count = WindowCount { since: since.as_second(), taken, ..WindowCount::default() };
    let ends_at = since + SignedDuration::from_hours(1);
    Counter { counts: [("BL1".to_owned(), count)].into(), ends_at, ..Counter::new(id.into()) }
}

/// The id of a value's counter.
fn counter_id(world: &World, value: &str) -> String {
    let service = &world.app.directory.services.default_service().id;
    let mut hash = Sha256::new();
    for part in [service.as_str(), "RK1", value] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

async fn what_older_versions_counted_goes_on(engine: Engine) {
    let world = World::new(engine);
    limit(&world, 3).await;
    let nth = AtomicU32::new(100);
    let asked = async |value: &str| {
        let to = format!("+1415555{:04}", nth.fetch_add(1, Ordering::SeqCst));
        let limits = vec![("ip".to_owned(), value.to_owned())];
        verification::ask(&world.app.verifying, &Ask { limits, ..ask(request(&to, Channel::Sms)) }).await
    };
    let save = async |counter: Counter| records::save(&*world.store, None, &counter).await.unwrap();
    // In a window that still runs two are used; nine were in one that is over.
    let hour = world.now();
    save(older(&counter_id(&world, "192.0.2.1"), 2, hour)).await;
    save(older(&counter_id(&world, "192.0.2.2"), 9, hour - SignedDuration::from_hours(1))).await;
    world.pass(60);
    asked("192.0.2.1").await.unwrap();
    let refused = asked("192.0.2.1").await.unwrap_err();
    // All three are in this hour, and a third of them has to be out of sight.
    assert!(
        matches!(refused, VerificationError::Admission(AdmissionError::Reached { seconds, .. }) if seconds == 3540 + 1200),
        "{refused:?}"
    );
    for _ in 0..3 {
        asked("192.0.2.2").await.unwrap();
    }
    assert!(matches!(
        asked("192.0.2.2").await,
        Err(VerificationError::Admission(AdmissionError::Reached { .. }))
    ));
    // Under the spelling that somebody wrote, before numbers counted for their person.
    let (spelling, person) = ("+5215512345678", "+525512345678");
    assert_eq!(dialback::model::phone::address_key(spelling), person);
    save(older(&counter_id(&world, spelling), 2, hour)).await;
    let both = join_all([asked(spelling), asked(spelling)]).await;
    assert_eq!(both.iter().filter(|asked| asked.is_ok()).count(), 1, "{both:?}");
    assert!(matches!(asked(person).await, Err(VerificationError::Admission(AdmissionError::Reached { .. }))));
    assert!(matches!(
        asked(spelling).await,
        Err(VerificationError::Admission(AdmissionError::Reached { .. }))
    ));
    let ids: Vec<String> = counters(&world).await.into_iter().map(|counter| counter.id).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(!ids.contains(&counter_id(&world, spelling)), "{ids:?}");
    // What counts in part until then has gone after two windows.
    world.pass(2 * 3600);
    for value in ["192.0.2.1", "192.0.2.2", spelling] {
        asked(value).await.unwrap();
    }
}
