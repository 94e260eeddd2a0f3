//! What an error of the client or the server means: whether anything was done,
//! and what to do next.
//!
//! Only codes and first lines are kept of it: details name keys, and keys may
//! be numbers of people. It refuses to know statements.

use super::super::StoreError;
use std::error::Error as _;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// What is known after an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing was done, and the same may succeed at once.
    Again(String),
    /// Nothing was done: the server does not take what it was given.
    Refused(String),
    /// Nothing was done, and will not be for now.
    Undone(String),
    /// Nothing was done, and this server is not the one to ask.
    Elsewhere(String),
    /// Nobody knows whether it was done; the connection is lost.
    Unknown(String),
}

impl Fault {
    /// Reads an error of a statement that was sent.
    pub(super) fn of(error: &Error) -> Self {
        let Some(said) = error.as_db_error() else {
            return Self::Unknown(words(error));
        };
        let (code, words) = (said.code(), words(error));
        const AGAIN: [SqlState; 4] = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::UNIQUE_VIOLATION,
            // The statement's own assertion.
            SqlState::DIVISION_BY_ZERO,
        ];
        if AGAIN.contains(code) {
            return Self::Again(words);
        }
        if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
            return Self::Elsewhere(words);
        }
        match code.code().get(..2) {
            // Shutting down, and what is said when the answer was lost on the
            // way: a commit may have been done before.
            _ if *code == SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN => Self::Unknown(words),
            Some("57") if *code != SqlState::QUERY_CANCELED => Self::Unknown(words),
            Some("08" | "58" | "XX") => Self::Unknown(words),
            Some("22" | "23" | "54") => Self::Refused(words),
            _ => Self::Undone(words),
        }
    }

    /// Whether the connection is of no more use.
    pub(super) fn ends_the_connection(&self) -> bool {
        matches!(self, Self::Elsewhere(_) | Self::Unknown(_))
    }
}

/// A fault as those who commit hear of it.
impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Again(why) => Self::Unavailable(format!("others write the same all the time: {why}")),
            Fault::Undone(why) | Fault::Elsewhere(why) => Self::Unavailable(why),
            Fault::Refused(why) => Self::Failed(format!("the server refused it: {why}")),
            Fault::Unknown(why) => Self::Failed(why),
        }
    }
}

/// The same for those who only read: whatever it was, asking again is free.
pub(super) fn unread(error: &Error) -> StoreError {
    StoreError::Unavailable(words(error))
}

/// Whether it is said on a connection that another statement than ours was prepared on,
/// as where a pooler changes what is behind it.
fn is_of_another(code: &SqlState, text: &str) -> bool {
    const OF_ANOTHER: [SqlState; 2] = [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT];
    OF_ANOTHER.contains(code) || text.contains("statement pooling mode")
}

/// An error in one line, without what it says of values.
pub(super) fn words(error: &Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => {
            let (text, code) = (said.message(), said.code());
            let mend = if is_of_another(code, text) { format!(": {SHARED}") } else { String::new() };
            format!("{text} ({}){mend}", code.code())
        }
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

/// What to do where connections are not one's own.
pub(super) const SHARED: &str = "a pooler gives one connection to several by turns, and statements prepared on it \
    are lost: set pool_mode = session in PgBouncer, for this database or user, or connect to the server itself";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_are_not_there_are_a_poolers() {
        for code in ["26000", "42P05"] {
            assert!(is_of_another(&SqlState::from_code(code), "prepared statement \"s14\" does not exist"));
        }
        let text = "transaction blocks not allowed in statement pooling mode";
        assert!(is_of_another(&SqlState::PROTOCOL_VIOLATION, text));
        assert!(!is_of_another(&SqlState::UNIQUE_VIOLATION, "duplicate key"));
    }
}
