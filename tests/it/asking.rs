//! One verification for a number, over each engine: what leads to it and what
//! was counted is forgotten in its time, and a code that the application chose
//! survives what makes codes anew.

use crate::engines::over_each_engine;
use crate::support::{Engine, PERSON, World, request};
use dialback::app::admission::AdmissionError;
use dialback::app::fault::Fault;
use dialback::app::verification::{self, Ask, AskError, StartRequest, VerificationError};
use dialback::app::{admin, services};
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::compat::{Bucket, Compat, RateLimit};
use dialback::model::id::ServiceId;
use dialback::model::policy::Policy;
use dialback::model::verification::Status;
use dialback::secret::Secret;
use dialback::store::{Key, Kind};
use futures_util::future::join_all;
use serde_json::json;

over_each_engine![
    a_number_and_its_counts_are_forgotten,
    a_chosen_code_survives_a_policy_of_new_codes,
    a_value_that_all_share_is_counted_for_all,
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
    let change = |compat: &mut Compat, now| {
        let bucket = Bucket { sid: "BL1".into(), max, interval: 3600, created_at: now, updated_at: now };
        compat.rate_limits.push(RateLimit {
            sid: "RK1".into(),
            unique_name: "ip".into(),
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
    assert!(matches!(refused, AskError::Reached { name, .. } if name == "ip"));
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
    assert!(
        matches!(
            refused,
            AskError::Verification(VerificationError::Admission(AdmissionError::CustomCodeOff))
        ),
        "{refused}"
    );
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

/// A value that all requests share, as a limit for the whole application does:
/// nobody loses his race so often that he is sent away.
async fn a_value_that_all_share_is_counted_for_all(engine: Engine) {
    const ASKED: usize = 64;
    let mut world = World::new(engine);
    world.work();
    limit(&world, 60).await;
    let one = |n: usize| {
        let (app, to) = (world.app.clone(), format!("+1415555{:04}", 100 + n));
        tokio::spawn(async move {
            verification::ask(&app.verifying, &ask(request(&to, Channel::Sms))).await.map(drop)
        })
    };
    let all = join_all((0..ASKED).map(one)).await;
    let refused: Vec<AskError> = all.into_iter().filter_map(|asked| asked.unwrap().err()).collect();
    assert_eq!(refused.len(), ASKED - 60, "{refused:?}");
    assert!(refused.iter().all(|error| matches!(error, AskError::Reached { .. })), "{refused:?}");
}
