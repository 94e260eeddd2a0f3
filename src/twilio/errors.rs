//! Twilio's error codes: what they mean and what may be done; and the same of
//! endings for which Twilio gives no code.
//!
//! Two tables are embedded: `errors.json`, one row per code, and `advice.toml`,
//! sentences for people. Twilio adds codes without notice and advises against
//! logic built on them, so whatever is in no table is judged by its range, and is
//! given no meaning in words: a wrong one leads people astray. Twilio's own text
//! stands there instead, where one came.
//! This module refuses to know how often something was tried already.
//!
//! Source: <https://www.twilio.com/docs/api/errors>.

mod ending;

pub use ending::{Ending, told};

use crate::model::event::Fault;
use serde::{Deserialize, Deserializer};
use std::collections::HashMap;
use std::sync::LazyLock;

/// What is known of an error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// Twilio's number, such as 30003.
    pub code: u32,
    /// Twilio's title for it; [`NOT_KNOWN`] for one in no table.
    pub name: &'static str,
    /// What kind of failure it is.
    pub disposition: Disposition,
    /// Whether the same channel may be tried again, for the same number.
    pub retry_same_channel: bool,
    /// Whether another channel may succeed.
    pub try_other_channel: bool,
    /// Whether this number cannot be reached on this channel at all.
    pub number_dead_for_channel: bool,
    /// A hint from the table, for developers.
    pub note: Option<&'static str>,
    /// Whether the code is in the table; judged by its range otherwise.
    pub known: bool,
}

/// Kinds of failure, by what they ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// Transient: the same may succeed later.
    Retry,
    /// Too many requests (429, 20429): slow down, then retry.
    Throttle,
    /// The recipient cannot be reached this way.
    Permanent,
    /// The operator must mend something.
    Config,
    /// Content or sender blocked.
    Filtered,
    /// Blocked as abuse: no automatic retry.
    Fraud,
    /// Too late: its time had run out.
    Expired,
    /// Our webhook or its TwiML is at fault.
    Receiver,
    /// Wrong code, or the person's own limits.
    User,
    /// The channel cannot carry it.
    Other,
    /// For information: nothing is wrong.
    None,
}

/// The name of a code that is in no table.
pub const NOT_KNOWN: &str = "not known to this version";

/// The code that a text names; `None` for what is none of Twilio's, which are
/// positive numbers: 0 stands where nothing went wrong.
pub fn code(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|code| *code > 0)
}

/// Reads a code of a JSON document, where it is a number, a text or null.
/// Whatever else stands there is no code, and no reason to refuse the document.
///
/// # Errors
/// The document's, where it is no JSON.
pub fn lenient_code<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    Ok(match serde_json::Value::deserialize(from)? {
        serde_json::Value::Number(number) => code(&number.to_string()),
        serde_json::Value::String(text) => code(&text),
        _ => None,
    })
}

/// The code by which Twilio says that the recipient has told the sender to stop.
const OPTED_OUT: u32 = 21610;

/// Whether a code says that the recipient has told the sender to stop: a person's
/// wish, and nothing that went wrong.
pub fn is_opt_out(code: u32) -> bool {
    code == OPTED_OUT
}

/// Codes by which one sender has too much to do, and its account has not: its queue is full
/// (21611), or WhatsApp's limits are reached (63017, 63018).
const OF_SENDER: [u32; 3] = [21611, 63017, 63018];

/// Whether a code that asks for patience says so of one sender, and not of its account.
pub fn is_of_sender(code: u32) -> bool {
    OF_SENDER.contains(&code)
}

/// Codes by which an account can do nothing at all: its credentials (20003), its state
/// (20005, 30002), its rights (20006, 20008).
const OF_ACCOUNT: [u32; 5] = [20003, 20005, 20006, 20008, 30002];

/// Whether a code says that the account can do nothing at all.
pub fn is_of_account(code: u32) -> bool {
    OF_ACCOUNT.contains(&code)
}

/// Twilio's page about a code.
pub fn docs(code: u32) -> String {
    format!("https://www.twilio.com/docs/api/errors/{code}")
}

/// Twilio's own text about an error, as it may be kept and shown: on one line,
/// short, and without the digits of numbers and codes, which it may repeat.
/// `None` where nothing is left.
pub fn own_words(text: &str) -> Option<String> {
    const MOST: usize = 150;
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit() || c == '+') {
        out.push_str(&rest[..at]);
        let is_of_number = |c: char| c.is_ascii_digit() || " +-.()".contains(c);
        let end = rest[at..].find(|c: char| !is_of_number(c)).map_or(rest.len(), |end| at + end);
        let run = rest[at..end].trim_end_matches(|c: char| !c.is_ascii_digit());
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        out.push_str(if digits < 4 { run } else { "…" });
        // A plus that stands alone is a run of nothing.
        let taken = run.len().max(1);
        if run.is_empty() {
            out.push_str(&rest[at..=at]);
        }
        rest = &rest[at + taken..];
    }
    out.push_str(rest);
    let words: Vec<&str> = out.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(MOST).collect();
    let cut = if short.len() < line.len() { "…" } else { "" };
    (!short.is_empty()).then(|| format!("{short}{cut}"))
}

/// What an error code means. Every code has an answer.
pub fn lookup(code: u32) -> Meaning {
    let tables = &*TABLES;
    tables.rows.get(&code).map_or_else(|| by_range(code), Row::meaning)
}

/// Every code in the table, the lowest first.
pub fn codes() -> Vec<u32> {
    let mut codes: Vec<u32> = TABLES.rows.keys().copied().collect();
    codes.sort_unstable();
    codes
}

/// What an error code means, as applications are told, with Twilio's own text or
/// what else is known of it.
pub fn fault(code: u32, detail: Option<&str>) -> Fault {
    let meaning = lookup(code);
    Fault {
        code: Some(code),
        name: meaning.name.to_owned(),
        meaning: meaning.explanation().map(str::to_owned),
        advice: Some(meaning.advice().to_owned()),
        detail: detail.filter(|detail| *detail != meaning.name).map(str::to_owned),
        docs: Some(docs(code)),
    }
}

impl Meaning {
    /// "What this means", in a sentence for the person who runs the service;
    /// nothing for a code that is in no table.
    pub fn explanation(&self) -> Option<&'static str> {
        self.sentences().map(|sentences| sentences.means.as_str())
    }

    /// "What to do", in a sentence for the person who runs the service.
    pub fn advice(&self) -> &'static str {
        self.sentences().map_or(LOOK_IT_UP, |sentences| &sentences.todo)
    }

    fn sentences(&self) -> Option<&'static Advice> {
        let tables = &*TABLES;
        let own = tables.by_code.get(&self.code);
        let of_class = || tables.by_class.get(&self.disposition);
        self.known.then(|| {
            own.or_else(of_class).expect("every disposition has its sentences: a test asks for each")
        })
    }
}

/// What to do about a code that is in no table.
const LOOK_IT_UP: &str = "This version does not know the code: read Twilio's page about it.";

/// The ranges as Twilio uses them: 11 to 15 thousand are webhooks and TwiML, 20
/// the REST API, 21 refused requests, 30 deliveries, 32 calls, 60 Verify, 63
/// channels. An HTTP status stands where Twilio sent no code of its own.
fn by_range(code: u32) -> Meaning {
    use Disposition::{Config, Other, Receiver, Retry, Throttle};
    let (disposition, retry_same_channel, try_other_channel) = match code {
        429 => (Throttle, true, true),
        500..=599 | 20500..=20599 | 30000..=30999 => (Retry, true, true),
        11000..=15999 => (Receiver, false, false),
        400..=499 | 20000..=20999 | 60000..=60999 => (Config, false, false),
        21000..=21999 => (Config, false, true),
        _ => (Other, false, true),
    };
    Meaning {
        code,
        name: NOT_KNOWN,
        disposition,
        retry_same_channel,
        try_other_channel,
        number_dead_for_channel: false,
        note: None,
        known: false,
    }
}

// --- the data files ---

#[derive(Deserialize)]
struct CodeFile {
    errors: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    code: u32,
    name: String,
    disposition: Disposition,
    retry_same_channel: bool,
    try_other_channel: bool,
    number_dead_for_channel: bool,
    note: Option<String>,
}

impl Row {
    fn meaning(&'static self) -> Meaning {
        Meaning {
            code: self.code,
            name: &self.name,
            disposition: self.disposition,
            retry_same_channel: self.retry_same_channel,
            try_other_channel: self.try_other_channel,
            number_dead_for_channel: self.number_dead_for_channel,
            note: self.note.as_deref(),
            known: true,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdviceFile {
    class: HashMap<Disposition, Advice>,
    code: HashMap<String, Advice>,
    ending: HashMap<String, Advice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advice {
    means: String,
    todo: String,
}

struct Tables {
    rows: HashMap<u32, Row>,
    by_class: HashMap<Disposition, Advice>,
    by_code: HashMap<u32, Advice>,
    by_ending: HashMap<String, Advice>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let codes: CodeFile = serde_json::from_str(include_str!("errors.json"))
        .expect("the embedded table is read by every test here");
    let advice: AdviceFile =
        toml::from_str(include_str!("advice.toml")).expect("the embedded advice is read by every test here");
    Tables {
        rows: codes.errors.into_iter().map(|row| (row.code, row)).collect(),
        by_class: advice.class,
        by_code: advice
            .code
            .into_iter()
            .filter_map(|(code, advice)| Some((code.parse().ok()?, advice)))
            .collect(),
        by_ending: advice.ending,
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_has_sentences() {
        let rows = &TABLES.rows;
        let silent: Vec<_> = rows
            .values()
            .map(Row::meaning)
            .filter(|meaning| meaning.explanation().is_none_or(str::is_empty) || meaning.advice().is_empty())
            .collect();
        assert_eq!((rows.len(), silent), (226, vec![]));
    }

    #[test]
    fn advice_for_a_code_is_about_a_code_in_the_table() {
        let file: AdviceFile = toml::from_str(include_str!("advice.toml")).unwrap();
        let stray: Vec<_> = file
            .code
            .keys()
            .filter(|code| code.parse().ok().is_none_or(|code| !TABLES.rows.contains_key(&code)))
            .collect();
        assert_eq!((file.class.len(), stray), (11, Vec::<&String>::new()));
    }

    #[test]
    fn the_codes_that_sending_codes_meets_have_their_own_advice() {
        let met = [
            30003, 30004, 30005, 30006, 30007, 30008, 30032, 30034, 30036, 30450, 21211, 21408, 21608, 21610,
            21612, 21614, 11200, 12100, 12300, 20003, 20429, 63016, 63003,
        ];
        let general: Vec<_> = met.into_iter().filter(|code| !TABLES.by_code.contains_key(code)).collect();
        assert_eq!(general, Vec::<u32>::new());
    }

    #[test]
    fn every_error_of_whatsapp_has_its_own_advice() {
        let of_channels = TABLES.rows.keys().filter(|code| (63_000..64_000).contains(*code));
        let general: Vec<_> = of_channels.filter(|code| !TABLES.by_code.contains_key(code)).collect();
        assert_eq!(general, Vec::<&u32>::new());
    }

    #[test]
    fn what_is_no_number_of_twilios_is_no_code() {
        let texts =
            ["30003", " 21610 ", "4294967295", "0", "-1", "99999999999999", "", "30003.5", "abc", "1e5"];
        let codes = [Some(30003), Some(21610), Some(u32::MAX), None, None, None, None, None, None, None];
        assert_eq!(texts.map(code), codes);
        let read = |json: &str| lenient_code(&mut serde_json::Deserializer::from_str(json)).unwrap();
        let values = ["30003", "\"30003\"", "0", "-7", "1e99", "null", "{}", "\"x\"", "18446744073709551616"];
        assert_eq!(values.map(read), [Some(30003), Some(30003), None, None, None, None, None, None, None]);
    }

    #[test]
    fn a_wish_to_hear_no_more_is_told_apart_from_what_went_wrong() {
        let wishes: Vec<_> = TABLES.rows.keys().copied().filter(|code| is_opt_out(*code)).collect();
        assert_eq!(wishes, [21610]);
    }

    #[test]
    fn twilios_own_words_repeat_no_number_and_no_code() {
        for (said, kept) in [
            ("The 'To' number +14155550123 is not valid.", "The 'To' number … is not valid."),
            ("to (415) 555-0123, from +49 151 2345678", "to (…, from …"),
            ("code 123456 was\r\n\tsaid", "code … was said"),
            ("at most 3 of 160 parts + 1", "at most 3 of 160 parts + 1"),
            ("٣ a + b", "٣ a + b"),
        ] {
            assert_eq!(own_words(said).as_deref(), Some(kept), "{said}");
        }
        assert_eq!(own_words(" \n "), None);
        assert_eq!(own_words(&"é".repeat(400)).unwrap().chars().count(), 151);
    }

    #[test]
    fn a_known_code_says_what_may_be_done() {
        let landline = lookup(30006);
        assert_eq!(landline.disposition, Disposition::Permanent);
        assert!(landline.known && landline.number_dead_for_channel && landline.try_other_channel);
        assert!(!landline.retry_same_channel);
        assert_eq!(landline.advice(), "Call instead.");
        assert_eq!(landline.name, "Landline or unreachable carrier");
    }

    #[test]
    fn an_unknown_code_is_judged_by_its_range_and_given_no_meaning() {
        for code in [39999, 63999, 31000, 99999] {
            let fault = fault(code, Some("what Twilio says"));
            assert_eq!((fault.name.as_str(), fault.meaning), ("not known to this version", None), "{code}");
            assert_eq!(fault.detail.as_deref(), Some("what Twilio says"));
            assert_eq!(fault.docs, Some(format!("https://www.twilio.com/docs/api/errors/{code}")));
        }
        let judged = [30999, 21999, 63999, 20599, 20999, 11999, 60999, 32999, 500, 429, 404, 0, u32::MAX]
            .map(|code| {
                let meaning = lookup(code);
                assert!(!meaning.known && !meaning.number_dead_for_channel);
                assert_eq!((meaning.explanation(), meaning.advice()), (None, LOOK_IT_UP), "{code}");
                (meaning.disposition, meaning.retry_same_channel, meaning.try_other_channel)
            });
        use Disposition::{Config, Other, Receiver, Retry, Throttle};
        let expected = [
            (Retry, true, true),
            (Config, false, true),
            (Other, false, true),
            (Retry, true, true),
            (Config, false, false),
            (Receiver, false, false),
            (Config, false, false),
            (Other, false, true),
            (Retry, true, true),
            (Throttle, true, true),
            (Config, false, false),
            (Other, false, true),
            (Other, false, true),
        ];
        assert_eq!(judged, expected);
    }
}
