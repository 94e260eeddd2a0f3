//! Which account a request names, before anybody knows whether to believe it.
//!
//! It refuses to know keys: whether the account fits the one whose key signed
//! is asked when that is known.

use super::rejection::Rejection;
use super::signed::{Coverage, Signed, is_bodyless};
use crate::model::account::AccountSid;
use crate::twilio::form;
use crate::twilio::url;

const NAME: &str = "AccountSid";

/// What a request says about its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named<'a> {
    /// One `AccountSid`, in the body or in the URL.
    One(&'a str),
    /// None, as in nothing that Twilio sends.
    Nobody,
    /// Several, be they the same: which one counts is anybody's guess.
    Many,
    /// A body that is no form, of which each part says so for itself: what a
    /// batch of events is.
    Within(&'a [u8]),
}

impl<'a> Named<'a> {
    /// Looks at all that is signed: the parameters that are handed on, and what
    /// a form's URL says besides.
    pub fn of(request: &Signed<'a>, coverage: Coverage<'_>, params: &'a [(String, String)]) -> Self {
        let without_body = is_bodyless(request.method);
        if matches!(coverage, Coverage::Hash(_)) && !without_body {
            return Self::Within(request.body);
        }
        let is_name = |(name, _): &&(String, String)| name == NAME;
        let mut said = params.iter().filter(is_name);
        let beside = if without_body { 0 } else { in_query(request.url) };
        match (said.next(), said.next(), beside) {
            (Some((_, account)), None, 0) => Self::One(account),
            (None, None, 0) => Self::Nobody,
            // A body that is empty hands nothing on, whatever its URL says.
            (None, None, 1) => Self::Nobody,
            _ => Self::Many,
        }
    }

    /// Whether this may be signed with a key of that account. A key of no
    /// account is asked for less: it is only used where none is configured.
    ///
    /// # Errors
    /// [`Rejection`], by its name.
    pub fn fits(&self, owner: Option<&AccountSid>) -> Result<(), Rejection> {
        match (self, owner) {
            (Self::Many, _) => Err(Rejection::ManyAccounts),
            (Self::Within(_), _) | (_, None) => Ok(()),
            (Self::Nobody, Some(_)) => Err(Rejection::NoAccount),
            (Self::One(named), Some(owner)) if *named == owner.as_str() => Ok(()),
            (Self::One(_), Some(_)) => Err(Rejection::OtherAccount),
        }
    }
}

fn in_query(url: &str) -> usize {
    let query = url::query(url).unwrap_or_default();
    form::parse(query.as_bytes()).iter().filter(|(name, _)| name == NAME).count()
}

/// Every word of a body that begins like an account's name.
pub(super) fn accounts_within(body: &[u8]) -> impl Iterator<Item = &str> {
    let words = body.split(|byte| !byte.is_ascii_alphanumeric());
    words.filter(|word| word.starts_with(b"AC")).filter_map(|word| str::from_utf8(word).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: &str, url: &str, body: &str) -> String {
        let request = Signed {
            method,
            url,
            content_type: Some("application/x-www-form-urlencoded"),
            body: body.as_bytes(),
            signatures: &[],
            settings: None,
        };
        let coverage = Coverage::of(&request).unwrap();
        let params = coverage.params(&request);
        match Named::of(&request, coverage, &params) {
            Named::One(account) => account.to_owned(),
            other => format!("{other:?}").split('(').next().unwrap().to_lowercase(),
        }
    }

    #[test]
    fn one_account_is_named_once() {
        let cases = [
            ("POST", "https://h/s", "AccountSid=AC1&To=1", "AC1"),
            ("POST", "https://h/s", "A=1&Account%53id=AC1", "AC1"),
            ("GET", "https://h/s?AccountSid=AC1", "", "AC1"),
            // A GET's body is not read by anybody.
            ("GET", "https://h/s?AccountSid=AC1", "AccountSid=AC2", "AC1"),
            ("POST", "https://h/s", "To=1", "nobody"),
            ("POST", "https://h/s", "", "nobody"),
            ("GET", "https://h/s", "", "nobody"),
            ("POST", "https://h/s?AccountSid=AC1", "To=1", "nobody"),
            ("POST", "https://h/s", "accountsid=AC1", "nobody"),
            ("POST", "https://h/s", "AccountSid=AC1&AccountSid=AC2", "many"),
            ("POST", "https://h/s", "AccountSid=AC1&AccountSid=AC1", "many"),
            ("POST", "https://h/s?AccountSid=AC1", "AccountSid=AC1", "many"),
            ("GET", "https://h/s?AccountSid=AC1&x=1&AccountSid=AC2", "", "many"),
            ("POST", "https://h/s?bodySHA256=0", "AccountSid=AC1", "within"),
            ("GET", "https://h/s?bodySHA256=0&AccountSid=AC1", "", "AC1"),
        ];
        for (method, url, body, expected) in cases {
            assert_eq!(named(method, url, body), expected, "{method} {url} {body}");
        }
    }

    #[test]
    fn accounts_are_found_wherever_they_stand_in_a_body() {
        let body =
            br#"[{"source":"/2010-04-01/Accounts/AC1/Messages","data":{"accountSid":"AC2","to":"XAC3"}}]"#;
        assert_eq!(accounts_within(body).collect::<Vec<_>>(), ["AC1", "AC2"]);
    }
}
