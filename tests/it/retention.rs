//! What is old goes, what waits stays, and one process at a time sees to it.

use crate::samples;
use crate::support::{PERSON, Script, parts, proof, report, request};
use dialback::app::audit::{self, AuditFilter};
use dialback::app::fault::Fault;
use dialback::app::messaging::{self, DeliveryFilter, Found};
use dialback::app::privacy::{self, Retention};
use dialback::app::verification::{self, AttemptFilter, VerificationError};
use dialback::app::{App, Parts, Window, admin};
use dialback::clock::Clock;
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::id::VerificationId;
use dialback::model::key::Scope;
use dialback::model::status::Status;
use dialback::store::Kept as Keep;
use dialback::store::memory::Memory;
use dialback::store::{Key, Kind, Lane, Maintenance, records};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const DAY: u64 = 86_400;

struct Kept {
    app: App,
    clock: Clock,
    store: Arc<dyn Maintenance>,
}

fn kept() -> Kept {
    let clock = Clock::stopped("2026-11-20T09:30:00Z".parse::<Timestamp>().unwrap());
    let store: Arc<dyn Maintenance> = Arc::new(Memory::new());
    Kept { app: over(&store, &clock), clock, store }
}

fn over(store: &Arc<dyn Maintenance>, clock: &Clock) -> App {
    let days = |days: i64| Some(SignedDuration::from_hours(24 * days));
    let retention = Retention {
        verifications: days(30),
        deliveries: days(90),
        events: days(30),
        audit: days(400),
        decisions: days(35),
        ..Retention::default()
    };
    App::new(Parts { retention, ..parts(store, &Arc::new(Script::default()), clock) })
}

impl Kept {
    fn pass(&self, days: u64) {
        self.clock.advance(Duration::from_secs(days * DAY));
    }

    async fn count(&self, kind: Kind) -> usize {
        self.store.walk(kind, None, 10_000).await.unwrap().len()
    }

    async fn start(&self) -> VerificationId {
        verification::start(&self.app.verifying, request(PERSON, Channel::Sms), None)
            .await
            .unwrap()
            .view
            .verification
            .id
    }
}

fn window() -> Window {
    Window { limit: 100, after: None }
}

#[tokio::test]
async fn what_has_ended_goes_in_time_and_what_waits_stays() {
    let kept = kept();
    let (ended, pending) = (kept.start().await, kept.start().await);
    verification::cancel(&kept.app.admission, &ended).await.unwrap();
    for n in 0..150 {
        let sid = format!("SM{n:032x}");
        messaging::record(&kept.app.messaging, &proof(), report(&sid, Status::Sent, None, Some(PERSON)))
            .await
            .unwrap();
    }
    kept.pass(29);
    privacy::delete_old(&kept.app.privacy, "one").await.unwrap().unwrap();
    assert_eq!((kept.count(Kind::Verification).await, kept.count(Kind::Delivery).await), (2, 150));
    kept.pass(2);
    let deleted = privacy::delete_old(&kept.app.privacy, "one").await.unwrap().unwrap();
    assert_eq!((deleted.verifications, deleted.deliveries, deleted.lost_races), (1, 0, 0));
    assert!(matches!(
        verification::fetch(&kept.app.admission, &ended).await,
        Err(VerificationError::Fault(Fault::NotFound))
    ));
    assert!(
        verification::fetch(&kept.app.admission, &pending).await.is_ok(),
        "nobody has ended it, whatever its time"
    );
    kept.pass(60);
    let deleted = privacy::delete_old(&kept.app.privacy, "one").await.unwrap().unwrap();
    assert_eq!(deleted.deliveries, 150, "in more than two batches");
    let listed =
        messaging::deliveries(&kept.app.admission, &DeliveryFilter::default(), &window()).await.unwrap();
    // But for the message that was promised to whom nobody has ended.
    assert!(listed.items.len() == 1 && listed.next.is_none());
    assert!(matches!(&listed.items[0], Found::Send(verification, _) if verification.id == pending));
    assert_eq!(kept.count(Kind::Lease).await, 1);
}

#[tokio::test]
async fn what_refers_to_something_deleted_is_shown_without_it() {
    let kept = kept();
    let id = kept.start().await;
    let name = id.delivery(1);
    let sid = format!("SM{:032x}", 7);
    messaging::record(
        &kept.app.messaging,
        &proof(),
        report(&sid, Status::Delivered, Some(&name), Some(PERSON)),
    )
    .await
    .unwrap();
    kept.pass(91);
    // The verification is not ended by anybody, so it is there without its delivery.
    assert_eq!(privacy::delete_old(&kept.app.privacy, "one").await.unwrap().unwrap().deliveries, 1);
    let view = verification::fetch(&kept.app.admission, &id).await.unwrap();
    assert!(view.deliveries[0].1.is_none());
    let attempts = verification::attempts(
        &kept.app.admission,
        &dialback::model::key::ServiceSet::all(),
        &AttemptFilter::default(),
        None,
        10,
    )
    .await
    .unwrap();
    assert!(attempts.attempts.len() == 1 && attempts.attempts[0].delivery.is_none());
    // A callback that comes now begins anew and hurts nobody.
    messaging::record(&kept.app.messaging, &proof(), report(&sid, Status::Read, Some(&name), Some(PERSON)))
        .await
        .unwrap();
    assert_eq!(kept.count(Kind::Delivery).await, 1);
}

#[tokio::test]
async fn the_log_goes_last_and_what_the_next_start_compares_with_never() {
    let kept = kept();
    let settings = [("log.level".to_owned(), dialback::secret::Secret::new("info"), false)];
    assert_eq!(
        audit::note_configuration(&kept.app.base, &kept.app.verifying.codes, &settings).await.unwrap(),
        ["log.level"]
    );
    admin::create_key(&kept.app.directory, &Actor::operator(), "shop", Scope::of_an_application())
        .await
        .unwrap();
    kept.pass(401);
    assert_eq!(privacy::delete_old(&kept.app.privacy, "one").await.unwrap().unwrap().audit, 1);
    assert!(
        audit::note_configuration(&kept.app.base, &kept.app.verifying.codes, &settings)
            .await
            .unwrap()
            .is_empty()
    );
    let left = audit::audit(&kept.app.base, &AuditFilter::default(), &window()).await.unwrap().items;
    assert_eq!(left.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["configuration.changed"]);
}

/// Clocks differ by nearly the slack: nobody takes over while the lease lives by
/// either of them.
#[tokio::test]
async fn one_process_deletes_and_another_takes_over_when_it_is_gone() {
    let one = kept();
    let ahead = Clock::stopped(one.clock.now() + SignedDuration::from_millis(4_900));
    let behind = Clock::stopped(one.clock.now() - SignedDuration::from_millis(4_900));
    let (two, three) = (over(&one.store, &ahead), over(&one.store, &behind));
    assert!(privacy::delete_old(&one.app.privacy, "one").await.unwrap().is_some());
    assert!(privacy::delete_old(&one.app.privacy, "one").await.unwrap().is_some(), "its own");
    for (seconds, is_free) in [(0, false), (55, false), (4, false), (1, false), (1, true)] {
        ahead.advance(Duration::from_secs(seconds));
        behind.advance(Duration::from_secs(seconds));
        let taken = privacy::delete_old(&two.privacy, "two").await.unwrap().is_some();
        assert_eq!(taken, is_free, "{seconds} seconds more");
        assert!(
            taken || privacy::delete_old(&three.privacy, "three").await.unwrap().is_none(),
            "later, by its clock"
        );
    }
    assert!(privacy::delete_old(&one.app.privacy, "one").await.unwrap().is_none(), "it has lost it");
}

/// A kind says how long its records are kept, and that is what becomes of them.
#[tokio::test]
async fn every_kind_goes_as_it_says() {
    let shipped: toml::Table = include_str!("../../config.toml").parse().unwrap();
    let settings = shipped["retention"].as_table().unwrap();
    for kind in Kind::ALL {
        if let Keep::AsSet(key) = kind.declared().kept {
            let name = key.strip_prefix("retention.").unwrap();
            assert!(settings.contains_key(name), "{kind:?} is kept as {key} says, which is no setting");
        }
    }
    let kept = kept();
    let until_due: BTreeSet<Kind> =
        Kind::ALL.into_iter().filter(|kind| kind.declared().kept == Keep::UntilDue).collect();
    let chores: Vec<_> = samples::all()
        .into_iter()
        .filter(|facts| {
            until_due.contains(&facts.key.kind) && facts.due.is_some_and(|due| due.lane == Lane::Chore)
        })
        .collect();
    let with_samples: BTreeSet<Kind> = chores.iter().map(|facts| facts.key.kind).collect();
    assert_eq!(with_samples, until_due, "one of each that is over");
    for facts in &chores {
        kept.store.commit(vec![records::put_facts(None, facts.clone())]).await.unwrap();
    }
    let keys: Vec<Key> = chores.into_iter().map(|facts| facts.key).collect();
    kept.pass(4000);
    assert_eq!(privacy::delete_expired(&kept.app.base, &keys).await.unwrap().len(), 0);
    for kind in until_due {
        assert_eq!(kept.count(kind).await, 0, "{kind:?}");
    }
}
