//! A verification that only has to end waits for nobody: it stands among the chores, also
//! where an older version has filed it among what people wait for. Over every engine.

use crate::engines::over_each_engine;
use crate::support::{Engine, World};
use dialback::app::admin;
use dialback::app::verification;
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::id::VerificationId;
use dialback::model::verification::Status;
use dialback::store::inspect::{self, Rules};
use dialback::store::records::Record;
use dialback::store::{Change, Due, Key, Kind, Lane};
use jiff::Timestamp;

over_each_engine!(
    what_only_has_to_end_is_a_chore,
    what_an_older_version_filed_among_persons_ends_all_the_same,
    what_an_older_version_filed_among_persons_leaves_nothing_behind,
);

const LANES: [Lane; 3] = [Lane::Person, Lane::Chore, Lane::Aside];

/// The lanes in which a verification is due, and when.
async fn standing(world: &World, id: &VerificationId) -> Vec<(Lane, Timestamp)> {
    let key = Key::new(Kind::Verification, id.as_str());
    let mut found = Vec::new();
    for lane in LANES {
        let due = world.store.due_in(lane, Timestamp::MAX, 99).await.unwrap();
        found.extend(due.into_iter().filter(|(one, _)| *one == key).map(|(_, at)| (lane, at)));
    }
    found
}

/// Whether all that is due and listed is what records say, and nothing else.
async fn is_whole(world: &World) {
    let rules = Rules { deliveries_kept_since: Timestamp::MAX };
    let findings = inspect::inspect(&*world.store, rules, &|_| ()).await.unwrap();
    assert_eq!((findings.damaged, findings.damage, findings.notes), (0, vec![], vec![]));
}

/// A verification as an older version leaves it once its message has gone out.
async fn filed_early(world: &mut World) -> VerificationId {
    let (id, _) = world.sent().await;
    world.settle().await;
    let key = Key::new(Kind::Verification, id.as_str());
    let stored = world.store.read(&key).await.unwrap().unwrap();
    let at = world.record(&id).await.expires_at;
    let early = Change {
        key,
        expected: stored.version,
        body: Some(stored.body.to_vec()),
        due_before: Some(Due { at, lane: Lane::Chore }),
        due_after: Some(Due { at, lane: Lane::Person }),
        entries_added: Vec::new(),
        entries_removed: Vec::new(),
    };
    world.store.commit(vec![early]).await.unwrap();
    world.crash().await;
    assert_eq!(standing(world, &id).await, [(Lane::Person, ms(at))]);
    is_whole(world).await;
    id
}

fn ms(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap()
}

async fn ends(world: &mut World, id: &VerificationId) {
    world.pass(3600);
    world.settle().await;
    assert_eq!(world.record(id).await.status, Status::Expired);
    assert_eq!(standing(world, id).await, []);
    is_whole(world).await;
}

async fn what_only_has_to_end_is_a_chore(engine: Engine) {
    let mut world = World::new(engine);
    let id = world.start(Channel::Sms).await.verification.id;
    let asked_at = world.now();
    assert_eq!(standing(&world, &id).await, [(Lane::Person, asked_at)], "somebody waits for the message");
    world.work();
    world.until_accepted(&id, 1).await;
    world.settle().await;
    let record = world.record(&id).await;
    assert_eq!((record.lane(), record.due()), (Lane::Chore, Some(record.expires_at)));
    assert_eq!(standing(&world, &id).await, [(Lane::Chore, ms(record.expires_at))]);
    world.pass(60);
    crate::support::resend(&world.app, &id, None).await.unwrap();
    world.until_accepted(&id, 2).await;
    world.settle().await;
    assert_eq!(standing(&world, &id).await.first().map(|(lane, _)| *lane), Some(Lane::Chore));
    ends(&mut world, &id).await;
}

async fn what_an_older_version_filed_among_persons_ends_all_the_same(engine: Engine) {
    let mut world = World::new(engine);
    let id = filed_early(&mut world).await;
    world.work();
    ends(&mut world, &id).await;
}

/// Whatever is done with it: it goes from the lane where it is, and comes where it belongs.
async fn what_an_older_version_filed_among_persons_leaves_nothing_behind(engine: Engine) {
    let mut world = World::new(engine);
    let id = filed_early(&mut world).await;
    let (key, at) = (Key::new(Kind::Verification, id.as_str()), world.record(&id).await.expires_at);
    admin::set_aside(&world.app.base, &key, at, Lane::Person).await.unwrap();
    assert_eq!(standing(&world, &id).await, [(Lane::Aside, ms(at))]);
    is_whole(&world).await;
    admin::retry_job(&world.app.base, &Actor::operator(), &format!("verification/{id}")).await.unwrap();
    assert_eq!(standing(&world, &id).await, [(Lane::Chore, ms(at))]);
    is_whole(&world).await;

    let mut world = World::new(engine);
    let id = filed_early(&mut world).await;
    world.pass(60);
    crate::support::resend(&world.app, &id, None).await.unwrap();
    assert_eq!(standing(&world, &id).await, [(Lane::Person, world.now())]);
    is_whole(&world).await;
    verification::cancel(&world.app.admission, &id).await.unwrap();
    assert_eq!(standing(&world, &id).await, []);
    is_whole(&world).await;
}
