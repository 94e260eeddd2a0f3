//! What providers are asked, and what their answers come to. It refuses to know what a
//! proof is needed for.

use super::*;
use crate::secret::Secret;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

const BOUND: &str = "0123456789abcdef0123456789abcdef";
const NOW: &str = "2026-11-27T12:00:00Z";

/// A stand-in for a provider: answers one request, and gives it back.
async fn provider(status: &'static str, body: String) -> (String, JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/siteverify", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut request, mut part) = (Vec::new(), [0; 4096]);
        loop {
            let read = stream.read(&mut part).await.unwrap();
            request.extend_from_slice(&part[..read]);
            let text = String::from_utf8_lossy(&request).into_owned();
            let Some((head, form)) = text.split_once("\r\n\r\n") else { continue };
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if form.len() >= length.unwrap_or(0) {
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
                return text;
            }
        }
    });
    (url, asked)
}

fn settings(provider: CaptchaProvider, verify_url: &str) -> CaptchaSettings {
    CaptchaSettings {
        provider,
        site_key: "site".to_owned(),
        secret: Secret::new("top secret+1"),
        verify_url: Some(verify_url.to_owned()),
        hostnames: Vec::new(),
        action: None,
        min_score: 0.5,
        connect_timeout: Duration::from_secs(10),
        request_timeout: Duration::from_secs(20),
    }
}

fn offered() -> Offered {
    let address = "::ffff:192.0.2.7".parse().ok();
    Offered { token: Secret::new("proof-1"), bound_to: BOUND.to_owned(), address }
}

async fn asked_of(settings: CaptchaSettings) -> Result<(), CaptchaError> {
    let captcha = Captcha::new(settings, &Trust::compiled_in()).unwrap();
    captcha.ask(&offered(), NOW.parse().unwrap()).await
}

#[tokio::test]
async fn each_provider_is_asked_as_it_documents() {
    for (kind, form) in [
        (CaptchaProvider::Turnstile, "secret=top+secret%2B1&response=proof-1&remoteip=192.0.2.7"),
        (CaptchaProvider::Hcaptcha, "secret=top+secret%2B1&response=proof-1&remoteip=192.0.2.7&sitekey=site"),
        (CaptchaProvider::Recaptcha, "secret=top+secret%2B1&response=proof-1&remoteip=192.0.2.7"),
    ] {
        let (url, asked) = provider("200 OK", r#"{"success":true}"#.to_owned()).await;
        assert_eq!(asked_of(settings(kind, &url)).await, Ok(()), "{kind}");
        let request = asked.await.unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /siteverify HTTP/1.1\r\n"), "{head}");
        assert!(head.to_lowercase().contains("content-type: application/x-www-form-urlencoded"), "{head}");
        assert_eq!(body, form, "{kind}");
    }
}

#[test]
fn an_answer_counts_for_what_it_says() {
    use CaptchaFault::{Elsewhere, Expired, Invalid, Used};
    let strict = CaptchaSettings {
        hostnames: vec!["shop.example".to_owned()],
        action: Some("send".to_owned()),
        ..settings(CaptchaProvider::Recaptcha, "")
    };
    let good = r#""success":true,"challenge_ts":"2026-11-27T11:58:00Z","hostname":"Shop.example""#;
    for (more, fault) in [
        ("", None),
        (r#","action":"send","score":0.9"#, None),
        (r#","action":"","score":0.5"#, None),
        (r#","cdata":"0123456789abcdef0123456789abcdef""#, None),
        (r#","cdata":"of another number""#, Some(Elsewhere)),
        (r#","action":"pay""#, Some(Elsewhere)),
        (r#","score":0.4"#, Some(Invalid)),
    ] {
        let judged = judge(&strict, format!("{{{good}{more}}}").as_bytes(), BOUND, NOW.parse().unwrap());
        assert_eq!(judged.err(), fault.map(CaptchaError::Wrong), "{more}");
    }
    let own = settings(CaptchaProvider::Turnstile, "");
    for (body, fault) in [
        (r#"{"success":true,"challenge_ts":"2026-11-27T11:55:00+00:00"}"#, None),
        (r#"{"success":true,"challenge_ts":"2026-11-27T11:54:59Z"}"#, Some(Expired)),
        (r#"{"success":true,"challenge_ts":"2026-11-27T12:02:00Z"}"#, Some(Expired)),
        (r#"{"success":false,"error-codes":["timeout-or-duplicate"]}"#, Some(Used)),
        (r#"{"success":false,"error-codes":["already-seen-response"]}"#, Some(Used)),
        (r#"{"success":false,"error-codes":["expired-input-response"]}"#, Some(Expired)),
        (r#"{"success":false,"error-codes":["invalid-input-response"]}"#, Some(Invalid)),
        (r#"{"success":false}"#, Some(Invalid)),
    ] {
        let judged = judge(&own, body.as_bytes(), BOUND, NOW.parse().unwrap());
        assert_eq!(judged.err(), fault.map(CaptchaError::Wrong), "{body}");
    }
    let elsewhere = judge(&strict, br#"{"success":true}"#, BOUND, NOW.parse().unwrap());
    assert_eq!(elsewhere, Err(CaptchaError::Wrong(Elsewhere)), "no host is named");
}

#[tokio::test]
async fn a_provider_that_is_away_or_takes_no_key_of_ours_proves_nothing() {
    for (status, body) in [
        ("503 Service Unavailable", ""),
        ("302 Found", r#"{"success":true}"#),
        ("200 OK", "<html>"),
        ("200 OK", r#"{"success":false,"error-codes":["invalid-input-secret"]}"#),
        ("200 OK", r#"{"success":false,"error-codes":["invalid-input-response","internal-error"]}"#),
        ("200 OK", r#"{"success":true,"challenge_ts":"yesterday"}"#),
    ] {
        let (url, asked) = provider(status, body.to_owned()).await;
        let error = asked_of(settings(CaptchaProvider::Turnstile, &url)).await.unwrap_err();
        assert!(matches!(&error, CaptchaError::Away(what) if !what.contains("top")), "{error:?}");
        asked.await.unwrap();
    }
    let nobody = tokio::net::TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", nobody.local_addr().unwrap());
    let error = asked_of(settings(CaptchaProvider::Turnstile, &url)).await.unwrap_err();
    assert_eq!(error, CaptchaError::Away("cannot be reached".to_owned()));
}

#[test]
fn what_cannot_be_a_proof_is_shown_to_nobody() {
    let captcha = Captcha::new(settings(CaptchaProvider::Turnstile, ""), &Trust::compiled_in()).unwrap();
    for token in [String::new(), "a b".to_owned(), "ü".to_owned(), "x".repeat(MOST_TOKEN + 1)] {
        let offered = Offered { token: Secret::new(token), ..offered() };
        let name = captcha.name_of(&offered, NOW.parse().unwrap());
        assert_eq!(name, Err(CaptchaError::Wrong(CaptchaFault::Invalid)));
    }
    assert_eq!(captcha.name_of(&offered(), NOW.parse().unwrap()), Ok("proof-1".to_owned()));
}
