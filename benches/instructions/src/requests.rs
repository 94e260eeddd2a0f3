//! The kinds of requests, rendered and signed before anything is counted. It refuses
//! to know how they are handled.

use crate::world::{ACCOUNT, API_KEY, PUBLIC_URL, TOKEN, World};
use bytes::Bytes;
use dialback::secret::Secret;
use dialback::twilio::form::{self, Space};
use dialback::twilio::signature::{Algorithm, sign};
use warp::http::Request;

/// A request before its body is made a stream.
pub type Plain = Request<Bytes>;

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A status callback of Twilio's, of a message that is new.
    Callback,
    /// A wrong code.
    Check,
    /// A verification that is started.
    Start,
    /// What a call of ours is to hear.
    Voice,
    /// The first of the hosted pages.
    Page,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Callback, Self::Check, Self::Start, Self::Voice, Self::Page];

    pub fn name(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Check => "check",
            Self::Start => "start",
            Self::Voice => "voice",
            Self::Page => "page",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The status of its answer.
    pub fn answer(self) -> u16 {
        match self {
            Self::Callback => 204,
            Self::Start => 201,
            Self::Check | Self::Voice | Self::Page => 200,
        }
    }

    /// The pattern of its route.
    pub fn route(self) -> &'static str {
        match self {
            Self::Callback => "/twilio/status",
            Self::Check => "/v1/verifications/{id}/check",
            Self::Start => "/v1/verifications",
            Self::Voice => "/twilio/voice/{verification}/{delivery}",
            Self::Page => "/verify/{session}",
        }
    }

    /// So many of it, each about a verification, message or session of its own.
    pub async fn requests(self, world: &World, count: usize) -> Vec<Plain> {
        let mut all = Vec::with_capacity(count);
        match self {
            Self::Callback => all.extend((0..count).map(callback)),
            Self::Start => all.extend((0..count).map(|n| start(n, "sms"))),
            Self::Check => {
                for n in 0..count {
                    let id = world.made(start(n, "sms"), "id").await;
                    let path = format!("/v1/verifications/{id}/check");
                    all.push(ask("POST", &path, "{\"code\":\"000000\"}"));
                }
            }
            Self::Page => {
                for _ in 0..count {
                    let session =
                        ask("POST", "/v1/sessions", "{\"return_url\":\"https://example.net/done\"}");
                    let url = world.made(session, "url").await;
                    all.push(ask("GET", url.strip_prefix(PUBLIC_URL).unwrap_or(&url), ""));
                }
            }
            Self::Voice => {
                let mut ids = Vec::with_capacity(count);
                for n in 0..count {
                    ids.push(world.made(start(n, "call"), "id").await);
                }
                world.send_all(count).await;
                all.extend(ids.iter().map(|id| voice(id)));
            }
        }
        all
    }
}

fn start(n: usize, channel: &str) -> Plain {
    // 415 200 0000 and on: numbers that may be somebody's, to whom nothing is sent.
    let body = format!("{{\"to\":\"+1415{}\",\"channel\":\"{channel}\"}}", 2_000_000 + n);
    ask("POST", "/v1/verifications", &body)
}

fn callback(n: usize) -> Plain {
    let (sid, to) = (format!("SM{n:032x}"), format!("+1555{n:07}"));
    let pairs = [
        ("SmsSid", sid.as_str()),
        ("SmsStatus", "delivered"),
        ("MessageStatus", "delivered"),
        ("To", &to),
        ("MessagingServiceSid", "MGd097c097bfa960e81c522ab2518e135c"),
        ("MessageSid", &sid),
        ("AccountSid", ACCOUNT),
        ("From", "+15005550006"),
        ("ApiVersion", "2010-04-01"),
    ];
    signed("/twilio/status", &pairs, Space::Plus)
}

fn voice(id: &str) -> Plain {
    // The gateway names a call as its delivery: 30 digits of the verification's id
    // and the number of the send.
    let sid = format!("CA{}01", &id[2..32]);
    let pairs = [
        ("Called", "+14152000000"),
        ("To", "+14152000000"),
        ("From", "+15005550006"),
        ("Caller", "+15005550006"),
        ("Direction", "outbound-api"),
        ("CallStatus", "in-progress"),
        ("CallSid", sid.as_str()),
        ("AccountSid", ACCOUNT),
        ("ApiVersion", "2010-04-01"),
    ];
    signed(&format!("/twilio/voice/{id}/1"), &pairs, Space::Percent)
}

/// As an application or a browser asks.
fn ask(method: &str, path: &str, body: &str) -> Plain {
    request(method, path, "application/json", body)
        .header("Authorization", format!("Bearer {API_KEY}"))
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .expect("a request")
}

/// As Twilio asks.
fn signed(path: &str, pairs: &[(&str, &str)], space: Space) -> Plain {
    let signature = sign(&Secret::new(TOKEN), Algorithm::HmacSha1, &format!("{PUBLIC_URL}{path}"), pairs);
    let body = form::encode(pairs, space);
    request("POST", path, "application/x-www-form-urlencoded", &body)
        .header("User-Agent", "TwilioProxy/1.1")
        .header("X-Twilio-Signature", signature)
        .header("I-Twilio-Idempotency-Token", "0123456789abcdef0123456789abcdef")
        .body(Bytes::from(body))
        .expect("a request")
}

fn request(method: &str, path: &str, content_type: &str, body: &str) -> warp::http::request::Builder {
    let request = Request::builder().method(method).uri(path).header("Host", "otp.example.net");
    request.header("Accept", "*/*").header("Content-Type", content_type).header("Content-Length", body.len())
}
