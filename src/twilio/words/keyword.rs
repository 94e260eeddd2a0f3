//! The words that opt out, opt in and ask for help (Twilio's defaults).
//!
//! This module refuses to know who said them and what was recorded before.

use crate::model::opt_out::Keyword;

/// Twilio's default words
/// (<https://help.twilio.com/articles/223134027>), in upper case.
const STOP: [&str; 8] = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
const START: [&str; 3] = ["START", "YES", "UNSTOP"];
const HELP: [&str; 2] = ["HELP", "INFO"];

/// What an inbound text asks for. `opt_out_type` is Twilio's parameter of
/// that name, sent with Advanced Opt-Out only; it knows an account's own
/// keywords and so goes first. Otherwise the whole body must be one of
/// Twilio's default words: "please stop by" is not a wish to opt out.
pub fn keyword(body: &str, opt_out_type: Option<&str>) -> Option<Keyword> {
    opt_out_type.and_then(of_type).or_else(|| of_body(body))
}

fn of_type(opt_out_type: &str) -> Option<Keyword> {
    match opt_out_type {
        "STOP" => Some(Keyword::Stop),
        "START" => Some(Keyword::Start),
        "HELP" => Some(Keyword::Help),
        _ => None,
    }
}

fn of_body(body: &str) -> Option<Keyword> {
    let word = body.trim().trim_end_matches(['.', '!']);
    let among = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    if among(&STOP) {
        Some(Keyword::Stop)
    } else if among(&START) {
        Some(Keyword::Start)
    } else if among(&HELP) {
        Some(Keyword::Help)
    } else {
        None
    }
}
