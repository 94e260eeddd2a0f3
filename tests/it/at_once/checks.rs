//! Codes that are offered at one moment to verifications of one number, the right one among
//! wrong ones and a start: in whatever order they come, the right one is right, and each
//! wrong one counts for the number.

use super::{Task, Turnstile, every_order};
use crate::support::{Script, parts, request};
use crate::wire::wrong;
use dialback::app::App;
use dialback::app::verification::{self, VerificationError};
use dialback::clock::Clock;
use dialback::model::channel::Channel;
use dialback::model::counter::Counter;
use dialback::model::id::VerificationId;
use dialback::model::verification::Verification;
use dialback::store::memory::Memory;
use dialback::store::{Kind, Maintenance, records};
use std::sync::{Arc, Mutex};

const TO: &str = "+14155550123";

/// What checks came to: right or not, by name.
type Said = Arc<Mutex<Vec<(&'static str, bool)>>>;

struct Place {
    app: App,
    store: Arc<dyn Maintenance>,
    person: VerificationId,
    stranger: VerificationId,
    code: String,
    strangers_code: String,
    said: Said,
}

/// Two verifications of one number, a person's and a stranger's.
async fn place() -> Arc<Place> {
    let store: Arc<dyn Maintenance> = Arc::new(Turnstile(Arc::new(Memory::new())));
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let app = App::new(parts(&store, &Arc::<Script>::default(), &clock));
    let begin = async |caller: &str| crate::begun::by(&app, request(TO, Channel::Sms), caller).await.unwrap();
    let (person, stranger) = (begin("a person").await, begin("a stranger").await);
    let code =
        |one: &Verification| app.verifying.codes.derive(&one.id, &one.code).unwrap().expose().to_owned();
    let (code, strangers_code) = (code(&person), code(&stranger));
    let (person, stranger, said) = (person.id, stranger.id, Said::default());
    Arc::new(Place { app, store, person, stranger, code, strangers_code, said })
}

impl Place {
    async fn check(&self, who: &'static str) {
        let (id, code) = match who {
            "right" => (&self.person, self.code.clone()),
            "mistyped" => (&self.person, wrong(&self.code)),
            _ => (&self.stranger, wrong(&self.strangers_code)),
        };
        match verification::check(&self.app.verifying, id, &code).await {
            Ok(checked) => self.said.lock().unwrap().push((who, checked.valid)),
            // The person was through already.
            Err(VerificationError::Ended(_)) if who == "mistyped" => {}
            Err(error) => panic!("{who}: {error}"),
        }
    }

    /// The only counter of a number.
    async fn failures(&self) -> (u64, u128) {
        let mut found = (0, 0);
        for (id, _) in self.store.walk(Kind::Counter, None, 99).await.unwrap() {
            let counter = records::get::<Counter>(&*self.store, &id).await.unwrap().unwrap().record;
            found.0 += counter.streaks.values().map(|streak| streak.failures).sum::<u64>();
            let wrong = counter.times.iter().filter(|(name, _)| name.starts_with("number_wrong_codes"));
            found.1 += wrong.flat_map(|(_, times)| times.at.values()).map(|n| u128::from(*n)).sum::<u128>();
        }
        found
    }
}

#[tokio::test]
async fn a_right_code_is_right_in_every_order_and_every_wrong_one_counts() {
    for whos in [vec!["right", "stranger"], vec!["right", "mistyped"], vec!["right", "stranger", "stranger"]]
    {
        let most_stops = if whos.len() > 2 { 2 } else { usize::MAX };
        let begin = async || {
            let place = place().await;
            let task = |who: &'static str| -> Task {
                let place = place.clone();
                Box::pin(async move { place.check(who).await })
            };
            (place.clone(), whos.iter().copied().map(task).collect())
        };
        let judge = |place: Arc<Place>| async move {
            let said = place.said.lock().unwrap().clone();
            assert!(said.contains(&("right", true)), "{said:?}");
            let wrong = said.iter().filter(|(_, valid)| !valid).count();
            let (in_a_row, within_an_hour) = place.failures().await;
            assert_eq!(within_an_hour, wrong as u128, "{said:?}");
            assert!(in_a_row <= wrong as u64, "an approval ends the row: {said:?}");
        };
        let orders = every_order(most_stops, begin, judge).await;
        assert!(orders > 1, "{orders}");
    }
}
