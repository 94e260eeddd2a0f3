//! One person, whichever way the number is spelled: what was said under one
//! spelling holds, and is found, under the other.

use crate::engines::over_each_engine;
use crate::support::{Engine, PERSON, World, eventually, proof, request};
use dialback::app::admission::{self, AdmissionError};
use dialback::app::fault::Fault;
use dialback::app::privacy::{self, EraseOptions};
use dialback::app::verification::{self, Ask, AttemptFilter, VerificationError, VerificationFilter};
use dialback::app::{Window, messaging, services};
use dialback::model::active_verification::ActiveVerification;
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::compat::{Bucket, Compat, RateLimit};
use dialback::model::opt_out::{Keyword, OptOut};
use dialback::model::policy::Policy;
use dialback::model::safe_number::SafeNumber;
use dialback::store::{Key, Kind, records};

over_each_engine![
    a_stop_holds_for_the_person,
    a_verification_is_found_by_either_spelling,
    what_was_written_before_there_was_a_key_is_found,
];

const SENDER: &str = "+15005550006";
/// Argentina's two spellings are both read, and so can both be stored.
const MOBILE: &str = "+5491123456789";
const HOME: &str = "+541123456789";

async fn a_stop_holds_for_the_person(engine: Engine) {
    let world = World::new(engine);
    let start =
        async |to: &str| verification::start(&world.app.verifying, request(to, Channel::Sms), None).await;
    for (stop, others) in [
        ("+5215512345678", vec!["+525512345678", "+52 1 55 1234 5678"]),
        ("+551187654321", vec!["+5511987654321"]),
        (HOME, vec![MOBILE, HOME]),
    ] {
        messaging::keyword(&world.app.messaging, &proof(), stop, &[SENDER], Keyword::Stop).await.unwrap();
        for other in &others {
            assert!(
                matches!(start(other).await, Err(VerificationError::Admission(AdmissionError::OptedOut))),
                "{stop} {other}"
            );
            assert_eq!(admission::opt_outs_of(&world.app.admission, other).await.unwrap().len(), 1);
        }
        // And taken back by the other spelling, as one wish.
        messaging::keyword(
            &world.app.messaging,
            &proof(),
            &others[0].replace(' ', ""),
            &[SENDER],
            Keyword::Start,
        )
        .await
        .unwrap();
        assert!(start(others[0]).await.is_ok(), "{stop}");
        let said = admission::opt_outs_of(&world.app.admission, others[0]).await.unwrap();
        assert_eq!(said.iter().map(|wish| wish.opted_out).collect::<Vec<_>>(), [false]);
    }
    messaging::keyword(&world.app.messaging, &proof(), "+551137654321", &[SENDER], Keyword::Stop)
        .await
        .unwrap();
    assert!(start("+5511937654321").await.is_ok(), "a landline is not a mobile");
}

async fn a_verification_is_found_by_either_spelling(engine: Engine) {
    let mut world = World::new(engine);
    world.work();
    let ask = |to: &str| Ask { request: request(to, Channel::Sms), limits: vec![], skip_risk_check: false };
    let first = verification::ask(&world.app.verifying, &ask(MOBILE)).await.unwrap().verification;
    world.settle().await;
    let service = world.app.directory.services.default_service().clone();
    assert_eq!(verification::last_asked(&world.app.admission, &service, HOME).await.unwrap(), first.id);
    // One person has one verification; messages go where they went.
    world.pass(60);
    let second = verification::ask(&world.app.verifying, &ask(HOME)).await.unwrap().verification;
    assert_eq!((second.id.clone(), second.to.in_full()), (first.id.clone(), MOBILE));
    world.settle().await;
    let other = verification::start(&world.app.verifying, request(HOME, Channel::Sms), None)
        .await
        .unwrap()
        .view
        .verification
        .id;
    // What is under way is not erased before its end.
    world.until_accepted(&other, 1).await;
    for to in [MOBILE, HOME] {
        let filter = VerificationFilter { to: Some(to.into()), ..VerificationFilter::default() };
        let page = verification::verifications(
            &world.app.admission,
            &dialback::model::key::ServiceSet::all(),
            &filter,
            &Window { limit: 1, after: None },
        )
        .await
        .unwrap();
        assert_eq!(page.items[0].verification.id, other);
        let rest = Window { limit: 1, after: page.next };
        let page = verification::verifications(
            &world.app.admission,
            &dialback::model::key::ServiceSet::all(),
            &filter,
            &rest,
        )
        .await
        .unwrap();
        assert_eq!((page.items[0].verification.id.clone(), page.next), (first.id.clone(), None));
        let filter = AttemptFilter { to: Some(to.into()), ..AttemptFilter::default() };
        let attempts = verification::attempts(
            &world.app.admission,
            &dialback::model::key::ServiceSet::all(),
            &filter,
            None,
            10,
        )
        .await
        .unwrap();
        assert_eq!(attempts.attempts.len(), 3);
    }
    let options = EraseOptions::default();
    let begun = privacy::erase(&world.app.privacy, &Actor::operator(), HOME, options).await.unwrap();
    world.settle().await;
    eventually("it is erased", async || {
        privacy::tend_erasure(&world.app.privacy, begun.id.as_str()).await.unwrap();
        privacy::erasure(&world.app.base, &begun.id).await.unwrap().finished_at.is_some()
    })
    .await;
    for id in [&first.id, &other] {
        assert!(matches!(
            verification::fetch(&world.app.admission, id).await,
            Err(VerificationError::Fault(Fault::NotFound))
        ));
    }
}

/// Records under the spelling that was given, as they were written once.
async fn what_was_written_before_there_was_a_key_is_found(engine: Engine) {
    let mut world = World::new(engine);
    world.work();
    let at = world.clock.now();
    let wish =
        |number: &str, opted_out, at| OptOut { number: number.into(), sender: SENDER.into(), opted_out, at };
    let before = at - jiff::SignedDuration::from_hours(1);
    for old in [wish(MOBILE, true, at), wish(HOME, false, before)] {
        records::save(&*world.store, None, &old).await.unwrap();
    }
    let started = verification::start(&world.app.verifying, request(HOME, Channel::Sms), None).await;
    assert!(
        matches!(started, Err(VerificationError::Admission(AdmissionError::OptedOut))),
        "the latest wish holds"
    );
    messaging::keyword(&world.app.messaging, &proof(), HOME, &[SENDER], Keyword::Start).await.unwrap();
    assert!(world.store.read(&Key::new(Kind::OptOut, OptOut::key(MOBILE, SENDER))).await.unwrap().is_none());

    let view =
        verification::start(&world.app.verifying, request(MOBILE, Channel::Sms), None).await.unwrap().view;
    world.settle().await;
    let service = world.app.directory.services.default_service().clone();
    let pending = ActiveVerification {
        service: service.id.clone(),
        number: MOBILE.parse().unwrap(),
        caller: None,
        verification: view.verification.id.clone(),
        expires_at: view.verification.expires_at,
    };
    records::save(&*world.store, None, &pending).await.unwrap();
    assert_eq!(
        verification::last_asked(&world.app.admission, &service, HOME).await.unwrap(),
        view.verification.id
    );
    verification::cancel(&world.app.admission, &view.verification.id).await.unwrap();
    let ask = Ask { request: request(HOME, Channel::Sms), limits: vec![], skip_risk_check: false };
    let newer = verification::ask(&world.app.verifying, &ask).await.unwrap().verification.id;
    assert_eq!(verification::last_asked(&world.app.admission, &service, MOBILE).await.unwrap(), newer);

    let safe = SafeNumber {
        sid: "GN1".into(),
        number: MOBILE.parse().unwrap(),
        created_at: at,
        actor: None,
        reason: None,
    };
    records::save(&*world.store, None, &safe).await.unwrap();
    assert_eq!(admission::safe_number(&world.app.admission, HOME).await.unwrap().sid, "GN1");
    admission::remove_safe_number(&world.app.admission, &Actor::operator(), HOME).await.unwrap();
    assert!(admission::safe_number(&world.app.admission, MOBILE).await.is_err());
}

#[tokio::test]
async fn a_limit_by_number_counts_the_person() {
    let world = World::with(Engine::Memory, Policy::default());
    let id = world.app.directory.services.default_service().id.clone();
    let change = |compat: &mut Compat, now| {
        let bucket = Bucket { sid: "BL1".into(), max: 1, interval: 3600, created_at: now, updated_at: now };
        compat.rate_limits.push(RateLimit {
            sid: "RK1".into(),
            unique_name: "number".into(),
            description: String::new(),
            buckets: vec![bucket],
            created_at: now,
            updated_at: now,
        });
        Ok::<_, Fault>(())
    };
    services::change_compat(&world.app.directory, &Actor::operator(), &id, change).await.unwrap();
    let ask = |value: &str| Ask {
        request: request(PERSON, Channel::Sms),
        limits: vec![("number".into(), value.into())],
        skip_risk_check: false,
    };
    verification::ask(&world.app.verifying, &ask(MOBILE)).await.unwrap();
    let refused = verification::ask(&world.app.verifying, &ask(HOME)).await.unwrap_err();
    assert!(matches!(refused, VerificationError::Admission(AdmissionError::Reached { .. })));
    verification::ask(&world.app.verifying, &ask("+541123456780")).await.unwrap();
}

#[tokio::test]
async fn a_window_is_open_whichever_way_whatsapp_spells_the_number() {
    let world = crate::world::World::with_service(|settings| {
        settings.channels = vec![Channel::Whatsapp];
        settings.whatsapp_from = Some(SENDER.into());
    })
    .await;
    let sender = format!("whatsapp:{SENDER}");
    messaging::wrote(&world.app.messaging, &proof(), "whatsapp:+5215512345678", &[&sender]).await.unwrap();
    verification::start(&world.app.verifying, request("+525512345678", Channel::Whatsapp), None)
        .await
        .unwrap();
    let (order, _) = world.post.first().await;
    assert!(order.window_open, "{order:?}");
    messaging::keyword(&world.app.messaging, &proof(), "whatsapp:+5215512345678", &[&sender], Keyword::Stop)
        .await
        .unwrap();
    let refused =
        verification::start(&world.app.verifying, request("+525512345678", Channel::Whatsapp), None).await;
    assert!(matches!(refused, Err(VerificationError::Admission(AdmissionError::OptedOut))));
}
