//! Webhook paths that nearly fit: what Twilio was told to call, or a proxy made
//! of it, is one slash or one letter beside a route. Said in the log with what
//! is right, because to Twilio's side a 404 says nothing; at a bounded rate,
//! because a path is anybody's to send.
//!
//! Nothing is forgiven: a path is compared as Twilio signs it.

use crate::server::Rate;
use crate::twilio::url::{PublicUrl, may_name_a_number};
use std::time::Instant;

/// The webhooks' common first segment.
const ROOT: &str = "/twilio/";
/// The longest path that is looked at, in bytes, and the most segments.
const LONGEST: usize = 512;
const SEGMENTS: usize = 32;

/// A path that nearly fits.
#[derive(Debug, PartialEq, Eq)]
pub struct Near {
    /// The route's pattern.
    pub pattern: &'static str,
    /// The path, with names in braces for what a pattern has so, and without
    /// what may be somebody's number.
    pub shown: String,
    /// What is different.
    pub why: &'static str,
}

/// The webhook that a path was meant for, when it nearly fits one.
pub fn near(patterns: impl Iterator<Item = &'static str>, path: &str, is_post: bool) -> Option<Near> {
    if path.len() > LONGEST || path.matches('/').count() > SEGMENTS {
        return None;
    }
    let webhooks: Vec<&'static str> = patterns.filter(|pattern| pattern.starts_with(ROOT)).collect();
    let mut fits: Vec<(usize, Near)> =
        webhooks.iter().filter_map(|pattern| fit(pattern, path, is_post)).collect();
    // The longest pattern has least of the path in front of it.
    fits.sort_by_key(|(prefix, _)| *prefix);
    let exact = fits.into_iter().next().map(|(_, near)| near);
    exact.or_else(|| escaped(&webhooks, path, is_post)).or_else(|| misspelt(&webhooks, path))
}

/// A path that fits when its escapes and dots are resolved, as no proxy may do.
fn escaped(webhooks: &[&'static str], path: &str, is_post: bool) -> Option<Near> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    let plain: Vec<&str> = decoded.split('/').filter(|segment| *segment != ".").collect();
    let plain = plain.join("/");
    let pattern = webhooks
        .iter()
        .find(|pattern| plain != path && (plain == **pattern || fit(pattern, &plain, is_post).is_some()))?;
    let why = "the path is written with escapes or dots: it is compared as it comes";
    Some(Near { pattern, shown: (*pattern).to_owned(), why })
}

/// A name that is a slip or two beside a webhook's.
fn misspelt(webhooks: &[&'static str], path: &str) -> Option<Near> {
    const SLIPS: usize = 2;
    let name = path.trim_end_matches('/').strip_prefix(ROOT)?;
    if name.contains('/') || !is_plain(name) {
        return None;
    }
    let slips = |pattern: &str| strsim::damerau_levenshtein(name, &pattern[ROOT.len()..]);
    let named = webhooks.iter().copied().filter(|pattern| !pattern.contains('{'));
    let pattern = named.min_by_key(|pattern| slips(pattern)).filter(|pattern| slips(pattern) <= SLIPS)?;
    let why = "there is no webhook of that name: this one is near it";
    Some(Near { pattern, shown: path.to_owned(), why })
}

/// How a path nearly fits a pattern, with how many segments stand before it.
fn fit(pattern: &'static str, path: &str, is_post: bool) -> Option<(usize, Near)> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let ends_with = |parts: &[&str]| {
        let start = segments.len().checked_sub(parts.len())?;
        let mut pairs = parts.iter().zip(&segments[start..]);
        pairs.all(|(part, segment)| is_name(part) || part.eq_ignore_ascii_case(segment)).then_some(start)
    };
    let (parts, start, is_cut) = match ends_with(&parts) {
        Some(start) => (&parts[..], start, false),
        // Without the first segment too much would fit: only all of it counts.
        None if is_post && ends_with(&parts[1..]) == Some(0) => (&parts[1..], 0, true),
        None => return None,
    };
    let differs = |(part, segment): (&&str, &&str)| !is_name(part) && part != segment;
    let why = match () {
        () if is_cut => "the proxy in front takes /twilio off the path: let it hand the path on as it came",
        () if start > 0 => {
            "something stands before /twilio: a prefix of public_url has to be taken off by the proxy in front"
        }
        () if parts.iter().zip(&segments).any(differs) => "paths are in small letters",
        () if path.ends_with('/') => "there is a slash at its end",
        () => "there is a slash too many in it",
    };
    let mut at = 0_usize;
    let shown = path.split('/').map(|segment| {
        if segment.is_empty() {
            return "";
        }
        at += 1;
        match (at - 1).checked_sub(start) {
            None if is_plain(segment) => segment,
            None => "…",
            Some(place) if is_name(parts[place]) => parts[place],
            Some(_) => segment,
        }
    });
    let shown = shown.collect::<Vec<_>>().join("/");
    Some((start, Near { pattern, shown, why }))
}

fn is_name(part: &str) -> bool {
    part.starts_with('{')
}

/// Words such as prefixes are made of, without digits enough for a number.
fn is_plain(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    segment.len() <= 40 && !may_name_a_number(segment) && segment.bytes().all(plain)
}

/// Says it, once in a while.
#[derive(Default)]
pub struct NearMisses(Rate);

impl NearMisses {
    /// Writes the line, when the last one was long enough ago.
    pub fn tell(&self, near: &Near, public_url: &PublicUrl, now: Instant) {
        let Some(untold) = self.0.pass(now) else { return };
        let right = public_url.join(near.pattern);
        tracing::warn!(path = near.shown, right, why = near.why, untold, "a webhook's path nearly fits");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::PACE;

    const PATTERNS: [&str; 7] = [
        "/twilio/status",
        "/twilio/call-status",
        "/twilio/sms",
        "/twilio/voice",
        "/twilio/voice/{verification}/{delivery}",
        "/twilio/voice/{verification}/{delivery}/code",
        "/v1/verifications",
    ];

    fn found(path: &str) -> Option<(&'static str, String)> {
        near(PATTERNS.into_iter(), path, true).map(|near| (near.pattern, near.shown))
    }

    #[test]
    fn slashes_case_and_prefixes_are_seen() {
        for (path, pattern) in [
            ("/twilio/status/", "/twilio/status"),
            ("//twilio/status", "/twilio/status"),
            ("/twilio//status", "/twilio/status"),
            ("/Twilio/Status", "/twilio/status"),
            ("/otp/twilio/status", "/twilio/status"),
            ("/otp/v2/twilio/SMS/", "/twilio/sms"),
            ("/call-status", "/twilio/call-status"),
            ("/twilio/voice/", "/twilio/voice"),
        ] {
            assert_eq!(found(path), Some((pattern, path.to_owned())), "{path}");
        }
    }

    #[test]
    fn names_and_numbers_are_not_shown() {
        let voice = "/twilio/voice/{verification}/{delivery}/code";
        assert_eq!(found("/twilio/voice/VE1/DL1/code/"), Some((voice, format!("{voice}/"))));
        let shown = "/otp/…/twilio/status".to_owned();
        assert_eq!(found("/otp/+15551234567/twilio/status"), Some(("/twilio/status", shown.clone())));
        assert_eq!(found("/otp/a%0Ab/twilio/status"), Some(("/twilio/status", shown)));
    }

    #[test]
    fn escapes_dots_and_slips_are_seen() {
        for (path, pattern) in [
            ("/twilio%2Fstatus", "/twilio/status"),
            ("/twilio/./status", "/twilio/status"),
            ("/twilio/%73tatus", "/twilio/status"),
            ("/twilio/stauts", "/twilio/status"),
            ("/twilio/call_status", "/twilio/call-status"),
            ("/twilio/statuses/", "/twilio/status"),
        ] {
            assert_eq!(found(path).map(|found| found.0), Some(pattern), "{path}");
        }
    }

    #[test]
    fn what_is_meant_for_others_is_left_alone() {
        let long = format!("/{}/twilio/status", "a/".repeat(400));
        for path in ["/", "/twilio", "/twilio/other", "/v1/verifications/", "/a/status", &long] {
            assert_eq!(found(path), None, "{path}");
        }
        assert_eq!(near(PATTERNS.into_iter(), "/status", false), None);
    }

    #[test]
    fn a_flood_gets_a_line_a_second() {
        let (misses, start) = (NearMisses::default(), Instant::now());
        assert_eq!(misses.0.pass(start), Some(0));
        assert_eq!((misses.0.pass(start), misses.0.pass(start)), (None, None));
        assert_eq!(misses.0.pass(start + PACE), Some(2));
    }
}
