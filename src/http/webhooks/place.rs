//! Where Twilio thinks it called: what is configured, and what a proxy that is
//! trusted says beside it. Never `Host`.
//!
//! What is configured always holds, so that no header of a proxy can spoil it. A
//! proxy may add one address, of a host that is ours by the configuration: whoever
//! can write its headers wins no signature that was made over another site's URL.

use crate::http::context::Settings;
use crate::http::request::Request;
use crate::server::Rate;
use crate::twilio::url::PublicUrl;
use std::time::Instant;

/// One line a second about what proxies say, whoever makes them say it.
static STRANGE: Rate = Rate::new();

/// The address that a trusted proxy names, when it is another one than the
/// configured, and its host one of ours.
pub(super) fn forwarded(settings: &Settings, request: &Request) -> Option<PublicUrl> {
    let peer = request.peer();
    if !settings.trusted_proxies.iter().any(|net| net.contains(&peer)) {
        return None;
    }
    let header = |name| request.header(name);
    let (proto, host) = (header("x-forwarded-proto"), header("x-forwarded-host"));
    let told = settings.public_url.forwarded(proto, host, header("x-forwarded-port"));
    match told {
        Ok(url) if url == settings.public_url => None,
        Ok(url) if is_ours(settings, &url) => Some(url),
        Ok(url) => {
            say(|untold| {
                let host = url.host();
                tracing::warn!(
                    %peer, host, untold,
                    "a trusted proxy's X-Forwarded-Host is neither public_url's host nor one of signature.hosts: \
                     it does not count; list it there if twilio calls it"
                );
            });
            None
        }
        Err(error) => {
            say(|untold| {
                tracing::warn!(
                    %peer, %error, untold,
                    "a trusted proxy's X-Forwarded-Proto, -Host or -Port makes no sense: public_url alone counts"
                );
            });
            None
        }
    }
}

/// Whether the configuration makes an address's host ours. A `public_url` without
/// TLS is an internal address: where it is all that is configured, a trusted proxy
/// alone knows what Twilio calls, as long as that is over TLS.
fn is_ours(settings: &Settings, told: &PublicUrl) -> bool {
    let same = |own: &str| own.eq_ignore_ascii_case(told.host());
    let is_unknown = settings.hosts.is_empty() && !settings.public_url.is_https();
    same(settings.public_url.host())
        || settings.hosts.iter().any(|own| same(own))
        || (is_unknown && told.is_https())
}

fn say(line: impl FnOnce(u64)) {
    if let Some(untold) = STRANGE.pass(Instant::now()) {
        line(untold);
    }
}
