//! The hosted pages, as an application sees them.

use super::verification::Verification;
use crate::model::session;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A session that has begun.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub struct NewSession {
    /// Its id, `PS` and 32 hexadecimal digits.
    pub id: String,
    /// Where to send the person.
    pub url: String,
    /// When it dies.
    pub expires_at: Timestamp,
}

/// What came of a session.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionResult {
    /// The session's id.
    pub id: String,
    /// What came of it.
    pub status: End,
    /// The number, the one that was proved if one was.
    pub to: Option<String>,
    /// Your own word, as it came.
    pub state: Option<String>,
    /// The verification, once one was started.
    pub verification: Option<Verification>,
}

/// How a session ends.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SessionStatus")]
pub enum End {
    /// The number is proved.
    Approved,
    /// It is not.
    Failed,
    /// The person did not want to.
    Canceled,
}

impl From<session::End> for End {
    fn from(end: session::End) -> Self {
        match end {
            session::End::Approved => Self::Approved,
            session::End::Failed => Self::Failed,
            session::End::Canceled => Self::Canceled,
        }
    }
}
