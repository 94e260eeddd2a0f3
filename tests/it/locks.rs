//! Wrong codes count for their number: what a number that is locked refuses, what a
//! verification keeps all the same, and what opens it again.

use crate::support::request;
use crate::wire::wrong;
use crate::world::World;
use dialback::app::admission::AdmissionError;
use dialback::app::verification::{self, Offer, VerificationError};
use dialback::model::channel::Channel;
use dialback::model::id::VerificationId;
use dialback::model::verification::Verification;
use jiff::Timestamp;
use std::time::Duration;

const TO: &str = "+15005550123";
const OTHER: &str = "+15005550124";

/// A verification that was begun, with its code.
struct Begun {
    id: VerificationId,
    code: String,
}

fn code_of(world: &World, one: &Verification) -> String {
    world.app.verifying.codes.derive(&one.id, &one.code).unwrap().expose().to_owned()
}

/// Begins one of a number, each for a purpose of its own.
async fn begin(world: &World, to: &str, caller: &str) -> Begun {
    let request = request(to, Channel::Sms);
    let started = crate::begun::by(&world.app, request, caller).await.unwrap();
    Begun { id: started.id.clone(), code: code_of(world, &started) }
}

/// What a check says: whether it was right, or which rule refused it until when.
async fn check(world: &World, one: &Begun, code: &str) -> Result<bool, (String, Timestamp)> {
    match verification::check(&world.app.verifying, &one.id, code).await {
        Ok(checked) => Ok(checked.valid),
        Err(VerificationError::Admission(AdmissionError::LimitReached { rule, retry_at, .. })) => {
            Err((rule, retry_at))
        }
        Err(error) => panic!("{error}"),
    }
}

async fn wrong_codes(world: &World, one: &Begun, times: usize) {
    for nth in 1..=times {
        assert_eq!(check(world, one, &wrong(&one.code)).await, Ok(false), "the {nth}. wrong code");
    }
}

fn at(world: &World, seconds: i64) -> Timestamp {
    world.app.base.now() + jiff::SignedDuration::from_secs(seconds)
}

fn advance(world: &World, seconds: u64) {
    world.clock.advance(Duration::from_secs(seconds));
}

#[tokio::test]
async fn a_locked_number_refuses_checks_but_the_first_five_of_a_verification() {
    let world = World::with_service(|settings| {
        (settings.max_checks, settings.lifetime_seconds) = (20, 86_400);
    })
    .await;
    let (stranger, person, other) =
        (begin(&world, TO, "a").await, begin(&world, TO, "b").await, begin(&world, OTHER, "a").await);
    // The stranger's own five, and as many as the hour has room for.
    wrong_codes(&world, &stranger, 10).await;
    let until = at(&world, 3600);
    let locked = || Err(("number_wrong_codes".to_owned(), until));
    assert_eq!(check(&world, &stranger, &wrong(&stranger.code)).await, locked());
    // The right one is not compared either: it would tell.
    assert_eq!(check(&world, &stranger, &stranger.code).await, locked());
    let stands = verification::fetch(&world.app.admission, &stranger.id).await.unwrap();
    assert_eq!(stands.verification.checks, 10, "what was refused spent nothing");
    // Who had begun before keeps five, and they count.
    wrong_codes(&world, &person, 4).await;
    assert_eq!(check(&world, &person, &person.code).await, Ok(true));
    assert_eq!(check(&world, &stranger, &stranger.code).await, locked(), "an approval empties no window");
    // Another number has nothing to do with it, and the hour passes.
    wrong_codes(&world, &other, 6).await;
    advance(&world, 3600);
    assert_eq!(check(&world, &stranger, &stranger.code).await, Ok(true));
}

#[tokio::test]
async fn five_wrong_codes_in_a_row_block_a_numbers_payments() {
    let world = World::with_service(|settings| {
        (settings.psd2, settings.psd2_block_seconds, settings.lifetime_seconds) = (true, 600, 3600);
    })
    .await;
    let payment = async |caller: &str| {
        let mut request = request(TO, Channel::Sms);
        (request.details.amount, request.details.payee) = (Some("1 EUR".into()), Some("Ada".into()));
        let started = crate::begun::by(&world.app, request, caller).await.unwrap();
        Begun { id: started.id.clone(), code: code_of(&world, &started) }
    };
    let offer = async |one: &Begun, code: &str| {
        let offer = Offer { code: code.to_owned(), amount: Some("1 EUR".into()), payee: Some("Ada".into()) };
        match verification::check(&world.app.verifying, &one.id, offer).await {
            Ok(checked) => Ok(checked.valid),
            Err(VerificationError::Admission(AdmissionError::LimitReached { rule, retry_at, .. })) => {
                Err((rule, retry_at))
            }
            Err(error) => panic!("{error}"),
        }
    };
    let (one, two, three) = (payment("a").await, payment("b").await, payment("c").await);
    for _ in 0..3 {
        assert_eq!(offer(&one, &wrong(&one.code)).await, Ok(false));
    }
    // A right code ends the row.
    assert_eq!(offer(&one, &one.code).await, Ok(true));
    for _ in 0..3 {
        assert_eq!(offer(&two, &wrong(&two.code)).await, Ok(false));
    }
    for _ in 0..2 {
        assert_eq!(offer(&three, &wrong(&three.code)).await, Ok(false));
    }
    let blocked = Err(("psd2_block".to_owned(), at(&world, 600)));
    assert_eq!(offer(&three, &three.code).await, blocked, "the right one, too");
    assert_eq!(offer(&two, &wrong(&two.code)).await, blocked);
    advance(&world, 600);
    assert_eq!(offer(&three, &three.code).await, Ok(true));
}
