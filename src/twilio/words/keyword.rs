//! The words that opt out, opt in and ask for help (Twilio's defaults).
//!
//! This module refuses to know who said them and what was recorded before.

/// A word by which a person tells a sender to stop, to begin again or to
/// explain itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// No more messages from this sender.
    Stop,
    /// Messages from this sender again.
    Start,
    /// Who is this?
    Help,
}

/// Twilio's default words
/// (<https://help.twilio.com/articles/223134027>), in upper case.
const STOP: [&str; 8] = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
const START: [&str; 3] = ["START", "YES", "UNSTOP"];
const HELP: [&str; 2] = ["HELP", "INFO"];

impl Keyword {
    /// What an inbound text asks for. `opt_out_type` is Twilio's parameter of
    /// that name, sent with Advanced Opt-Out only; it knows an account's own
    /// keywords and so goes first. Otherwise the whole body must be one of
    /// Twilio's default words: "please stop by" is not a wish to opt out.
    pub fn read(body: &str, opt_out_type: Option<&str>) -> Option<Self> {
        opt_out_type.and_then(Self::of_type).or_else(|| Self::of_body(body))
    }

    fn of_type(opt_out_type: &str) -> Option<Self> {
        match opt_out_type {
            "STOP" => Some(Self::Stop),
            "START" => Some(Self::Start),
            "HELP" => Some(Self::Help),
            _ => None,
        }
    }

    fn of_body(body: &str) -> Option<Self> {
        let word = body.trim().trim_end_matches(['.', '!']);
        let among = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        if among(&STOP) {
            Some(Self::Stop)
        } else if among(&START) {
            Some(Self::Start)
        } else if among(&HELP) {
            Some(Self::Help)
        } else {
            None
        }
    }
}
