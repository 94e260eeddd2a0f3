//! What is kept for days is looked for every few minutes; nothing of it is due by
//! itself. How, and how gently, is `service::retention`'s to know.

use crate::service::{Service, Swept};
use std::time::Duration;

/// From the end of one sweep to the next.
const EVERY: Duration = Duration::from_secs(5 * 60);

/// Sweeps again and again until `stop`.
pub(super) async fn keep_swept(service: &Service, stop: impl Future<Output = ()>) {
    if !service.has_retention() {
        return;
    }
    let holder = service.new_holder();
    let rounds = async {
        loop {
            match service.sweep(&holder).await {
                Ok(Some(swept)) => tell(swept),
                Ok(None) => tracing::debug!("another process deletes old records"),
                Err(error) => tracing::error!(%error, "cannot delete old records"),
            }
            service.clock().sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = stop => {}
        () = rounds => {}
    }
}

fn tell(swept: Swept) {
    if swept == Swept::default() {
        return;
    }
    let Swept { verifications, deliveries, audit, erasures, lost_races } = swept;
    tracing::info!(verifications, deliveries, audit, erasures, lost_races, "old records deleted");
}
