//! Listings of deliveries over each engine: in any writing, on any channel, page
//! by page, and what has no name of Twilio's yet.

use crate::engines::over_each_engine;
use crate::support::{Engine, PERSON, Say, World, eventually, proof, report};
use dialback::app::Window;
use dialback::app::fault::Fault;
use dialback::app::messaging::{self, DeliveryFilter, Found, MessagingError};
use dialback::app::verification::{self, AttemptFilter};
use dialback::model::channel::{Channel, DeliveryChannel};
use dialback::model::policy::Policy;
use dialback::model::status::Status as Delivered;
use dialback::model::verification::SendState;
use std::time::Duration;

over_each_engine![
    deliveries_are_listed_page_by_page,
    deliveries_are_found_by_either_name,
    sends_are_listed_until_they_have_a_name,
    a_send_that_is_named_while_it_is_listed_is_shown_once,
    a_send_is_never_missing_while_it_gets_its_name,
    a_count_that_takes_too_long_says_that_it_is_none,
];

async fn a_count_that_takes_too_long_says_that_it_is_none(engine: Engine) {
    let world = World::new(engine);
    for _ in 0..3 {
        world.start(Channel::Sms).await;
    }
    let count = async |longest| {
        let count = verification::count_attempts(
            &world.app.admission,
            &dialback::model::key::ServiceSet::all(),
            &AttemptFilter::default(),
            longest,
        )
        .await
        .unwrap();
        (count.total, count.is_whole)
    };
    assert_eq!(count(Duration::from_secs(600)).await, (3, true));
    assert_eq!(count(Duration::ZERO).await, (1, false));
}

async fn deliveries_are_listed_page_by_page(engine: Engine) {
    let world = World::new(engine);
    let start = world.now();
    for n in 0..30u32 {
        // Three at a time, so that ties are met; every third is a call.
        if n % 3 == 0 {
            world.pass(1);
        }
        let kind = if n % 3 == 2 { "CA" } else { "SM" };
        let status = if n % 2 == 0 { Delivered::Delivered } else { Delivered::Failed };
        let to = if n % 5 == 0 { "whatsapp:+14155550123" } else { PERSON };
        messaging::record(
            &world.app.messaging,
            &proof(),
            report(&format!("{kind}{n:032x}"), status, None, Some(to)),
        )
        .await
        .unwrap();
    }
    let all = every(&world, &DeliveryFilter::default(), 200).await;
    assert_eq!(all.len(), 30);
    for limit in [1, 2, 7, 30] {
        let paged = every(&world, &DeliveryFilter::default(), limit).await;
        assert_eq!(paged, all, "pages of {limit} neither overlap nor lose");
    }
    let count = async |filter: DeliveryFilter| every(&world, &filter, 4).await.len();
    let second = |n| Some(start + jiff::SignedDuration::from_secs(n));
    let to = |to: &str| DeliveryFilter { to: Some(to.into()), ..Default::default() };
    for writing in ["+1 (415) 555-0123", " 14155550123", "tel:+14155550123"] {
        assert_eq!(count(to(writing)).await, 30, "in any writing, on any channel: {writing}");
    }
    for writing in ["whatsapp:+14155550123", "WhatsApp:+1 415 555 0123", "whatsapp: 14155550123"] {
        assert_eq!(count(to(writing)).await, 6, "{writing}");
    }
    assert_eq!(count(to("messenger:14155550123")).await, 0);
    for limit in [1, 2, 7, 30] {
        assert_eq!(every(&world, &to(PERSON), limit).await, all, "merged pages of {limit}");
    }
    assert_eq!(count(to("+14155550199")).await, 0);
    assert_eq!(count(DeliveryFilter { status: Some("failed".into()), ..Default::default() }).await, 15);
    // Four of six went to the address of a person on WhatsApp, and two are calls.
    for (channel, expected) in [
        (DeliveryChannel::Call, 10),
        (DeliveryChannel::Whatsapp, 4),
        (DeliveryChannel::Sms, 16),
        (DeliveryChannel::Rcs, 0),
    ] {
        let by = DeliveryFilter { channel: Some(channel), ..to(PERSON) };
        assert_eq!(count(by).await, expected, "{channel}");
    }
    assert_eq!(count(DeliveryFilter { since: second(9), ..Default::default() }).await, 6);
    assert_eq!(count(DeliveryFilter { until: second(9), ..Default::default() }).await, 24);
    let both = DeliveryFilter { since: second(2), until: second(4), ..to(PERSON) };
    assert_eq!(count(both).await, 6, "numbers 3 to 8");
    let first = Window { limit: 4, after: None };
    assert!(messaging::deliveries(&world.app.admission, &to("hello there"), &first).await.is_err());
}

async fn every(world: &World, filter: &DeliveryFilter, limit: usize) -> Vec<String> {
    let (mut found, mut window) = (Vec::new(), Window { limit, after: None });
    for _ in 0..100 {
        let page = messaging::deliveries(&world.app.admission, filter, &window).await.unwrap();
        assert!(page.items.len() <= limit);
        found.extend(page.items.iter().map(name));
        window.after = page.next;
        if window.after.is_none() {
            return found;
        }
    }
    panic!("the pages never end");
}

/// Twilio's name, or ours where there is none.
fn name(found: &Found) -> String {
    match found {
        Found::Delivery(delivery, _) => delivery.sid.to_string(),
        Found::Send(verification, send) => verification.delivery_id(send.number).to_string(),
    }
}

async fn deliveries_are_found_by_either_name(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Silence], []);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    eventually("it is being sent", async || world.gateway.orders().len() == 1).await;
    let name = id.delivery(1).to_string();
    let found = messaging::delivery(&world.app.base, &name).await.unwrap();
    assert!(matches!(found, Found::Send(_, send) if send.state == SendState::Sending));
    let sid = "SM00000000000000000000000000000077";
    messaging::record(
        &world.app.messaging,
        &proof(),
        report(sid, Delivered::Sent, Some(&id.delivery(1)), None),
    )
    .await
    .unwrap();
    for name in [name.as_str(), sid] {
        let found = messaging::delivery(&world.app.base, name).await.unwrap();
        assert!(matches!(found, Found::Delivery(delivery, _) if delivery.sid.as_str() == sid), "{name}");
    }
    for name in [id.delivery(2).to_string(), "SM00000000000000000000000000000078".into(), "nothing".into()] {
        assert!(
            matches!(
                messaging::delivery(&world.app.base, &name).await,
                Err(MessagingError::Fault(Fault::NotFound))
            ),
            "{name}"
        );
    }
}

/// What stands in a listing: its name, and where it stands.
async fn standing(world: &World, filter: &DeliveryFilter) -> Vec<(String, &'static str)> {
    let page = messaging::deliveries(&world.app.admission, filter, &Window { limit: 50, after: None })
        .await
        .unwrap();
    page.items.iter().map(|found| (name(found), found.status().unwrap_or("-"))).collect()
}

async fn sends_are_listed_until_they_have_a_name(engine: Engine) {
    let policy =
        Policy { channels: Channel::ALL.to_vec(), cooldown: vec![Duration::ZERO], ..Policy::default() };
    let mut world = World::with(engine, policy);
    world.script([Say::Refused(21211), Say::Taken, Say::Silence], []);
    world.work();
    let to = || DeliveryFilter { to: Some(PERSON.into()), ..DeliveryFilter::default() };
    let id = world.start(Channel::Sms).await.verification.id;
    eventually("it is refused", async || matches!(world.state(&id, 1).await, SendState::Failed { .. })).await;
    let refused = (id.delivery(1).to_string(), "failed");
    assert_eq!(standing(&world, &to()).await, std::slice::from_ref(&refused), "Twilio never knew it");
    // Two in the same millisecond, of which one has a name in the end.
    world.pass(1);
    crate::support::resend(&world.app, &id, Some(Channel::Call)).await.unwrap();
    world.until_accepted(&id, 2).await;
    crate::support::resend(&world.app, &id, Some(Channel::Sms)).await.unwrap();
    eventually("it is under way", async || world.state(&id, 3).await == SendState::Sending).await;
    let call = world.record(&id).await.sends[1].sid.clone().unwrap().to_string();
    let hanging = (id.delivery(3).to_string(), "sending");
    let whole = [(call.clone(), "queued"), hanging.clone(), refused.clone()];
    assert_eq!(standing(&world, &to()).await, whole);
    assert_eq!(standing(&world, &DeliveryFilter::default()).await, whole);
    for limit in [1, 2, 3] {
        let names: Vec<String> = whole.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(every(&world, &to(), limit).await, names, "pages of {limit}");
        let of = DeliveryFilter { verification: Some(id.clone()), ..DeliveryFilter::default() };
        assert_eq!(every(&world, &of, limit).await.len(), 3, "pages of {limit}");
    }
    let by = async |channel, status: Option<&str>| {
        let filter = DeliveryFilter { channel, status: status.map(str::to_owned), ..to() };
        standing(&world, &filter).await.len()
    };
    assert_eq!(by(Some(DeliveryChannel::Sms), None).await, 2);
    assert_eq!(by(None, Some("sending")).await, 1);
    assert_eq!(by(None, Some("failed")).await, 1);
    assert_eq!(by(Some(DeliveryChannel::Whatsapp), None).await, 0);
    let other = DeliveryFilter { to: Some("+14155550199".into()), ..DeliveryFilter::default() };
    assert_eq!(standing(&world, &other).await, []);
    // A page ends at what is then named; the next one goes on behind it.
    let first =
        messaging::deliveries(&world.app.admission, &to(), &Window { limit: 2, after: None }).await.unwrap();
    let sid = "SM00000000000000000000000000000077";
    world.pass(5);
    messaging::record(
        &world.app.messaging,
        &proof(),
        report(sid, Delivered::Sent, Some(&id.delivery(3)), Some(PERSON)),
    )
    .await
    .unwrap();
    let rest = messaging::deliveries(&world.app.admission, &to(), &Window { limit: 9, after: first.next })
        .await
        .unwrap();
    let named: Vec<String> = rest.items.iter().map(name).collect();
    assert_eq!(named, std::slice::from_ref(&refused.0));
    let all = standing(&world, &to()).await;
    assert_eq!(all, [(sid.to_owned(), "sent"), (call, "queued"), refused]);
    let found = crate::care::checked(&*world.store).await;
    assert_eq!(found.damage, Vec::<String>::new(), "every line has its record, and no more");
}

async fn a_send_that_is_named_while_it_is_listed_is_shown_once(engine: Engine) {
    let mut world = World::new(engine);
    world.script([Say::Silence], []);
    world.work();
    let id = world.start(Channel::Sms).await.verification.id;
    eventually("it is under way", async || world.state(&id, 1).await == SendState::Sending).await;
    world.pass(3);
    let others = (1..4u32).map(|n| report(&format!("SM{n:032x}"), Delivered::Sent, None, Some(PERSON)));
    for other in others {
        messaging::record(&world.app.messaging, &proof(), other).await.unwrap();
    }
    // Somebody goes through the pages while it gets its name, and the clock went on.
    let to = DeliveryFilter { to: Some(PERSON.into()), ..DeliveryFilter::default() };
    let first =
        messaging::deliveries(&world.app.admission, &to, &Window { limit: 2, after: None }).await.unwrap();
    let sid = "SM00000000000000000000000000000077";
    messaging::record(
        &world.app.messaging,
        &proof(),
        report(sid, Delivered::Sent, Some(&id.delivery(1)), Some(PERSON)),
    )
    .await
    .unwrap();
    let rest = messaging::deliveries(&world.app.admission, &to, &Window { limit: 9, after: first.next })
        .await
        .unwrap();
    let names: Vec<String> = first.items.iter().chain(&rest.items).map(name).collect();
    let other = |n: u32| format!("SM{n:032x}");
    assert_eq!(names, [other(3), other(2), other(1), sid.to_owned()], "neither twice nor passed over");
}

async fn a_send_is_never_missing_while_it_gets_its_name(engine: Engine) {
    let world = World::unlimited(engine);
    for n in 0..40u32 {
        let id = world.start(Channel::Sms).await.verification.id;
        let sid = format!("SM{n:032x}");
        let (since, app) = (Some(world.now()), world.app.clone());
        let named = report(&sid, Delivered::Sent, Some(&id.delivery(1)), Some(PERSON));
        let naming =
            tokio::spawn(async move { messaging::record(&app.messaging, &proof(), named).await.unwrap() });
        let to = DeliveryFilter { to: Some(PERSON.into()), since, ..DeliveryFilter::default() };
        loop {
            let is_over = naming.is_finished();
            let names: Vec<String> = standing(&world, &to).await.into_iter().map(|(name, _)| name).collect();
            assert!(names == [id.delivery(1).to_string()] || names == [sid.clone()], "{names:?}");
            if is_over {
                break;
            }
        }
        naming.await.unwrap();
        world.pass(1);
    }
}
