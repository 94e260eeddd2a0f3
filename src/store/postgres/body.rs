//! Bodies on their way into `jsonb` and out of it.
//!
//! `jsonb` has no U+0000. It is kept as U+F8FF with a `0` behind it, and U+F8FF
//! itself as U+F8FF with an `8`: the last place of the private use area, which
//! nobody's text has, so that what is stored reads as what was written. Keys may
//! come back in another order, and numbers in another notation. It refuses to
//! know what records mean.

use bytes::{BufMut, Bytes, BytesMut};
use std::borrow::Cow;
use std::error::Error;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// U+F8FF in UTF-8.
const SENTINEL: &[u8] = "\u{f8ff}".as_bytes();

/// The only format of `jsonb` on the wire: this byte, then the text.
const WIRE_VERSION: u8 = 1;

/// A body on its way in, as [`escape`] made it.
#[derive(Debug)]
pub(super) struct Escaped<'a>(pub Cow<'a, [u8]>);

/// A body on its way out.
pub(super) struct Body(pub Bytes);

impl ToSql for Escaped<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.reserve(self.0.len() + 1);
        out.put_u8(WIRE_VERSION);
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSONB
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Body {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        match raw.split_first() {
            Some((&WIRE_VERSION, text)) => Ok(Self(Bytes::from(unescape(text).into_owned()))),
            _ => Err("a format of jsonb that is not known".into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSONB
    }
}

/// JSON without U+0000.
pub(super) fn escape(json: &[u8]) -> Escaped<'_> {
    if !json.windows(2).any(|two| two == b"\\u") && find(json, SENTINEL).is_none() {
        return Escaped(Cow::Borrowed(json));
    }
    let mut out = Vec::with_capacity(json.len() + 16);
    let mut rest = json;
    while let Some(&first) = rest.first() {
        let (taken, kept): (usize, &[u8]) = match first {
            b'\\' if is_code(rest, b"0000") => (6, b"\xef\xa3\xbf0"),
            b'\\' if is_code(rest, b"f8ff") => (6, b"\xef\xa3\xbf8"),
            // Two at once, so that a second backslash begins nothing.
            b'\\' => (rest.len().min(2), &rest[..rest.len().min(2)]),
            _ if rest.starts_with(SENTINEL) => (SENTINEL.len(), b"\xef\xa3\xbf8"),
            _ => (1, &rest[..1]),
        };
        out.extend_from_slice(kept);
        rest = &rest[taken..];
    }
    Escaped(Cow::Owned(out))
}

/// What [`escape`] was given.
fn unescape(json: &[u8]) -> Cow<'_, [u8]> {
    let Some(mut at) = find(json, SENTINEL) else {
        return Cow::Borrowed(json);
    };
    let mut out = Vec::with_capacity(json.len() + 16);
    let mut rest = json;
    loop {
        let (before, behind) = (&rest[..at], &rest[at + SENTINEL.len()..]);
        out.extend_from_slice(before);
        match behind.first() {
            Some(b'0') => out.extend_from_slice(b"\\u0000"),
            _ => out.extend_from_slice(SENTINEL),
        }
        rest = behind.get(1..).unwrap_or_default();
        match find(rest, SENTINEL) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Whether an escape of that code begins here.
fn is_code(text: &[u8], code: &[u8; 4]) -> bool {
    text.get(..2) == Some(b"\\u") && text.get(2..6).is_some_and(|digits| digits.eq_ignore_ascii_case(code))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn there_and_back(json: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let escaped = escape(json).0.into_owned();
        let back = unescape(&escaped).into_owned();
        (escaped, back)
    }

    #[test]
    fn what_jsonb_cannot_hold_is_held_otherwise() {
        for (text, kept) in [
            (r#""a\u0000b""#, "\"a\u{f8ff}0b\""),
            (r#""\\u0000""#, r#""\\u0000""#),
            (r#""\\\u0000""#, "\"\\\\\u{f8ff}0\""),
            (r#""\uF8ff0""#, "\"\u{f8ff}80\""),
            ("\"\u{f8ff}\u{f8ff}8\"", "\"\u{f8ff}8\u{f8ff}88\""),
            (r#""\u00e9""#, r#""\u00e9""#),
        ] {
            let (escaped, back) = there_and_back(text.as_bytes());
            assert_eq!(String::from_utf8(escaped).unwrap(), kept);
            let value = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
            assert_eq!(value(&back), value(text.as_bytes()));
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "(\\PC|[\u{0}\u{f8ff}08\\\\\"u]){0,20}", key in "[\u{0}\u{f8ff}a]{0,3}") {
            let json = json!({ key: text }).to_string();
            let (escaped, back) = there_and_back(json.as_bytes());
            prop_assert!(!String::from_utf8(escaped).unwrap().replace(r"\\", "").contains(r"\u0000"));
            prop_assert_eq!(serde_json::from_slice::<Value>(&back).unwrap(), serde_json::from_str::<Value>(&json).unwrap());
        }
    }
}
