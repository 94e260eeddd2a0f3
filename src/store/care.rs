//! What to do about data that is damaged.

/// What to do about a store that cannot be used.
pub(super) const ADVICE: &str = "restore it from a backup, or move it away to start empty";
