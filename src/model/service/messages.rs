//! What messages of their own may say, and of which sorts they are: the templates and types
//! that a service has for `POST /v1/messages`. It refuses to know languages and people.

use super::content_sids::ContentSids;
use crate::model::limits::Allowance;
use crate::model::message::MOST_TEXT;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most templates, and the most types, of a service.
pub const MOST_MESSAGE_TEMPLATES: usize = 50;
/// The most languages of a template.
const MOST_LANGUAGES: usize = 40;
/// The longest name of a template, a type or a variable.
pub const MOST_WORD: usize = 40;
/// The most variables of a template.
const MOST_VARIABLES: usize = 20;
/// The type of what names none.
pub const USUAL_TYPE: &str = "transactional";

/// A template of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessageTemplate {
    /// The type of its messages; nothing for [`USUAL_TYPE`].
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// The texts by the tags of their languages: `{name}` is a variable's place, and `{{` a
    /// brace.
    pub texts: BTreeMap<String, String>,
    /// The templates that WhatsApp approved; nothing where the text itself is sent there,
    /// which WhatsApp takes for a day after somebody wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whatsapp_content_sid: Option<ContentSids>,
    /// Which of the variables fill which of those templates': `{"1": "order"}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub whatsapp_variables: BTreeMap<String, String>,
}

/// A sort of messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessageType {
    /// How many a number may get of them; nothing for any number.
    pub per_number: Vec<Allowance>,
    /// Whether it reaches those, too, who want none of this type: what is about the safety
    /// of somebody's account. Who told a sender to stop is never reached.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub security: bool,
}

/// The types that there are where a service says nothing else, by their names.
pub fn usual_types() -> BTreeMap<String, MessageType> {
    let of = |per_number: &[Allowance], security| MessageType { per_number: per_number.to_vec(), security };
    [
        // Somebody's account is attacked: a handful of warnings, and no flood of them.
        ("security", of(&[Allowance::hour(5), Allowance::day(20)], true)),
        // What somebody has ordered and waits for.
        ("transactional", of(&[Allowance::hour(10), Allowance::day(30)], false)),
        // What nobody has asked for today.
        ("marketing", of(&[Allowance::day(2)], false)),
    ]
    .map(|(name, one)| (name.to_owned(), one))
    .into()
}

/// A part of a template's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Words(String),
    /// The value of that variable.
    Variable(String),
}

impl MessageTemplate {
    /// The names of the variables of all its texts and of its template at WhatsApp.
    pub fn variables(&self) -> Vec<String> {
        let mut names: Vec<String> = self.whatsapp_variables.values().cloned().collect();
        for piece in self.texts.values().filter_map(|text| pieces(text).ok()).flatten() {
            if let Piece::Variable(name) = piece {
                names.push(name);
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What cannot be: where that stands below the template, and what would be right, never
    /// the value.
    fn mistake(&self, types: &BTreeMap<String, MessageType>) -> Option<(String, String)> {
        if self.message_type.as_ref().is_some_and(|name| !types.contains_key(name)) {
            let known = types.keys().cloned().collect::<Vec<_>>().join(", ");
            return Some((".type".to_owned(), format!("is one of {known}")));
        }
        if !(1..=MOST_LANGUAGES).contains(&self.texts.len()) {
            let what = format!("has 1 to {MOST_LANGUAGES} languages, each with a text");
            return Some((".texts".to_owned(), what));
        }
        for (tag, text) in &self.texts {
            let at = || format!(".texts.{tag}");
            if !is_tag(tag) {
                return Some((at(), "is named by the tag of its language, like de or pt-BR".to_owned()));
            }
            if !(1..=MOST_TEXT).contains(&text.chars().count()) {
                return Some((at(), format!("has 1 to {MOST_TEXT} characters")));
            }
            if let Err(what) = pieces(text) {
                return Some((at(), what));
            }
        }
        if let Some((language, what)) = self.whatsapp_content_sid.as_ref().and_then(ContentSids::mistake) {
            let dot = if language.is_empty() { "" } else { "." };
            return Some((format!(".whatsapp_content_sid{dot}{language}"), what));
        }
        let wrong = self.whatsapp_variables.values().find(|name| !is_word(name));
        if wrong.is_some() {
            return Some((".whatsapp_variables".to_owned(), format!("names variables: {WORD}")));
        }
        (self.variables().len() > MOST_VARIABLES)
            .then(|| (".texts".to_owned(), format!("have at most {MOST_VARIABLES} variables")))
    }
}

/// What cannot be among templates and types: where that stands, and what would be right.
pub(super) fn mistakes(
    templates: &BTreeMap<String, MessageTemplate>,
    own: &BTreeMap<String, MessageType>,
) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    for (field, count) in [("message_templates", templates.len()), ("message_types", own.len())] {
        if count > MOST_MESSAGE_TEMPLATES {
            wrong.push((field.to_owned(), format!("has at most {MOST_MESSAGE_TEMPLATES} of them")));
        }
    }
    let types = with_usual(own);
    for (name, template) in templates {
        let at = format!("message_templates.{name}");
        if !is_word(name) {
            wrong.push((at, format!("is named by {WORD}")));
        } else if let Some((below, what)) = template.mistake(&types) {
            wrong.push((at + &below, what));
        }
    }
    for (name, one) in own {
        let at = format!("message_types.{name}");
        let seconds: Vec<u32> = one.per_number.iter().map(|window| window.seconds).collect();
        let twice = seconds.iter().enumerate().any(|(at, span)| seconds[..at].contains(span));
        if !is_word(name) {
            wrong.push((at, format!("is named by {WORD}")));
        } else if twice || one.per_number.iter().any(|window| window.millionths > 0) {
            let what = "has whole numbers, one for each of minute, hour and day at most";
            wrong.push((at + ".per_number", what.to_owned()));
        }
    }
    wrong
}

/// A service's own types, and the usual ones that it does not set.
pub(super) fn with_usual(own: &BTreeMap<String, MessageType>) -> BTreeMap<String, MessageType> {
    let mut all = usual_types();
    all.extend(own.clone());
    all
}

const WORD: &str = "1 to 40 small letters, digits, _ and -";

/// Whether a text may be the name of a template, a type or a variable.
pub fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    (1..=MOST_WORD).contains(&text.len()) && text.bytes().all(fits)
}

/// Whether a text has the form of a tag of a language (BCP 47).
fn is_tag(tag: &str) -> bool {
    (2..=35).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A template's text in its parts.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let (mut all, mut words, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find(['{', '}']) {
        words.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            words.push_str(brace);
            rest = after;
            continue;
        }
        let end = rest.find('}').filter(|_| brace == "{");
        let name = end.map(|end| &rest[..end]).filter(|name| is_word(name));
        let (Some(end), Some(name)) = (end, name) else {
            return Err(format!("has variables like {{order}}, each of {WORD}, and {{{{ for a brace"));
        };
        if !words.is_empty() {
            all.push(Piece::Words(std::mem::take(&mut words)));
        }
        all.push(Piece::Variable(name.to_owned()));
        rest = &rest[end + 1..];
    }
    words.push_str(rest);
    if !words.is_empty() {
        all.push(Piece::Words(words));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::service::Settings;
    use serde_json::{Value, json};

    fn told(name: &str, value: Value) -> Result<Settings, String> {
        let changes = [(name.to_owned(), value)].into_iter().collect();
        Settings::default().with(changes).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn a_text_is_words_and_variables() {
        let words = |text: &str| Piece::Words(text.to_owned());
        let variable = |name: &str| Piece::Variable(name.to_owned());
        assert_eq!(
            pieces("Order {order} is {{here}}, {name}.").unwrap(),
            [words("Order "), variable("order"), words(" is {here}, "), variable("name"), words(".")]
        );
        assert_eq!(pieces("{a}{b}").unwrap(), [variable("a"), variable("b")]);
        for wrong in ["{", "}", "{a", "a}", "{}", "{A}", "{a b}", "{ a }", "{é}", "{{{"] {
            assert!(pieces(wrong).unwrap_err().contains("like {order}"), "{wrong}");
        }
    }

    #[test]
    fn a_template_has_texts_of_a_known_type() {
        let fine = json!({ "shipped": { "texts": { "en": "{order} left.", "pt-BR": "{order} saiu." } } });
        let kept = told("message_templates", fine.clone()).unwrap();
        assert_eq!(serde_json::to_value(&kept).unwrap()["message_templates"], fine);
        assert_eq!(kept.message_templates["shipped"].variables(), ["order"]);
        let of = |template: Value| json!({ "shipped": template });
        let long = "x".repeat(MOST_TEXT + 1);
        for (templates, wrong) in [
            (json!({ "Shipped": { "texts": { "en": "x" } } }), "message_templates.Shipped: is named by 1"),
            (of(json!({ "texts": {} })), "message_templates.shipped.texts: has 1 to 40 languages"),
            (of(json!({ "texts": { "en": "" } })), "message_templates.shipped.texts.en: has 1 to 1600"),
            (of(json!({ "texts": { "en": long } })), "message_templates.shipped.texts.en: has 1 to 1600"),
            (
                of(json!({ "texts": { "en": "{" } })),
                "message_templates.shipped.texts.en: has variables like {order}",
            ),
            (of(json!({ "texts": { "en_US": "x" } })), "message_templates.shipped.texts.en_US: is named"),
            (
                of(json!({ "type": "spam", "texts": { "en": "x" } })),
                "message_templates.shipped.type: is one of marketing, security",
            ),
            (
                of(json!({ "texts": { "en": "x" }, "whatsapp_content_sid": "HX1" })),
                "message_templates.shipped.whatsapp_content_sid: is HX and 32",
            ),
            (of(json!({ "text": "x" })), "message_templates: "),
        ] {
            let said = told("message_templates", templates.clone()).unwrap_err();
            assert!(said.starts_with(wrong), "{templates}: {said}");
        }
    }

    #[test]
    fn a_type_has_limits_of_its_own_and_the_usual_ones_are_there() {
        let own = json!({ "alerts": { "per_number": ["3/hour", "9/day"], "security": true } });
        let kept = told("message_types", own).unwrap();
        let types = kept.message_types();
        assert_eq!(types.keys().collect::<Vec<_>>(), ["alerts", "marketing", "security", "transactional"]);
        assert!(types["alerts"].security && types["security"].security && !types["marketing"].security);
        for (types, wrong) in [
            (json!({ "a": { "per_number": ["3/hour", "4/hour"] } }), "message_types.a.per_number: has whole"),
            (json!({ "a": { "per_number": ["0.5/hour"] } }), "message_types.a.per_number: has whole"),
            (json!({ "a": { "per_number": ["x"] } }), "message_types: "),
            (json!({ "A": {} }), "message_types.A: is named by"),
        ] {
            let said = told("message_types", types.clone()).unwrap_err();
            assert!(said.starts_with(wrong), "{types}: {said}");
        }
    }
}
