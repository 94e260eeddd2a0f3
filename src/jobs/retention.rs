//! The round of retention, every few minutes: nothing of what is kept for days is due by
//! itself. Which records are deleted, and how gently, is decided in
//! `app::privacy::retention`.

use crate::app::App;
use crate::app::privacy::{self, Deleted};
use std::time::Duration;

/// From the end of one round to the next.
const EVERY: Duration = Duration::from_secs(5 * 60);

/// Deletes what was kept long enough, again and again until `stop`.
pub(super) async fn keep_deleting(app: &App, stop: impl Future<Output = ()>) {
    if !privacy::has_retention(&app.privacy) {
        return;
    }
    let holder = privacy::new_holder(&app.base);
    let rounds = async {
        loop {
            match privacy::delete_old(&app.privacy, &holder).await {
                Ok(Some(deleted)) => tell(deleted),
                Ok(None) => tracing::debug!("another process deletes old records"),
                Err(error) => tracing::error!(%error, "cannot delete old records"),
            }
            app.base.clock.sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = stop => {}
        () = rounds => {}
    }
}

fn tell(deleted: Deleted) {
    if deleted == Deleted::default() {
        return;
    }
    let Deleted { verifications, deliveries, audit, decisions, erasures, lost_races } = deleted;
    tracing::info!(verifications, deliveries, audit, decisions, erasures, lost_races, "old records deleted");
}
