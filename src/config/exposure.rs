//! Whether others can reach the server. It is judged here alone, so that all
//! that is dangerous in public is refused by one and the same rule.

use super::file::{item, join};
use super::reader::Reader;
use super::sections::{Config, GatewayKind, SignatureMode};
use reqwest::Url;
use std::net::IpAddr;

/// The fewest characters of a secret that strangers may try to guess at.
pub const LEAST_SECRET: usize = 20;

/// How a server is one's own again.
const OWN_MACHINE: &str =
    "keep it to this machine: server.listen and public_url on 127.0.0.1, signature.trusted_proxies empty";

impl Config {
    /// Whether others can reach the server: by its own address, or through the
    /// proxy or tunnel that `public_url` leads to or that is trusted.
    pub fn is_public(&self) -> bool {
        let proxied = !self.signature.trusted_proxies.is_empty();
        let url = self.public_url.as_deref().and_then(|url| Url::parse(url).ok());
        !self.server.listen.ip().is_loopback() || proxied || url.is_some_and(|url| !is_loopback(&url))
    }
}

/// Whether a URL leads to this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    ip.map_or(host == "localhost" || host.ends_with(".localhost"), |ip| ip.is_loopback())
}

/// What is dangerous where others can reach the server has to be asked for twice.
pub(super) fn check(config: &Config, dangers: &mut Reader<'_>, unwise: &mut Reader<'_>) {
    let public = config.is_public();
    let signature = &config.signature;
    if public && signature.mode == SignatureMode::ReportOnly && !signature.allow_report_only_on_public {
        let mend = format!("set signature.allow_report_only_on_public = true as well, or {OWN_MACHINE}");
        dangers.note("signature.mode", "lets forged webhooks in where others can reach the server", mend);
    } else if signature.mode == SignatureMode::ReportOnly {
        // A proxy or a tunnel that nobody has told us of may lead here from anywhere.
        unwise.note(
            "signature.mode",
            "lets forged webhooks in",
            "write \"enforce\" when the counts at /readyz stay still",
        );
    }
    let gateway = &config.gateway;
    if public && gateway.kind == GatewayKind::Console && !gateway.allow_console_on_public {
        let mend = format!("set gateway.allow_console_on_public = true as well, or {OWN_MACHINE}");
        dangers.note("gateway.kind", "logs codes while others can reach the server", mend);
    }
    if public {
        weak(config, dangers);
    }
    let sandbox = &config.sandbox;
    if sandbox.enabled && !sandbox.allow_public {
        let mend = "set sandbox.allow_public = true as well, or listen on 127.0.0.1";
        if !sandbox.listen.ip().is_loopback() {
            dangers.note("sandbox.listen", "shows codes on an address that others can reach", mend);
        }
        if public {
            let mend = format!(
                "set sandbox.enabled = false to send for real, or sandbox.allow_public = true as well, or {OWN_MACHINE}"
            );
            dangers.note("sandbox.enabled", "sends nothing although others can reach the server", mend);
        }
    }
}

/// Secrets that strangers could guess. Twilio's tokens have 32 characters; what
/// is shorter was cut, or made up.
fn weak(config: &Config, dangers: &mut Reader<'_>) {
    let twilio = &config.twilio;
    let own = twilio.auth_token.iter().map(|token| ("twilio.auth_token".to_owned(), token));
    let more = twilio.auth_tokens.iter().enumerate();
    let more = more.map(|(at, accepted)| (item("twilio.auth_tokens", at), &accepted.token));
    let others = twilio.accounts.iter().flat_map(|(sid, account)| {
        account.tokens.iter().map(move |token| (join("twilio.accounts", sid), token))
    });
    let shared = config.signature.shared_keys.iter();
    let shared = shared.map(|(id, key)| (join("signature.shared_keys", id), key));
    for (key, secret) in own.chain(more).chain(others).chain(shared) {
        if secret.expose().chars().count() < LEAST_SECRET {
            let what = format!("is shorter than {LEAST_SECRET} characters, and others can reach the server");
            dangers.note(&key, what, "copy the whole of it from twilio's console");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Env, parse};

    #[test]
    fn a_server_is_public_by_its_address_its_url_or_its_proxies() {
        let is_public = |key: &str, value: &str| {
            let env: Env = [(key, value), ("DIALBACK_SANDBOX__ALLOW_PUBLIC", "true")].into_iter().collect();
            parse(None, &env).unwrap_or_else(|problems| panic!("{problems}")).config.is_public()
        };
        for (key, value) in [
            ("DIALBACK_SERVER__LISTEN", "0.0.0.0:8000"),
            ("DIALBACK_SERVER__LISTEN", "[::]:8000"),
            ("DIALBACK_SERVER__LISTEN", "192.168.1.7:8000"),
            ("DIALBACK_PUBLIC_URL", "https://verify.example.com"),
            ("DIALBACK_PUBLIC_URL", "http://192.168.1.7:8000"),
            ("DIALBACK_PUBLIC_URL", "http://[2001:db8::1]"),
            ("DIALBACK_SIGNATURE__TRUSTED_PROXIES", "127.0.0.1"),
        ] {
            assert!(is_public(key, value), "{key}={value}");
        }
        for (key, value) in [
            ("DIALBACK_SERVER__LISTEN", "127.0.0.1:0"),
            ("DIALBACK_SERVER__LISTEN", "[::1]:0"),
            ("DIALBACK_PUBLIC_URL", "http://127.0.0.1:8000/base"),
            ("DIALBACK_PUBLIC_URL", "http://localhost:8000"),
            ("DIALBACK_PUBLIC_URL", "http://app.localhost:8000"),
            ("DIALBACK_PUBLIC_URL", "http://[::1]:8000"),
        ] {
            assert!(!is_public(key, value), "{key}={value}");
        }
    }
}
