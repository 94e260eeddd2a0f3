//! The requests, rendered and signed before any clock starts.

use dialback::entropy::Entropy;
use dialback::secret::Secret;
use dialback::twilio::form::{self, Space};
use dialback::twilio::signature::{Algorithm, sign};
use std::fmt;

pub const TOKEN: &str = "0af657d0e70acabaf35ab0f0f84481e5";
pub const ACCOUNT: &str = "ACd097c097bfa960e81c522ab2518e135c";
pub const API_KEY: &str = "0af657d0e70acabaf35ab0f0f84481e5";
pub const PUBLIC_URL: &str = "https://otp.example.net";
const EVENTS: [&str; 4] = ["queued", "sending", "sent", "delivered"];
pub const SEED: u64 = 1;

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Status callbacks that are Twilio's.
    Status,
    /// The same, signed with another token.
    Rejected,
    /// What a call of ours is to hear.
    Voice,
    /// Verifications that are started, by the application.
    Create,
    /// Codes that are offered, wrong ones.
    Check,
    /// The first of the hosted pages.
    Page,
}

impl Kind {
    pub fn answer(self) -> u16 {
        match self {
            Self::Status => 204,
            Self::Rejected => 403,
            Self::Create => 201,
            Self::Voice | Self::Check | Self::Page => 200,
        }
    }

    /// Whether its requests are about something that must be made first.
    pub fn needs_making(self) -> bool {
        matches!(self, Self::Voice | Self::Check | Self::Page)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Status => "status",
            Self::Rejected => "rejected",
            Self::Voice => "voice",
            Self::Create => "create",
            Self::Check => "check",
            Self::Page => "page",
        })
    }
}

/// How a delivery's events come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One after the other.
    InOrder,
    /// Anywhere among all others, so that two may come at once.
    Shuffled,
}

impl fmt::Display for Order {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::InOrder => "in-order",
            Self::Shuffled => "shuffled",
        })
    }
}

/// Requests as bytes, to be sent in this order; a connection takes four at a time.
#[derive(Default)]
pub struct Script {
    bytes: Vec<u8>,
    places: Vec<(usize, usize)>,
}

impl Script {
    pub const STRIDE: usize = EVENTS.len();

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn request(&self, at: usize) -> &[u8] {
        let (start, end) = self.places[at];
        &self.bytes[start..end]
    }

    /// The first so many requests.
    pub fn head(&self, most: usize) -> Self {
        let mut head = Self::default();
        (0..most.min(self.len())).for_each(|at| head.push(self.request(at)));
        head
    }

    fn push(&mut self, request: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(request);
        self.places.push((start, self.bytes.len()));
    }

    fn shuffle(&mut self, entropy: &Entropy) {
        for at in (1..self.places.len()).rev() {
            let other = entropy.below(at as u64 + 1) as usize;
            self.places.swap(at, other);
        }
    }
}

/// Status callbacks of `most / 4` messages, four each; other ones for each seed.
pub fn status(kind: Kind, order: Order, kept: bool, most: usize, seed: u64) -> Script {
    let entropy = Entropy::seeded(seed);
    let token = Secret::new(if kind == Kind::Rejected { "another token" } else { TOKEN });
    let mut script = Script::default();
    for n in 0..most / EVENTS.len() {
        let sid = format!("SM{}", entropy.hex::<16>());
        let to = format!("+1555{:07}", n % 5000);
        for event in EVENTS {
            let pairs = [
                ("SmsSid", sid.as_str()),
                ("SmsStatus", event),
                ("MessageStatus", event),
                ("To", &to),
                ("MessagingServiceSid", "MGd097c097bfa960e81c522ab2518e135c"),
                ("MessageSid", &sid),
                ("AccountSid", ACCOUNT),
                ("From", "+15005550006"),
                ("ApiVersion", "2010-04-01"),
            ];
            script.push(&render(&token, "/twilio/status", &pairs, Space::Plus, kept, &entropy));
        }
    }
    if order == Order::Shuffled {
        script.shuffle(&entropy);
    }
    script
}

/// What the calls with these paths and SIDs are to hear, over and over.
pub fn voice(calls: Vec<(String, String)>, kept: bool, most: usize) -> Script {
    let entropy = Entropy::seeded(SEED);
    let token = Secret::new(TOKEN);
    let mut script = Script::default();
    for (path, sid) in calls.iter().cycle().take(most) {
        let pairs = [
            ("Called", "+15551234567"),
            ("To", "+15551234567"),
            ("From", "+15005550006"),
            ("Caller", "+15005550006"),
            ("Direction", "outbound-api"),
            ("CallStatus", "in-progress"),
            ("CallSid", sid),
            ("AccountSid", ACCOUNT),
            ("ApiVersion", "2010-04-01"),
        ];
        script.push(&render(&token, path, &pairs, Space::Percent, kept, &entropy));
    }
    script
}

/// Verifications of as many numbers.
pub fn create(kept: bool, most: usize) -> Script {
    let mut script = Script::default();
    for n in 0..most {
        // 415 200 0000 and on: numbers that may be somebody's, to whom the
        // console gateway sends nothing.
        let device_ip = std::net::Ipv4Addr::from(0x0a00_0000 + n as u32);
        let body = format!(
            "{{\"to\":\"+1415{}\",\"channel\":\"sms\",\"device_ip\":\"{device_ip}\"}}",
            2_000_000 + n
        );
        script.push(&ask("POST", "/v1/verifications", &body, kept));
    }
    script
}

/// Wrong codes for these verifications, as many for each as it takes, one
/// verification after the other: people do not type two codes at once.
pub fn check(ids: &[String], checks: usize, kept: bool) -> Script {
    let body = "{\"code\":\"000000\"}";
    let path = |id: &String| format!("/v1/verifications/{id}/check");
    let requests: Vec<Vec<u8>> = ids.iter().map(|id| ask("POST", &path(id), body, kept)).collect();
    let mut script = Script::default();
    for request in (0..checks).flat_map(|_| &requests) {
        script.push(request);
    }
    script
}

/// One page after the other, over and over.
pub fn page(paths: &[String], kept: bool, most: usize) -> Script {
    let mut script = Script::default();
    for path in paths.iter().cycle().take(most) {
        script.push(&ask("GET", path, "", kept));
    }
    script
}

/// What became of a message, as its callback says it to an address below ours.
pub fn callback(path: &str, sid: &str, to: &str, status: &str, entropy: &Entropy) -> Vec<u8> {
    let token = Secret::new(TOKEN);
    let pairs = [
        ("SmsSid", sid),
        ("SmsStatus", status),
        ("MessageStatus", status),
        ("To", to),
        ("MessageSid", sid),
        ("AccountSid", ACCOUNT),
        ("From", "+15005550006"),
        ("ApiVersion", "2010-04-01"),
    ];
    render(&token, path, &pairs, Space::Plus, true, entropy)
}

/// A request of an application or a browser.
pub fn ask(method: &str, path: &str, body: &str, kept: bool) -> Vec<u8> {
    let close = if kept { "" } else { "Connection: close\r\n" };
    format!(
        "{method} {path} HTTP/1.1\r\nHost: otp.example.net\r\nAccept: */*\r\n\
         Authorization: Bearer {API_KEY}\r\nContent-Type: application/json\r\n\
         {close}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// With the headers that Twilio sends.
fn render(
    token: &Secret,
    path: &str,
    pairs: &[(&str, &str)],
    space: Space,
    kept: bool,
    entropy: &Entropy,
) -> Vec<u8> {
    let signature = sign(token, Algorithm::HmacSha1, &format!("{PUBLIC_URL}{path}"), pairs);
    let body = form::encode(pairs, space);
    let idempotency = entropy.hex::<16>();
    let close = if kept { "" } else { "Connection: close\r\n" };
    format!(
        "POST {path} HTTP/1.1\r\nHost: otp.example.net\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n\
         Accept-Encoding: gzip\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         X-Twilio-Signature: {signature}\r\nI-Twilio-Idempotency-Token: {idempotency}\r\n\
         X-Home-Region: us1\r\n{close}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
