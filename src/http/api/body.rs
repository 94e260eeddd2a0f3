//! A JSON object of texts: what every body of this API is.
//!
//! Read by hand and not by deriving, because what is said about a mistake has
//! to name the field and what would be right, and must never repeat a value:
//! it may be a code or a number.

use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::request::Request;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// The fields of a body.
pub struct Body(Vec<(&'static str, Value)>);

impl Body {
    /// Reads a request's body, which may have the fields `known` and no others.
    ///
    /// # Errors
    /// The body's, or [`Error::Invalid`] with what is wrong and where.
    pub async fn read(
        context: &Context,
        request: &mut Request,
        known: &[&'static str],
    ) -> Result<Self, Error> {
        let bytes = request.body(context.settings.max_body, context.settings.body_timeout).await?;
        Self::parse(&bytes, known)
    }

    /// A body without fields.
    pub fn empty() -> Self {
        Self(Vec::new())
    }

    fn parse(bytes: &[u8], known: &[&'static str]) -> Result<Self, Error> {
        // RFC 8259 §8.1 lets a parser pass over a byte order mark.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        if bytes.first() != Some(&b'{') {
            let what = if bytes.is_empty() { "the body is empty" } else { "the body is not a JSON object" };
            return Err(wrong(None, format!("{what}: send one with {}", known.join(", "))));
        }
        let Object(pairs) = serde_json::from_slice(bytes)
            .map_err(|error| wrong(None, format!("the body is not JSON: {error}")))?;
        let mut fields: Vec<(&'static str, Value)> = Vec::with_capacity(pairs.len());
        for (name, value) in pairs {
            let Some(name) = known.iter().copied().find(|known| *known == name) else {
                let name = super::shortened(&name);
                return Err(wrong(None, format!("unknown field {name:?}; known are {}", known.join(", "))));
            };
            if fields.iter().any(|(other, _)| *other == name) {
                return Err(wrong(Some(name), format!("{name} is there twice")));
            }
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// A field that may be left out, or be null.
    ///
    /// # Errors
    /// When it is there and no text.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        let place = self.0.iter().position(|(field, _)| *field == name);
        match place.map(|place| self.0.swap_remove(place).1) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(_)) => {
                let why = "a number loses its leading zeros and its plus";
                Err(wrong(Some(name), format!("{name} has to be text, in quotation marks: {why}")))
            }
            Some(_) => Err(wrong(Some(name), format!("{name} has to be text, in quotation marks"))),
        }
    }

    /// A list of texts, which may be left out.
    ///
    /// # Errors
    /// When it is there and something else.
    pub fn texts(&mut self, name: &'static str) -> Result<Vec<String>, Error> {
        let place = self.0.iter().position(|(field, _)| *field == name);
        let value = place.map_or(Value::Null, |place| self.0.swap_remove(place).1);
        let no_list = || wrong(Some(name), format!("{name} has to be a list of texts"));
        match value {
            Value::Null => Ok(Vec::new()),
            Value::Array(values) => {
                values.iter().map(|text| text.as_str().map(str::to_owned).ok_or_else(no_list)).collect()
            }
            _ => Err(no_list()),
        }
    }

    /// A field that has to be there.
    ///
    /// # Errors
    /// When it is missing or no text.
    pub fn needed(&mut self, name: &'static str) -> Result<String, Error> {
        self.text(name)?.ok_or_else(|| wrong(Some(name), format!("{name} is missing")))
    }
}

fn wrong(field: Option<&'static str>, detail: String) -> Error {
    Error::Invalid { field, detail }
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

    fn read(body: impl AsRef<[u8]>) -> Result<(String, Option<String>), String> {
        let read = || {
            let mut body = Body::parse(body.as_ref(), &["code", "locale"])?;
            Ok((body.needed("code")?, body.text("locale")?))
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
            (r#"{"code":["314159"]}"#, "code has to be text, in quotation marks"),
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
}
