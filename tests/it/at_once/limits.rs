//! Who starts under one rate limit at one moment: in whatever order their accesses of
//! the store come, as many pass as the limit says, and the others hear of it alone.

use super::{Task, Turnstile, every_order};
use crate::support::{Script, parts, request};
use dialback::app::admission::{self, AdmissionError};
use dialback::app::fault::Fault;
use dialback::app::verification::{self, Ask, VerificationError};
use dialback::app::{App, services};
use dialback::clock::Clock;
use dialback::model::audit::Actor;
use dialback::model::channel::Channel;
use dialback::model::compat::{Bucket, Compat, RateLimit};
use dialback::store::Maintenance;
use dialback::store::memory::Memory;
use std::sync::{Arc, Mutex};

type Said = Arc<Mutex<Vec<Result<(), VerificationError>>>>;

/// An app whose store can be stopped at every access, with one of `ip` in an hour.
async fn limited() -> App {
    let store: Arc<dyn Maintenance> = Arc::new(Turnstile(Arc::new(Memory::new())));
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let app = App::new(parts(&store, &Arc::<Script>::default(), &clock));
    let id = app.directory.services.default_service().id.clone();
    let change = |compat: &mut Compat, now| {
        let bucket = Bucket { sid: "BL1".into(), max: 1, interval: 3600, created_at: now, updated_at: now };
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
    services::change_compat(&app.directory, &Actor::operator(), &id, change).await.unwrap();
    admission::hold_lists(&app.admission).await.unwrap();
    app
}

async fn ask(app: App, said: Said, to: String) {
    let limits = vec![("ip".to_owned(), "192.0.2.1".to_owned())];
    let ask = Ask { request: request(&to, Channel::Sms), limits, skip_risk_check: false };
    let answer = verification::ask(&app.verifying, &ask).await.map(drop);
    said.lock().unwrap().push(answer);
}

#[tokio::test]
async fn one_of_several_passes_in_every_order() {
    for (askers, most_stops) in [(2, usize::MAX), (3, 2)] {
        let begin = async || {
            let (app, said) = (limited().await, Said::default());
            let task =
                |n: usize| -> Task { Box::pin(ask(app.clone(), said.clone(), format!("+1415555010{n}"))) };
            (said.clone(), (0..askers).map(task).collect())
        };
        let judge = |said: Said| async move {
            let said = said.lock().unwrap();
            let reached = |one: &&Result<(), VerificationError>| {
                matches!(one, Err(VerificationError::Admission(AdmissionError::Reached { .. })))
            };
            assert_eq!(said.iter().filter(|one| one.is_ok()).count(), 1, "{said:?}");
            assert_eq!(said.iter().filter(reached).count(), askers - 1, "{said:?}");
        };
        let orders = every_order(most_stops, begin, judge).await;
        assert!(orders > 1, "{orders}");
    }
}
