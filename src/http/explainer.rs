//! Why webhooks were rejected: found out off the request's path, at a bounded
//! rate, and said in the log.
//!
//! A rejected request costs its sender's flood nothing here but a look at a
//! full queue; what is not explained was still counted.

use crate::model::id::is_sid;
use crate::twilio::explain::{Hints, explain};
use crate::twilio::signature::{Rejection, Signed, Token, Verifier};
use crate::twilio::url::{Parts, may_name_a_number};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Rejected requests that wait to be explained.
const WAITING: usize = 8;
/// The least time between two explanations: a few milliseconds of work each.
const PACE: Duration = Duration::from_millis(250);

/// A rejected request with what is needed to find out why.
pub struct Rejected {
    /// What is known already.
    pub rejection: Rejection,
    /// False in report-only mode.
    pub enforced: bool,
    /// Who sent it.
    pub peer: IpAddr,
    /// The method, in upper case.
    pub method: String,
    /// The URL that was compared.
    pub url: String,
    /// The `Content-Type`, where the request has one.
    pub content_type: Option<String>,
    /// The body as it came, before anybody parsed it.
    pub body: Vec<u8>,
    /// Every signature header.
    pub signatures: Vec<Vec<u8>>,
    /// The settings header.
    pub settings: Option<String>,
    /// `Host` and what a proxy said of it, to guess with.
    pub hosts: Vec<String>,
}

/// Where rejected requests are handed in.
#[derive(Clone)]
pub struct Explainer(mpsc::Sender<Rejected>);

impl Explainer {
    /// An explainer with its task, which ends when the explainer is dropped.
    /// `tokens` are known but not accepted: the secondary one, for instance.
    pub fn start(verifier: Arc<Verifier>, tokens: Vec<Token>) -> Self {
        let (sender, mut waiting) = mpsc::channel::<Rejected>(WAITING);
        let tokens = Arc::new(tokens);
        tokio::spawn(async move {
            while let Some(rejected) = waiting.recv().await {
                let (verifier, tokens) = (verifier.clone(), tokens.clone());
                // A panic in there is reported by the runtime and ends nothing else.
                let _ = tokio::task::spawn_blocking(move || say_why(&verifier, &tokens, &rejected)).await;
                tokio::time::sleep(PACE).await;
            }
        });
        Self(sender)
    }

    /// Hands a request in if there is room, and forgets it otherwise. The
    /// request is only copied if there is.
    pub fn offer(&self, rejected: impl FnOnce() -> Rejected) {
        if let Ok(place) = self.0.try_reserve() {
            place.send(rejected());
        }
    }
}

fn say_why(verifier: &Verifier, tokens: &[Token], rejected: &Rejected) {
    let signatures: Vec<&[u8]> = rejected.signatures.iter().map(Vec::as_slice).collect();
    let hosts: Vec<&str> = rejected.hosts.iter().map(String::as_str).collect();
    let signed = Signed {
        method: &rejected.method,
        url: &rejected.url,
        content_type: rejected.content_type.as_deref(),
        body: &rejected.body,
        signatures: &signatures,
        settings: rejected.settings.as_deref(),
    };
    let explanation = explain(verifier, &signed, &Hints { hosts: &hosts, tokens, ..Hints::default() });
    tracing::warn!(
        url = shown(&rejected.url),
        peer = %rejected.peer,
        enforced = rejected.enforced,
        cause = rejected.rejection.cause(),
        why = explanation.text,
        "webhook signature rejected"
    );
}

/// A URL for the log: without its query, and without what may be somebody's number in its
/// path, for anybody may send any.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let path = Parts::split(url).map_or(url, |parts| parts.rest);
    let is_shown = |segment: &str| is_sid(segment, "") || !may_name_a_number(segment);
    let segments = path.split('/').map(|segment| if is_shown(segment) { segment } else { "…" });
    url[..url.len() - path.len()].to_owned() + &segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_url_is_shown_with_its_ids_and_nobodys_number() {
        let id = "VE0f8fad5bd9cb469fa16570867728950e";
        for (url, expected) in [
            (
                format!("https://otp.example.com:44300/twilio/voice/{id}/1?From=%2B4915155501234"),
                format!("https://otp.example.com:44300/twilio/voice/{id}/1"),
            ),
            (
                "http://127.0.0.1:40783/twilio/voice/VE4915155501234/DL4915155501234".to_owned(),
                "http://127.0.0.1:40783/twilio/voice/…/…".to_owned(),
            ),
            (
                "https://h/twilio/%2B491515/status#4915155501234".to_owned(),
                "https://h/twilio/…/status".to_owned(),
            ),
            ("https://h".to_owned(), "https://h".to_owned()),
            ("/twilio/sms".to_owned(), "/twilio/sms".to_owned()),
            (String::new(), String::new()),
        ] {
            assert_eq!(shown(&url), expected);
        }
    }
}
