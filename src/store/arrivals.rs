//! Events in the order in which they came to be there, whoever wrote them: for those
//! who read on and must neither miss one nor look for it again and again.
//!
//! Ids say when events happened, by the clocks of those who wrote them, and their
//! commits end in any order. An engine that several processes write may know what
//! has come since it was asked before; one that one process writes has no need of it.

/// What there was at a moment, and how far what has come since was read. Only the
/// engine that it is from can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Which life of the server it holds for.
    pub(super) life: i64,
    /// What there was.
    pub(super) seen: String,
    /// What is being read: up to where, and behind which transaction and id.
    pub(super) reading: Option<(String, String, String)>,
}

/// What has come since a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrivals {
    /// The ids of events, each once.
    pub ids: Vec<String>,
    /// From where to go on.
    pub mark: Mark,
    /// Whether this was all that there was at that moment.
    pub is_all: bool,
}
