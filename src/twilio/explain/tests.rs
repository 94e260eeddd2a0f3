//! Each usual mistake is called by its name, and nothing secret is said.

use super::*;
use crate::twilio::form::{self, Pairs, Space};
use crate::twilio::signature::{SharedKey, body_hash, sign};
use proptest::prelude::*;

const FORM: &str = "application/x-www-form-urlencoded";
const TOKEN: &str = "0af657d0e70acabaf35ab0f0f84481e5";
const URL: &str = "https://otp.example.org/base/twilio/status?job=42&x=%2b1";
const BODY: &str = "SmsSid=SM1&SmsStatus=sent&MessageStatus=sent&To=%2B15005550006&MessageSid=SM1\
                    &Body=a%0D%0Ab+&FromCity=&AccountSid=AC1&ApiVersion=2010-04-01";

fn token(label: &str, account: Option<&str>, secret: &str) -> Token {
    Token { label: label.into(), account: account.map(Into::into), secret: Secret::new(secret) }
}

fn verifier() -> Verifier {
    let tokens = vec![token("main", Some("AC1"), TOKEN), token("branch", Some("AC2"), "b1a")];
    let shared =
        SharedKey { id: "webhooks_sharedkey_1".into(), account: None, secret: Secret::new("whsk_1") };
    Verifier::new(tokens, vec![shared]).unwrap()
}

fn post<'a>(url: &'a str, body: &'a str, signatures: &'a [&'a [u8]]) -> Signed<'a> {
    Signed {
        method: "POST",
        url,
        content_type: Some(FORM),
        body: body.as_bytes(),
        signatures,
        settings: None,
    }
}

/// What Twilio signs for a URL and a body.
fn twilios(url: &str, body: &str) -> String {
    sign(&Secret::new(TOKEN), Algorithm::HmacSha1, url, &form::parse(body.as_bytes()))
}

fn explained(url: &str, body: &str, signature: &str) -> Explanation {
    let known = [token("secondary", None, "5ec0")];
    let hints = Hints { hosts: &["public.example:8443", "10.0.0.7"], prefixes: &["/tw/"], tokens: &known };
    explain(&verifier(), &post(url, body, &[signature.as_bytes()]), &hints)
}

/// Received at `url` with `body`, while Twilio signed the usual ones.
fn received(url: &str, body: &str) -> Cause {
    explained(url, body, &twilios(URL, BODY)).cause
}

#[test]
fn the_signed_request_is_valid() {
    assert_eq!(received(URL, BODY), Cause::Valid);
}

#[test]
fn the_text_says_what_would_have_matched_and_the_mend() {
    let found = explained(&URL.replace("https", "http"), BODY, &twilios(URL, BODY));
    assert_eq!(
        found.text,
        "would have matched with https instead of http: set public_url to what twilio calls"
    );
}

#[test]
fn a_url_that_was_rebuilt_wrongly_is_recognised() {
    let signed_at = |signed: &str| explained(URL, BODY, &twilios(signed, BODY)).cause;
    let cases = [
        (Cause::Scheme, "http://otp.example.org/base/twilio/status?job=42&x=%2b1"),
        (Cause::Scheme, "http://10.0.0.7/base/twilio/status?job=42&x=%2b1"),
        (Cause::Host, "https://10.0.0.7/base/twilio/status?job=42&x=%2b1"),
        (Cause::Host, "https://public.example:8443/twilio/status?job=42&x=%2b1"),
        (Cause::Port, "https://otp.example.org:8443/base/twilio/status?job=42&x=%2b1"),
        (Cause::TrailingSlash, "https://otp.example.org/base/twilio/status/?job=42&x=%2b1"),
        (Cause::PathPrefix, "https://otp.example.org/tw/base/twilio/status?job=42&x=%2b1"),
        (Cause::PathPrefix, "https://otp.example.org/twilio/status?job=42&x=%2b1"),
        (Cause::QueryAdded, "https://otp.example.org/base/twilio/status"),
        (Cause::QueryAdded, "https://otp.example.org/base/twilio/status?job=42"),
        (Cause::QueryAdded, "https://otp.example.org/base/twilio/status?x=%2b1"),
        (Cause::PathSpelling, "https://otp.example.org/base//twilio/status?job=42&x=%2b1"),
        (Cause::PathSpelling, "https://otp.example.org//base/twilio/status?job=42&x=%2b1"),
        (Cause::QueryOrder, "https://otp.example.org/base/twilio/status?job=42&x=%2b1"),
        (Cause::QueryEncoding, "https://otp.example.org/base/twilio/status?job=42&x=%2B1"),
        (Cause::QueryEncoding, "https://otp.example.org/base/twilio/status?job=42&x=+1"),
    ];
    for (cause, signed) in cases {
        if cause == Cause::QueryOrder {
            assert_eq!(received("https://otp.example.org/base/twilio/status?x=%2b1&job=42", BODY), cause);
        } else {
            assert_eq!(signed_at(signed), cause, "{signed}");
        }
    }
}

#[test]
fn a_url_that_came_with_more_than_is_signed_is_recognised() {
    assert_eq!(received(&URL.replace("otp.", "bob:pw@otp."), BODY), Cause::UrlExtras);
    assert_eq!(received(&format!("{URL}#rc=2"), BODY), Cause::UrlExtras);
    assert_eq!(received(&URL.replace("/twilio", "//twilio"), BODY), Cause::PathSpelling);
    assert_eq!(received(&URL.replace("otp.", "OTP."), BODY), Cause::Host);
}

#[test]
fn a_query_that_was_added_is_not_called_a_dropped_one() {
    let bare = "https://otp.example.org/twilio/status";
    let found = |url: &str, signed: &str| explained(url, BODY, &twilios(signed, BODY));
    let added = found(&format!("{bare}?utm=1"), bare);
    assert_eq!((added.cause.code(), added.cause), ("query_added", Cause::QueryAdded));
    assert!(added.text.contains("without the query") && !added.text.contains("drops"), "{}", added.text);
    assert_eq!(found(&format!("{bare}?"), bare).cause, Cause::QueryAdded);
    assert_eq!(found(bare, &format!("{bare}?")).cause, Cause::QueryDropped);
    // What is hardly a URL is explained, too.
    for odd in ["http://# a##AA A:A/", "http://?/#/", "://", "http:///ä/#", "x"] {
        assert_ne!(found(odd, bare).cause, Cause::Valid, "{odd}");
    }
}

#[test]
fn a_query_in_any_other_order_is_recognised() {
    let signed = "https://otp.example.org/twilio/status?z=1&delivery=DL1&a=2&m=3";
    for came in ["m=3&z=1&a=2&delivery=DL1", "a=2&delivery=DL1&m=3&z=1", "delivery=DL1&z=1&a=2&m=3"] {
        let url = format!("https://otp.example.org/twilio/status?{came}");
        assert_eq!(explained(&url, BODY, &twilios(signed, BODY)).cause, Cause::QueryOrder, "{came}");
    }
}

#[test]
fn a_body_that_was_altered_is_recognised() {
    let without = |piece: &str| BODY.replacen(piece, "", 1);
    assert_eq!(received(URL, &format!("{BODY}&Evil=1")), Cause::ParameterAdded);
    assert_eq!(received(URL, &without("&ApiVersion=2010-04-01")), Cause::ParameterMissing);
    assert_eq!(received(URL, &without("&MessageSid=SM1")), Cause::ParameterMissing);
    assert_eq!(received(URL, &without("&FromCity=")), Cause::ParameterMissing);
    assert_eq!(received(URL, &without("%0D")), Cause::ValueAltered);
}

#[test]
fn a_signature_over_a_body_read_otherwise_is_recognised() {
    let body = "B=%2525+&A=1&a=%20&B=x&E=&B=a";
    let verifier = Verifier::new(vec![token("main", None, TOKEN)], vec![]).unwrap();
    let signed_over = |tail: &str| {
        let key = Key::new(&Secret::new(TOKEN));
        let signature = key.mac(Algorithm::HmacSha1, &[URL], tail);
        explain(&verifier, &post(URL, body, &[signature.bytes()]), &Hints::default()).cause
    };
    let cases = [
        (Cause::Valid, "A1B%25 BaBxEa "),
        (Cause::RepeatedNames, "A1B%25 Ea "),
        (Cause::RepeatedNames, "A1BaEa "),
        (Cause::RepeatedNames, "A1B%25 ,x,aEa "),
        (Cause::RepeatedNames, "A1B%25 BxBaEa "),
        (Cause::BodyEncoding, "A1B%2525+BaBxEa%20"),
        (Cause::BodyEncoding, "A1B%25+BaBxEa "),
        (Cause::BodyEncoding, "A1B% BaBxEa "),
        (Cause::ValueAltered, "A1B%25BaBxEa"),
        (Cause::ValueAltered, "A1B%25 BaBxa "),
        (Cause::BodyOrder, "B%25 A1a BxEBa"),
        (Cause::BodyOrder, "a A1B%25 BaBxE"),
        (Cause::BodyIgnored, ""),
        (Cause::ParameterAdded, "A1B%25 BaBxE"),
        (Cause::QueryAsBody, "A1B%25 BaBxEa job42x+1"),
    ];
    for (cause, tail) in cases {
        assert_eq!(signed_over(tail), cause, "{tail}");
    }
}

#[test]
fn parameters_in_the_query_instead_of_the_body_are_recognised() {
    let pairs: Pairs = form::parse(BODY.as_bytes());
    let moved = form::append_to_query(URL, &pairs, Space::Plus);
    assert_eq!(explained(URL, BODY, &twilios(&moved, "")).cause, Cause::QueryAsBody);
}

#[test]
fn another_key_is_recognised() {
    let signed_with = |secret: &str, algorithm| {
        let signature = sign(&Secret::new(secret), algorithm, URL, &form::parse(BODY.as_bytes()));
        explained(URL, BODY, &signature).cause
    };
    let (sha1, sha256) = (Algorithm::HmacSha1, Algorithm::HmacSha256);
    assert_eq!(signed_with("b1a", sha1), Cause::OtherAccount);
    assert_eq!(signed_with("5ec0", sha1), Cause::OtherToken);
    assert_eq!(signed_with(&format!("{TOKEN}\n"), sha1), Cause::TokenSpelling);
    assert_eq!(signed_with("", sha1), Cause::EmptyToken);
    assert_eq!(signed_with("whsk_1", sha256), Cause::Algorithm);
    assert_eq!(signed_with("whsk_1", sha1), Cause::Algorithm);
    assert_eq!(signed_with(TOKEN, sha256), Cause::Algorithm);
    assert_eq!(signed_with("nobody's", sha256), Cause::Algorithm);
    assert_eq!(signed_with("nobody's", sha1), Cause::Rejected(Rejection::Mismatch));
}

#[test]
fn what_names_no_account_or_two_is_explained() {
    let none = BODY.replace("&AccountSid=AC1", "");
    let found = explained(URL, &none, &twilios(URL, &none));
    assert_eq!(found.cause, Cause::Rejected(Rejection::NoAccount));
    assert!(found.text.contains("names no account"), "{}", found.text);
    let many = format!("{BODY}&AccountSid=AC2");
    let found = explained(URL, &many, &twilios(URL, &many));
    assert_eq!(found.cause, Cause::Rejected(Rejection::ManyAccounts));
    // What lost more than its account is explained by what it lost.
    let http = URL.replace("https", "http");
    assert_eq!(explained(&http, &none, &twilios(URL, &none)).cause, Cause::Scheme);
}

#[test]
fn a_configured_token_with_a_newline_is_recognised() {
    let verifier = Verifier::new(vec![token("main", None, &format!("{TOKEN}\n"))], vec![]).unwrap();
    let signed = twilios(URL, BODY);
    let found = explain(&verifier, &post(URL, BODY, &[signed.as_bytes()]), &Hints::default());
    assert_eq!(found.cause, Cause::TokenSpelling);
}

#[test]
fn a_downgrade_is_called_one() {
    let signed = twilios(URL, BODY);
    let signatures = [signed.as_bytes()];
    let settings = Some("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256");
    let request = Signed { settings, ..post(URL, BODY, &signatures) };
    assert_eq!(explain(&verifier(), &request, &Hints::default()).cause, Cause::Algorithm);
}

#[test]
fn a_rewritten_header_is_recognised() {
    let right = twilios(URL, BODY);
    for spoilt in [
        right.to_ascii_lowercase(),
        right.trim_end_matches('=').to_owned(),
        format!("\"{right}\""),
        format!("{right}A"),
        right.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned(),
    ] {
        assert_eq!(explained(URL, BODY, &spoilt).cause, Cause::HeaderSpelling, "{spoilt}");
    }
    let short = explained(URL, BODY, &right[..20]).cause;
    assert_eq!(short, Cause::Rejected(Rejection::Mismatch));
}

#[test]
fn what_the_verifier_knows_needs_no_guess() {
    let cause =
        |signatures: &[&[u8]]| explain(&verifier(), &post(URL, BODY, signatures), &Hints::default()).cause;
    assert_eq!(cause(&[]).code(), "missing_header");
    assert_eq!(cause(&[b"a", b"a"]).code(), "duplicate_header");
    let long = BODY.repeat(MAX_TEXT / BODY.len() + 1);
    assert_eq!(explained(URL, &long, "").cause, Cause::TooLong);
}

#[test]
fn a_body_that_was_hashed_and_rewritten_is_recognised() {
    let sent = r#"{"a": [1, 2], "b": "x, \" y: z"}"#;
    let url = format!("https://h.example/events?bodySHA256={}", body_hash(sent.as_bytes()));
    let signed = twilios(&url, "");
    let cause = |url: &str, body: &str, signed: &str| {
        let signatures = [signed.as_bytes()];
        let request = Signed { content_type: Some("application/json"), ..post(url, body, &signatures) };
        explain(&verifier(), &request, &Hints::default()).cause
    };
    assert_eq!(cause(&url, sent, &signed), Cause::Valid);
    for rewritten in [r#"{"a":[1,2],"b":"x, \" y: z"}"#, "", &format!("{sent}\n")] {
        assert_eq!(cause(&url, rewritten, &signed), Cause::BodyRewritten, "{rewritten}");
    }
    assert_eq!(cause(&url, "{}", &signed).code(), "body_hash_mismatch");
    let bare = "https://h.example/events";
    assert_eq!(cause(bare, sent, &signed), Cause::QueryDropped);
    assert_eq!(cause(bare, sent, &twilios(bare, "")), Cause::BodyIgnored);
    let upper = format!("{bare}?bodySHA256={}", body_hash(sent.as_bytes()).to_uppercase());
    assert_eq!(cause(&upper, sent, &twilios(&upper, "")), Cause::HashSpelling);
}

#[test]
fn work_ends_with_the_allowance() {
    let verifier = verifier();
    let everyone: Vec<&Signer> = verifier.everyone().collect();
    let mut search = Search { offered: &[b'A'; 28], algorithm: Algorithm::HmacSha1, left: MAX_HMACS };
    let endless = std::iter::repeat_with(|| Guess::new(Cause::Host, "", URL, ""));
    assert_eq!((search.guesses(&everyone, endless), search.left), (None, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn neither_tokens_nor_right_signatures_are_said(
        secret in "[0-9a-f]{32}",
        other in "[0-9a-f]{32}",
        host in "[a-zA-Z.:/?#@%' \\[\\]-]{0,40}",
        body in "([A-Za-z]{1,6}=[a-z0-9%+]{0,8}&){0,8}",
        signed_with_other: bool,
        spoil: bool,
    ) {
        let url = format!("http://{host}");
        let key = if signed_with_other { &other } else { &secret };
        let pairs = form::parse(body.as_bytes());
        let right = |url: &str| sign(&Secret::new(key.as_str()), Algorithm::HmacSha1, url, &pairs);
        let public = format!("https://{host}");
        let mut signature = right(&public);
        if spoil {
            signature.make_ascii_lowercase();
        }
        let verifier = Verifier::new(vec![token("main", None, &secret)], vec![]).unwrap();
        let known = [token("second", None, &other)];
        let hints = Hints { hosts: &[&host], prefixes: &[&host], tokens: &known };
        let text = explain(&verifier, &post(&url, &body, &[signature.as_bytes()]), &hints).text;
        for said in [&secret, &other, &right(&public), &right(&url)] {
            prop_assert!(!text.contains(said.as_str()), "{}", text);
        }
        prop_assert!(!text.contains('\n'));
    }
}
