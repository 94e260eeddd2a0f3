//! Waiting a moment for company: how many statements of a kind the server is at.
//!
//! What a statement costs is mostly not what is in it. So who has little to send waits
//! until one of those that are under way has ended, and sends with it what has come
//! meanwhile; a moment at most. It refuses to know what is sent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Statements of a kind that are under way.
#[derive(Debug, Default)]
pub(super) struct Company {
    under_way: AtomicUsize,
    /// Told when one of them ends.
    ended: Notify,
}

impl Company {
    /// One is handed to the server, until this is dropped.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        UnderWay(self)
    }

    /// Waits until one has ended where so many or more are under way, at most so long.
    pub(super) async fn until_fewer(&self, than: usize, most: Duration) {
        let mut ended = std::pin::pin!(self.ended.notified());
        // From now on none is missed.
        ended.as_mut().enable();
        if self.under_way.load(Ordering::SeqCst) >= than {
            // Either is as good.
            let _ = timeout(most, ended).await;
        }
    }
}

/// A statement that the server is at.
pub(super) struct UnderWay<'c>(&'c Company);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
        self.0.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// Longer than any test.
    const LONG: Duration = Duration::from_secs(36_000);

    #[tokio::test]
    async fn who_waits_goes_on_when_one_ends_or_after_a_while() {
        let company = Arc::<Company>::default();
        let waits = |than, most| {
            let company = Arc::clone(&company);
            tokio::spawn(async move { company.until_fewer(than, most).await })
        };
        waits(1, LONG).await.unwrap();
        let statement = company.begin();
        waits(2, LONG).await.unwrap();
        waits(1, Duration::from_millis(5)).await.unwrap();
        let waiting = waits(1, LONG);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(statement);
        waiting.await.unwrap();
    }
}
