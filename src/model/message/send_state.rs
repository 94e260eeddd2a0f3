//! How far a send got.

use serde::{Deserialize, Serialize};

/// How far a send got, as far as we had a hand in it. What became of it
/// afterwards is the delivery's story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum SendState {
    /// Waits in the outbox.
    Waiting,
    /// A job is at it; nobody knows the outcome yet.
    Sending,
    /// The provider took it.
    Accepted,
    /// The provider refused it, or sending was given up.
    Failed {
        /// The provider's error code, when it gave one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u32>,
        /// Why, in words without numbers or secrets.
        reason: String,
    },
    /// Not sent, because the verification had ended or was about to.
    Dropped,
    /// Not sent, because the number is a test number.
    Test,
}

impl SendState {
    /// The state as it is written in the API, where a delivery's status stands.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "pending",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Failed { .. } => "failed",
            Self::Dropped => "canceled",
            Self::Test => "test",
        }
    }
}
