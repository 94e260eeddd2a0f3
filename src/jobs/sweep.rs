//! The daily sweep: the account's lists are compared with what is known. Who does it, and
//! what is done, is decided in `app::messaging`.

use crate::app::App;
use crate::app::messaging::{Daily, Swept};
use std::time::Duration;

/// From one look at whether it is due to the next.
const EVERY: Duration = Duration::from_secs(5 * 60);

/// Sweeps every day at that hour of UTC, if there is one, until `stop`.
pub(super) async fn keep_sweeping(app: &App, hour: Option<i8>, stop: impl Future<Output = ()>) {
    let Some(hour) = hour else { return };
    let daily = Daily::new(&app.messaging, hour);
    let rounds = async {
        loop {
            match daily.sweep(&app.messaging, app.privacy.retention.deliveries).await {
                Ok(Some(swept)) => tell(&swept),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "cannot compare the provider's lists: tried again"),
            }
            app.base.clock.sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = stop => {}
        () = rounds => {}
    }
}

fn tell(swept: &Swept) {
    let Swept { since, messages, calls, stopped, .. } = swept;
    let (seen, new) = (messages.seen + calls.seen, messages.new + calls.new);
    let (changed, moved) = (messages.changed + calls.changed, messages.moved + calls.moved);
    match stopped {
        None => tracing::info!(%since, seen, new, changed, moved, "the provider's lists were compared"),
        Some(why) => tracing::warn!(
            %since, seen, new, changed, moved, why,
            "the provider's lists were not compared to their end: tried again in an hour"
        ),
    }
}
