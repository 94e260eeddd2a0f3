//! `[gateway]`: how codes leave, and the service of the operator's own that may take them.
//!
//! It refuses to know what a channel needs, and who can reach the server.

use super::file::item;
use super::reader::{Choice, Reader};
use crate::model::channel::Channel;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;

/// How codes leave.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// The way out.
    pub kind: GatewayKind,
    /// The way out while that one is away, busy or cannot; nothing where there is none.
    pub fallback: Option<GatewayKind>,
    /// Why codes may be printed where others can reach the server.
    pub allow_console_on_public: Option<String>,
    /// The service that takes them where the kind is `Http`.
    pub http: HttpGateway,
    /// The service that makes them where the kind is `Verify`.
    pub verify: VerifyGateway,
}

/// A way out for codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayKind {
    /// Twilio's API, or the sandbox that speaks it.
    Twilio,
    /// The log of this process: nothing is sent.
    Console,
    /// A service of the operator's own.
    Http,
    /// Twilio Verify, which makes the codes itself.
    Verify,
}

impl Choice for GatewayKind {
    const ALL: &'static [(&'static str, Self)] = &[
        ("twilio", Self::Twilio),
        ("console", Self::Console),
        ("http", Self::Http),
        ("verify", Self::Verify),
    ];
}

impl GatewayKind {
    /// What the configuration calls it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// A way out behind the first.
#[derive(Clone, Copy)]
struct Fallback(Option<GatewayKind>);

impl Choice for Fallback {
    const ALL: &'static [(&'static str, Self)] = &[
        ("none", Self(None)),
        ("twilio", Self(Some(GatewayKind::Twilio))),
        ("http", Self(Some(GatewayKind::Http))),
    ];
}

/// A service of the operator's own, by which messages leave.
#[derive(Clone, Debug)]
pub struct HttpGateway {
    /// Where messages are posted to.
    pub url: Option<String>,
    /// Secrets of the signatures: the first one signs, each of them proves.
    pub secrets: Vec<Secret>,
    /// The channels that it knows.
    pub channels: Vec<Channel>,
    /// Why it may be in a private network, and without TLS.
    pub allow_private_address: Option<String>,
    /// To connect to it.
    pub connect_timeout: Duration,
    /// For a whole request to it.
    pub request_timeout: Duration,
}

/// A service at Twilio Verify, by which codes are made, sent and compared.
#[derive(Clone, Debug)]
pub struct VerifyGateway {
    /// The service there, `VA…`; `None` where the configuration names none.
    pub service_sid: Option<String>,
    /// Where Verify is; nothing for what goes with `twilio.base_url`.
    pub base_url: Option<String>,
    /// How long its codes live.
    pub lifetime: Duration,
}

/// The shortest key that a signature may have, in bytes: that of Standard Webhooks.
const LEAST_KEY: usize = 24;
const KEY: &str = "make one with `echo whsec_$(openssl rand -base64 32)`";

/// A channel that needs no call.
#[derive(Clone, Copy)]
struct Carried(Channel);

impl Choice for Carried {
    const ALL: &'static [(&'static str, Self)] =
        &[("sms", Self(Channel::Sms)), ("whatsapp", Self(Channel::Whatsapp))];
}

impl Gateway {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            kind: r.choice("gateway.kind"),
            fallback: r.choice::<Fallback>("gateway.fallback").0,
            allow_console_on_public: r.reason("gateway.allow_console_on_public"),
            http: HttpGateway::read(r),
            verify: VerifyGateway::read(r),
        }
    }

    /// The ways out, the preferred one first.
    pub fn kinds(&self) -> impl Iterator<Item = GatewayKind> {
        std::iter::once(self.kind).chain(self.fallback)
    }

    /// Whether anything leaves that way.
    pub fn uses(&self, kind: GatewayKind) -> bool {
        self.kinds().any(|used| used == kind)
    }

    /// The channels that can be had; nothing where all can.
    pub fn carried(&self) -> Option<&[Channel]> {
        let is_all = self.kinds().any(|kind| kind != GatewayKind::Http);
        (!is_all).then_some(self.http.channels.as_slice())
    }
}

impl VerifyGateway {
    fn read(r: &mut Reader<'_>) -> Self {
        const BASE: &str = "write an https address, or one of this machine, or leave it empty";
        let base_url = r.safe_url("gateway.verify.base_url", BASE);
        Self {
            service_sid: r.sid("gateway.verify.service_sid", "VA"),
            base_url: base_url.map(|url| url.trim_end_matches('/').to_owned()),
            lifetime: r.seconds("gateway.verify.lifetime_seconds", 120..=86_400),
        }
    }

    /// How long its codes live, in seconds.
    pub fn lifetime_seconds(&self) -> u32 {
        u32::try_from(self.lifetime.as_secs()).unwrap_or(u32::MAX)
    }
}

impl HttpGateway {
    fn read(r: &mut Reader<'_>) -> Self {
        let channels: Vec<Carried> = r.choices("gateway.http.channels");
        if channels.is_empty() {
            r.note("gateway.http.channels", "is empty", "write any of \"sms\", \"whatsapp\"");
        }
        Self {
            url: r.text("gateway.http.url"),
            secrets: secrets(r),
            channels: channels.into_iter().map(|carried| carried.0).collect(),
            allow_private_address: r.reason("gateway.http.allow_private_address"),
            connect_timeout: r.seconds("gateway.http.connect_timeout_seconds", 1..=60),
            request_timeout: r.seconds("gateway.http.request_timeout_seconds", 1..=120),
        }
    }
}

/// The one that signs, and then the others.
fn secrets(r: &mut Reader<'_>) -> Vec<Secret> {
    let own = r.secret("gateway.http.secret").map(|secret| ("gateway.http.secret".to_owned(), secret));
    let others = r.list("gateway.http.secrets", |r, path, value| {
        let Some(text) = value.as_str() else {
            r.note(path, "is no text", "write it in quotation marks");
            return None;
        };
        r.checked_secret(path, text.to_owned())
    });
    let others = others.into_iter().enumerate();
    let others = others.map(|(at, secret)| (item("gateway.http.secrets", at), secret));
    let mut secrets = Vec::new();
    for (path, secret) in own.into_iter().chain(others) {
        match wrong_with(&secret) {
            Some(what) => r.note(&path, what, KEY),
            None => secrets.push(secret),
        }
    }
    secrets
}

fn wrong_with(secret: &Secret) -> Option<String> {
    let bare = secret.expose().trim_start_matches("whsec_");
    match STANDARD.decode(bare) {
        Err(_) => Some("is no base64 behind whsec_".to_owned()),
        Ok(key) if key.len() < LEAST_KEY => {
            Some(format!("is too short: a key of {} bytes, of {LEAST_KEY} at least", key.len()))
        }
        Ok(_) => None,
    }
}
