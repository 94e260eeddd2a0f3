//! The configuration in force, for people to read, without its secrets.

use super::layers::{Entry, Layers};
use super::problem::Origin;
use crate::secret::Secret;
use toml::Value;

/// One line for each key, in the order of `config.toml`. It is TOML again,
/// except that secrets are stars.
pub(super) fn show(layers: &Layers) -> String {
    let (mut out, mut section) = (String::new(), "");
    for (key, entry) in layers.in_order() {
        let (of, name) = key.split_once('.').unwrap_or(("", key));
        if of != section {
            out.push_str(&format!("\n[{of}]\n"));
            section = of;
        }
        let line = format!("{name} = {}", shown(key, entry));
        match &entry.origin {
            Origin::Default => out.push_str(&line),
            origin => out.push_str(&format!("{line}  # {origin}")),
        }
        out.push('\n');
    }
    out
}

/// Every key, its value as text, and whether that may be shown to nobody.
pub(super) fn settings(layers: &Layers) -> Vec<(String, Secret, bool)> {
    let setting = |(key, entry): (&str, &Entry)| {
        let is_secret = shown(key, entry) != entry.value;
        (key.to_owned(), Secret::new(entry.value.to_string()), is_secret)
    };
    layers.in_order().into_iter().map(setting).collect()
}

/// Keys whose values are secret, or hold secrets.
const SECRET: [&str; 9] = [
    "twilio.auth_token",
    "twilio.auth_tokens",
    "twilio.accounts",
    "twilio.api_key_secret",
    "signature.shared_keys",
    "codes.keys",
    "captcha.secret",
    "gateway.http.secret",
    "gateway.http.secrets",
];

/// Names inside of those that are no secrets themselves.
const OPEN: [&str; 6] = ["id", "account_sid", "token_file", "auth_token_file", "secret_file", "senders"];

fn shown(key: &str, entry: &Entry) -> Value {
    if SECRET.contains(&key) { starred(&entry.value) } else { without_password(&entry.value) }
}

fn starred(value: &Value) -> Value {
    match value {
        Value::String(text) if text.is_empty() => value.clone(),
        Value::Array(items) => Value::Array(items.iter().map(starred).collect()),
        Value::Table(table) => {
            let star = |(name, value): (&String, &Value)| {
                let value = if OPEN.contains(&name.as_str()) { value.clone() } else { starred(value) };
                (name.clone(), value)
            };
            Value::Table(table.iter().map(star).collect())
        }
        _ => Value::String("***".to_owned()),
    }
}

/// A URL may have a password in it, before its last @ or behind its ?, and
/// people write what they should not: a / in it too.
fn without_password(value: &Value) -> Value {
    let Some((scheme, rest)) = value.as_str().and_then(|text| text.split_once("://")) else {
        return value.clone();
    };
    let (place, query) = rest.split_once('?').map_or((rest, ""), |(place, query)| (place, query));
    let is_database = matches!(scheme, "postgres" | "postgresql");
    let authority = if is_database { place } else { place.split('/').next().unwrap_or(place) };
    let place = match authority.rsplit_once('@') {
        Some((userinfo, _)) => format!("***{}", &place[userinfo.len()..]),
        None => place.to_owned(),
    };
    let query = match query {
        "" => String::new(),
        query if is_database && query.contains("password") => "?***".to_owned(),
        query => format!("?{query}"),
    };
    Value::String(format!("{scheme}://{place}{query}"))
}
