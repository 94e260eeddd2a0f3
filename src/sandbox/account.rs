//! What is kept of the account.

use jiff::Timestamp;

/// What can be changed of the account.
#[derive(Default)]
pub(super) struct Account {
    /// The name that it was given, and when.
    pub renamed: Option<(String, Timestamp)>,
}
