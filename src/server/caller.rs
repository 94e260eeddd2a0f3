//! Whether whoever asked still waits for the answer.
//!
//! A handler runs to its end though its client has left, for what it began it also
//! ends. One that only reads, and long, asks here, and stops.

use std::future::Future;
use tokio::sync::watch;

tokio::task_local! {
    static WAITS: watch::Receiver<()>;
}

/// Held for as long as somebody waits for an answer.
pub(super) struct Waits {
    _held: watch::Sender<()>,
}

/// A handler that can ask, and what is held for it while its caller waits.
pub(super) fn heard<F: Future>(handler: F) -> (Waits, impl Future<Output = F::Output>) {
    let (held, waits) = watch::channel(());
    (Waits { _held: held }, WAITS.scope(waits, handler))
}

/// Resolves when nobody waits any more for the answer of the request that is being
/// handled: its client has left, or its time is over. Never outside of a request.
pub async fn gone() {
    match WAITS.try_with(Clone::clone) {
        Ok(mut waits) => while waits.changed().await.is_ok() {},
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_handler_learns_that_nobody_waits() {
        let (waits, handler) = heard(async { gone().await });
        let handler = tokio::spawn(handler);
        tokio::task::yield_now().await;
        assert!(!handler.is_finished());
        drop(waits);
        handler.await.unwrap();
        assert!(tokio::time::timeout(Duration::ZERO, gone()).await.is_err(), "nobody asked for anything");
    }
}
