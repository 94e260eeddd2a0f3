//! Codes that the other side makes, sends and compares. It refuses to know what is counted
//! before it is asked, and what its answer does.

use crate::model::phone::PhoneNumber;
use crate::model::verification::Answer;
use async_trait::async_trait;
use std::time::Duration;

/// What somebody says the code is. Its holder writes it down nowhere.
pub struct CodeOffer<'a> {
    /// The verification that it is said to be of.
    pub whose: Whose<'a>,
    /// The code, as this side reads what was typed.
    pub code: &'a str,
    /// The amount and the payee that the code is bound to.
    pub payment: Option<(&'a str, &'a str)>,
}

/// A verification at the other side.
#[derive(Clone, Copy)]
pub enum Whose<'a> {
    /// By the other side's name for it.
    Named(&'a str),
    /// The one that there is for a number.
    Of(&'a PhoneNumber),
}

/// Why nobody knows whether it is the code. The texts hold no code and no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCompared {
    /// It was certainly not compared: no connection, too many requests (429), or a refusal of
    /// the account.
    #[error("not compared: {reason}")]
    Never {
        /// Why not.
        reason: String,
        /// How long the other side asks to be left alone; zero where it does not say.
        after: Duration,
    },
    /// It may have been: time ran out, or the other side failed.
    #[error("perhaps compared: {reason}")]
    Perhaps {
        /// Why nobody knows.
        reason: String,
        /// How long the other side asks to be left alone; zero where it does not say.
        after: Duration,
    },
}

impl NotCompared {
    /// How long the other side asks to be left alone; zero where it does not say.
    pub fn after(&self) -> Duration {
        match self {
            Self::Never { after, .. } | Self::Perhaps { after, .. } => *after,
        }
    }
}

/// Compares codes at the other side. Calls are bounded in time and never repeated inside,
/// for the other side counts each.
#[async_trait]
pub trait Codes: Send + Sync {
    /// Asks whether it is the code.
    ///
    /// # Errors
    /// Why it has not said, and whether it may have been compared all the same.
    async fn check(&self, offer: &CodeOffer<'_>) -> Result<Answer, NotCompared>;

    /// Asks about a code of nobody's, by a name of which nothing is there: any answer is a no.
    ///
    /// # Errors
    /// Why it has not answered, as of a code that is somebody's.
    async fn pretend_to_check(&self, nobody: &str) -> Result<(), NotCompared>;
}
