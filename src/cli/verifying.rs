//! Verify beside `dialback sandbox`, as long as that runs: another one in its place
//! whenever the sandbox begins afresh, so that nothing is left of what it had. It refuses
//! to know what that is.

use super::serve::verify::{Twilio, Verify};
use crate::clock::Clock;
use crate::config::Config;
use crate::server::Limits;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// How long one is waited for that shall stop: what it sends may wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one is made of.
#[derive(Clone)]
pub struct Recipe {
    /// The configuration, of which its services and their rules count.
    pub config: Config,
    /// The sandbox as it knows it.
    pub twilio: Twilio,
    /// The time, which is the sandbox's.
    pub clock: Clock,
    /// What bounds its listener.
    pub limits: Limits,
}

impl Recipe {
    /// One that is ready to run.
    ///
    /// # Errors
    /// What is in the way.
    pub async fn open(&self) -> anyhow::Result<Verify> {
        let Self { config, twilio, clock, limits } = self.clone();
        Verify::open(config, twilio, clock, limits).await
    }
}

/// Runs one, and another one whenever the sandbox begins afresh, until it is told to stop.
pub async fn run(
    recipe: Recipe,
    first: Verify,
    mut afresh: mpsc::Receiver<oneshot::Sender<String>>,
    mut stopped: watch::Receiver<()>,
) {
    let (mut stop, mut running) = start(first);
    loop {
        let tell = tokio::select! {
            // Ends by a message or by the sender's end: both mean stop.
            _ = stopped.changed() => break,
            tell = afresh.recv() => match tell {
                Some(tell) => tell,
                // Without a sandbox nothing begins any more.
                None => {
                    let _ = stopped.changed().await;
                    break;
                }
            },
        };
        drop(stop);
        // Whatever it still waits for, it is not asked any more.
        let _ = tokio::time::timeout(PATIENCE, running).await;
        let next = match recipe.open().await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "verify beside the sandbox cannot begin afresh");
                return;
            }
        };
        // Whoever asked may have gone.
        let _ = tell.send(next.base_url());
        (stop, running) = start(next);
    }
    drop(stop);
    // Who panicked has been reported.
    let _ = running.await;
}

fn start(verify: Verify) -> (watch::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = watch::channel(());
    (stop, tokio::spawn(verify.run(stopped)))
}
