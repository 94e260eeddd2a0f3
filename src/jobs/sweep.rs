//! Clean-up of what is kept for days (retention): it is looked for every few minutes, and
//! nothing of it is due by itself. How, and how gently, is `app::privacy::retention`'s to
//! know.

use crate::app::App;
use crate::app::privacy::{self, Swept};
use std::time::Duration;

/// From the end of one sweep to the next.
const EVERY: Duration = Duration::from_secs(5 * 60);

/// Sweeps again and again until `stop`.
pub(super) async fn keep_swept(app: &App, stop: impl Future<Output = ()>) {
    if !privacy::has_retention(&app.privacy) {
        return;
    }
    let holder = privacy::new_holder(&app.base);
    let rounds = async {
        loop {
            match privacy::sweep(&app.privacy, &holder).await {
                Ok(Some(swept)) => tell(swept),
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

fn tell(swept: Swept) {
    if swept == Swept::default() {
        return;
    }
    let Swept { verifications, deliveries, audit, erasures, lost_races } = swept;
    tracing::info!(verifications, deliveries, audit, erasures, lost_races, "old records deleted");
}
