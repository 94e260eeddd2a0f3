//! The same over every store: what is counted is written before anybody is asked, and an
//! approval once.

use crate::engines::over_each_engine;
use crate::support::{Engine, PERSON, World, word};
use dialback::app::verification;
use dialback::model::verification::Status;
use std::sync::atomic::Ordering;

const CODE: &str = "246813";
const THEIRS: &str = "VE00112233445566778899aabbccddeeff";

fn makes_codes(world: &World) {
    *world.gateway.makes.lock().unwrap() = Some((THEIRS.to_owned(), CODE.to_owned()));
}

async fn a_code_of_the_other_sides_is_counted_first_and_approves_once(engine: Engine) {
    let mut world = World::new(engine);
    makes_codes(&world);
    let (id, own) = world.sent().await;
    assert_eq!(world.record(&id).await.reference.as_deref(), Some(THEIRS));
    // What could be derived here is no code of it.
    for wrong in [&*own, "000000"] {
        assert!(!verification::check(&world.app.verifying, &id, wrong).await.unwrap().valid);
    }
    world.crash().await;
    let (one, other) = tokio::join!(
        verification::check(&world.app.verifying, &id, CODE),
        verification::check(&world.app.verifying, &id, CODE),
    );
    let told: Vec<String> = [one, other]
        .iter()
        .map(|told| match told {
            Ok(checked) => checked.valid.to_string(),
            Err(error) => word(error),
        })
        .collect();
    assert!(told.contains(&"true".to_owned()) && told.contains(&"Ended".to_owned()), "{told:?}");
    let record = world.record(&id).await;
    assert_eq!((record.status, record.open_checks.len(), record.checks), (Status::Approved, 0, 3));
    assert!(world.gateway.compared.load(Ordering::SeqCst) <= 4);
    let at_rest = world.at_rest();
    assert!(at_rest.iter().all(|body| !body.contains(CODE)), "no code is at rest");
    assert!(at_rest.iter().any(|body| body.contains("open_checks")), "it was counted before it was compared");
    // It tells nothing later, so nobody asks.
    world.pass(3600);
    world.work();
    world.settle().await;
    assert!(world.gateway.fetched.lock().unwrap().is_empty(), "{PERSON}");
}

over_each_engine!(a_code_of_the_other_sides_is_counted_first_and_approves_once);
