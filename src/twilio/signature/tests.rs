//! What is accepted, what is not, and by which name.

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";
const BODY: &[u8] =
    b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const SIGNED: &[u8] = b"RSOYDt4T1cUTdK1PDd93/VVr8B8=";

fn token(label: &str, account: Option<&str>, secret: &str) -> Token {
    Token { label: label.into(), account: account.map(Into::into), secret: Secret::new(secret) }
}

fn verifier(tokens: &[(&str, Option<&str>, &str)]) -> Verifier {
    let tokens = tokens.iter().map(|(label, account, secret)| token(label, *account, secret)).collect();
    let key = SharedKey { id: "webhooks_sharedkey_1".into(), account: None, secret: Secret::new("whsk_1") };
    Verifier::new(tokens, vec![key]).unwrap()
}

fn post<'a>(url: &'a str, body: &'a [u8], signatures: &'a [&'a [u8]]) -> Signed<'a> {
    Signed { method: "POST", url, content_type: Some(FORM), body, signatures, settings: None }
}

#[test]
fn the_documented_example_is_signed_and_proven() {
    let request = post(URL, BODY, &[SIGNED]);
    let signed = sign_request(&Secret::new("12345"), Algorithm::HmacSha1, &request);
    assert_eq!(signed.unwrap().as_bytes(), SIGNED);
    let verified = verifier(&[("main", None, "12345")]).verify(&request).unwrap();
    assert_eq!((verified.proof.signer(), verified.params.len()), ("main", 5));
}

#[test]
fn an_empty_token_is_refused() {
    let refused = Verifier::new(vec![token("auth_token", None, "")], vec![]);
    assert_eq!(refused.unwrap_err(), InvalidTokens::Empty("auth_token".into()));
    let forged = sign_request(&Secret::new(""), Algorithm::HmacSha1, &post(URL, BODY, &[])).unwrap();
    let none = Verifier::new(vec![], vec![]).unwrap();
    assert_eq!(none.verify(&post(URL, BODY, &[forged.as_bytes()])), Err(Rejection::NoToken));
}

#[test]
fn the_header_must_be_there_once() {
    let verifier = verifier(&[("main", None, "12345")]);
    let verdict = |signatures: &[&[u8]]| verifier.verify(&post(URL, BODY, signatures)).map(|_| ());
    assert_eq!(verdict(&[]), Err(Rejection::MissingHeader));
    assert_eq!(verdict(&[b""]), Err(Rejection::MissingHeader));
    assert_eq!(verdict(&[SIGNED, SIGNED]), Err(Rejection::DuplicateHeader));
    assert_eq!(verdict(&[SIGNED]), Ok(()));
}

#[test]
fn tokens_of_an_account_prove_that_account_alone() {
    let verifier = verifier(&[("one", Some("AC1"), "a"), ("two", Some("AC2"), "b"), ("any", None, "c")]);
    let verdict = |secret: &str, body: &[u8]| {
        let signed = sign_request(&Secret::new(secret), Algorithm::HmacSha1, &post(URL, body, &[])).unwrap();
        verifier
            .verify(&post(URL, body, &[signed.as_bytes()]))
            .map(|verified| verified.proof.signer().to_owned())
    };
    assert_eq!(verdict("a", b"AccountSid=AC1"), Ok("one".into()));
    assert_eq!(verdict("c", b"AccountSid=AC1"), Ok("any".into()));
    assert_eq!(verdict("b", b"AccountSid=AC1"), Err(Rejection::Mismatch));
    assert_eq!(verdict("b", b"To=1"), Err(Rejection::Mismatch));
    assert_eq!(verdict("c", b"To=1"), Ok("any".into()));
    assert_eq!(verdict("b", b"AccountSid=AC3"), Err(Rejection::Mismatch));
    for secret in ["a", "b", "c"] {
        for many in [&b"AccountSid=AC1&AccountSid=AC2"[..], b"AccountSid=AC1&AccountSid=AC1"] {
            assert!(matches!(verdict(secret, many), Err(Rejection::ManyAccounts | Rejection::Mismatch)));
        }
    }
}

#[test]
fn without_tokens_of_no_account_the_account_has_to_be_named_once() {
    let verifier = verifier(&[("one", Some("AC1"), "a"), ("two", Some("AC2"), "b")]);
    let verdict = |body: &[u8]| verifier.verify(&post(URL, body, &[SIGNED])).map(|_| ());
    assert_eq!(verdict(b"To=1"), Err(Rejection::NoAccount));
    assert_eq!(verdict(b"AccountSid=AC1&AccountSid=AC2"), Err(Rejection::ManyAccounts));
    assert_eq!(verdict(b"AccountSid="), Err(Rejection::UnknownAccount));
}

#[test]
fn a_shared_key_proves_its_own_account_alone() {
    let key = SharedKey { id: "k".into(), account: Some("AC1".into()), secret: Secret::new("whsk_1") };
    let verifier = Verifier::new(vec![], vec![key]).unwrap();
    let verdict = |body: &[u8]| {
        let bare = post(URL, body, &[]);
        let signed = sign_request(&Secret::new("whsk_1"), Algorithm::HmacSha256, &bare).unwrap();
        let signatures = [signed.as_bytes()];
        let settings = Some("key=k,algorithm=HMAC_SHA256");
        verifier.verify(&Signed { settings, ..post(URL, body, &signatures) }).map(|verified| verified.proof)
    };
    assert_eq!(verdict(b"AccountSid=AC1"), Ok(Proof::new(Some("AC1".into()), "k".into())));
    assert_eq!(verdict(b"AccountSid=AC2"), Err(Rejection::OtherAccount));
    assert_eq!(verdict(b"AccountSid=AC1&AccountSid=AC2"), Err(Rejection::ManyAccounts));
    assert_eq!(verdict(b"To=1"), Err(Rejection::NoAccount));
}

#[test]
fn a_batch_is_tried_with_the_tokens_of_the_accounts_that_it_speaks_of() {
    let many = |n: usize| (format!("{n}"), format!("AC{n}"), format!("secret{n}"));
    let tokens: Vec<_> = (0..40).map(many).collect();
    let tokens: Vec<_> = tokens
        .iter()
        .map(|(label, sid, secret)| (label.as_str(), Some(sid.as_str()), secret.as_str()))
        .collect();
    let verifier = verifier(&tokens);
    let verdict = |secret: &str, body: &str| {
        let url = format!("https://h/e?bodySHA256={}", body_hash(body.as_bytes()));
        let signed = sign::<&str, &str>(&Secret::new(secret), Algorithm::HmacSha1, &url, &[]);
        let signatures = [signed.as_bytes()];
        let request =
            Signed { content_type: Some("application/json"), ..post(&url, body.as_bytes(), &signatures) };
        verifier.verify(&request).map(|verified| verified.proof.signer().to_owned())
    };
    assert_eq!(verdict("secret39", r#"[{"data":{"accountSid":"AC39"}}]"#), Ok("39".into()));
    assert_eq!(verdict("secret39", r#"[{"source":"/Accounts/AC7/Messages"}]"#), Err(Rejection::Mismatch));
    assert_eq!(verdict("secret39", r#"["AC7", "AC39"]"#), Ok("39".into()));
    assert_eq!(verdict("secret3", "[]"), Ok("3".into()));
}

#[test]
fn an_account_nobody_knows_has_a_name_of_its_own() {
    let verifier = verifier(&[("one", Some("AC1"), "a")]);
    let request = post(URL, b"AccountSid=AC2", &[SIGNED]);
    assert_eq!(verifier.verify(&request), Err(Rejection::UnknownAccount));
}

#[test]
fn both_tokens_count_while_one_replaces_the_other() {
    let verifier = verifier(&[("old", Some("AC1"), "a"), ("new", Some("AC1"), "b")]);
    for (secret, label) in [("a", "old"), ("b", "new")] {
        let signed = sign(&Secret::new(secret), Algorithm::HmacSha1, URL, &[("AccountSid", "AC1")]);
        let verified = verifier.verify(&post(URL, b"AccountSid=AC1", &[signed.as_bytes()])).unwrap();
        assert_eq!(verified.proof.signer(), label);
        assert_eq!(verified.proof.account(), Some(&"AC1".into()));
    }
}

#[test]
fn more_tokens_than_one_request_may_cost_are_refused() {
    let tokens = |count: usize, account: Option<&str>| {
        (0..count).map(|n| token(&n.to_string(), account, "x")).collect::<Vec<_>>()
    };
    assert!(Verifier::new(tokens(MAX_KEYS_TRIED, Some("AC1")), vec![]).is_ok());
    let mut many = tokens(MAX_KEYS_TRIED, Some("AC1"));
    many.extend(tokens(1, None));
    assert_eq!(Verifier::new(many, vec![]).unwrap_err(), InvalidTokens::TooMany);
}

#[test]
fn a_shared_key_is_not_downgraded() {
    let verifier = verifier(&[("main", None, "12345")]);
    let verdict = |secret: &str, algorithm, settings: &str| {
        let signed = sign_request(&Secret::new(secret), algorithm, &post(URL, BODY, &[])).unwrap();
        let signatures = [signed.as_bytes()];
        let request = Signed { settings: Some(settings), ..post(URL, BODY, &signatures) };
        verifier.verify(&request).map(|verified| verified.proof.signer().to_owned())
    };
    let asked = "key=webhooks_sharedkey_1 , algorithm=hmac_sha256";
    assert_eq!(verdict("whsk_1", Algorithm::HmacSha256, asked), Ok("webhooks_sharedkey_1".into()));
    assert_eq!(verdict("whsk_1", Algorithm::HmacSha1, asked), Err(Rejection::Mismatch));
    assert_eq!(verdict("12345", Algorithm::HmacSha256, asked), Err(Rejection::Mismatch));
    assert_eq!(verdict("12345", Algorithm::HmacSha1, asked), Err(Rejection::Mismatch));
    let sha1 = Algorithm::HmacSha1;
    assert_eq!(verdict("12345", sha1, "key=webhooks_sharedkey_1"), Ok("main".into()));
    assert_eq!(verdict("12345", sha1, "key=other,algorithm=HMAC_SHA1"), Err(Rejection::UnknownKey));
    assert_eq!(verdict("12345", sha1, "algorithm=HMAC_MD5"), Err(Rejection::UnknownAlgorithm));
    assert_eq!(verdict("12345", sha1, "algorithm="), Err(Rejection::UnknownAlgorithm));
}

#[test]
fn a_body_is_covered_by_pairs_or_hash_or_refused() {
    let verifier = verifier(&[("main", None, "12345")]);
    let verdict = |content_type, url: &str, body: &[u8]| {
        let signed = sign::<&str, &str>(&Secret::new("12345"), Algorithm::HmacSha1, url, &[]);
        let signatures = [signed.as_bytes()];
        verifier.verify(&Signed { content_type, ..post(url, body, &signatures) }).map(|_| ())
    };
    let json = Some("application/json");
    let hashed = format!("{URL}&bodySHA256={}&bodySHA256=0", body_hash(b"{}"));
    assert_eq!(verdict(json, &hashed, b"{}"), Ok(()));
    assert_eq!(verdict(json, &hashed, b"{} "), Err(Rejection::BodyHashMismatch));
    assert_eq!(verdict(json, &hashed, b""), Err(Rejection::BodyHashMismatch));
    assert_eq!(verdict(Some(FORM), "https://h/?bodySHA256", b"A=1"), Err(Rejection::BodyHashMismatch));
    assert_eq!(verdict(json, URL, b"{}"), Err(Rejection::BodyNotCovered));
    assert_eq!(verdict(None, URL, b"A=1"), Err(Rejection::BodyNotCovered));
    assert_eq!(verdict(None, URL, b""), Ok(()));
}

#[test]
fn what_a_get_hands_on_is_its_query() {
    let url = "https://h/v?CallSid=CA1&To=%2B44#f";
    let signed = sign::<&str, &str>(&Secret::new("12345"), Algorithm::HmacSha1, url, &[]);
    let signatures = [signed.as_bytes()];
    let request = Signed { method: "GET", ..post(url, b"To=unsigned", &signatures) };
    let verified = verifier(&[("main", None, "12345")]).verify(&request).unwrap();
    assert_eq!(verified.params, form::parse(b"CallSid=CA1&To=%2B44"));
}

#[test]
fn neither_tokens_nor_keys_show_in_debug_output() {
    let shown = format!("{:?}", verifier(&[("main", None, "12345")]));
    assert_eq!(shown, r#"["main", "webhooks_sharedkey_1"]"#);
}
