//! What several records need and none has to itself: times that do not overflow, and values
//! that go without saying. It refuses to know records.

use jiff::{SignedDuration, Timestamp};

/// So much later; the last time there is where that is beyond all times.
pub(in crate::model) fn after(at: Timestamp, span: impl TryInto<SignedDuration>) -> Timestamp {
    at.checked_add(span.try_into().unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}

/// Whether a value is left out where it is kept.
pub(in crate::model) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
