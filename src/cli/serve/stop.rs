//! How all that serves is told to stop.

use tokio::sync::watch;

/// Ends when all are told to stop.
pub(super) async fn told(mut stopped: watch::Receiver<()>) {
    // Ends by a message or by the sender's end: both mean stop.
    let _ = stopped.changed().await;
}
