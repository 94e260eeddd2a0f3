//! Limits: what a start and a send count, over every way in and over processes that
//! race; what refuses and what only marks; and what operators see and forget of it.

use crate::engines::over_each_engine;
use crate::support::{Engine, Script, World, parts, request};
use dialback::app::admission::{self, AdmissionError, Whose};
use dialback::app::audit::{self, AuditFilter};
use dialback::app::verification::{self, Again, Ask, StartRequest, VerificationError};
use dialback::app::{App, Parts, Window};
use dialback::clock::Clock;
use dialback::model::audit::{Action, Actor};
use dialback::model::channel::Channel;
use dialback::model::counter::Counter;
use dialback::model::id::{SessionId, VerificationId};
use dialback::model::limits::{LimitChanges, Limits};
use dialback::model::phone::PhoneNumber;
use dialback::model::test_number::TestNumber;
use dialback::model::verification::{SendState, Verification};
use dialback::store::memory::Memory;
use dialback::store::{Kind, Maintenance, records};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinSet;

const NUMBER: &str = "+14155550123";

over_each_engine![
    sixty_four_at_once_send_five_in_the_hour_and_ten_in_the_day,
    what_is_taken_ahead_is_exact_over_processes_and_given_back_at_the_end,
];

/// Who asks at the same moment through two processes: as many texts as the limit says,
/// and the others hear of the limit and of no race.
async fn sixty_four_at_once_send_five_in_the_hour_and_ten_in_the_day(engine: Engine) {
    let world = World::new(engine);
    let apps = [world.app.clone(), world.beside(&world.clock)];
    for (rule, sent) in [("number_sends", 5), ("number_sends", 5), ("number_sends", 0)] {
        let mut asking = JoinSet::new();
        for nth in 0..64 {
            let app = apps[nth % 2].clone();
            let asked = StartRequest { caller: Some(format!("{nth:012x}")), ..request(NUMBER, Channel::Sms) };
            asking.spawn(async move { verification::start(&app.verifying, asked, None).await });
        }
        let mut begun = 0;
        for answer in asking.join_all().await {
            match answer {
                Ok(_) => begun += 1,
                Err(error) => assert_eq!(refused_by(&error), Some(rule), "{error:?}"),
            }
        }
        assert_eq!(begun, sent);
        world.pass(3600);
    }
}

/// Two processes take blocks of a key's limit: together they send no more than
/// that, and at most a block of each process less.
async fn what_is_taken_ahead_is_exact_over_processes_and_given_back_at_the_end(engine: Engine) {
    let world = World::new(engine);
    let app = || app_on(&world.store, &world.clock, json!({ "key_sends": ["400/hour"] }));
    let apps = [app(), app()];
    let first = start(&apps[0], 0, |_| ()).await;
    assert!(first.is_ok());
    let used = used_of(&apps[0], &key()).await;
    assert_eq!(used, [("key_sends".to_owned(), 4, false)], "a block of one per cent");
    apps[0].admission.limiting.close(&apps[0].base).await;
    assert_eq!(
        used_of(&apps[0], &key()).await,
        [("key_sends".to_owned(), 1, false)],
        "what is left goes back"
    );
    let mut begun = 1;
    for nth in 1..=420 {
        match start(&apps[nth % 2], nth, |_| ()).await {
            Ok(_) => begun += 1,
            Err(error) => assert_eq!(refused_by(&error), Some("key_sends"), "{error:?}"),
        }
    }
    assert!((392..=400).contains(&begun), "{begun}: a block of each process may be left");
    assert!(used_of(&apps[0], &key()).await.iter().all(|(_, used, _)| *used <= 400));
}

/// Each rule, over each way in: two pass, and the third of the same subject is refused by
/// its name, with a time; one of another subject passes.
#[tokio::test]
async fn every_rule_refuses_over_every_way_in() {
    type Change = fn(&mut StartRequest, usize);
    let same: Change = |_, _| ();
    let other_number: Change = |asked, nth| asked.to = format!("+1415555{:04}", 1000 + nth * 1111);
    let rows: [(&str, Change, Change); 14] = [
        ("number_sends", same, other_number),
        ("number_service_sends", same, other_number),
        ("number_unverified", same, other_number),
        ("address_sends", other_number, |asked, _| asked.address = Some("192.0.2.9".parse().unwrap())),
        ("address_unverified", other_number, |asked, _| asked.address = Some("192.0.2.9".parse().unwrap())),
        (
            "address_countries",
            |asked, nth| asked.to = ["+14155550123", "+4915112345678", "+34612345678"][nth % 3].to_owned(),
            |asked, _| asked.to = "+14155550199".to_owned(),
        ),
        ("subnet_unverified", other_number, |asked, _| asked.address = Some("198.51.100.1".parse().unwrap())),
        ("session_sends", other_number, |asked, _| asked.session = None),
        ("key_sends", other_number, |asked, _| asked.caller = Some("ba9876543210".to_owned())),
        ("range_sends", other_number, |asked, _| asked.to = "+12125550123".to_owned()),
        (
            "block100_sends",
            |asked, nth| asked.to = format!("+14155550{:03}", 100 + nth),
            |asked, _| asked.to = "+14155550200".to_owned(),
        ),
        (
            "block1000_sends",
            |asked, nth| asked.to = format!("+14155550{:03}", 100 * (nth + 1)),
            |asked, _| asked.to = "+14155551200".to_owned(),
        ),
        ("country_sends", other_number, |asked, _| asked.to = "+34612345678".to_owned()),
        ("whole_sends", other_number, same),
    ];
    for (rule, same_subject, other_subject) in rows {
        for face in [Face::Start, Face::Ask] {
            let store: Arc<dyn Maintenance> = Arc::new(Memory::new());
            let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
            let app = app_on(&store, &clock, json!({ rule: ["2/hour"], "flag": [] }));
            for nth in 0..2 {
                let done = by(&app, face, |asked| same_subject(asked, nth)).await;
                assert!(done.is_ok(), "{rule} {face:?}: {done:?}");
            }
            let error = by(&app, face, |asked| same_subject(asked, 2)).await.unwrap_err();
            assert_eq!(refused_by(&error), Some(rule), "{face:?}: {error:?}");
            let retry_at = match &error {
                VerificationError::Admission(AdmissionError::LimitReached { retry_at, seconds, .. }) => {
                    assert!((1..=7200).contains(seconds), "{rule}: {seconds}");
                    *retry_at
                }
                other => panic!("{other:?}"),
            };
            assert!(retry_at > app.base.now(), "{rule}");
            if rule != "whole_sends" {
                let other = by(&app, face, |asked| {
                    same_subject(asked, 2);
                    other_subject(asked, 2);
                });
                assert!(other.await.is_ok(), "{rule} {face:?}: another subject");
            }
            clock.advance(std::time::Duration::from_secs(7200));
            let later = by(&app, face, |asked| same_subject(asked, 2)).await;
            assert!(later.is_ok(), "{rule} {face:?}: {later:?}");
        }
    }
}

/// What sends again counts as what begins.
#[tokio::test]
async fn sending_again_counts_as_a_send() {
    let world = World::new(Engine::Memory);
    let id = world.start(Channel::Sms).await.verification.id;
    for nth in 1..=5 {
        world.pass(300);
        let again = crate::support::resend(&world.app, &id, None).await;
        match nth {
            // The verification lives ten minutes.
            1 => assert!(again.is_ok(), "{again:?}"),
            _ => break,
        }
    }
    let to = crate::support::PERSON;
    for _ in 0..3 {
        verification::start(&world.app.verifying, request(to, Channel::Sms), None).await.unwrap();
    }
    let error = verification::start(&world.app.verifying, request(to, Channel::Sms), None).await.unwrap_err();
    assert_eq!(refused_by(&error), Some("number_sends"));
    // The first still waits for its cooldown, which would be said instead.
    let begun = all::<Verification>(&world.store).await;
    let id = begun.iter().map(|one| one.id.clone()).find(|one| *one != id).unwrap();
    world.pass(30);
    let error = crate::support::resend(&world.app, &id, None).await.unwrap_err();
    assert_eq!(refused_by(&error), Some("number_sends"));
}

/// What flags marks the verification, what tracks does not, and neither refuses.
#[tokio::test]
async fn what_refuses_nobody_marks() {
    let store: Arc<dyn Maintenance> = Arc::new(Memory::new());
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let changes = json!({
        "address_unverified": ["2/hour"], "number_sends": ["1/hour"], "block100_sends": ["2/hour"],
        "track_only": ["number_sends", "block100_sends"], "flag": ["address_unverified"],
    });
    let app = app_on(&store, &clock, changes.clone());
    for _ in 0..2 {
        let begun = by(&app, Face::Start, |_| ()).await.unwrap();
        assert_eq!(begun.admitted.unwrap().flags, Vec::<String>::new());
    }
    // One that has not read the counters yet: what was read is remembered for a moment.
    let beside = app_on(&store, &clock, changes);
    let begun = by(&beside, Face::Start, |_| ()).await.unwrap();
    assert_eq!(begun.admitted.unwrap().flags, ["address_unverified"]);
}

/// What sends again begins nothing, so that no rule of what is begun marks it.
#[tokio::test]
async fn a_send_again_is_marked_by_what_it_counts() {
    let store: Arc<dyn Maintenance> = Arc::new(Memory::new());
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let changes = json!({
        "address_unverified": ["1/hour"], "address_sends": ["2/hour"], "address_countries": ["1/hour"],
        "flag": ["address_unverified", "address_sends", "address_countries"],
    });
    let again = async |id: &VerificationId| {
        // One that has not read the counters yet.
        let app = app_on(&store, &clock, changes.clone());
        clock.advance(std::time::Duration::from_secs(60));
        let address = Some("192.0.2.1".parse().unwrap());
        let view =
            verification::resend(&app.verifying, id, &Again { address, ..Again::default() }, &|_| true)
                .await
                .unwrap();
        view.verification.admitted.unwrap().flags
    };
    let asked = StartRequest { address: Some("192.0.2.1".parse().unwrap()), ..request(NUMBER, Channel::Sms) };
    let app = app_on(&store, &clock, changes.clone());
    let id = verification::start(&app.verifying, asked, None).await.unwrap().view.verification.id;
    assert_eq!(again(&id).await, Vec::<String>::new(), "the second of two");
    assert_eq!(again(&id).await, ["address_sends"]);
}

#[tokio::test]
async fn test_numbers_are_exempt() {
    let store: Arc<dyn Maintenance> = Arc::new(Memory::new());
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let until = "2027-12-31T00:00:00Z".parse().unwrap();
    let test = TestNumber { pattern: NUMBER.to_owned(), code: "492817".to_owned(), until };
    let app = App::new(Parts {
        test_numbers: vec![test],
        limits: Limits::default(),
        ..parts(&store, &Arc::<Script>::default(), &clock)
    });
    for _ in 0..12 {
        assert!(by(&app, Face::Start, |_| ()).await.unwrap().admitted.is_none());
    }
    assert_eq!(all::<Counter>(&store).await.len(), 0);
}

/// A name at rest tells nobody's number or address.
#[tokio::test]
async fn what_is_kept_names_nobody() {
    let world = World::new(Engine::Memory);
    by(&world.app, Face::Start, |_| ()).await.unwrap();
    let kept = world.store.walk(Kind::Counter, None, 64).await.unwrap();
    assert!(kept.len() >= 2, "{}", kept.len());
    for (id, stored) in kept {
        let body = String::from_utf8_lossy(&stored.body).into_owned();
        for secret in ["4155550123", "192.0.2"] {
            assert!(!id.contains(secret) && !body.contains(secret), "{id}: {body}");
        }
    }
}

#[tokio::test]
async fn an_operator_sees_what_is_used_and_forgets_it() {
    let world = World::new(Engine::Memory);
    let number = Whose::Number(NUMBER.parse::<PhoneNumber>().unwrap());
    assert_eq!(used_of(&world.app, &number).await, []);
    for _ in 0..5 {
        by(&world.app, Face::Start, |_| ()).await.unwrap();
    }
    assert!(by(&world.app, Face::Start, |_| ()).await.is_err());
    let used = used_of(&world.app, &number).await;
    for shown in [("number_sends", 5, true), ("number_sends", 5, false), ("block100_sends", 5, false)] {
        assert!(used.contains(&(shown.0.to_owned(), shown.1, shown.2)), "{used:?}");
    }
    assert!(admission::reset_limits(&world.app.admission, &Actor::operator(), &number).await.unwrap());
    assert_eq!(used_of(&world.app, &number).await, []);
    assert!(by(&world.app, Face::Start, |_| ()).await.is_ok());
    let window = Window { limit: 10, after: None };
    let log = audit::audit(&world.app.base, &AuditFilter::default(), &window).await.unwrap().items;
    let reset: Vec<_> = log.iter().filter(|entry| entry.action == Action::LimitsReset).collect();
    assert_eq!(reset.len(), 1);
    assert!(!reset[0].subject.contains("4155550"), "{}", reset[0].subject);
    let nobody = Whose::Number("+34612345678".parse().unwrap());
    assert!(!admission::reset_limits(&world.app.admission, &Actor::operator(), &nobody).await.unwrap());
}

/// A service says otherwise in its own words, of the same counters.
#[tokio::test]
async fn a_service_has_other_limits() {
    let world = crate::world::World::with_service(|settings| {
        settings.limits = changes(json!({ "number_sends": ["2/hour"] }));
    })
    .await;
    for _ in 0..2 {
        by(&world.app, Face::Start, |_| ()).await.unwrap();
    }
    let error = by(&world.app, Face::Start, |_| ()).await.unwrap_err();
    assert_eq!(refused_by(&error), Some("number_sends"));
}

#[derive(Debug, Clone, Copy)]
enum Face {
    Start,
    Ask,
}

/// Begins one of its own, whatever was begun before: by another service's way in each time.
async fn by(
    app: &App,
    face: Face,
    change: impl Fn(&mut StartRequest),
) -> Result<Verification, VerificationError> {
    let mut asked = StartRequest {
        caller: Some("0123456789ab".to_owned()),
        address: Some("192.0.2.1".parse().unwrap()),
        session: Some(SessionId::from_random([7; 16])),
        ..request(NUMBER, Channel::Sms)
    };
    change(&mut asked);
    let begun = match face {
        Face::Start => verification::start(&app.verifying, asked, None).await?.view.verification,
        Face::Ask => {
            let ask = Ask { request: asked, limits: Vec::new(), skip_risk_check: false };
            verification::ask(&app.verifying, &ask).await?.verification
        }
    };
    // So that the next one begins anew, and what was sent is sent.
    let left = async || {
        let found = records::get::<Verification>(app.base.store(), begun.id.as_str()).await.unwrap().unwrap();
        let mut sent = found.record.clone();
        sent.outbox.clear();
        sent.sends.iter_mut().for_each(|send| send.state = SendState::Accepted);
        records::save(app.base.store(), Some(&found), &sent).await.is_ok()
    };
    // A job may be at it.
    while !left().await {}
    verification::cancel(&app.admission, &begun.id).await?;
    Ok(begun)
}

async fn start(
    app: &App,
    nth: usize,
    change: impl Fn(&mut StartRequest),
) -> Result<Verification, VerificationError> {
    by(app, Face::Start, |asked| {
        asked.to = format!("+1415555{nth:04}");
        change(asked);
    })
    .await
}

fn key() -> Whose {
    Whose::Key("0123456789ab".to_owned())
}

/// An app with these limits alone.
fn app_on(store: &Arc<dyn Maintenance>, clock: &Clock, json: Value) -> App {
    let limits = Limits::none().with(&changes(json));
    App::new(Parts { limits, ..parts(store, &Arc::<Script>::default(), clock) })
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

/// Each rule with how much of it is used, and whether it is full.
async fn used_of(app: &App, whose: &Whose) -> Vec<(String, u64, bool)> {
    let used = admission::limits_of(&app.admission, whose).await.unwrap();
    used.into_iter().map(|one| (one.rule, one.used, one.retry_at.is_some())).collect()
}

async fn all<T: records::Record>(store: &Arc<dyn Maintenance>) -> Vec<T> {
    let page = store.walk(T::KIND, None, 1000).await.unwrap();
    page.iter()
        .filter_map(|(id, stored)| records::of::<T>(id, Some(stored)).unwrap())
        .map(|one| one.record)
        .collect()
}
