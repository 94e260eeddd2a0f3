//! A content of the Content API as it is kept beside its template: what it was made
//! of, and how it was submitted to WhatsApp.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The words that WhatsApp itself gives to an authentication template.
pub(super) const AUTHENTICATION_BODY: &str =
    "*{{1}}* is your verification code. For your security, do not share this code.";

/// The types of a content, those first whose words a telephone shows first.
pub(super) const TYPES: [&str; 14] = [
    "whatsapp/authentication",
    "whatsapp/card",
    "whatsapp/flows",
    "twilio/text",
    "twilio/quick-reply",
    "twilio/call-to-action",
    "twilio/list-picker",
    "twilio/media",
    "twilio/card",
    "twilio/carousel",
    "twilio/catalog",
    "twilio/flows",
    "twilio/location",
    "twilio/schedule",
];

/// What a content was made of.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// The account it is of.
    pub account: String,
    /// What it is called.
    pub name: String,
    /// The code of its language, perhaps with a region: `de` or `pt_BR`.
    pub language: String,
    /// The variables' own values.
    pub variables: Map<String, Value>,
    /// Its types with what each holds.
    pub types: Map<String, Value>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// How it was submitted to WhatsApp, if it was.
    pub submitted: Option<Submitted>,
}

/// How a content was submitted to WhatsApp.
#[derive(Clone, Debug)]
pub(super) struct Submitted {
    /// The template's name there.
    pub name: String,
    /// Its category: `UTILITY`, `MARKETING` or `AUTHENTICATION`.
    pub category: String,
    /// Whether WhatsApp may choose another.
    pub allow_category_change: bool,
}

impl Made {
    /// A variable's own value.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).and_then(Value::as_str)
    }

    /// The words that a telephone shows, with places for variables, and the variable
    /// that a button copies.
    pub fn words(&self) -> (Option<String>, Option<String>) {
        let shown = TYPES.iter().find_map(|name| Some((*name, self.types.get(*name)?)));
        let Some((name, held)) = shown else { return (None, None) };
        if name == "whatsapp/authentication" {
            return (Some(authentication(held)), Some("1".to_owned()));
        }
        let text = |field: &str| held.get(field).and_then(Value::as_str);
        let title = text("title").or_else(|| text("header_text"));
        let parts = [title, text("body"), text("subtitle"), text("footer"), text("label"), text("address")];
        let mut lines: Vec<String> = parts.into_iter().flatten().map(str::to_owned).collect();
        lines.extend(buttons(held).map(|title| format!("[{title}]")));
        (Some(lines.join("\n")), None)
    }

    /// The type that WhatsApp is asked to approve.
    pub fn content_type(&self) -> &str {
        TYPES.iter().find(|name| self.types.contains_key(**name)).copied().unwrap_or_default()
    }
}

/// The titles of buttons and of what can be picked.
fn buttons(held: &Value) -> impl Iterator<Item = &str> {
    let rows = ["actions", "items"].into_iter().filter_map(|field| held.get(field)?.as_array());
    rows.flatten().filter_map(|row| row.get("title").or_else(|| row.get("item"))?.as_str())
}

/// WhatsApp's own words for an authentication template.
fn authentication(held: &Value) -> String {
    let (code, advice) = AUTHENTICATION_BODY.split_once(". ").unwrap_or((AUTHENTICATION_BODY, ""));
    let mut words = format!("{code}.");
    if held.get("add_security_recommendation") == Some(&json!(true)) {
        words.push_str(&format!(" {advice}"));
    }
    if let Some(minutes) = held.get("code_expiration_minutes").and_then(Value::as_f64) {
        words.push_str(&format!("\nThis code expires in {minutes} minutes."));
    }
    words
}

/// What is wrong with the types of a content, in words.
pub(super) fn problem(types: &Map<String, Value>) -> Option<String> {
    if types.is_empty() {
        return Some("types needs one type or more, such as twilio/text".to_owned());
    }
    let unknown = types.keys().find(|name| !TYPES.contains(&name.as_str()));
    if let Some(unknown) = unknown {
        return Some(format!("types has an unknown type: {}", unknown.chars().take(60).collect::<String>()));
    }
    types.iter().find_map(|(name, held)| {
        let needed: &[&str] = match name.as_str() {
            "twilio/text" => &["body"],
            "twilio/quick-reply" | "twilio/call-to-action" | "whatsapp/card" => &["body"],
            "twilio/list-picker" => &["body", "button", "items"],
            "twilio/media" => &["media"],
            "twilio/location" => &["latitude", "longitude"],
            "whatsapp/authentication" => &["actions"],
            _ => &[],
        };
        let missing = needed.iter().find(|field| held.get(**field).is_none_or(Value::is_null));
        match missing {
            _ if !held.is_object() => Some(format!("types.{name} is an object")),
            Some(field) => Some(format!("types.{name} needs {field}")),
            None => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(types: Value) -> Made {
        let Value::Object(types) = types else { panic!("not an object") };
        assert_eq!(problem(&types), None);
        Made {
            account: String::new(),
            name: String::new(),
            language: "en".to_owned(),
            variables: Map::new(),
            types,
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
            submitted: None,
        }
    }

    #[test]
    fn the_words_of_a_content_are_those_of_its_richest_type() {
        let words = |types| made(types).words();
        let quick = json!({
            "twilio/quick-reply": { "body": "Come, {{1}}?", "actions": [{ "title": "Yes", "id": "y" }] },
        });
        assert_eq!(words(quick), (Some("Come, {{1}}?\n[Yes]".to_owned()), None));
        let code = json!({
            "twilio/text": { "body": "{{1}} is it" },
            "whatsapp/authentication": {
                "add_security_recommendation": true, "code_expiration_minutes": 5,
                "actions": [{ "type": "COPY_CODE", "copy_code_text": "Copy" }],
            },
        });
        let expected = format!("{AUTHENTICATION_BODY}\nThis code expires in 5 minutes.");
        assert_eq!(words(code), (Some(expected), Some("1".to_owned())));
    }

    #[test]
    fn what_is_wrong_with_types_is_named() {
        let wrong = |types: Value| problem(types.as_object().unwrap()).unwrap();
        assert!(wrong(json!({})).contains("one type"));
        assert!(wrong(json!({ "twilio/tetx": {} })).contains("twilio/tetx"));
        assert!(wrong(json!({ "twilio/text": { "text": "x" } })).contains("needs body"));
        assert!(wrong(json!({ "twilio/text": "x" })).contains("object"));
    }
}
