//! How much is written for what: records are the cost of a verification, and
//! one that is written without need is paid for each time.

use crate::support::{Engine, World};
use dialback::app::verification;
use dialback::model::channel::Channel;

#[tokio::test]
async fn a_verification_writes_so_many_records_and_no_more() {
    let mut world = World::new(Engine::Memory);
    // A page of the log is one for many requests, and written when its time has come.
    let is_page = |body: &String| body.contains("\"lines\":[{\"t\":");
    let written = |world: &World| world.at_rest().iter().filter(|body| !is_page(body)).count();
    let id = world.start(Channel::Sms).await.verification.id;
    assert_eq!(written(&world), 2, "started: the verification and its event, in one commit");
    world.work();
    world.until_accepted(&id, 1).await;
    world.settle().await;
    assert_eq!(written(&world), 6, "claimed: one; settled: the verification, the delivery and an event");
    let code = world.gateway.orders()[0].code.clone();
    let wrong = if code == "000000" { "111111" } else { "000000" };
    assert!(!verification::check(&world.app.verifying, &id, wrong).await.unwrap().valid);
    assert_eq!(written(&world), 7, "a wrong code: the verification");
    assert!(verification::check(&world.app.verifying, &id, &code).await.unwrap().valid);
    assert_eq!(written(&world), 9, "the right one: the verification and its event");
}
