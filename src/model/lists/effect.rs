//! What an entry does. It refuses to know to whom.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What an entry of a list does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ListEffect")]
pub enum Effect {
    /// No code is sent: neither for a start nor for a resend.
    Block,
    /// Signals of fraud and rules about countries let it pass; limits, opt-outs and what
    /// payments ask for do not.
    Allow,
}

impl Effect {
    /// Both that there are.
    pub const ALL: [Self; 2] = [Self::Block, Self::Allow];

    /// The effect as it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Allow => "allow",
        }
    }

    /// The effect of that word in the API.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.as_str() == word)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
