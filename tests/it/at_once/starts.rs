//! Who starts twice at one moment, in two tabs or by two processes: in whatever order
//! their accesses of the store come, one verification is begun, and one message sent.

use super::{Task, Turnstile, every_order};
use crate::support::{PERSON, Script, parts, request};
use dialback::app::admission;
use dialback::app::verification::{self, StartRequest, Started};
use dialback::app::{App, Window};
use dialback::clock::Clock;
use dialback::model::channel::Channel;
use dialback::store::Maintenance;
use dialback::store::memory::Memory;
use std::sync::{Arc, Mutex};

type Said = Arc<Mutex<Vec<Started>>>;

/// Two processes on one store that can be stopped at every access.
async fn processes() -> [App; 2] {
    let store: Arc<dyn Maintenance> = Arc::new(Turnstile(Arc::new(Memory::new())));
    let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
    let app = || App::new(parts(&store, &Arc::<Script>::default(), &clock));
    let both = [app(), app()];
    for app in &both {
        admission::hold_lists(&app.admission).await.unwrap();
    }
    both
}

async fn start(app: App, caller: String, said: Said) {
    let request = StartRequest { caller: Some(caller), ..request(PERSON, Channel::Sms) };
    let started = verification::start(&app.verifying, request, None).await.unwrap();
    said.lock().unwrap().push(started);
}

#[tokio::test]
async fn one_is_begun_for_a_caller_in_every_order() {
    // Who starts, and how many verifications that makes.
    for (callers, made) in
        [(&["shop", "shop"][..], 1), (&["shop", "bank"], 2), (&["shop", "shop", "bank"], 2)]
    {
        let most_stops = if callers.len() == 2 { usize::MAX } else { 2 };
        let begin = async || {
            let (apps, said) = (processes().await, Said::default());
            let task = |(n, caller): (usize, &&str)| -> Task {
                Box::pin(start(apps[n % 2].clone(), (*caller).to_owned(), said.clone()))
            };
            let tasks = callers.iter().enumerate().map(task).collect();
            ((apps, said.clone()), tasks)
        };
        let judge = |(apps, said): ([App; 2], Said)| async move {
            let filter = verification::VerificationFilter::default();
            let window = Window { limit: 100, after: None };
            let all = verification::verifications(
                &apps[0].admission,
                &dialback::model::key::ServiceSet::all(),
                &filter,
                &window,
            )
            .await
            .unwrap()
            .items;
            assert_eq!(all.len(), made, "{callers:?}");
            assert!(all.iter().all(|view| view.verification.sends.len() == 1), "{callers:?}");
            let said = said.lock().unwrap();
            assert_eq!(said.len(), callers.len());
            assert_eq!(said.iter().filter(|one| !one.is_same).count(), made, "{callers:?}");
        };
        let orders = every_order(most_stops, begin, judge).await;
        // Who have nothing in common do not meet.
        assert!(orders > 1 || made == callers.len(), "{orders}");
    }
}
