//! What a message of its own says, in the words in which it was taken.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The most characters of a message: more is refused by the provider.
pub const MOST_TEXT: usize = 1600;

/// What a message says. It is made once, when the message is taken: what is changed of a
/// template later changes nothing that was promised.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The template that it was made of; nothing for a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What the application said for the template's variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// The whole text.
    pub text: String,
    /// The tag of the language that the text is in; nothing where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The template that WhatsApp has approved, in whose place the text stands where there
    /// is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approved>,
}

/// A template that WhatsApp has approved, and what fills it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// The provider's name for it.
    pub sid: String,
    /// The values of its variables, by their names there.
    pub variables: BTreeMap<String, String>,
}

/// Shows no words: they are between the application and the person.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("template", &self.template)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// Shows no words, either.
impl fmt::Debug for Approved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approved").field("sid", &self.sid).finish_non_exhaustive()
    }
}

/// What goes before what else, where there is more to send than can be sent at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// As a code: somebody waits for it.
    High,
    /// In its turn among all others, which never keep a code waiting.
    #[default]
    Normal,
}

impl Priority {
    /// Every value there is.
    pub const ALL: [Self; 2] = [Self::High, Self::Normal];

    /// It as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
        }
    }
}
