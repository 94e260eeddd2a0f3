//! Requests and answers as the tests see them, and Twilio's signature written
//! down once more, so that a mistake is not made twice in the same way.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use sha1::Sha1;
use std::collections::BTreeSet;
use std::future::Future;
use std::time::{Duration, Instant};

/// Nothing that a test waits for takes this long on any machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Its headers without those that tell the time, what is left, and how long
    /// what was asked for is.
    pub fn headers_but_the_time(&self) -> Vec<(String, String)> {
        let passing = ["date", "ratelimit", "content-length"];
        let all =
            self.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let mut kept: Vec<_> = all.filter(|(name, _)| !passing.contains(&name.as_str())).collect();
        kept.sort();
        kept
    }

    /// Asserts that this is a problem document with everything that belongs to
    /// one, and gives it.
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)), "{problem}");
        assert!(problem["type"].as_str().unwrap().starts_with("urn:dialback:problem:"), "{problem}");
        for name in ["title", "detail"] {
            assert!(!problem[name].as_str().unwrap().is_empty(), "{name} of {problem}");
        }
        problem
    }
}

/// Sends a request that must be answered.
pub async fn answer(request: RequestBuilder) -> Answer {
    try_answer(request).await.unwrap()
}

/// Sends a request that may find nobody.
pub async fn try_answer(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, text: response.text().await? })
}

pub fn with_json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

/// A request with a form as its body, as Twilio's clients send one.
pub fn with_form(request: RequestBuilder, params: &[(&str, &str)]) -> RequestBuilder {
    request.header("content-type", "application/x-www-form-urlencoded").body(form(params))
}

/// Asks again and again until there is something, or patience ends.
pub async fn poll<T, F: Future<Output = Option<T>>>(mut look: impl FnMut() -> F) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(found) = look().await {
            return Some(found);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}

/// A value that is text.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The first six figures that stand alone.
pub fn code_in(words: &str) -> String {
    let mut parts = words.split(|c: char| !c.is_ascii_digit());
    let code = parts.find(|part| part.len() == 6);
    code.unwrap_or_else(|| panic!("no code in {words:?}")).to_owned()
}

/// A code that is not this one.
pub fn wrong(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..code.len() - 1])
}

/// Parameters as a form.
pub fn form(params: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(params).unwrap()
}

/// `X-Twilio-Signature` as Twilio's documentation describes it.
pub fn sign(token: &str, url: &str, params: &[(&str, &str)]) -> String {
    let sorted: BTreeSet<_> = params.iter().collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[test]
fn signatures_are_those_of_twilios_documentation() {
    let params = [
        ("To", "+18005551212"),
        ("CallSid", "CA1234567890ABCDE"),
        ("Digits", "1234"),
        ("Caller", "+14158675310"),
        ("From", "+14158675310"),
    ];
    let url = "https://example.com/myapp.php?foo=1&bar=2";
    assert_eq!(sign("12345", url, &params), "L/OH5YylLD5NRKLltdqwSvS0BnU=");
}
