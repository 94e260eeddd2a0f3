//! What makes proofs worthless, looked at setting by setting: codes that can be
//! guessed, numbers with a code that everybody knows, secrets that are none. Each is
//! refused unless the configuration says in words why it has to be so.
//!
//! It refuses to know who can reach the server: `exposure` asks.

use super::file::{item, join};
use super::guessable::{Weakness, is_first_tried, weakness};
use super::layers::Layers;
use super::problem::Problem;
use super::reader::{NO_REASON, Reader};
use super::whole::Config;
use crate::model::service::{GUESSABLE, LONGEST_LIFE, Settings};
use crate::model::test_number::TestNumber;
use jiff::Timestamp;
use std::fmt::Display;

/// The most numbers that test numbers may stand for, all together.
const MOST_NUMBERS: u64 = 10_000;
/// A code as it should be.
const DRAWN: &str = "492817";
/// How far away the end of a test number may be, in days.
const LATEST: i64 = 400;

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
        allow: (&str, &Option<String>),
    ) {
        self.danger_by(key, &[], what, mend, allow);
    }

    /// The same for a key that need not stand anywhere, by one of those that do.
    pub(super) fn danger_by(
        &mut self,
        key: &str,
        by: &[&str],
        what: impl Display,
        mend: impl Display,
        (allow, reason): (&str, &Option<String>),
    ) {
        match reason.as_deref() {
            None => {
                let mend = format!("{mend}, or say why it has to be so: {allow} = \"…\"");
                self.dangers.note_by(key, by, what, mend);
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
pub(super) fn test_numbers(config: &Config, now: Timestamp, judge: &mut Judge<'_>) {
    let allow = ("allow_test_numbers", &config.allow_test_numbers);
    let mend = format!("a few numbers, a drawn code such as \"{DRAWN}\", and an end within a year");
    let (mut all, mut is_told) = (0_u64, false);
    for (at, test) in config.test_numbers.iter().enumerate().filter(|(_, test)| test.until > now) {
        let count = count(test);
        all = all.saturating_add(count);
        is_told |= count > MOST_NUMBERS;
        for what in wrong_with(test, now) {
            judge.danger(&item("test_numbers", at), what, &mend, allow);
        }
    }
    // One that is too many by itself says it better.
    if all > MOST_NUMBERS && !is_told {
        let what = format!("stand for {all} numbers together, of which somebody has some");
        judge.danger("test_numbers", what, format_args!("{MOST_NUMBERS} numbers at most"), allow);
    }
}

/// Test numbers that are over: whoever wrote them believes in them.
pub(super) fn ended(config: &Config, now: Timestamp, unwise: &mut Reader<'_>) {
    for (at, test) in config.test_numbers.iter().enumerate().filter(|(_, test)| test.until <= now) {
        let what = format!("does nothing: it ended at {}", test.until);
        unwise.note(&item("test_numbers", at), what, "take it out, or give it a later end");
    }
}

/// For how many numbers a test number stands, at most.
fn count(TestNumber { pattern, .. }: &TestNumber) -> u64 {
    let (any, fixed) = (pattern.matches('?').count(), pattern.bytes().filter(u8::is_ascii_digit).count());
    // North America's numbers have eleven digits with the 1, others up to thirteen.
    let whole: usize = if pattern.starts_with("+1") { 11 } else { 13 };
    let open = if pattern.ends_with('*') { whole.saturating_sub(any + fixed).max(1) } else { 0 };
    u32::try_from(any + open).ok().and_then(|digits| 10_u64.checked_pow(digits)).unwrap_or(u64::MAX)
}

fn wrong_with(test: &TestNumber, now: Timestamp) -> Vec<&'static str> {
    let is_late = test.until.duration_since(now).as_hours() > LATEST * 24;
    [
        (count(test) > MOST_NUMBERS, "stands for more than 10000 numbers, of which somebody has some"),
        (is_first_tried(&test.code), "has a code that everybody tries first"),
        (is_late, "ends later than in a year or so"),
    ]
    .into_iter()
    .filter_map(|(is_wrong, what)| is_wrong.then_some(what))
    .collect()
}

/// `DIALBACK_API_KEY`, which is no key of the configuration and opens what keys open.
/// What is dangerous about it, and what is unwise.
pub(super) fn api_key(text: &str) -> (Option<Problem>, Option<Problem>) {
    let problem = |what: String| Problem {
        origin: super::problem::Origin::Env("DIALBACK_API_KEY".to_owned()),
        key: String::new(),
        what: format!("{what}, and others can reach the server"),
        mend: "make one with `openssl rand -hex 32`".to_owned(),
    };
    match weakness(text) {
        Some(Weakness::Guessed(what)) => (Some(problem(what)), None),
        Some(Weakness::Doubtful(what)) => (None, Some(problem(what))),
        None => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Env, examine};

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
    fn test_numbers_are_few_in_sum_and_told_when_they_are_over() {
        let env: Env = [("DIALBACK_SANDBOX__ENABLED", "false")].into_iter().collect();
        let told = |lines: &str| {
            let found = examine(Some(("config.toml", &format!("test_numbers = [{lines}]\n"))), &env);
            let about = |all: &[Problem]| {
                all.iter()
                    .filter(|it| it.key.starts_with("test_numbers"))
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
            };
            (about(&found.dangers), about(&found.warnings))
        };
        let until = Timestamp::now() + jiff::SignedDuration::from_hours(240);
        let one = |number: &str, until: &str| {
            format!("{{ number = \"{number}\", code = \"492817\", until = \"{until}\" }},")
        };
        let soon = until.to_string();
        assert_eq!(told(&one("+1555123????", &soon)), (vec![], vec![]));
        let two: String = (0..100).map(|n| one(&format!("+15552{n:02}????"), &soon)).collect();
        let (dangers, _) = told(&two);
        assert!(
            dangers.len() == 1 && dangers[0].contains("stand for 1000000 numbers together"),
            "{dangers:#?}"
        );
        let (dangers, warnings) = told(&one("+1555123????", "2020-01-01"));
        assert!(
            dangers.is_empty() && warnings.len() == 1 && warnings[0].contains("it ended at"),
            "{warnings:#?}"
        );
    }

    #[test]
    fn the_code_that_is_advised_is_taken() {
        assert!(!is_first_tried(DRAWN) && crate::config::test_numbers::MEND.contains(DRAWN));
    }
}
