//! What the commands print, by the requests that Twilio documents.

use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const DATA: [&str; 10] = [
    "-d",
    "CallSid=CA1234567890ABCDE",
    "-d",
    "Caller=+14158675309",
    "-d",
    "Digits=1234",
    "-d",
    "From=+14158675309",
    "-d",
    "To=+18005551212",
];
const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

fn try_run(words: &[&str]) -> anyhow::Result<Outcome> {
    try_with(words, Known::default)
}

fn try_with(words: &[&str], known: fn() -> Known) -> anyhow::Result<Outcome> {
    act(Line::try_parse_from([&["signature"], words].concat())?.args.action, &|| Ok(known()))
}

fn run(action: &str, url: &str, rest: &[&str]) -> Outcome {
    try_run(&[&[action, url, "--token", "12345"], &DATA[..], rest].concat()).unwrap()
}

#[test]
fn sign_prints_the_documented_signature() {
    assert_eq!(run("sign", URL, &[]), Outcome::line(true, SIGNATURE));
}

#[test]
fn sign_leaves_out_what_twilio_does_not_sign_and_says_so() {
    let outcome = run("sign", "https://u:p@mycompany.com:99/myapp.php?foo=1&bar=2#rc=2", &["--voice"]);
    assert_eq!(outcome.lines, [SIGNATURE]);
    assert_eq!(outcome.notes, [format!("signed url: {URL}")]);
}

#[test]
fn sign_adds_the_hash_of_a_json_body() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), r#"{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}"#).unwrap();
    let path = file.path().to_str().unwrap();
    let words = ["sign", "https://example.com/myapp", "--token", "12345", "--json", "--body-file", path];
    let outcome = try_run(&words).unwrap();
    assert_eq!(outcome.lines, ["hPXmLwIy3Fgqv1i9KPmH/HhQ6zo="]);
    assert!(
        outcome.notes[0]
            .ends_with("?bodySHA256=5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9")
    );
}

#[test]
fn check_says_valid_or_why_not() {
    assert_eq!(run("check", URL, &["--signature", SIGNATURE]), Outcome::line(true, "valid"));
    let wrong = run("check", URL, &["--signature", "RSOYDt4T1cUTdK1PDd93/VVr8B9="]);
    assert_eq!(wrong, Outcome::line(false, "not valid: mismatch: the signature does not match"));
    assert!(run("check", URL, &[]).lines[0].starts_with("not valid: missing_header"));
}

fn of_two_accounts() -> Known {
    let token = |label: &str, account: &str, secret: &str| Token {
        label: label.to_owned(),
        account: Some(account.to_owned()),
        secret: Secret::new(secret),
    };
    let tokens = vec![
        token("twilio.auth_token", "AC1", "12345"),
        token("twilio.auth_tokens[0]", "AC1", "67890"),
        token("twilio.accounts.AC2[0]", "AC2", "abcde"),
    ];
    let shared = vec![SharedKey { id: "k1".into(), account: None, secret: Secret::new("shared") }];
    Known { tokens, shared }
}

#[test]
fn what_is_configured_signs_and_proves_where_nothing_else_is_given() {
    let with = |words: &[&str]| try_with(&[words, &DATA[..]].concat(), of_two_accounts).unwrap();
    let signed = with(&["sign", URL]);
    assert_eq!(
        (&signed.lines[..], &signed.notes[..]),
        (&[SIGNATURE.to_owned()][..], &["signed with twilio.auth_token of AC1".to_owned()][..])
    );
    assert_eq!(with(&["sign", URL, "--token", "12345"]).notes, Vec::<String>::new());
    let other = with(&["sign", URL, "--account", "AC2"]);
    assert_eq!(other.notes, ["signed with twilio.accounts.AC2[0] of AC2"]);
    let checked = with(&["check", URL, "--signature", &other.lines[0]]);
    assert!(checked.good && checked.notes == other.notes, "{checked:?}");
    assert!(!with(&["check", URL, "--signature", &other.lines[0], "--account", "AC1"]).good);
    let explained = with(&["explain", &URL.replace("https", "http"), "--signature", SIGNATURE]);
    assert!(explained.lines[0].starts_with("scheme: "), "{explained:?}");
    let sha = with(&["sign", URL, "--algorithm", "HMAC_SHA256"]);
    assert_eq!(sha.notes, ["signed with the shared key k1"]);
    let nobody = try_with(&["sign", URL, "--account", "AC9"], of_two_accounts).unwrap_err();
    assert!(nobody.to_string().contains("no token of AC9"), "{nobody}");
    for outcome in [signed, other, checked, explained] {
        let said = format!("{outcome:?}");
        assert!(!["12345\"", "67890", "abcde"].iter().any(|secret| said.contains(secret)), "{said}");
    }
}

#[test]
fn explain_names_the_mistake() {
    let outcome = run("explain", &URL.replace("https", "http"), &["--signature", SIGNATURE]);
    assert!(outcome.lines[0].starts_with("scheme: would have matched with https"), "{outcome:?}");
    assert!(!outcome.good);
    let hinted = run(
        "explain",
        &URL.replace("mycompany", "x"),
        &["--signature", SIGNATURE, "--host", "mycompany.com"],
    );
    assert!(hinted.lines[0].starts_with("host: "), "{hinted:?}");
}

#[test]
fn a_token_comes_from_a_file_too() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "12345\r\n").unwrap();
    let words = ["sign", URL, "--token-file", file.path().to_str().unwrap()];
    assert_eq!(try_run(&[&words, &DATA[..]].concat()).unwrap().lines, [SIGNATURE]);
}

#[test]
fn misuse_is_told() {
    let wrong = |words: &[&str]| format!("{:#}", try_run(words).unwrap_err());
    assert!(wrong(&["sign", "example.org", "--token", "x"]).starts_with("the url must be a full one"));
    assert!(wrong(&["sign", URL, "--token", ""]).starts_with("the token is empty"));
    assert!(wrong(&["sign", URL, "--token", "x", "-d", "A"]).starts_with("-d takes NAME=VALUE"));
    assert!(wrong(&["sign", URL, "--token", "x", "--method", "get", "-d", "A=1"]).starts_with("a GET has"));
    assert!(wrong(&["check"]).contains("required"));
    assert!(wrong(&["check", "--vectors", "no-such-file"]).starts_with("no-such-file: "));
}

#[test]
fn a_file_of_vectors_ends_with_the_count() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/signatures/vectors.json");
    let outcome = try_run(&["check", "--vectors", file]).unwrap();
    assert_eq!(outcome.lines.last().map(String::as_str), Some("160 agreed, 0 disagreed"));
    assert!(outcome.good);
}
