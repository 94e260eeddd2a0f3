//! Who is told of commits: when one begins, and when it has ended, however it ends.
//!
//! An engine asks its [`Hooks`] before it does anything about a commit, and keeps what
//! they answer with the commit itself, wherever that goes: who gives up waiting does not
//! end it. It refuses to know what is done about it.

use super::{Change, CountedError};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use tokio::sync::oneshot;

/// What is done when a commit has ended. It is called on whatever thread knows of the
/// end, so it must not wait.
pub type AtEnd = Box<dyn FnOnce() + Send + Sync>;

/// Somebody who is told of commits.
pub trait CommitHook: Send + Sync + 'static {
    /// A commit of these changes begins. The answer is called once it has ended: when it
    /// was done, before who asked for it hears of that; when it was refused or failed;
    /// and when it was given up, as soon as nothing more will be done about it. `None`
    /// where its end does not matter.
    fn begin(self: Arc<Self>, changes: &[Change]) -> Option<AtEnd>;
}

/// Those who are told of an engine's commits, for as long as they are there.
#[derive(Default)]
pub(super) struct Hooks(RwLock<Vec<Weak<dyn CommitHook>>>);

impl Hooks {
    /// Tells somebody more, and forgets those who are gone.
    pub(super) fn add(&self, hook: Weak<dyn CommitHook>) {
        let mut hooks = self.0.write().unwrap_or_else(PoisonError::into_inner);
        hooks.retain(|hook| hook.strong_count() > 0);
        hooks.push(hook);
    }

    /// Tells all of a commit that begins.
    pub(super) fn begin(&self, changes: &[Change]) -> Ending {
        // Nothing is ever half-changed under this lock.
        let hooks = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Ending(hooks.iter().filter_map(|hook| hook.upgrade()?.begin(changes)).collect())
    }
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Hooks")
    }
}

/// A commit that has begun: it ends when this is dropped. Where nobody minds it costs
/// nothing.
#[derive(Default)]
#[must_use]
pub(super) struct Ending(Vec<AtEnd>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|end| end());
    }
}

/// The way back to who waits for a commit. Hooks hear of the end first.
pub(super) struct Answer {
    // In this order, for it is also the one in which they are dropped.
    ending: Ending,
    sender: oneshot::Sender<Result<(), CountedError>>,
}

impl Answer {
    /// A way back, and its other end.
    pub(super) fn to(ending: Ending) -> (Self, oneshot::Receiver<Result<(), CountedError>>) {
        let (sender, answered) = oneshot::channel();
        (Self { ending, sender }, answered)
    }

    /// Answers. Who has gone no longer asks; what was taken is done all the same.
    pub(super) fn send(self, verdict: Result<(), CountedError>) {
        let Self { ending, sender } = self;
        drop(ending);
        let _ = sender.send(verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI32, Ordering};

    /// How many commits are under way, where any have been.
    #[derive(Default)]
    struct UnderWay(AtomicI32);

    impl CommitHook for UnderWay {
        fn begin(self: Arc<Self>, _: &[Change]) -> Option<AtEnd> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Some(Box::new(move || {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }))
        }
    }

    fn hooks() -> (Hooks, Arc<UnderWay>) {
        let (hooks, hook) = (Hooks::default(), Arc::new(UnderWay::default()));
        let weak = Arc::downgrade(&hook);
        hooks.add(weak);
        (hooks, hook)
    }

    #[test]
    fn a_commit_ends_once_whether_it_is_answered_or_not() {
        let (hooks, hook) = hooks();
        let under_way = || hook.0.load(Ordering::SeqCst);
        let (answer, mut answered) = Answer::to(hooks.begin(&[]));
        assert_eq!(under_way(), 1);
        answer.send(Ok(()));
        assert!(under_way() == 0 && matches!(answered.try_recv(), Ok(Ok(()))));
        let (answer, answered) = Answer::to(hooks.begin(&[]));
        drop(answered);
        assert_eq!(under_way(), 1, "who waits has gone, and it is still to be done");
        drop(answer);
        assert_eq!(under_way(), 0);
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let (hooks, first) = hooks();
        let second = Arc::new(UnderWay::default());
        drop(first);
        let weak = Arc::downgrade(&second);
        hooks.add(weak);
        assert_eq!(hooks.0.read().unwrap().len(), 1);
        let ending = hooks.begin(&[]);
        assert_eq!(second.0.load(Ordering::SeqCst), 1);
        drop(ending);
        assert_eq!(second.0.load(Ordering::SeqCst), 0);
    }
}
