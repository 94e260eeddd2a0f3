//! A session of the hosted pages, as the application that began it sees it.

use super::verification::Verification;
use crate::app::verification::SessionView;
use crate::model::session::End;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A session that has begun.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewSession {
    /// Its id, `PS` and 32 hexadecimal digits.
    pub id: String,
    /// Where to send the person.
    pub url: String,
    /// Until when the person may come.
    pub expires_at: Timestamp,
}

/// A session that the application has ended.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EndedSession {
    /// The id of the session.
    pub id: String,
    /// How it ended: it was called off, by the application or by the person.
    pub status: SessionEnd,
    /// What the application gave along.
    pub state: Option<String>,
}

/// What came of a session.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionResult {
    /// The id of the session.
    pub id: String,
    /// How it ended.
    pub status: SessionEnd,
    /// The number, where there is one.
    pub to: Option<String>,
    /// What the application gave along.
    pub state: Option<String>,
    /// The verification, where there was one.
    pub verification: Option<Verification>,
}

/// How a session ended.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// The number is proved.
    Approved,
    /// It is not, and there is nothing left to try.
    Failed,
    /// The person turned back, or the application ended it.
    Canceled,
}

impl From<End> for SessionEnd {
    fn from(end: End) -> Self {
        match end {
            End::Approved => Self::Approved,
            End::Failed => Self::Failed,
            End::Canceled | End::CalledOff => Self::Canceled,
        }
    }
}

impl SessionResult {
    /// What is told of a session that ended so.
    pub fn new(view: &SessionView, end: End) -> Self {
        let session = &view.session;
        let to = session.number.as_ref().or(session.to.as_ref());
        Self {
            id: session.id.to_string(),
            status: end.into(),
            to: to.map(|to| to.in_full().to_owned()),
            state: session.state.clone(),
            verification: view.verification.as_ref().map(Verification::from),
        }
    }
}
