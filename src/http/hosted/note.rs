//! What a page has to say about the step before: carried from the answer that
//! redirects to the page that shows it, in a cookie, once. So no address holds
//! it, a reload forgets it, and nobody can make a page say what it does not
//! know: it names one of our texts, with a number or a country at most.

use crate::http::pages::regions;
use crate::http::pages::words::{Direction, Errors, Words, fill};
use crate::model::channel::Channel;
use crate::model::code::CodeKind;
use crate::model::phone::PhoneNumber;
use crate::model::region::{self, Region};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// The longest input that is kept, in characters.
const MOST_INPUT: usize = 40;

/// What to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Note {
    /// The name of the text that says it, as in the sets of texts.
    #[serde(rename = "n")]
    pub name: String,
    /// A number, or a country's code.
    #[serde(rename = "a", skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The number that was typed.
    #[serde(rename = "i", skip_serializing_if = "String::is_empty")]
    pub input: String,
    /// The country that was chosen.
    #[serde(rename = "r", skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// The country by whose plan the number was judged.
    #[serde(rename = "j", skip_serializing_if = "String::is_empty")]
    pub judged: String,
    /// The channel by which a code goes once somebody has proved to be a person.
    #[serde(rename = "p", skip_serializing_if = "Option::is_none")]
    pub proof_by: Option<Channel>,
}

impl Note {
    /// A note without more.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// About a number or a country.
    pub fn about(name: &str, about: impl ToString) -> Self {
        Self { about: about.to_string(), ..Self::new(name) }
    }

    /// That something is no whole code, and what one is: `d6` is six digits.
    pub fn of_code(length: u8, kind: CodeKind) -> Self {
        let letter = match kind {
            CodeKind::Digits => 'd',
            CodeKind::Letters => 'l',
            CodeKind::Characters => 'c',
        };
        Self::about("code_form", format!("{letter}{length}"))
    }

    /// With what the person typed.
    pub fn with_input(self, input: &str, region: &str) -> Self {
        Self { input: input.chars().take(MOST_INPUT).collect(), region: region.to_owned(), ..self }
    }

    /// No text, but the number that was left for another one.
    pub fn kept(number: &PhoneNumber) -> Self {
        let region = number.region().unwrap_or_default();
        Self::default().with_input(&number.in_full_spaced(), &region)
    }

    /// With the country by whose plan the number was judged.
    pub fn read_as(self, region: Option<&Region>) -> Self {
        Self { judged: region.map_or_else(String::new, |region| region.id.clone()), ..self }
    }

    /// As a cookie's value: a query string, whose letters cookies may have.
    pub fn to_cookie(&self) -> String {
        serde_urlencoded::to_string(self).unwrap_or_default()
    }

    /// From a cookie's value; `None` when it says nothing that is known.
    pub fn from_cookie(value: &str) -> Option<Self> {
        // A cookie that was broken off is not text.
        percent_decode_str(value).decode_utf8().ok()?;
        let note: Self = serde_urlencoded::from_str(value).ok()?;
        let is_short =
            |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
        let is_plain = note.about.len() <= 5 && note.about.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let fits = is_plain
            && is_short(&note.input, MOST_INPUT)
            && is_short(&note.region, 2)
            && is_short(&note.judged, 2);
        fits.then_some(note)
    }

    /// The text, in the person's language; `None` for a note that is none.
    pub fn text(&self, words: &Words) -> Option<String> {
        let mut text = text(&words.errors, &self.name)?.to_owned();
        if self.name == "limit" {
            text = joined(&text, &words.errors.too_soon);
        }
        if words.direction == Direction::Rtl {
            // A calling code keeps its plus in front (UAX 9: an isolate).
            text = text.replace("+{code}", "\u{2066}+{code}\u{2069}");
        }
        let country = regions::name(&words.locale, &self.about);
        let time = clock(self.about.parse().unwrap_or(0));
        text = fill(&text, &[("code", &self.about), ("country", country), ("time", &time)]);
        if let Some(form) = self.form_of_code(words) {
            text = joined(&text, &form);
        }
        if let Some(region) = region::find(&self.judged) {
            let name = regions::name(&words.locale, &region.id);
            let country = match words.direction {
                Direction::Ltr => format!("{name} (+{})", region.calling_code),
                Direction::Rtl => format!("{name} (\u{2066}+{}\u{2069})", region.calling_code),
            };
            text = joined(&text, &fill(&words.errors.read_as, &[("country", &country)]));
        }
        Some(text)
    }

    /// What a code is, behind the words that something is none: `(6 digits)`.
    fn form_of_code(&self, words: &Words) -> Option<String> {
        let (kind, length) = self.about.split_at_checked(1).filter(|_| self.name == "code_form")?;
        let length: u8 = length.parse().ok()?;
        let form = match kind {
            "d" => &words.code.digits,
            "l" => &words.code.letters,
            _ => &words.code.characters,
        };
        Some(format!("({})", fill(form, &[("n", &length.to_string())])))
    }

    /// The field that it is about.
    pub fn field(&self) -> Option<&'static str> {
        match self.name.as_str() {
            "code" | "code_form" | "code_digits" | "code_several" => Some("code"),
            "not_a_number"
            | "no_country_code"
            | "unknown_country_code"
            | "too_short"
            | "too_long"
            | "no_such_range"
            | "extension"
            | "refused_kind"
            | "country" => Some("number"),
            _ => None,
        }
    }
}

/// Two sentences; Chinese and Japanese have no space between them.
pub fn joined(one: &str, two: &str) -> String {
    let space = if one.ends_with('。') { "" } else { " " };
    format!("{one}{space}{two}")
}

/// A span as a clock shows it: `2:05`, and from an hour on `1:02:05`.
pub fn clock(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

fn text<'a>(errors: &'a Errors, name: &str) -> Option<&'a str> {
    Some(match name {
        "code" => &errors.code,
        "code_form" => &errors.code_form,
        "code_digits" => &errors.code_digits,
        "code_several" => &errors.code_several,
        "not_a_number" => &errors.not_a_number,
        "no_country_code" => &errors.no_country_code,
        "unknown_country_code" => &errors.unknown_country_code,
        "too_short" => &errors.too_short,
        "too_long" => &errors.too_long,
        "no_such_range" => &errors.no_such_range,
        "extension" => &errors.extension,
        "refused_kind" => &errors.refused_kind,
        "country" => &errors.country,
        "opted_out" => &errors.opted_out,
        "too_soon" => &errors.too_soon,
        "limit" => &errors.limit,
        "refused" => &errors.refused,
        "sends" => &errors.sends,
        "numbers" => &errors.numbers,
        "starts" => &errors.starts,
        "channel" => &errors.channel,
        "captcha" => &errors.captcha,
        "captcha_away" => &errors.captcha_away,
        "form" => &errors.form,
        "cookies" => &errors.cookies,
        "trouble" => &errors.trouble,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::words;

    #[test]
    fn a_note_survives_its_cookie() {
        let note = Note::about("too_short", 49).with_input("+49 3;\"<b>, ٠١", "DE");
        let note = note.read_as(region::find("DE"));
        let cookie = note.to_cookie();
        // RFC 6265 §4.1.1.
        assert!(cookie.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)), "{cookie}");
        assert_eq!(Note::from_cookie(&cookie), Some(note));
    }

    #[test]
    fn a_page_says_nothing_that_is_not_ours() {
        let words = &words::all()[0];
        for (cookie, says) in [
            ("n=too_soon&a=75", Some("Please wait 1:15 before you ask for another.")),
            (
                "n=limit&a=3725",
                Some("Too many codes have been requested. Please wait 1:02:05 before you ask for another."),
            ),
            (
                "n=too_short&a=49&j=DE",
                Some("This number is too short for +49. It was read as a number of Germany (+49)."),
            ),
            ("n=too_short&a=49&j=%3C", Some("This number is too short for +49.")),
            ("n=country&a=KP", Some("We do not send codes to North Korea.")),
            ("n=free+text", None),
            ("n=country&a=You+won", None),
            ("n=too_short&a=%3Cb%3E", None),
            ("%ff", None),
            ("", None),
        ] {
            let said = Note::from_cookie(cookie).and_then(|note| note.text(words));
            assert_eq!(said.as_deref(), says, "{cookie}");
        }
    }
}
