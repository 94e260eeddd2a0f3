//! An API key that was made here, as it is kept.

use super::shelf::Owned;
use crate::secret::Secret;
use jiff::Timestamp;

/// A key of an account.
pub(super) struct Key {
    /// `SK…`: the user's name.
    pub sid: String,
    /// The account it opens.
    pub account: String,
    /// The password, which is told only when the key is made.
    pub secret: Secret,
    /// What it is called.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

impl Owned for Key {
    fn account(&self) -> &str {
        &self.account
    }
}
