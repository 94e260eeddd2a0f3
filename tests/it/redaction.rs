//! What messages said is taken away at the provider once their code is dead, over every
//! engine, whoever dies between and however often the provider says no.

use crate::engines::over_each_engine;
use crate::instance::{Setup, text};
use crate::support::{Engine, World, eventually, request};
use crate::wire::answer;
use dialback::app::verification;
use dialback::gateway::SendError;
use dialback::model::channel::Channel;
use dialback::model::policy::Policy;
use serde_json::json;
use std::time::Duration;

over_each_engine![
    a_dead_code_leaves_no_words_at_the_provider,
    what_the_provider_does_not_take_away_now_it_takes_later,
    a_death_before_it_is_taken_away_leaves_it_to_the_next,
];

fn redacting() -> Policy {
    Policy { redact: true, ..Policy::default() }
}

fn redacted(world: &World) -> usize {
    world.gateway.redacted.lock().unwrap().len()
}

fn not_processed(seconds: u64) -> SendError {
    let after = Duration::from_secs(seconds);
    SendError::NotProcessed { code: Some(20009), reason: "it is not complete yet".into(), after }
}

async fn a_dead_code_leaves_no_words_at_the_provider(engine: Engine) {
    let mut world = World::with(engine, redacting());
    let (id, _) = world.sent().await;
    world.settle().await;
    assert_eq!(redacted(&world), 0, "the code still lives");
    world.pass(600);
    world.settle().await;
    world.pass(5);
    eventually("it is redacted", async || world.record(&id).await.sends[0].redacted).await;
    let sid = world.record(&id).await.sends[0].sid.clone().unwrap();
    assert_eq!(*world.gateway.redacted.lock().unwrap(), [sid]);
    assert_eq!(world.record(&id).await.outbox, []);
    world.pass(86_400);
    world.settle().await;
    assert_eq!(redacted(&world), 1, "once");
}

async fn what_the_provider_does_not_take_away_now_it_takes_later(engine: Engine) {
    let mut world = World::with(engine, redacting());
    let (id, _) = world.sent().await;
    let refused = SendError::Refused { code: Some(20003), reason: "scripted".into() };
    world.gateway.redactions.lock().unwrap().extend([
        not_processed(7),
        SendError::unknown("scripted"),
        refused,
    ]);
    verification::cancel(&world.app.admission, &id).await.unwrap();
    world.pass(5);
    for tries in 1..4 {
        eventually("it is tried", async || {
            world.record(&id).await.outbox.first().is_some_and(|step| step.attempts == tries)
        })
        .await;
        // A person is not kept waiting by it.
        let other = verification::start(
            &world.app.verifying,
            request(&format!("+1415555011{tries}"), Channel::Sms),
            None,
        );
        let other = other.await.unwrap().view.verification.id;
        world.until_accepted(&other, 1).await;
        world.pass(90);
    }
    eventually("it is redacted", async || world.record(&id).await.sends[0].redacted).await;
    assert_eq!(redacted(&world), 4);
}

async fn a_death_before_it_is_taken_away_leaves_it_to_the_next(engine: Engine) {
    let mut world = World::with(engine, redacting());
    let (id, _) = world.sent().await;
    verification::cancel(&world.app.admission, &id).await.unwrap();
    world.crash().await;
    world.pass(3600);
    let beside = world.beside(&world.clock);
    world.work();
    // Two at once do no harm.
    dialback::app::messaging::redact_due(&beside.messaging, id.as_str()).await.unwrap();
    eventually("it is redacted", async || world.record(&id).await.sends[0].redacted).await;
    assert!((1..=2).contains(&redacted(&world)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asked_for_nothing_keeps_words_where_they_are() {
    let mut world = World::new(Engine::Memory);
    let (id, _) = world.sent().await;
    verification::cancel(&world.app.admission, &id).await.unwrap();
    world.pass(3600);
    world.settle().await;
    let record = world.record(&id).await;
    assert_eq!((redacted(&world), record.outbox.len(), record.sends[0].redacted), (0, 0, false));
}

#[tokio::test]
async fn in_the_sandbox_a_text_is_empty_once_its_code_was_typed() {
    let app = Setup::sandbox().set("SERVICES", "{ default = { redact = true } }").start().await;
    let number = "+15551230977";
    let id = text(&app.begin(number, "sms").await["id"]);
    let code = app.texted_code(number, 1).await;
    let sent = app.verification(&id, |one| one["deliveries"][0]["status"] == "delivered").await;
    assert!(sent["deliveries"][0].get("redacted").is_none(), "{sent}");
    let url = format!(
        "{}/2010-04-01/Accounts/{}/Messages/{}.json",
        app.sandbox,
        app.account,
        text(&sent["deliveries"][0]["sid"])
    );
    let read = async || answer(app.http.get(&url).basic_auth(&app.account, Some(&app.token))).await.json();
    assert!(read().await["body"].as_str().unwrap().contains(&code));
    assert_eq!(app.check(&id, &code).await.json()["valid"], true);
    app.advance(5).await;
    let seen = app.verification(&id, |one| one["deliveries"][0]["redacted"] == true).await;
    assert_eq!((&seen["status"], &read().await["body"]), (&json!("approved"), &json!("")));
    app.stop().await;
}
