//! What a request may say: each field with its shape. One table both reads a
//! request and describes it in `/openapi.json`, so that the two cannot part.
//!
//! Read by hand and not by deriving, because what is said about a mistake has
//! to name the field and what would be right, and must never repeat a value:
//! it may be a code or a number.

use crate::http::error::Error;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// A field of a body, or a parameter of a query or a path.
#[derive(Clone, Copy)]
pub struct Field {
    /// Its name, as it is written in a request.
    pub name: &'static str,
    /// What it means, in a sentence.
    pub about: &'static str,
    /// What it looks like.
    pub shape: Shape,
    /// Whether it has to be there.
    pub needed: bool,
    /// Whether it may be null, which is the same as leaving it out.
    pub nullable: bool,
    /// A value that could stand there, as JSON; nothing where none helps.
    pub example: &'static str,
}

/// What a value looks like.
#[derive(Clone, Copy)]
pub enum Shape {
    /// Any text of so many characters, none of them a control character.
    Text {
        /// Characters at least.
        least: usize,
        /// Characters at most.
        most: usize,
    },
    /// What a person typed or pasted: any text of so many characters, with the
    /// line break or the marks that came along.
    Typed {
        /// Characters at least.
        least: usize,
        /// Characters at most.
        most: usize,
    },
    /// A text of certain characters.
    Chars {
        /// Which, as in a regular expression: `0-9A-Z`.
        class: &'static str,
        /// Characters at least.
        least: usize,
        /// Characters at most.
        most: usize,
    },
    /// An address of the Internet protocol, of either version.
    Ip,
    /// An id: one of the prefixes and 32 hexadecimal digits.
    Id(&'static [&'static str]),
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// A whole number.
    Number {
        /// The smallest that is taken.
        least: u64,
        /// The largest that is taken.
        most: u64,
    },
    /// True or false.
    Flag,
    /// A time as in RFC 3339.
    Time,
    /// A list of different values.
    List {
        /// What each is.
        of: &'static Shape,
        /// At least so many.
        least: usize,
        /// At most so many.
        most: usize,
        /// Whether each may come only once.
        distinct: bool,
    },
    /// An object whose names are free.
    Map {
        /// What each name is.
        names: &'static Shape,
        /// What each value is.
        of: &'static Shape,
        /// At most so many.
        most: usize,
    },
    /// An object of these fields.
    Object(&'static [Field]),
    /// What a table of the model's describes.
    Made(&'static Made),
}

/// A value that a table of the model's describes.
pub struct Made {
    /// Its JSON Schema.
    pub schema: fn() -> Value,
    /// What is wrong with a value, and where in it, without the value.
    pub mistake: fn(&Value) -> Option<(String, String)>,
}

impl Field {
    /// One that may be left out.
    pub const fn new(name: &'static str, about: &'static str, shape: Shape) -> Self {
        Self { name, about, shape, needed: false, nullable: true, example: "" }
    }

    /// One that has to be there.
    pub const fn needed(name: &'static str, about: &'static str, shape: Shape) -> Self {
        Self { needed: true, nullable: false, ..Self::new(name, about, shape) }
    }

    /// The same, never null.
    pub const fn solid(self) -> Self {
        Self { nullable: false, ..self }
    }

    /// The same with an example, written as JSON.
    pub const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    /// Its JSON Schema, with what it means and its default.
    pub fn schema(&self) -> Value {
        let mut schema = self.shape.schema();
        if let Value::Object(schema) = &mut schema {
            if self.nullable {
                nullable(schema);
            }
            schema.insert("description".into(), json!(self.about));
            if let Ok(example) = serde_json::from_str::<Value>(self.example) {
                schema.insert("examples".into(), json!([example]));
            }
        }
        schema
    }

    /// Whether a value may stand here. `path` is where, for the mistake.
    ///
    /// # Errors
    /// [`Error::Invalid`], with what would be right.
    pub fn check(&self, path: &str, value: &Value) -> Result<(), Error> {
        match value {
            Value::Null if self.nullable => Ok(()),
            Value::Null if self.needed => Err(missing(path)),
            value => self.shape.check(path, value),
        }
    }
}

/// The schema of an object of these fields.
pub fn object(fields: &[Field]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), field.schema())).collect();
    let needed: Vec<&str> = fields.iter().filter(|field| field.needed).map(|field| field.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !needed.is_empty() {
        schema["required"] = json!(needed);
    }
    schema
}

/// An error about a value that has to be there and is not.
pub fn missing(path: &str) -> Error {
    Error::field(path.to_owned(), format!("{path} is missing"))
}

impl Shape {
    /// The JSON Schema of the shape alone.
    pub fn schema(&self) -> Value {
        match self {
            Self::Text { least, most } => json!({
                "type": "string", "minLength": least, "maxLength": most,
                "pattern": "^[^\\u0000-\\u001F\\u007F-\\u009F]*$",
            }),
            Self::Typed { least, most } => {
                json!({ "type": "string", "minLength": least, "maxLength": most })
            }
            Self::Chars { class, least, most } => json!({
                "type": "string", "minLength": least, "maxLength": most, "pattern": format!("^[{class}]*$"),
            }),
            Self::Ip => json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] }),
            Self::Id(prefixes) => {
                json!({ "type": "string", "pattern": format!("^({})[0-9a-fA-F]{{32}}$", prefixes.join("|")) })
            }
            Self::Word(words) => json!({ "type": "string", "enum": words() }),
            Self::Number { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Time => json!({ "type": "string", "format": "date-time" }),
            Self::List { of, least, most, distinct } => json!({
                "type": "array", "items": of.schema(), "minItems": least, "maxItems": most,
                "uniqueItems": distinct,
            }),
            Self::Map { names, of, most } => json!({
                "type": "object", "propertyNames": names.schema(), "additionalProperties": of.schema(),
                "maxProperties": most,
            }),
            Self::Object(fields) => object(fields),
            Self::Made(made) => (made.schema)(),
        }
    }

    /// A text as a value of this shape, for what comes in a query or by `--set`.
    pub fn read(&self, text: &str) -> Value {
        match self {
            Self::Number { .. } => text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number)),
            Self::Flag => text.parse::<bool>().map_or_else(|_| json!(text), |flag| json!(flag)),
            // A plus in a query means a space, and is easily meant as itself.
            Self::Time => json!(text.replace(' ', "+")),
            _ => json!(text),
        }
    }

    fn check(&self, path: &str, value: &Value) -> Result<(), Error> {
        match (self, value) {
            (Self::List { of, least, most, distinct }, Value::Array(items)) => {
                let twice = || items.iter().enumerate().any(|(at, item)| items[..at].contains(item));
                if !(*least..=*most).contains(&items.len()) || *distinct && twice() {
                    return Err(self.wrong(path));
                }
                items.iter().enumerate().try_for_each(|(at, item)| of.check(&format!("{path}[{at}]"), item))
            }
            (Self::Map { names, of, most }, Value::Object(map)) => {
                if map.len() > *most {
                    return Err(self.wrong(path));
                }
                map.iter().try_for_each(|(name, value)| {
                    names.check(&format!("a name in {path}"), &json!(name))?;
                    // The name fits its shape: it may be told.
                    of.check(&format!("{path}.{name}"), value)
                })
            }
            (Self::Object(fields), Value::Object(map)) => check_object(path, fields, map),
            (Self::Made(made), value) => match (made.mistake)(value) {
                None => Ok(()),
                Some((at, what)) => {
                    let dot = if at.is_empty() { "" } else { "." };
                    let path = format!("{path}{dot}{at}");
                    Err(Error::field(path.clone(), format!("{path} {what}")))
                }
            },
            (_, value) if self.takes(value) => Ok(()),
            (
                Self::Text { .. } | Self::Typed { .. } | Self::Chars { .. } | Self::Ip | Self::Id(_),
                Value::Number(_),
            ) => {
                let why = "a number loses its leading zeros and its plus";
                Err(Error::field(
                    path.to_owned(),
                    format!("{path} has to be text, in quotation marks: {why}"),
                ))
            }
            (Self::Text { least, most } | Self::Typed { least, most }, Value::String(text)) => {
                let why = not_told(text, *least, *most);
                Err(Error::field(path.to_owned(), format!("{path} {why}")))
            }
            _ => Err(self.wrong(path)),
        }
    }

    /// Whether a plain value is of this shape.
    fn takes(&self, value: &Value) -> bool {
        let length = |text: &str, least: &usize, most: &usize| {
            (*least..=*most).contains(&text.chars().take(most + 1).count())
        };
        match (self, value) {
            (Self::Text { least, most }, Value::String(text)) => {
                length(text, least, most) && !text.chars().any(char::is_control)
            }
            (Self::Typed { least, most }, Value::String(text)) => length(text, least, most),
            (Self::Chars { class, least, most }, Value::String(text)) => {
                length(text, least, most) && text.chars().all(|c| is_of(class, c))
            }
            (Self::Ip, Value::String(text)) => text.parse::<IpAddr>().is_ok(),
            (Self::Id(prefixes), Value::String(text)) => prefixes.iter().any(|prefix| {
                text.strip_prefix(prefix)
                    .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            }),
            (Self::Word(words), Value::String(text)) => words().contains(&text.as_str()),
            (Self::Number { least, most }, Value::Number(number)) => {
                whole(number).is_some_and(|number| (*least..=*most).contains(&number))
            }
            (Self::Flag, Value::Bool(_)) => true,
            (Self::Time, Value::String(text)) => text.parse::<Timestamp>().is_ok(),
            _ => false,
        }
    }

    fn wrong(&self, path: &str) -> Error {
        Error::field(path.to_owned(), format!("{path} has to be {}", self.said()))
    }

    /// What it has to be, in words.
    fn said(&self) -> String {
        match self {
            Self::Text { least, most } | Self::Typed { least, most } => {
                format!("text of {least} to {most} characters, in quotation marks")
            }
            Self::Chars { class, least, most } => {
                format!("text of {least} to {most} characters out of {class}, in quotation marks")
            }
            Self::Ip => "an IP address, like \"203.0.113.7\" or \"2001:db8::7\"".into(),
            Self::Id(prefixes) => format!("{} and 32 hexadecimal digits", prefixes.join(" or ")),
            Self::Word(words) => format!("one of {}", words().join(", ")),
            Self::Number { least, most } => format!("a whole number from {least} to {most}"),
            Self::Flag => "true or false".into(),
            Self::Time => "a time as in RFC 3339, like 2026-11-20T09:30:00Z".into(),
            Self::List { least, most, distinct, .. } => {
                let different = if *distinct { " different" } else { "" };
                format!("a list of {least} to {most}{different} values")
            }
            Self::Map { most, .. } => format!("an object with at most {most} names"),
            Self::Object(fields) => format!("an object with {}", names(fields)),
            Self::Made(_) => "as its schema says".into(),
        }
    }
}

/// Why a text is not one of so many characters, without a word of it.
fn not_told(text: &str, least: usize, most: usize) -> String {
    if text.chars().count() > most {
        return format!("has to be text of {least} to {most} characters: this has more");
    }
    if text.chars().count() < least {
        return format!("has to be text of {least} to {most} characters: this has fewer");
    }
    match text.contains(['\n', '\r', '\u{85}']) {
        true => "has to be text without a line break: there is one in it".to_owned(),
        false => "has to be text without control characters: there is one in it".to_owned(),
    }
}

/// The names of fields, for a message.
pub fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
}

fn check_object(path: &str, fields: &[Field], map: &Map<String, Value>) -> Result<(), Error> {
    for name in map.keys() {
        if !fields.iter().any(|field| field.name == name) {
            let detail =
                format!("unknown field {:?} in {path}; known are {}", super::shortened(name), names(fields));
            return Err(Error::field(path.to_owned(), detail));
        }
    }
    fields.iter().try_for_each(|field| {
        let path = format!("{path}.{}", field.name);
        match map.get(field.name) {
            Some(value) => field.check(&path, value),
            None if field.needed => Err(missing(&path)),
            None => Ok(()),
        }
    })
}

/// A number without a fraction: in JSON `6.0` is one as well.
fn whole(number: &serde_json::Number) -> Option<u64> {
    let float =
        || number.as_f64().filter(|n| n.fract() == 0.0 && (0.0..9.0e15).contains(n)).map(|n| n as u64);
    number.as_u64().or_else(float)
}

/// Whether a character is of a class like `0-9A-Z_`.
fn is_of(class: &str, c: char) -> bool {
    let class: Vec<char> = class.chars().filter(|c| *c != '\\').collect();
    let mut at = 0;
    while at < class.len() {
        let is_range = at + 2 < class.len() && class[at + 1] == '-';
        let (first, last) = (class[at], if is_range { class[at + 2] } else { class[at] });
        if (first..=last).contains(&c) {
            return true;
        }
        at += if is_range { 3 } else { 1 };
    }
    false
}

fn nullable(schema: &mut Map<String, Value>) {
    if let Some(Value::String(plain)) = schema.get("type").cloned() {
        schema.insert("type".into(), json!([plain, "null"]));
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.push(Value::Null);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_of_characters_is_read_as_a_regular_expression_would() {
        let fits = |class, text: &str| text.chars().all(|c| is_of(class, c));
        assert!(fits("0-9A-Z_", "Z_09") && !fits("0-9A-Z_", "z") && !fits("0-9A-Z_", "-"));
        assert!(fits("A-Za-z0-9-", "a-B") && !fits("A-Za-z0-9-", "_"));
        assert!(fits("0-9+\\-. ()", "+1 (415) 555-01.23") && !fits("0-9+\\-. ()", "/"));
    }

    #[test]
    fn a_value_is_told_what_it_should_be_and_never_repeated() {
        static WORD: Shape = Shape::Word(|| vec!["sms", "call"]);
        let shapes = [
            (Shape::List { of: &WORD, least: 1, most: 2, distinct: true }, json!(["sms", "sms"])),
            (Shape::List { of: &WORD, least: 1, most: 2, distinct: true }, json!(["314159"])),
            (Shape::Map { names: &WORD, of: &WORD, most: 2 }, json!({ "314159": "sms" })),
            (Shape::Number { least: 4, most: 10 }, json!(314159)),
            (Shape::Number { least: 4, most: 10 }, json!("314159")),
            (Shape::Text { least: 1, most: 5 }, json!("314159")),
            (Shape::Time, json!("314159")),
            (Shape::Flag, json!("314159")),
            (Shape::Id(&["VE"]), json!("314159")),
        ];
        for (shape, value) in shapes {
            let told = Field::new("x", "", shape).check("x", &value).unwrap_err().to_string();
            assert!(told.contains("has to be") && !told.contains("314159"), "{told}");
        }
        assert!(Field::new("x", "", Shape::Number { least: 4, most: 10 }).check("x", &json!(6.0)).is_ok());
    }
}
