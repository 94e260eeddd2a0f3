//! Lines of the log that are true once a commit is done, and are told then. It refuses to
//! know what they say.

use super::watch::Watch;
use crate::model::fraud::Entry;
use std::sync::Arc;

/// Lines that wait for a commit. Who gives up waiting for it does not end it, so they are
/// told, too, where nobody says what became of one that has begun.
#[derive(Default)]
pub(in crate::app) struct Lines {
    watch: Option<Arc<Watch>>,
    lines: Vec<Entry>,
    has_begun: bool,
}

impl Lines {
    /// Those of a log.
    pub(in crate::app) fn new(watch: &Arc<Watch>, lines: Vec<Entry>) -> Self {
        Self { watch: (!lines.is_empty()).then(|| watch.clone()), lines, has_begun: false }
    }

    /// The same with those of another.
    pub(in crate::app) fn and(mut self, mut other: Self) -> Self {
        self.lines.append(&mut other.lines);
        self.watch = self.watch.take().or(other.watch.take());
        self
    }

    /// The commit begins.
    pub(in crate::app) fn begin(&mut self) {
        self.has_begun = true;
    }

    /// The commit is done, or not.
    pub(in crate::app) fn settle(mut self, is_done: bool) {
        self.has_begun = is_done;
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if let Some(watch) = self.watch.take().filter(|_| self.has_begun) {
            lines.into_iter().for_each(|line| watch.record(line));
        }
    }
}
