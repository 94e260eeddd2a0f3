//! Whether others can reach the server. It is judged here alone, so that all
//! that is dangerous in public is refused by one and the same rule.

use super::sections::Config;
use reqwest::Url;
use std::net::IpAddr;

/// The fewest characters of a secret that strangers may try to guess at.
pub const LEAST_SECRET: usize = 20;

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
