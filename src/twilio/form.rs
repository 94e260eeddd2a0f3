//! Form-encoded pairs, in wire order and with their repetitions.
//!
//! A map would lose what was signed, so there is none here. This module
//! refuses to know which names mean something.

use std::borrow::Cow;

/// Decoded names and values in wire order; a name may come more than once.
pub type Pairs = Vec<(String, String)>;

/// The longest form that is read, in bytes; Twilio's have a few thousand.
pub const MAX_BYTES: usize = 64 * 1024;

/// The most pairs of a form that is read; Twilio's have a few dozen.
pub const MAX_PAIRS: usize = 200;

/// Whether a form has more than [`MAX_PAIRS`], which is cheaper to see than to
/// read them.
pub fn has_too_many(body: &[u8]) -> bool {
    body.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()).nth(MAX_PAIRS).is_some()
}

/// How a space is written; everything else is percent-encoded alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// `+`, as Twilio's messaging callbacks do.
    Plus,
    /// `%20`, as Twilio's voice callbacks do.
    Percent,
}

/// Decodes `application/x-www-form-urlencoded` exactly once (WHATWG URL §5.1).
///
/// Total: a name without `=` has an empty value, empty pieces between `&` are
/// skipped, broken escapes stay as they are, and bytes that are no UTF-8
/// become U+FFFD, so that what is signed is what is read.
pub fn parse(body: &[u8]) -> Pairs {
    serde_urlencoded::from_bytes(body).expect("pairs of text can be read from any bytes")
}

/// Encodes pairs for the wire, in the order given.
pub fn encode<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)], space: Space) -> String {
    let texts: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
    let encoded = serde_urlencoded::to_string(texts).expect("pairs of text can always be written");
    match space {
        Space::Plus => encoded,
        // A plus sign of the text is %2B by now: each one left is a space.
        Space::Percent => encoded.replace('+', "%20"),
    }
}

/// Adds pairs to a URL's query, after what is there, as Twilio does for GET.
pub fn append_to_query<N: AsRef<str>, V: AsRef<str>>(url: &str, pairs: &[(N, V)], space: Space) -> String {
    if pairs.is_empty() {
        return url.to_owned();
    }
    let joint = match url.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{url}{joint}{}", encode(pairs, space))
}

/// A view that looks pairs up by name.
#[derive(Debug, Clone, Copy)]
pub struct Params<'a>(&'a [(String, String)]);

impl<'a> Params<'a> {
    /// Looks at these pairs.
    pub fn new(pairs: &'a [(String, String)]) -> Self {
        Self(pairs)
    }

    /// The first value under this name, exact case. An empty one is a value.
    pub fn first(self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// Every value under this name, in wire order.
    pub fn all(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// One step of percent-decoding, plus signs left alone; for comparing spellings.
pub(crate) fn percent_decoded(text: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(list: &[(&str, &str)]) -> Pairs {
        list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn order_repetitions_and_empty_values_are_kept() {
        assert_eq!(
            parse(b"To=b&Flag&&A=&To=a&"),
            pairs(&[("To", "b"), ("Flag", ""), ("A", ""), ("To", "a")])
        );
    }

    #[test]
    fn values_are_decoded_once() {
        assert_eq!(
            parse(b"Body=%252B1+%2b&Gr%C3%B6%C3%9Fe=%zz"),
            pairs(&[("Body", "%2B1 +"), ("Größe", "%zz")])
        );
    }

    #[test]
    fn bytes_that_are_no_text_do_not_fail() {
        assert_eq!(parse(b"A=%FF\xfe"), pairs(&[("A", "\u{fffd}\u{fffd}")]));
    }

    #[test]
    fn pairs_are_counted_as_they_are_read() {
        let most = "&a=1&".repeat(MAX_PAIRS);
        assert!(parse(most.as_bytes()).len() == MAX_PAIRS && !has_too_many(most.as_bytes()));
        assert!(has_too_many(format!("{most}&b").as_bytes()) && !has_too_many(b""));
        assert!(!has_too_many("&".repeat(1000).as_bytes()));
    }

    #[test]
    fn both_spellings_of_a_space_read_the_same() {
        let sent = [("Body", "your code + 1"), ("To", "+44")];
        assert_eq!(encode(&sent, Space::Plus), "Body=your+code+%2B+1&To=%2B44");
        assert_eq!(encode(&sent, Space::Percent), "Body=your%20code%20%2B%201&To=%2B44");
        assert_eq!(parse(encode(&sent, Space::Percent).as_bytes()), pairs(&sent));
    }

    #[test]
    fn pairs_go_after_what_the_query_has() {
        assert_eq!(append_to_query("https://h/p", &[("a", "b")], Space::Plus), "https://h/p?a=b");
        assert_eq!(append_to_query("https://h/p?", &[("a", "b")], Space::Plus), "https://h/p?a=b");
        assert_eq!(append_to_query("https://h/p?x", &[("a", "b")], Space::Plus), "https://h/p?x&a=b");
    }

    #[test]
    fn the_first_of_a_repeated_name_is_found() {
        let list = parse(b"To=b&To=a");
        assert_eq!(Params::new(&list).first("To"), Some("b"));
        assert_eq!(Params::new(&list).all("To").collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(Params::new(&list).first("to"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_parse(body: Vec<u8>) {
            parse(&body);
        }

        #[test]
        fn what_is_encoded_reads_back(sent: Vec<(String, String)>) {
            // A pair without name and value leaves nothing on the wire but "=", which reads back.
            prop_assert_eq!(&parse(encode(&sent, Space::Plus).as_bytes()), &sent);
            prop_assert_eq!(&parse(encode(&sent, Space::Percent).as_bytes()), &sent);
        }
    }
}
