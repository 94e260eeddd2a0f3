//! Waiting a moment for company: how many statements of a kind the server is at.
//!
//! What a statement costs is mostly not what is in it. So who has little to send waits
//! until one of those that are under way has ended, and sends with it what has come
//! meanwhile; a moment at most. It refuses to know what is sent.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

/// Statements of a kind that are under way.
#[derive(Debug, Default)]
pub(super) struct Company {
    under_way: AtomicUsize,
    /// Told when one of them ends.
    ended: Notify,
    /// The last that ended: when, and how long it took, if many shared it.
    last: Mutex<Option<(Instant, Duration)>>,
    /// Whether other processes keep the server busy with the same.
    is_shared: AtomicBool,
}

impl Company {
    /// One is handed to the server, until this is dropped. So many share it.
    pub(super) fn begin(&self, shared_by: usize) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        UnderWay { company: self, began: Instant::now(), is_shared: shared_by > 1 }
    }

    /// Says whether other processes keep the server busy with the same.
    pub(super) fn set_shared(&self, is_shared: bool) {
        self.is_shared.store(is_shared, Ordering::Relaxed);
    }

    /// Waits for as long after the last end as that one took, at most so long, where other
    /// processes keep the server busy: what is sent to it less often is more at once. Who
    /// was alone in the last one, and asks for one thing after the other, does not wait.
    pub(super) async fn rest(&self, most: Duration) {
        if let Some(until) = self.rests_until(most) {
            sleep_until(until).await;
        }
    }

    fn rests_until(&self, most: Duration) -> Option<Instant> {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (ended, took) = last.filter(|_| self.is_shared.load(Ordering::Relaxed))?;
        Some(ended + took.min(most))
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
pub(super) struct UnderWay<'c> {
    company: &'c Company,
    began: Instant,
    is_shared: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let ended = Instant::now();
        let last = self.is_shared.then(|| (ended, ended.duration_since(self.began)));
        *self.company.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
        self.company.under_way.fetch_sub(1, Ordering::SeqCst);
        self.company.ended.notify_waiters();
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
        let statement = company.begin(1);
        waits(2, LONG).await.unwrap();
        waits(1, Duration::from_millis(5)).await.unwrap();
        let waiting = waits(1, LONG);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(statement);
        waiting.await.unwrap();
    }

    #[test]
    fn who_shares_a_server_with_other_processes_rests_after_what_many_shared() {
        for (is_shared, shared_by, rests) in [(true, 2, true), (true, 1, false), (false, 2, false)] {
            let company = Company::default();
            company.set_shared(is_shared);
            drop(company.begin(shared_by));
            assert_eq!(company.rests_until(LONG).is_some(), rests, "{is_shared} {shared_by}");
        }
    }
}
