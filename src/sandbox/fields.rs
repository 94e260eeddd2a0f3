//! What parameters of requests have to look like.

use reqwest::Url;

/// An absolute http or https URL with a host, of at most 4000 characters.
pub(super) fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= 4_000)?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// Two letters and 32 hexadecimal digits.
pub(super) fn is_sid(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}
