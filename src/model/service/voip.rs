//! What a service does about numbers of internet telephony.

use serde::{Deserialize, Serialize};

/// What becomes of a code for a number of internet telephony, by its country's plan: such
/// numbers are had by the thousand and cost nothing, and many honest people have one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnVoip {
    /// It is sent like any other.
    Allow,
    /// It is sent, and marked.
    #[default]
    Flag,
    /// It is refused.
    Refuse,
}

impl OnVoip {
    /// Every value there is.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Flag, Self::Refuse];

    /// The value as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Flag => "flag",
            Self::Refuse => "refuse",
        }
    }

    pub(super) fn is_flag(&self) -> bool {
        *self == Self::Flag
    }
}
