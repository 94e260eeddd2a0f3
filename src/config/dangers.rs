//! What makes proofs worthless, looked at setting by setting: codes that can be
//! guessed, numbers with a code that everybody knows, secrets that are none. Each is
//! refused unless the configuration says in words why it has to be so.
//!
//! It refuses to know who can reach the server: `exposure` asks.

use super::exposure::LEAST_SECRET;
use super::file::{item, join};
use super::layers::Layers;
use super::problem::Problem;
use super::reader::Reader;
use super::sections::Config;
use crate::model::brand::{GUESSABLE, LONGEST_LIFE, Settings};
use crate::model::test_number::TestNumber;
use crate::secret::Secret;
use jiff::Timestamp;
use std::fmt::Display;

/// The fewest different characters in one.
const LEAST_VARIETY: usize = 5;
/// The most numbers that a test number may stand for.
const WIDEST: u32 = 4;
/// How far away the end of a test number may be, in days.
const LATEST: i64 = 400;
/// What an old configuration says where a reason stands now.
const NO_REASON: &str = "true";

/// What was found: what must not be served, and what was allowed or is only unwise.
pub(super) struct Judge<'a> {
    pub(super) dangers: Reader<'a>,
    pub(super) unwise: Reader<'a>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(layers: &'a Layers) -> Self {
        Self { dangers: Reader::new(layers), unwise: Reader::new(layers) }
    }

    /// Something dangerous at `key`, that a reason at `allow` allows. What is allowed
    /// is a warning, at each start.
    pub(super) fn danger(
        &mut self,
        key: &str,
        what: impl Display,
        mend: impl Display,
        (allow, reason): (&str, &Option<String>),
    ) {
        match reason.as_deref() {
            None => {
                let mend = format!("{mend}, or say why it has to be so: {allow} = \"…\"");
                self.dangers.note(key, what, mend);
            }
            Some(NO_REASON) => {
                self.unwise.note(
                    key,
                    what,
                    format!("{allow} allows it without a reason: write why, as text"),
                );
            }
            Some(reason) => self.unwise.note(key, what, format!("allowed by {allow}: {reason}")),
        }
    }
}

/// Codes that can be guessed or that live too long, of every service.
pub(super) fn codes(config: &Config, judge: &mut Judge<'_>) {
    let others = config.services.others.iter().map(|(key, settings)| (Some(key), settings));
    for (key, settings) in [(None, &config.services.default)].into_iter().chain(others) {
        // What the default has is said once.
        let is_own = |same: fn(&Settings, &Settings) -> bool| {
            key.is_none() || !same(settings, &config.services.default)
        };
        let place = |name: &str| match key {
            Some(key) => join(&join("services", key), name),
            None => join("verification", name),
        };
        let verification = &config.verification;
        let same = |one: &Settings, other: &Settings| one.guess() == other.guess();
        if settings.guess() >= GUESSABLE && is_own(same) {
            let what = format!(
                "{} checks of a code of {} characters let one guesser in {:.0} in",
                settings.max_checks,
                settings.code_length,
                1.0 / settings.guess()
            );
            let allow = ("verification.allow_guessable_codes", &verification.allow_guessable_codes);
            judge.danger(&place("code_length"), what, "longer codes or fewer checks", allow);
        }
        let same = |one: &Settings, other: &Settings| one.lifetime_seconds == other.lifetime_seconds;
        if settings.lifetime_seconds > LONGEST_LIFE && is_own(same) {
            let what = "a code that lives longer than an hour is found by others";
            let allow = ("verification.allow_long_life", &verification.allow_long_life);
            let mend = format!("{LONGEST_LIFE} seconds or less");
            judge.danger(&place("lifetime_seconds"), what, mend, allow);
        }
    }
}

/// Numbers with a code that is no secret, where codes are real.
pub(super) fn test_numbers(config: &Config, judge: &mut Judge<'_>) {
    for (at, test) in config.test_numbers.iter().enumerate() {
        for what in wrong_with(test, Timestamp::now()) {
            let allow = ("allow_test_numbers", &config.allow_test_numbers);
            let mend = "a few numbers, a code of 6 characters that is no pattern, and an end within a year";
            judge.danger(&item("test_numbers", at), what, mend, allow);
        }
    }
}

fn wrong_with(test: &TestNumber, now: Timestamp) -> Vec<&'static str> {
    let TestNumber { pattern, code, until } = test;
    let (any, fixed) = (pattern.matches('?').count(), pattern.bytes().filter(u8::is_ascii_digit).count());
    // A number has mostly eleven or twelve digits.
    let open = if pattern.ends_with('*') { 12_usize.saturating_sub(any + fixed).max(1) } else { 0 };
    let is_wide = any + open > WIDEST as usize;
    let is_late = until.duration_since(now).as_hours() > LATEST * 24;
    [
        (is_wide, "stands for more than 10000 numbers, of which somebody has some"),
        (is_pattern(code), "has a code that everybody tries first"),
        (is_late, "ends later than in a year or so"),
    ]
    .into_iter()
    .filter_map(|(is_wrong, what)| is_wrong.then_some(what))
    .collect()
}

/// Whether a code is short, one character again and again, or a run of them.
fn is_pattern(code: &str) -> bool {
    let bytes = code.as_bytes();
    let steps = |by: i16| bytes.windows(2).all(|two| i16::from(two[1]) - i16::from(two[0]) == by);
    bytes.len() < 6 || steps(0) || steps(1) || steps(-1)
}

/// Whether a secret that somebody made up is too short, or of too few characters.
fn is_weak(secret: &Secret) -> bool {
    let text = secret.expose();
    let mut characters: Vec<char> = text.chars().collect();
    let count = characters.len();
    characters.sort_unstable();
    characters.dedup();
    count < LEAST_SECRET || characters.len() < LEAST_VARIETY
}

/// `DIALBACK_API_KEY`, which is no key of the configuration and opens what keys open.
pub(super) fn api_key(text: &str) -> Option<Problem> {
    is_weak(&Secret::new(text)).then(|| Problem {
        origin: super::problem::Origin::Env("DIALBACK_API_KEY".to_owned()),
        key: String::new(),
        what: format!(
            "is shorter than {LEAST_SECRET} characters or of too few, and others can reach the server"
        ),
        mend: "make one with `openssl rand -hex 32`".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_numbers_are_few_secret_and_end() {
        let now: Timestamp = "2026-11-26T00:00:00Z".parse().unwrap();
        let wrong = |pattern: &str, code: &str, until: &str| {
            let until = format!("{until}T00:00:00Z").parse().unwrap();
            wrong_with(&TestNumber { pattern: pattern.into(), code: code.into(), until }, now).len()
        };
        for (pattern, code, until, count) in [
            ("+1555123????", "492817", "2027-12-31", 0),
            ("+15551230000", "49281736", "2027-01-01", 0),
            ("+1415555012*", "492817", "2027-01-01", 0),
            ("+14155*", "492817", "2027-01-01", 1),
            ("+1415?????*", "492817", "2027-01-01", 1),
            ("+141555?????", "492817", "2027-01-01", 1),
            ("+15551230000", "0000", "2027-01-01", 1),
            ("+15551230000", "000000", "2027-01-01", 1),
            ("+15551230000", "123456", "2027-01-01", 1),
            ("+15551230000", "987654", "2027-01-01", 1),
            ("+15551230000", "492817", "2028-11-26", 1),
            ("+14155*", "0000", "2099-12-31", 3),
        ] {
            assert_eq!(wrong(pattern, code, until), count, "{pattern} {code} {until}");
        }
    }

    #[test]
    fn a_secret_is_long_and_of_many_characters() {
        for weak in ["", "a", "short", "aaaaaaaaaaaaaaaaaaaaaaaaaa", "abababababababababababab", "0123456789"]
        {
            assert!(is_weak(&Secret::new(weak)), "{weak}");
        }
        for strong in ["0123456789abcdef0123456789abcdef", "dbk_tests_3b1f0c7ad2e94586"] {
            assert!(!is_weak(&Secret::new(strong)), "{strong}");
        }
    }
}
