//! How many verifications of one number may wait for their codes.

use serde::{Deserialize, Serialize};

/// What a second start for a number is while the first one waits for its code. It is about
/// our own API and the pages; Verify knows one verification for a service and a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pending {
    /// The same verification, if key, session, purpose and payment are the same.
    #[default]
    One,
    /// A verification of its own.
    Many,
}

impl Pending {
    /// Every value there is.
    pub const ALL: [Self; 2] = [Self::One, Self::Many];

    /// The value as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Many => "many",
        }
    }

    pub(super) fn is_one(&self) -> bool {
        *self == Self::One
    }
}
