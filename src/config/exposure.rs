//! Whether others can reach the server. It is judged here alone, so that all
//! that is dangerous in public is refused by one and the same rule.

use super::dangers::{self, Judge};
use super::file::{item, join};
use super::gateway::{Gateway, GatewayKind};
use super::guessable::{Weakness, weakness};
use super::loopback::is_loopback;
use super::networks;
use super::sections::SignatureMode;
use super::whole::Config;
use crate::model::captcha::{CaptchaProvider, CaptchaSettings};
use crate::model::policy::Gate;
use jiff::Timestamp;
use reqwest::Url;

/// How a server is one's own again.
const OWN_MACHINE: &str =
    "keep it to this machine: server.listen and public_url on 127.0.0.1, signature.trusted_proxies empty";

impl Config {
    /// Whether others can reach the server: by its own address, or through the
    /// proxy or tunnel that `public_url` leads to or that is trusted.
    pub fn is_public(&self) -> bool {
        self.public_by().is_some()
    }

    /// The key by which they can.
    fn public_by(&self) -> Option<&'static str> {
        let url = self.public_url.as_deref().and_then(|url| Url::parse(url).ok());
        let causes = [
            ("public_url", url.is_some_and(|url| !is_loopback(&url))),
            ("server.listen", !self.server.listen.ip().is_loopback()),
            ("signature.trusted_proxies", !self.signature.trusted_proxies.is_empty()),
        ];
        causes.into_iter().find_map(|(key, is_cause)| is_cause.then_some(key))
    }
}

/// What is dangerous, everywhere or where others can reach the server, is refused
/// unless the configuration says why it has to be so.
pub(super) fn check(config: &Config, judge: &mut Judge<'_>) {
    dangers::codes(config, judge);
    let now = Timestamp::now();
    let public = config.is_public();
    // Nothing real is proved by a sandbox that nobody else can reach.
    if public || !config.sandbox.enabled {
        dangers::test_numbers(config, now, judge);
    }
    dangers::ended(config, now, &mut judge.unwise);
    forgeries(config, public, judge);
    strangers(config, judge);
    voicemail(config, judge);
    if public {
        in_public(config, judge);
        weak(config, judge);
    }
    let sandbox = &config.sandbox;
    let allow = ("sandbox.allow_public", &sandbox.allow_public);
    if sandbox.enabled && !sandbox.listen.ip().is_loopback() {
        let what = "shows codes on an address that others can reach";
        judge.danger("sandbox.listen", what, "listen on 127.0.0.1", allow);
    }
    if sandbox.enabled && public {
        let what = "sends nothing although others can reach the server";
        let mend = format!("set sandbox.enabled = false to send for real, or {OWN_MACHINE}");
        let by: Vec<&str> = config.public_by().into_iter().collect();
        judge.danger_by("sandbox.enabled", &by, what, mend, allow);
    }
    let server = &config.server;
    if server.admin_listen.is_some_and(|addr| !addr.ip().is_loopback()) {
        let what = "opens the operator's routes on an address that others can reach";
        let allow = ("server.allow_admin_on_public", &server.allow_admin_on_public);
        judge.danger("server.admin_listen", what, "write \"127.0.0.1:0\"", allow);
    }
}

fn forgeries(config: &Config, public: bool, judge: &mut Judge<'_>) {
    let signature = &config.signature;
    if signature.mode != SignatureMode::ReportOnly {
        return;
    }
    if public {
        let what = "lets forged webhooks in where others can reach the server";
        let allow = ("signature.allow_report_only_on_public", &signature.allow_report_only_on_public);
        judge.danger("signature.mode", what, OWN_MACHINE, allow);
    } else {
        // A proxy or a tunnel that nobody has told us of may lead here from anywhere.
        let mend = "write \"enforce\" when the counts at the admin listener's /readyz stay still";
        judge.unwise.note("signature.mode", "lets forged webhooks in", mend);
    }
}

/// Whom we believe, and what we tell them in clear.
fn strangers(config: &Config, judge: &mut Judge<'_>) {
    let signature = &config.signature;
    if networks::hold_strangers(&signature.trusted_proxies) {
        let what = "trusts so much of the internet that anybody may name the address they come from";
        let allow = ("signature.allow_trusted_proxies", &signature.allow_trusted_proxies);
        judge.danger("signature.trusted_proxies", what, "list the networks of your own proxies alone", allow);
    }
    if let Some(host) = config.store.url.in_clear() {
        let what = format!("sends numbers, codes' keys and its password to {host} in clear: sslmode=disable");
        let allow = ("store.allow_unencrypted", &config.store.allow_unencrypted);
        let mend = "write sslmode=verify-full, with sslrootcert=FILE for an authority of your own";
        judge.danger("store.url", what, mend, allow);
    }
}

/// Calls that say the code to whatever answers. No more than a warning: Twilio's own
/// calls do the same, and a voicemail has its owner's PIN.
fn voicemail(config: &Config, judge: &mut Judge<'_>) {
    let services = &config.services;
    let what = "lets voicemail hear codes, for whoever can listen to it";
    let mend = "write \"any-key\" or \"named-key\"";
    if services.default.gate == Gate::None {
        judge.unwise.note("voice.gate", what, mend);
    }
    for (key, _) in services
        .others
        .iter()
        .filter(|(_, own)| own.gate == Gate::None && services.default.gate != Gate::None)
    {
        judge.unwise.note(&join(&join("services", key), "gate"), what, mend);
    }
}

fn in_public(config: &Config, judge: &mut Judge<'_>) {
    let Config { gateway, events, api, .. } = config;
    if gateway.kind == GatewayKind::Console {
        let what = "logs codes while others can reach the server";
        let allow = ("gateway.allow_console_on_public", &gateway.allow_console_on_public);
        judge.danger("gateway.kind", what, OWN_MACHINE, allow);
    }
    if gateway.uses(GatewayKind::Http) {
        relay(gateway, judge);
    }
    if api.requests_per_minute == 0 {
        let what = "lets a key try as often as it likes";
        let allow = ("api.allow_unlimited", &api.allow_unlimited);
        judge.danger("api.requests_per_minute", what, "set a limit, such as 6000", allow);
    }
    if events.allow_private_addresses.as_deref() == Some("true") {
        let what = "lets endpoints lead into the private network, though others can reach the server";
        judge.unwise.note("events.allow_private_addresses", what, "say why it has to be so, as text");
    } else if let Some(reason) = &events.allow_private_addresses {
        let what = "lets endpoints lead into the private network";
        judge.unwise.note("events.allow_private_addresses", what, format_args!("allowed: {reason}"));
    }
}

/// A gateway that anybody on the way could read along, or that may be a machine's own. A
/// name that leads inside is found when it is called.
fn relay(gateway: &Gateway, judge: &mut Judge<'_>) {
    const KEY: &str = "gateway.http.url";
    let Some(url) = gateway.http.url.as_deref().and_then(|url| Url::parse(url).ok()) else { return };
    let what = match url.host_str() {
        _ if url.scheme() == "http" => "sends numbers and codes in clear, though others can reach the server",
        Some(host) if networks::is_own(host) => {
            "leads into the private network, though others can reach the server"
        }
        _ => return,
    };
    let allow = ("gateway.http.allow_private_address", &gateway.http.allow_private_address);
    judge.danger(KEY, what, "write a public address with https", allow);
}

/// Secrets that strangers could guess, all by one rule. Twilio's tokens have 32
/// characters; what is shorter was cut, or made up.
fn weak(config: &Config, judge: &mut Judge<'_>) {
    let twilio = &config.twilio;
    let own = twilio.auth_token.iter().map(|token| ("twilio.auth_token".to_owned(), token));
    let api_key = twilio.api_key_secret.iter().map(|secret| ("twilio.api_key_secret".to_owned(), secret));
    let more = twilio.auth_tokens.iter().enumerate();
    let more = more.map(|(at, accepted)| (item("twilio.auth_tokens", at), &accepted.token));
    let others = twilio.accounts.iter().flat_map(|(sid, account)| {
        account.tokens.iter().map(move |token| (join("twilio.accounts", sid), token))
    });
    let shared = config.signature.shared_keys.iter();
    let shared = shared.map(|(id, key)| (join("signature.shared_keys", id), key));
    let codes = config.codes.keys.iter().enumerate();
    let codes = codes.map(|(at, key)| (join(&item("codes.keys", at), "secret"), &key.secret));
    let captcha = config.captcha.iter().map(|captcha| ("captcha.secret".to_owned(), &captcha.secret));
    let relayed = config.gateway.http.secrets.iter().map(|secret| ("gateway.http.secret".to_owned(), secret));
    let theirs = own.chain(api_key).chain(more).chain(others);
    let all = theirs.chain(shared).chain(codes).chain(captcha).chain(relayed);
    let is_signed = |captcha: &CaptchaSettings| captcha.provider == CaptchaProvider::Signed;
    let is_of_provider =
        |key: &str| key == "captcha.secret" && !config.captcha.as_ref().is_some_and(is_signed);
    for (key, secret) in all {
        let Some(weakness) = weakness(secret.expose()) else { continue };
        let mend = match key.starts_with("twilio.") {
            true => "copy the whole of it from twilio's console",
            false if is_of_provider(&key) => "copy the whole of it from the provider's console",
            false => "make one with `openssl rand -hex 32`",
        };
        let (what, problems) = match weakness {
            Weakness::Guessed(what) => (what, &mut judge.dangers),
            Weakness::Doubtful(what) => (what, &mut judge.unwise),
        };
        problems.note(&key, format_args!("{what}, and others can reach the server"), mend);
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
