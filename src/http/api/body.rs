//! The fields of a request, read and checked: those of its JSON body and those
//! of its query.

use super::fields::{self, Field};
use crate::http::error::Error;
use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Fields that were read, each of the shape that its table says.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a JSON object that may have the fields `known` and no others.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what is wrong and where.
    pub fn from_json(bytes: &[u8], known: &[Field]) -> Result<Self, Error> {
        // RFC 8259 §8.1 lets a parser pass over a byte order mark.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        if bytes.first() != Some(&b'{') {
            let what = if bytes.is_empty() { "the body is empty" } else { "the body is not a JSON object" };
            return Err(Error::invalid(format!("{what}: send one with {}", fields::names(known))));
        }
        let Object(pairs) = serde_json::from_slice(bytes)
            .map_err(|error| Error::invalid(format!("the body is not JSON: {error}")))?;
        Self::read(pairs, known, "field")
    }

    /// Reads a query that may have the parameters `known` and no others: a
    /// filter with a slip in its name would show everything.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what is wrong and where.
    pub fn from_query(query: &str, known: &[Field]) -> Result<Self, Error> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|error| Error::invalid(format!("the query cannot be decoded: {error}")))?;
        let typed = |(name, text): (String, String)| {
            let value = known.iter().find(|field| field.name == name).map(|field| field.shape.read(&text));
            (name, value.unwrap_or(Value::Null))
        };
        Self::read(pairs.into_iter().map(typed).collect(), known, "parameter")
    }

    fn read(pairs: Vec<(String, Value)>, known: &[Field], what: &str) -> Result<Self, Error> {
        let mut read = Map::new();
        for (name, value) in pairs {
            let Some(field) = known.iter().find(|known| known.name == name) else {
                let known = match fields::names(known) {
                    names if names.is_empty() => "there is none".into(),
                    names => format!("known are {names}"),
                };
                let name = super::shortened(&name);
                return Err(Error::invalid(format!("unknown {what} {name:?}; {known}")));
            };
            field.check(field.name, &value)?;
            if read.insert(name, value).is_some() {
                return Err(Error::field(field.name, format!("{} is there twice", field.name)));
            }
        }
        match known.iter().find(|field| field.needed && !read.contains_key(field.name)) {
            Some(field) => Err(fields::missing(field.name)),
            None => Ok(Self(read)),
        }
    }

    /// A text, if it is there.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// A text that the table says is there.
    ///
    /// # Errors
    /// When the table does not say so.
    pub fn needed(&mut self, name: &str) -> Result<String, Error> {
        self.text(name).ok_or_else(|| fields::missing(name))
    }

    /// A text that the model reads further.
    ///
    /// # Errors
    /// When the model cannot.
    pub fn parsed<T: std::str::FromStr<Err: fmt::Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Error> {
        let text = self.text(name);
        text.map(|text| text.parse().map_err(|error: T::Err| Error::field(name, error.to_string())))
            .transpose()
    }

    /// A number, if it is there.
    pub fn number(&mut self, name: &str) -> Option<u64> {
        self.0.remove(name).and_then(|value| value.as_u64())
    }

    /// True or false, if it is there.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.0.remove(name).and_then(|value| value.as_bool())
    }

    /// A time, if it is there.
    pub fn time(&mut self, name: &str) -> Option<Timestamp> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// The texts of a list.
    pub fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.0.remove(name).and_then(|value| serde_json::from_value(value).ok())
    }

    /// The texts of an object.
    pub fn map(&mut self, name: &str) -> Option<std::collections::BTreeMap<String, String>> {
        self.0.remove(name).and_then(|value| serde_json::from_value(value).ok())
    }

    /// All that was not taken.
    pub fn rest(self) -> Map<String, Value> {
        self.0
    }

    /// All that was not taken, to look at.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// As JSON, values and all: for whoever compares requests, never for a log.
impl fmt::Display for Fields {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", serde_json::to_string(&self.0).unwrap_or_default())
    }
}

/// An object with its repetitions, which a map would lose.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::fields::Shape;

    const TEXT: Shape = Shape::Text { least: 1, most: 35 };
    const KNOWN: [Field; 2] = [Field::needed("code", "", TEXT), Field::new("locale", "", TEXT)];

    fn read(body: impl AsRef<[u8]>) -> Result<(String, Option<String>), String> {
        let read = || {
            let mut body = Fields::from_json(body.as_ref(), &KNOWN)?;
            Ok((body.needed("code")?, body.text("locale")))
        };
        read().map_err(|error: Error| error.to_string())
    }

    #[test]
    fn fields_are_texts_and_may_be_left_out() {
        assert_eq!(read(r#"{"code":"012345"}"#), Ok(("012345".into(), None)));
        assert_eq!(read("\u{feff} {\"locale\":null,\"code\":\"1\"}\n"), Ok(("1".into(), None)));
    }

    #[test]
    fn a_mistake_is_named_and_its_value_is_not_repeated() {
        let deep = format!("{{\"code\":{}", "[".repeat(100_000));
        let rows = [
            ("", "the body is empty: send one with code, locale"),
            (r#"["314159"]"#, "the body is not a JSON object"),
            (r#""314159""#, "the body is not a JSON object"),
            ("{}", "code is missing"),
            (r#"{"code":null}"#, "code is missing"),
            (r#"{"code":314159}"#, "code has to be text, in quotation marks: a number loses"),
            (r#"{"code":["314159"]}"#, "code has to be text"),
            (r#"{"code":"314159","code":"1"}"#, "code is there twice"),
            (r#"{"code":"314159","cod":1}"#, "unknown field \"cod\"; known are code, locale"),
            (r#"{"code":"314159"#, "the body is not JSON: EOF"),
            (r#"{"code":314159x}"#, "the body is not JSON: expected"),
            (deep.as_str(), "the body is not JSON: recursion limit"),
        ];
        for (body, expected) in rows {
            let told = read(body).unwrap_err();
            assert!(told.contains(expected) && !told.contains("314159"), "{told}");
        }
        assert!(read(b"{\"code\":\"\xff\"}").unwrap_err().contains("the body is not JSON"));
    }

    #[test]
    fn a_plus_in_a_time_that_was_not_encoded_is_a_plus() {
        let known = [
            Field::new("since", "", Shape::Time),
            Field::new("limit", "", Shape::Number { least: 1, most: 100 }),
        ];
        let mut query = Fields::from_query("since=2026-11-20T09:30:00+01:00&limit=5", &known).unwrap();
        assert_eq!(query.time("since").unwrap().to_string(), "2026-11-20T08:30:00Z");
        assert_eq!(query.number("limit"), Some(5));
        for wrong in
            ["limit=0", "limit=101", "limit=x", "limit=", "since=now", "limit=1&limit=2", "x=1", "%ff=1"]
        {
            assert!(Fields::from_query(wrong, &known).is_err(), "{wrong}");
        }
    }
}
