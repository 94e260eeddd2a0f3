//! `test_numbers`: numbers with a fixed code.
//!
//! It refuses to know what becomes of them.

use super::file::join;
use super::reader::Reader;
use crate::model::test_number::TestNumber;
use jiff::Timestamp;
use jiff::civil::Date;

const KEY: &str = "test_numbers";
pub(super) const MEND: &str =
    "write { number = \"+15551230000\", code = \"492817\", until = \"2027-12-31\" }";

/// Those of the configuration.
pub(super) fn read(r: &mut Reader<'_>) -> Vec<TestNumber> {
    r.list(KEY, one)
}

fn one(r: &mut Reader<'_>, path: &str, item: &toml::Value) -> Option<TestNumber> {
    let Some(table) = item.as_table() else {
        r.note(path, "is no table", MEND);
        return None;
    };
    r.only(path, table, &["number", "code", "until"]);
    for name in ["number", "code"] {
        if table.get(name).is_some_and(|value| !value.is_str()) {
            r.note(&join(path, name), "is no text", "write it in quotation marks");
            return None;
        }
    }
    let text = |name: &str| match table.get(name) {
        Some(toml::Value::String(text)) => text.clone(),
        Some(toml::Value::Datetime(time)) => time.to_string(),
        _ => String::new(),
    };
    let (pattern, code, until) = (text("number"), text("code"), time(&text("until")));
    let is_code = (4..=10).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let wrong = [
        (
            !TestNumber::is_pattern(&pattern),
            "number",
            "has a number that is none: international form, ? for a digit, * at the end for any",
        ),
        (!is_code, "code", "has a code that is none: 4 to 10 digits"),
        (until.is_none(), "until", "has no end that could be: a day or a time"),
    ];
    let mut is_whole = true;
    for (_, name, what) in wrong.into_iter().filter(|(is_wrong, _, _)| *is_wrong) {
        is_whole = false;
        r.note(&join(path, name), what, MEND);
    }
    until.filter(|_| is_whole).map(|until| TestNumber { pattern, code, until })
}

/// A time, or the first moment of a day in UTC.
fn time(text: &str) -> Option<Timestamp> {
    let day = || {
        let day: Date = text.parse().ok()?;
        day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    text.parse().ok().or_else(day)
}
