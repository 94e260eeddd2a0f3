//! Where a call goes on.

use super::resource::Hook;
use super::verb::Verb;

/// Where a call goes on.
#[derive(Clone, Eq, PartialEq)]
pub(super) enum Next {
    /// With a document from the application.
    Fetch {
        /// Where it is.
        hook: Hook,
        /// What is told beside the call's own parameters.
        extra: Vec<(String, String)>,
    },
    /// With a document at hand.
    Inline(String),
    /// With a document that was read already, from this URL.
    Ready(Vec<Verb>, Box<Hook>),
}
