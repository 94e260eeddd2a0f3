//! What is done about each of Twilio's codes, about a code that this version does not
//! know, and about what fails without one; and why.
//!
//! The table is data, `remedies.toml`, with every code of `errors.json` in one group.
//! This module refuses to know what a service does otherwise, and how often something
//! was tried already.
//!
//! Source: <https://www.twilio.com/docs/api/errors>.

use crate::model::delivery::Unheard;
use crate::model::remedy::Remedy;
use crate::model::status::Status;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What is done about something, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// What is done, where a service does not say otherwise.
    pub remedy: Remedy,
    /// The end of a sentence that begins with what is done and "because".
    pub why: &'static str,
    /// The first and the last code of the range that it was judged by, of all codes where it
    /// is in none; nothing where the thing itself stands in the table.
    pub range: Option<(u32, u32)>,
}

/// What is done about a code. Every code has an answer.
pub fn remedy(code: u32) -> Remedy {
    judged(code).remedy
}

/// Whether a code stands in the table; it is judged by its range otherwise.
pub fn is_known(code: u32) -> bool {
    TABLE.codes.contains_key(&code)
}

/// What is done about a code, which may be an HTTP status that came without one, and why.
pub fn judged(code: u32) -> Judged {
    let table = &*TABLE;
    if let Some((remedy, why)) = table.codes.get(&code) {
        return Judged { remedy: *remedy, why, range: None };
    }
    let found = table.ranges.iter().find(|range| (range.from..=range.to).contains(&code));
    found.map_or(OF_NO_RANGE, |range| Judged {
        remedy: range.remedy,
        why: &range.why,
        range: Some((range.from, range.to)),
    })
}

/// For a code outside of every range.
const OF_NO_RANGE: Judged = Judged {
    remedy: Remedy::NextChannel,
    why: "nothing is known of the code but that this channel failed",
    range: Some((0, u32::MAX)),
};

/// What is done where nothing but a final status was told of a message or a call, and
/// where that says that it failed.
pub fn judged_status(status: Status, is_call: bool) -> Option<Judged> {
    let is_of_calls = matches!(status, Status::Busy | Status::NoAnswer);
    let is_of_messages = status == Status::Undelivered;
    let fits = if is_call { !is_of_messages } else { !is_of_calls };
    judged_word(status.as_str()).filter(|_| fits)
}

/// The same as a remedy; nothing is sent again of what did not fail.
pub fn remedy_of_status(status: Status, is_call: bool) -> Remedy {
    // What fits a message alone and is told of a call, or the other way round, did not
    // arrive either.
    let as_failed = || status.is_failure().then(|| judged_word(Status::Failed.as_str())).flatten();
    judged_status(status, is_call).or_else(as_failed).map_or(Remedy::Stop, |judged| judged.remedy)
}

/// What is done about a call that ended well and was not heard; nothing where that says
/// that a person took it.
pub fn remedy_of_unheard(unheard: Unheard) -> Option<Remedy> {
    let word = match unheard {
        Unheard::Machine => "machine",
        Unheard::NoKey => "no-key",
        _ => return None,
    };
    judged_word(word).map(|judged| judged.remedy)
}

/// What is done about what has a word and no code: a status, what a call came to, or a fault
/// of the network.
pub fn judged_word(word: &str) -> Option<Judged> {
    let found = TABLE.words.iter().find(|row| row.word == word)?;
    Some(Judged { remedy: found.remedy, why: &found.why, range: None })
}

/// Every code in the table, the lowest first.
pub fn codes() -> impl Iterator<Item = u32> {
    TABLE.codes.keys().copied()
}

/// Every word that stands for what has no code, in the table's order.
pub fn words() -> impl Iterator<Item = &'static str> {
    TABLE.words.iter().map(|row| row.word.as_str())
}

// --- the data file ---

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    group: Vec<Group>,
    range: Vec<Range>,
    word: Vec<Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    remedy: Remedy,
    why: String,
    codes: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    from: u32,
    to: u32,
    remedy: Remedy,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    word: String,
    remedy: Remedy,
    why: String,
}

struct Table {
    codes: BTreeMap<u32, (Remedy, String)>,
    ranges: Vec<Range>,
    words: Vec<Word>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let file: File =
        toml::from_str(include_str!("remedies.toml")).expect("the embedded table is read by every test here");
    let of_group =
        |group: Group| group.codes.into_iter().map(move |code| (code, (group.remedy, group.why.clone())));
    Table { codes: file.group.into_iter().flat_map(of_group).collect(), ranges: file.range, words: file.word }
});

#[cfg(test)]
mod tests;
