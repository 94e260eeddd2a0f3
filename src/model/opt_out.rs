//! Who asked a sender to stop.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an inbound text asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keyword {
    /// Send nothing more.
    Stop,
    /// Send again.
    Start,
    /// Who are you?
    Help,
}

impl Keyword {
    /// The keyword that a text is, by Twilio's default lists; only a text that
    /// is nothing but the word counts.
    pub fn of(body: &str) -> Option<Self> {
        match body.trim().to_ascii_uppercase().as_str() {
            "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "REVOKE" | "OPTOUT" => {
                Some(Self::Stop)
            }
            "START" | "YES" | "UNSTOP" => Some(Self::Start),
            "HELP" | "INFO" => Some(Self::Help),
            _ => None,
        }
    }
}

/// A number's wish towards one sender. The latest wish holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptOut {
    /// Who asked, as an address: `+…`, `whatsapp:+…`.
    pub number: String,
    /// Which sender: a number of ours, or a messaging service.
    pub sender: String,
    /// True while nothing may be sent.
    pub opted_out: bool,
    /// When they asked.
    pub at: Timestamp,
}

impl OptOut {
    /// The record's id for a number and a sender.
    pub fn key(number: &str, sender: &str) -> String {
        format!("{number}|{sender}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_that_is_nothing_but_the_word_counts() {
        let rows = [
            ("STOP", Some(Keyword::Stop)),
            (" stop\n", Some(Keyword::Stop)),
            ("Unstop", Some(Keyword::Start)),
            ("info", Some(Keyword::Help)),
            ("please stop", None),
            ("", None),
        ];
        for (text, keyword) in rows {
            assert_eq!(Keyword::of(text), keyword, "{text:?}");
        }
    }
}
