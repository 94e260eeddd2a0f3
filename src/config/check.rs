//! Settings that are right one by one and impossible, or unwise, together.

use super::codes::CodeKey;
use super::dangers::Judge;
use super::elsewhere;
use super::exposure;
use super::file::{item, join};
use super::gateway::GatewayKind;
use super::layers::Layers;
use super::loopback::is_loopback;
use super::networks;
use super::owners;
use super::problem::Problem;
use super::reader::Reader;
use super::store::StoreUrl;
use super::twilio::Twilio;
use super::unanswered;
use super::whole::Config;
use crate::model::channel::Channel;
use crate::model::region;
use crate::model::senders::own_sender;
use reqwest::Url;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// What was found.
pub(super) struct Found {
    /// What `serve` refuses to begin with.
    pub(super) refused: Vec<Problem>,
    /// Possible, and nothing to be served with.
    pub(super) dangers: Vec<Problem>,
    /// What is only unwise: a warning at each start.
    pub(super) unwise: Vec<Problem>,
}

/// Looks at everything.
pub(super) fn check(config: &Config, layers: &Layers) -> Found {
    let (mut refused, mut unwise) = (Reader::new(layers), Reader::new(layers));
    let mut judge = Judge::new(layers);
    urls(config, &mut refused, &mut unwise);
    missing(config, &mut refused);
    exposure::check(config, &mut judge);
    sandbox(config, &mut refused);
    fallback(config, &mut refused);
    senders(config, &mut refused, &mut unwise);
    places(config, &mut refused);
    account(&config.twilio, &mut refused, &mut unwise);
    owners::check(config, &mut refused);
    codes(config, &mut refused);
    unanswered::check(config, &mut refused);
    words(config, &mut refused);
    bodies(config, &mut refused);
    carried(config, &mut refused);
    elsewhere::check(config, &mut refused);
    if config.store.url == StoreUrl::Memory && !config.sandbox.enabled {
        unwise.note(
            "store.url",
            "forgets everything with the process",
            "write \"sled:DIRECTORY\" to keep it",
        );
    }
    let Judge { dangers, unwise: allowed } = judge;
    unwise.problems.extend(allowed.problems);
    Found { refused: refused.problems, dangers: dangers.problems, unwise: unwise.problems }
}

/// Where messages go by a service of the operator's own: its address, and services that
/// want more of it than it can.
fn carried(config: &Config, refused: &mut Reader<'_>) {
    let (http, services) = (&config.gateway.http, &config.services);
    if !config.gateway.uses(GatewayKind::Http) {
        return;
    }
    web_url(
        "gateway.http.url",
        http.url.as_deref(),
        "write it like \"https://sms.example.com/messages\"",
        refused,
    );
    let Some(carried) = config.gateway.carried() else { return };
    let default = ("default", &services.default);
    let others = services.others.iter().map(|(key, own)| (key.as_str(), own));
    for (key, own) in std::iter::once(default).chain(others) {
        if key != "default" && own.channels == services.default.channels {
            continue;
        }
        if let Some(wrong) = own.uncarried(carried) {
            let mend = format!("it {}", wrong.wrong.what);
            refused.note(&join(&join("services", key), "channels"), "cannot all be had", mend);
        }
    }
}

fn bodies(config: &Config, refused: &mut Reader<'_>) {
    let server = &config.server;
    if server.max_body_bytes_in_flight < server.max_body_bytes {
        let what = "is less than one body may have";
        refused.note("server.max_body_bytes_in_flight", what, "set it to server.max_body_bytes or more");
    }
}

/// Where our own paths begin: an address that ends in one was copied whole.
const OWN_PATHS: [&str; 5] = ["/twilio/", "/gateway/", "/verify/", "/v1/", "/v2/"];

fn urls(config: &Config, refused: &mut Reader<'_>, unwise: &mut Reader<'_>) {
    const PUBLIC: &str = "write it like \"https://verify.example.com\"";
    if let Some(url) = web_url("public_url", config.public_url.as_deref(), PUBLIC, refused) {
        let path = format!("{}/", url.path().trim_end_matches('/'));
        if let Some(at) = OWN_PATHS.iter().filter_map(|own| path.find(own)).min() {
            let what = format!("ends in {}, which is added to it", path[at..].trim_end_matches('/'));
            refused.note("public_url", what, "write what comes before that alone");
        } else if url.scheme() == "http" && !is_loopback(&url) {
            in_clear(config, unwise);
            unwise.note("public_url", "is not https, so codes and tokens travel in clear", PUBLIC);
        }
        let is_live = !config.sandbox.enabled && !stand_in(&config.twilio);
        let sends = config.gateway.uses(GatewayKind::Twilio);
        if is_live && sends && url.host_str().is_some_and(networks::is_own) {
            let what = "is of this machine or of a private network, where twilio cannot reach it";
            unwise.note("public_url", what, "write the name that your proxy or tunnel has on the internet");
        }
    }
    let lookups = config.lookup.as_ref().and_then(|lookup| Url::parse(lookup.base_url.as_deref()?).ok());
    if config.sandbox.enabled && lookups.is_some_and(|url| !is_loopback(&url)) {
        let mend = "set sandbox.enabled = false to ask for real, or leave lookup.base_url empty";
        refused.note("lookup.base_url", "leads out of this machine while the sandbox is enabled", mend);
    }
    voice_fallback(config, refused, unwise);
    const BASE: &str = "leave it empty, or write it like \"https://api.twilio.com\"";
    let Some(url) = web_url("twilio.base_url", config.twilio.base_url.as_deref(), BASE, refused) else {
        return;
    };
    if config.sandbox.enabled && !is_loopback(&url) {
        let mend = "set sandbox.enabled = false to send for real, or leave twilio.base_url empty";
        refused.note("twilio.base_url", "leads out of this machine while the sandbox is enabled", mend);
    } else if url.path().contains("2010-04-01") {
        refused.note(
            "twilio.base_url",
            "has the API's own path in it",
            "write the scheme and the host alone",
        );
    } else if url.scheme() == "http" && !is_loopback(&url) {
        refused.note("twilio.base_url", "would send the account's credentials in clear", "write https");
    }
}

/// Where callers are sent while nobody answers here: so it must be somewhere else.
fn voice_fallback(config: &Config, refused: &mut Reader<'_>, unwise: &mut Reader<'_>) {
    const KEY: &str = "twilio.voice_fallback_url";
    const MEND: &str = "write the address of a TwiML Bin, such as \"https://handler.twilio.com/twiml/EH…\"";
    let text = config.twilio.voice_fallback_url.as_deref();
    let url = judged_url((KEY, text, MEND), refused, |url| match url.scheme() {
        _ if url.fragment().is_some() => Some("has a fragment, which is not asked for"),
        "http" if !is_loopback(url) => {
            Some("is not https, so anybody between could say something else to callers")
        }
        _ => None,
    });
    let Some(url) = url else { return };
    let own = config.public_url.as_deref().and_then(|own| Url::parse(own).ok());
    let is_own = own.is_some_and(|own| url.host() == own.host() && !is_loopback(&own));
    if is_own {
        unwise.note(KEY, "is on the host of public_url, so it is away when that is", MEND);
    }
}

/// What else follows from a public address without TLS.
fn in_clear(config: &Config, unwise: &mut Reader<'_>) {
    let signature = &config.signature;
    if !signature.trusted_proxies.is_empty() && signature.hosts.is_empty() {
        let what = "is not https, so whatever https host a trusted proxy names counts as this server's";
        let mend = "set it to what twilio calls, or list that host in signature.hosts";
        unwise.note("public_url", what, mend);
    }
}

/// A URL that others can be added to; what is wrong with it is noted.
fn web_url(key: &str, text: Option<&str>, mend: &str, refused: &mut Reader<'_>) -> Option<Url> {
    judged_url((key, text, mend), refused, |url| {
        (url.query().is_some() || url.fragment().is_some()).then_some("has a query or a fragment")
    })
}

/// A URL, unless something is wrong with it, by itself or as it is judged: that is noted.
fn judged_url(
    (key, text, mend): (&str, Option<&str>, &str),
    refused: &mut Reader<'_>,
    judge: impl Fn(&Url) -> Option<&'static str>,
) -> Option<Url> {
    let url = Url::parse(text?).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let what = match &url {
        None => "is no http or https address",
        Some(url) => match judge(url) {
            Some(what) => what,
            None if !url.username().is_empty() || url.password().is_some() => "has a user or password in it",
            None => return Some(url.clone()),
        },
    };
    refused.note(key, what, mend);
    None
}

/// True when what is called Twilio is on this machine, so that nobody real is
/// sent a code.
fn stand_in(twilio: &Twilio) -> bool {
    twilio.base_url.as_deref().and_then(|url| Url::parse(url).ok()).is_some_and(|url| is_loopback(&url))
}

/// What has to be there once messages are real.
fn missing(config: &Config, refused: &mut Reader<'_>) {
    if config.sandbox.enabled {
        return;
    }
    let mut need = |there: bool, key: &str, mend: &str| {
        if !there {
            refused.note_by(key, &["sandbox.enabled"], "is missing, and needed without the sandbox", mend);
        }
    };
    need(
        !config.codes.keys.is_empty() || stand_in(&config.twilio),
        "codes.keys",
        "make a secret with `openssl rand -hex 32`, or set sandbox.enabled = true",
    );
    let twilio = &config.twilio;
    if config.gateway.uses(GatewayKind::Http) {
        let http = &config.gateway.http;
        let mend = "set it to where the gateway reaches this server, for its callbacks";
        need(config.public_url.is_some(), "public_url", mend);
        need(http.url.is_some(), "gateway.http.url", "set it to where messages are posted to");
        let mend = "set it, or gateway.http.secret_file: `echo whsec_$(openssl rand -base64 32)` makes one";
        need(!http.secrets.is_empty(), "gateway.http.secret", mend);
    }
    if config.gateway.uses(GatewayKind::Verify) {
        let is_keyed = twilio.api_key_sid.is_some() && twilio.api_key_secret.is_some();
        need(twilio.account_sid.is_some(), "twilio.account_sid", "set it, or TWILIO_ACCOUNT_SID");
        let mend =
            "set it, twilio.auth_token_file or TWILIO_AUTH_TOKEN; or twilio.api_key_sid and its secret";
        need(twilio.auth_token.is_some() || is_keyed, "twilio.auth_token", mend);
        let mend = "copy it from twilio's console: the SID of the service at Verify, VA and 32 digits";
        need(config.gateway.verify.service_sid.is_some(), "gateway.verify.service_sid", mend);
        return;
    }
    if !config.gateway.uses(GatewayKind::Twilio) {
        // Nothing goes there; but Twilio is asked about numbers by whoever has an account.
        let is_known = twilio.account_sid.is_some() && twilio.auth_token.is_some();
        let is_keyed = twilio.api_key_sid.is_some() && twilio.api_key_secret.is_some();
        let mend = "set it, or TWILIO_ACCOUNT_SID, and twilio.auth_token; or leave lookup.fields empty";
        need(config.lookup.is_none() || is_known || is_keyed, "twilio.account_sid", mend);
        return;
    }
    let sender =
        twilio.from.is_some() || twilio.messaging_service_sid.is_some() || !twilio.senders.is_empty();
    need(
        config.public_url.is_some(),
        "public_url",
        "set it to where twilio reaches this server; `dialback urls` helps",
    );
    need(twilio.account_sid.is_some(), "twilio.account_sid", "set it, or TWILIO_ACCOUNT_SID");
    need(
        twilio.auth_token.is_some(),
        "twilio.auth_token",
        "set it, twilio.auth_token_file or TWILIO_AUTH_TOKEN: webhooks are signed with it, also where an api key sends",
    );
    need(sender, "twilio.from", "set it, TWILIO_PHONE_NUMBER, or twilio.messaging_service_sid");
}

/// Two that would listen at one place; one that listens everywhere is at each.
fn places(config: &Config, refused: &mut Reader<'_>) {
    let (server, admin) = (config.server.listen, config.server.admin_listen);
    let meet = |one: SocketAddr, other: SocketAddr| {
        let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
        one.port() != 0 && one.port() == other.port() && (everywhere || one.ip() == other.ip())
    };
    const MEND: &str = "give each a port of its own";
    if admin.is_some_and(|admin| meet(server, admin)) {
        refused.note("server.admin_listen", "is server.listen too", MEND);
    }
    if !config.sandbox.enabled {
        return;
    }
    if meet(server, config.sandbox.listen) {
        refused.note("sandbox.listen", "is server.listen too", MEND);
    }
    if admin.is_some_and(|admin| meet(admin, config.sandbox.listen)) {
        refused.note("sandbox.listen", "is server.admin_listen too", MEND);
    }
}

/// The way out behind the first: another one, and where nobody real is meant it leads to
/// nobody real either.
fn fallback(config: &Config, refused: &mut Reader<'_>) {
    const KEY: &str = "gateway.fallback";
    let Config { gateway, sandbox, .. } = config;
    let Some(fallback) = gateway.fallback else { return };
    if fallback == gateway.kind {
        refused.note(
            KEY,
            "is gateway.kind too",
            "name the other one of \"twilio\" and \"http\", or \"none\"",
        );
    }
    if gateway.kind == GatewayKind::Console {
        refused.note(KEY, "is behind the console, which takes everything", "write \"none\"");
    }
    if gateway.kind == GatewayKind::Verify {
        refused.note(KEY, "is behind verify, whose codes nobody else can send", "write \"none\"");
    }
    if !sandbox.enabled || fallback != GatewayKind::Http {
        return;
    }
    let url = gateway.http.url.as_deref().and_then(|url| Url::parse(url).ok());
    if url.is_some_and(|url| !is_loopback(&url)) {
        let mend = "set sandbox.enabled = false to send for real, or gateway.fallback = \"none\"";
        refused.note("gateway.http.url", "leads out of this machine while the sandbox is enabled", mend);
    }
    for (is_there, key) in [
        (gateway.http.url.is_some(), "gateway.http.url"),
        (!gateway.http.secrets.is_empty(), "gateway.http.secret"),
    ] {
        if !is_there {
            refused.note_by(
                key,
                &[KEY],
                "is missing, and needed by gateway.fallback",
                "set it, or write \"none\"",
            );
        }
    }
}

/// Senders to choose from are Twilio's alone, and there has to be one for each channel.
fn senders(config: &Config, refused: &mut Reader<'_>, unwise: &mut Reader<'_>) {
    const KEY: &str = "twilio.senders";
    let twilio = &config.twilio;
    if twilio.senders.is_empty() {
        return;
    }
    if config.gateway.kind != GatewayKind::Twilio || config.gateway.fallback.is_some() {
        let mend = "set gateway.kind = \"twilio\" and gateway.fallback = \"none\", or take the list out";
        refused.note(KEY, "does not go together with another way out", mend);
    }
    let services = std::iter::once(&config.services.default).chain(config.services.others.values());
    let channels: BTreeSet<Channel> = services.flat_map(|own| own.channels.iter().copied()).collect();
    let usual = twilio.messaging_service_sid.as_ref().or(twilio.from.as_ref());
    for channel in channels {
        let listed = twilio.senders.iter().any(|sender| sender.channels.contains(&channel));
        let has_usual = match channel {
            Channel::Sms => usual.is_some(),
            Channel::Call => twilio.from.as_ref().is_some_and(|from| from.starts_with('+')),
            Channel::Whatsapp => twilio.messaging_service_sid.is_some(),
        };
        let mut services = std::iter::once(&config.services.default).chain(config.services.others.values());
        let has_own = services.any(|own| own_sender(own, channel).is_some());
        if !(listed || has_usual || has_own) {
            let what = format!("has no sender for {channel}, which services have among their channels");
            unwise.note(KEY, what, "add one, or take the channel out of theirs");
        }
    }
}

fn sandbox(config: &Config, refused: &mut Reader<'_>) {
    if !config.sandbox.enabled {
        return;
    }
    if config.gateway.kind != GatewayKind::Twilio {
        let mend = "set gateway.kind = \"twilio\", or sandbox.enabled = false";
        refused.note("gateway.kind", "leaves the sandbox's telephones without messages", mend);
    }
}

fn account(twilio: &Twilio, refused: &mut Reader<'_>, unwise: &mut Reader<'_>) {
    if twilio.api_key_sid.is_some() != twilio.api_key_secret.is_some() {
        refused.note("twilio.api_key_sid", "and its secret go together", "set both or none");
    }
    let listed = twilio.senders.iter().any(|sender| sender.channels.contains(&Channel::Call));
    let calls = listed || twilio.from.as_ref().is_some_and(|from| from.starts_with('+'));
    if !calls && (twilio.from.is_some() || twilio.messaging_service_sid.is_some()) {
        unwise.note(
            "twilio.from",
            "is not a number, so calls cannot be made",
            "set it to one such as \"+15017122661\"",
        );
    }
}

fn codes(config: &Config, refused: &mut Reader<'_>) {
    let keys = &config.codes.keys;
    for (at, CodeKey { id, .. }) in keys.iter().enumerate() {
        if keys[..at].iter().any(|earlier| earlier.id == *id) {
            let mend = "give each key an id of its own";
            refused.note(&join(&item("codes.keys", at), "id"), format_args!("{id:?} is there twice"), mend);
        }
    }
    let (waits, lifetime) = (&config.verification.resend_cooldown, config.verification.lifetime);
    if config.verification.max_sends > 1 && waits.first().is_some_and(|wait| *wait >= lifetime) {
        let mend = format!(
            "make the first wait shorter than verification.lifetime_seconds = {}",
            lifetime.as_secs()
        );
        refused.note("verification.resend_cooldown_seconds", "is over only when the code is dead", mend);
    }
    if config.voice.ring + Duration::from_secs(15) > lifetime {
        let mend = "let the telephone ring for a shorter time, or the code live longer";
        refused.note("voice.ring_seconds", "leaves no time to hear the code alive", mend);
    }
}

fn words(config: &Config, refused: &mut Reader<'_>) {
    if let Some(region) = &config.numbers.default_region
        && let Err(mend) = region::check(region)
    {
        refused.note("numbers.default_region", format_args!("{region:?} is no country"), mend);
    }
    if !is_level(&config.log.level) {
        refused.note("log.level", "is no level", "write \"info\", or \"info,dialback::store=debug\"");
    }
}

/// `EnvFilter` takes a word that is no level for a module's name, and would log
/// that module and nothing else.
fn is_level(text: &str) -> bool {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_known = |part: &str| {
        part.contains(['=', ':', '[']) || LEVELS.iter().any(|level| part.trim().eq_ignore_ascii_case(level))
    };
    tracing_subscriber::EnvFilter::try_new(text).is_ok() && text.split(',').all(is_known)
}
