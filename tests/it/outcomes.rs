//! What becomes of sends that did not succeed at once, over each engine: what is
//! tried again, what is looked up first, and what is given up.

use crate::engines::over_each_engine;
use crate::support::{Engine, Find, PERSON, Say, World, eventually, proof, report};
use dialback::app::messaging;
use dialback::app::verification::{self, VerificationError};
use dialback::model::channel::Channel;
use dialback::model::id::VerificationId;
use dialback::model::opt_out::Keyword;
use dialback::model::policy::Policy;
use dialback::model::status::Status as Delivered;
use dialback::model::verification::{SendState, Status};
use dialback::store::{Key, Kind, Lane};
use std::time::Duration;

over_each_engine![
    an_unknown_send_that_is_found_is_not_repeated,
    an_unknown_send_that_is_not_found_is_repeated_once,
    an_unknown_send_that_is_listed_late_is_not_repeated,
    a_minute_of_server_errors_loses_no_code_and_doubles_none,
    a_minute_of_server_errors_that_hide_a_message_doubles_nothing,
    a_gateway_that_never_knows_is_asked_ever_more_seldom_while_the_code_lives,
    a_look_up_that_never_answers_is_given_up,
    a_refused_look_up_leaves_the_truth_to_the_callback,
    a_look_up_asks_for_the_code_that_was_sent,
    a_look_up_does_not_take_another_verifications_call,
    a_worker_that_dies_while_sending_leaves_a_look_up,
    a_lost_code_key_ends_in_a_failed_send,
    a_refused_send_has_failed_with_its_code,
    a_minute_of_too_many_requests_loses_no_code,
    who_asks_to_be_left_alone_is,
    who_says_stop_during_an_outage_gets_nothing_after_it,
    a_send_that_is_never_taken_is_tried_for_the_life_of_its_code,
    a_retry_stands_where_people_wait,
    who_asks_again_during_an_outage_gets_one_message,
    what_nobody_wants_any_more_is_not_tried_again,
];

// Sends whose outcome is not known.

async fn an_unknown_send_that_is_found_is_not_repeated(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Unknown], [Find::Unknown, Find::It]);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    pass_slowly(&world, 60).await;
    assert_eq!(world.state(&id, 1).await, SendState::Accepted);
    assert_eq!((world.gateway.orders().len(), world.gateway.look_ups().len()), (1, 2));
}

async fn an_unknown_send_that_is_not_found_is_repeated_once(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Unknown, Say::Taken], [Find::Nothing, Find::Nothing]);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    world.settle().await;
    assert_eq!((world.gateway.orders().len(), world.gateway.look_ups().len()), (1, 0), "not at once");
    pass_slowly(&world, 9).await;
    assert_eq!((world.gateway.orders().len(), world.gateway.look_ups().len()), (1, 1), "a list may lag");
    pass_slowly(&world, 20).await;
    assert_eq!(world.state(&id, 1).await, SendState::Accepted);
    assert_eq!((world.gateway.orders().len(), world.gateway.look_ups().len()), (2, 2));
    assert_eq!(world.record(&id).await.sends[0].attempts.made, 2);
}

async fn an_unknown_send_that_is_listed_late_is_not_repeated(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Unknown], [Find::Nothing, Find::It]);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    pass_slowly(&world, 60).await;
    assert_eq!(world.state(&id, 1).await, SendState::Accepted);
    assert_eq!((world.gateway.orders().len(), world.gateway.look_ups().len()), (1, 2));
}

async fn a_minute_of_server_errors_loses_no_code_and_doubles_none(engine: Engine) {
    let mut world = World::new(engine);
    // The lists fail as well, and tell the truth in between.
    world.always(Say::Unknown, Find::Nothing);
    world.script([], [Find::Unknown, Find::Nothing, Find::Unknown]);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    pass_by_seconds(&world, 60).await;
    let tries = world.gateway.orders().len();
    assert!((2..=6).contains(&tries), "{tries} tries in a minute");
    world.always(Say::Taken, Find::Nothing);
    pass_by_seconds(&world, 75).await;
    assert_eq!(world.state(&id, 1).await, SendState::Accepted);
    assert_eq!(world.gateway.taken(), 1);
    let last = world.gateway.orders().last().unwrap().clone();
    assert!(verification::check(&world.app.verifying, &id, &last.code).await.unwrap().valid);
}

async fn a_minute_of_server_errors_that_hide_a_message_doubles_nothing(engine: Engine) {
    let mut world = World::new(engine);
    // Twilio makes it, answers 500, and cannot list it before a minute is over.
    world.script([Say::Unknown], []);
    world.always(Say::Taken, Find::Unknown);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    pass_by_seconds(&world, 60).await;
    assert_eq!(world.gateway.orders().len(), 1, "what cannot be looked up is not sent again");
    world.always(Say::Taken, Find::It);
    pass_by_seconds(&world, 31).await;
    assert_eq!(world.state(&id, 1).await, SendState::Accepted);
    assert_eq!(world.gateway.orders().len(), 1);
}

async fn a_gateway_that_never_knows_is_asked_ever_more_seldom_while_the_code_lives(engine: Engine) {
    let mut world = World::new(engine);
    world.always(Say::Unknown, Find::Nothing);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    pass_slowly(&world, 660).await;
    let tries = world.gateway.orders().len();
    assert!((8..=40).contains(&tries), "{tries} tries in ten minutes");
    let SendState::Failed { code: None, reason } = world.state(&id, 1).await else { panic!() };
    assert_eq!(reason, format!("scripted, at each of {tries} tries within 9 min"));
    assert_eq!(world.record(&id).await.due(), None);
}

async fn a_look_up_that_never_answers_is_given_up(engine: Engine) {
    let mut world = World::new(engine);
    world.always(Say::Unknown, Find::Unknown);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    pass_slowly(&world, 7200).await;
    assert!(matches!(world.state(&id, 1).await, SendState::Failed { code: None, .. }));
    assert_eq!((world.gateway.orders().len(), world.record(&id).await.due()), (1, None));
    let look_ups = world.gateway.look_ups().len();
    assert!((20..150).contains(&look_ups), "{look_ups} look-ups in two hours");
}

async fn a_refused_look_up_leaves_the_truth_to_the_callback(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Unknown], [Find::Refused]);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    pass_slowly(&world, 10).await;
    assert!(matches!(world.state(&id, 1).await, SendState::Failed { .. }));
    let sid = "SM00000000000000000000000000000077";
    world.tell(report(sid, Delivered::Delivered, Some(&id.delivery(1)), None)).await;
    assert_eq!(world.state(&id, 1).await, SendState::Accepted);
    assert_eq!(world.gateway.orders().len(), 1);
}

async fn a_look_up_asks_for_the_code_that_was_sent(engine: Engine) {
    let policy = Policy { new_code_on_resend: true, cooldown: vec![], ..Policy::default() };
    let mut world = World::with(engine, policy);
    world.script([Say::Unknown], [Find::It]);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    eventually("the first is ordered", async || world.gateway.orders().len() == 1).await;
    world.settle().await;
    crate::support::resend(&world.app, &id, None).await.unwrap();
    world.until_accepted(&id, 2).await;
    pass_slowly(&world, 10).await;
    world.until_accepted(&id, 1).await;
    let (orders, look_ups) = (world.gateway.orders(), world.gateway.look_ups());
    assert_ne!(orders[0].code, orders[1].code);
    assert_eq!((look_ups[0].id.clone(), &look_ups[0].code), (id.delivery(1), &orders[0].code));
}

async fn a_look_up_does_not_take_another_verifications_call(engine: Engine) {
    let mut world = World::new(engine);
    world.work();
    // Calls to one number, each of another verification's: they look alike, for
    // the code is not in Twilio's list.
    let mut others = Vec::new();
    for n in 0..3u32 {
        let id = world.start(Channel::Call).await.verification.id;
        world.until_accepted(&id, 1).await;
        others.push(world.record(&id).await.sends[0].sid.clone().unwrap().to_string());
        assert_eq!(others.len(), n as usize + 1);
    }
    let own = format!("CA{:032x}", 0xffff);
    let listed = [others.clone(), vec![own.clone()]].concat();
    world.script([Say::Unknown], std::iter::repeat_n(Find::Among(listed), 20).collect::<Vec<_>>());
    let id = world.start(Channel::Call).await.verification.id;
    pass_slowly(&world, 60).await;
    assert_eq!(world.record(&id).await.sends[0].sid.as_ref().map(ToString::to_string), Some(own));
    // Where all that is listed is another's, nothing is taken and nothing sent.
    let many: Vec<String> = (0..12).map(|n| format!("CA{:032x}", 0xa000 + n)).collect();
    for sid in &many {
        let foreign = VerificationId::from_random([9; 15]).delivery(1);
        messaging::record(
            &world.app.messaging,
            &proof(),
            report(sid, Delivered::Queued, Some(&foreign), Some(PERSON)),
        )
        .await
        .unwrap();
    }
    let before = world.gateway.orders().len();
    world.script([Say::Unknown], []);
    world.always(Say::Taken, Find::Among(many));
    let id = world.start(Channel::Call).await.verification.id;
    pass_slowly(&world, 60).await;
    let send = world.record(&id).await.sends[0].clone();
    assert_eq!((send.sid, send.state), (None, SendState::Sending));
    assert_eq!(world.gateway.orders().len(), before + 1, "not sent again: nobody knows");
}

async fn a_worker_that_dies_while_sending_leaves_a_look_up(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Silence], [Find::It]);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    eventually("it is being sent", async || world.gateway.orders().len() == 1).await;
    world.crash().await;
    assert_eq!(world.state(&id, 1).await, SendState::Sending);
    world.work();
    pass_slowly(&world, 44).await;
    assert_eq!(world.gateway.look_ups().len(), 0, "the lease still runs");
    pass_slowly(&world, 1).await;
    world.until_accepted(&id, 1).await;
    pass_slowly(&world, 60).await;
    assert_eq!((world.gateway.orders().len(), world.gateway.look_ups().len()), (1, 1));
}

async fn a_lost_code_key_ends_in_a_failed_send(engine: Engine) {
    let mut world = World::new(engine);
    let id = world.start(Channel::Sms).await.verification.id;
    world.crash_and_lose_the_code_key().await;
    world.work();
    eventually("the send has failed", async || matches!(world.state(&id, 1).await, SendState::Failed { .. }))
        .await;
    assert!(matches!(
        verification::check(&world.app.verifying, &id, "123456").await,
        Err(VerificationError::CodeKeyGone)
    ));
    assert_eq!((world.gateway.orders().len(), world.record(&id).await.checks), (0, 0));
}

/// Lets time pass in steps, and the jobs do their work after each.
pub async fn pass_slowly(world: &World, seconds: u64) {
    let mut left = seconds;
    while left > 0 {
        // The first seconds one by one; more in greater steps, or the test
        // takes as long.
        let step = if seconds - left < 10 { 1 } else { left.min(30) };
        world.pass(step);
        world.settle().await;
        left -= step;
    }
}

/// The same, second by second: for what is drawn by dice.
async fn pass_by_seconds(world: &World, seconds: u64) {
    for _ in 0..seconds {
        world.pass(1);
        world.settle().await;
    }
}

// Sends whose outcome is known.

async fn a_refused_send_has_failed_with_its_code(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Refused(21211)], []);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    eventually("it has failed", async || {
        matches!(world.state(&id, 1).await, SendState::Failed { code: Some(21211), .. })
    })
    .await;
    let view = verification::fetch(&world.app.admission, &id).await.unwrap();
    assert_eq!((view.status, view.sends_left), (Status::Pending, 4), "another channel may still do it");
    world.pass(30);
    crate::support::resend(&world.app, &id, Some(Channel::Call)).await.unwrap();
    world.until_accepted(&id, 2).await;
}

async fn a_minute_of_too_many_requests_loses_no_code(engine: Engine) {
    let mut world = World::new(engine);
    world.always(Say::NotProcessed(Duration::ZERO), Find::Nothing);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    world.settle().await;
    assert_eq!((world.gateway.orders().len(), world.state(&id, 1).await), (1, SendState::Waiting));
    let view = verification::fetch(&world.app.admission, &id).await.unwrap().verification;
    let next = view.next_attempt_at(1).unwrap();
    assert!(next > world.now() && next <= world.later(2), "{next}");
    pass_by_seconds(&world, 60).await;
    let tries = world.gateway.orders().len();
    assert!((4..=40).contains(&tries), "{tries} tries in a minute");
    world.always(Say::Taken, Find::Nothing);
    pass_by_seconds(&world, 31).await;
    assert_eq!(world.state(&id, 1).await, SendState::Accepted);
    assert_eq!((world.gateway.taken(), world.gateway.look_ups().len()), (1, 0));
}

async fn who_asks_to_be_left_alone_is(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::NotProcessed(Duration::from_secs(50))], []);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    world.settle().await;
    pass_by_seconds(&world, 50).await;
    assert_eq!(world.gateway.orders().len(), 1);
    pass_by_seconds(&world, 3).await;
    eventually("it is sent", async || world.state(&id, 1).await == SendState::Accepted).await;
    world.script([Say::NotProcessed(Duration::from_secs(86_400))], []);
    world.pass(30);
    crate::support::resend(&world.app, &id, None).await.unwrap();
    world.settle().await;
    let end = world.record(&id).await.expires_at;
    let last = world.record(&id).await.next_attempt_at(2).unwrap();
    assert_eq!(end.duration_since(last).as_secs(), 17, "not beyond the life of the code");
}

async fn who_says_stop_during_an_outage_gets_nothing_after_it(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::NotProcessed(Duration::from_secs(20))], []);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    world.settle().await;
    messaging::keyword(&world.app.messaging, &proof(), PERSON, &["+15005550006"], Keyword::Stop)
        .await
        .unwrap();
    pass_slowly(&world, 60).await;
    assert!(matches!(world.state(&id, 1).await, SendState::Failed { code: Some(21610), .. }));
    assert_eq!(world.gateway.orders().len(), 1);
}

async fn a_send_that_is_never_taken_is_tried_for_the_life_of_its_code(engine: Engine) {
    let mut world = World::new(engine);
    world.always(Say::NotProcessed(Duration::ZERO), Find::Nothing);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    pass_slowly(&world, 560).await;
    assert_eq!(world.state(&id, 1).await, SendState::Waiting, "its code lives");
    pass_by_seconds(&world, 40).await;
    let tries = world.gateway.orders().len();
    assert!(tries >= 15, "{tries} tries in ten minutes");
    let SendState::Failed { reason, .. } = world.state(&id, 1).await else { panic!() };
    assert_eq!(reason, format!("scripted, at each of {tries} tries within 9 min"));
    assert_eq!(world.gateway.look_ups().len(), 0);
    let valid_for = world.gateway.orders().last().unwrap().valid_for;
    assert!(valid_for >= Duration::from_secs(15) && valid_for < Duration::from_secs(47), "{valid_for:?}");
}

async fn a_retry_stands_where_people_wait(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::NotProcessed(Duration::ZERO)], []);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    world.settle().await;
    let entry = Key::new(Kind::Verification, id.as_str());
    let due = world.store.due_in(Lane::Person, world.later(600), 10).await.unwrap();
    assert!(due.iter().any(|(key, _)| *key == entry), "it is what a person waits for: {due:?}");
}

async fn who_asks_again_during_an_outage_gets_one_message(engine: Engine) {
    let mut world = World::new(engine);
    world.always(Say::NotProcessed(Duration::ZERO), Find::Nothing);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    pass_by_seconds(&world, 31).await;
    crate::support::resend(&world.app, &id, None).await.unwrap();
    pass_by_seconds(&world, 61).await;
    crate::support::resend(&world.app, &id, None).await.unwrap();
    // Each of the older ones has had its turn, and given way.
    pass_by_seconds(&world, 31).await;
    world.always(Say::Taken, Find::Nothing);
    pass_by_seconds(&world, 31).await;
    assert_eq!(world.gateway.taken(), 1);
    let mut states = Vec::new();
    for number in 1..=3 {
        states.push(world.state(&id, number).await);
    }
    assert_eq!(states, [SendState::Dropped, SendState::Dropped, SendState::Accepted]);
}

async fn what_nobody_wants_any_more_is_not_tried_again(engine: Engine) {
    let mut world = World::new(engine);
    world.always(Say::NotProcessed(Duration::ZERO), Find::Nothing);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    pass_by_seconds(&world, 5).await;
    verification::cancel(&world.app.admission, &id).await.unwrap();
    let tries = world.gateway.orders().len();
    pass_slowly(&world, 120).await;
    assert_eq!((world.gateway.orders().len(), world.state(&id, 1).await), (tries, SendState::Dropped));
}
