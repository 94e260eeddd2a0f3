//! The parts of a configuration put together: the operations, their ways out, and
//! what the faces know. It refuses to know who listens and who stops.

use super::account::{account_sid, auth_token};
use super::stores::open_existing;
use super::{beside, parts};
use crate::app::events::{self, Events};
use crate::app::{App, Parts};
use crate::cli::local::Local;
use crate::clock::Clock;
use crate::config::{Config, GatewayKind, Openapi};
use crate::entropy::Entropy;
use crate::gateway::captcha::Captcha;
use crate::gateway::http::Client;
use crate::gateway::lookups::Lookups;
use crate::gateway::routes::Routes;
use crate::gateway::twilio::{self, Twilio};
use crate::gateway::verify::{self, Verify};
use crate::gateway::{Gateway, console::Console};
use crate::http::{self, Explainer};
use crate::model::lookup::LookupSettings;
use crate::model::senders::Senders;
use crate::secret::Secret;
use crate::store::Maintenance;
use crate::texts::Catalog;
use crate::trust::Trust;
use crate::twilio::request::Sender;
use crate::twilio::url::PublicUrl;
use anyhow::Context;
use reqwest::Url;
use std::sync::Arc;

/// All that the service asks of others.
pub(super) struct WaysOut {
    /// For codes.
    gateway: Arc<dyn Gateway>,
    /// For events.
    events: Events,
    /// To whoever says that a person is there.
    captcha: Option<Captcha>,
    /// To whoever is asked about numbers.
    lookups: Option<(Lookups, LookupSettings)>,
}

impl WaysOut {
    /// Those of a configuration, by way of this one for codes, beside a sandbox or none.
    ///
    /// # Errors
    /// What is in the way, and what to do.
    pub(super) fn new(
        config: &Config,
        local: &Local,
        gateway: Arc<dyn Gateway>,
        sandbox_url: Option<&str>,
        trust: &Trust,
    ) -> anyhow::Result<Self> {
        let (events, captcha) = (parts::events(config, trust)?, parts::captcha(config, trust)?);
        Ok(Self { gateway, events, captcha, lookups: lookups_of(config, local, sandbox_url, trust)? })
    }
}

/// The `App` of a configuration, with its ways out for codes and for events.
pub(super) fn app_of(
    config: &Config,
    local: &Local,
    store: Arc<dyn Maintenance>,
    ways_out: WaysOut,
    messages: &Arc<Catalog>,
    clock: Clock,
) -> anyhow::Result<App> {
    let WaysOut { gateway, events, captcha, lookups } = ways_out;
    let is_verify = config.gateway.kind == GatewayKind::Verify;
    let elsewhere = is_verify.then(|| config.gateway.verify.lifetime_seconds());
    Ok(App::new(Parts {
        store,
        gateway,
        services: parts::directory(config, clock.now()).made_elsewhere(elsewhere).judged_by({
            let messages = messages.clone();
            let verification = &config.verification;
            let guessable = verification.allow_guessable_codes.is_some();
            let long_life = verification.allow_long_life.is_some();
            let is_answered = config.captcha.is_some();
            let carried = config.gateway.carried().map(<[_]>::to_vec);
            move |settings| {
                let mut wrong = settings.weaknesses(guessable, long_life);
                let unknown = messages.wrong_in(settings).into_iter();
                wrong.extend(unknown.map(|wrong| settings.complaint(wrong)));
                if !is_answered {
                    wrong.extend(settings.unanswerable());
                }
                wrong.extend(carried.iter().filter_map(|carried| settings.uncarried(carried)));
                wrong.extend(elsewhere.iter().flat_map(|lifetime| settings.not_elsewhere(*lifetime)));
                wrong
            }
        }),
        events,
        clock,
        entropy: Entropy::system(),
        policy: parts::policy(config),
        test_numbers: config.test_numbers.clone(),
        numbers: parts::numbers(config),
        limits: config.limits.clone(),
        fraud: config.fraud.clone(),
        prices: config.prices.clone(),
        rates: config.twilio.segments_per_second.clone(),
        codes: parts::code_keys(config, local)?,
        senders: senders(config, local)?,
        accounts: parts::accounts(config, local),
        retention: parts::retention(config),
        captcha,
        lookups,
    }))
}

/// The `App` of a configuration without its faces, for a command on a store
/// that no server has open. A sandbox that does not run has forgotten all
/// messages, so there is nobody to send to.
///
/// # Errors
/// What is in the way, and what to do.
pub async fn offline(config: &Config) -> anyhow::Result<(App, Arc<dyn Maintenance>)> {
    let (store, dir) = open_existing(config).await?;
    let entropy = Entropy::system();
    let local = Local::load(dir.as_deref(), &entropy)?;
    let trust = Trust::from_env()?;
    let messages = Arc::new(parts::messages(config)?);
    let gateway: Arc<dyn Gateway> = match config.sandbox.enabled {
        true => Arc::new(Console::new(entropy, messages.clone())),
        false => {
            let public_url = PublicUrl::parse(config.public_url.as_deref().unwrap_or("http://127.0.0.1"))
                .context("public_url")?;
            gateway_of(config, &local, &public_url, None, &messages, &trust)?
        }
    };
    let ways_out = WaysOut::new(config, &local, gateway, None, &trust)?;
    let app = app_of(config, &local, store.clone(), ways_out, &messages, Clock::real())?;
    events::learn_endpoints(&app.telling).await.context("store.url")?;
    Ok((app, store))
}

/// Who messages and calls may come from.
fn senders(config: &Config, local: &Local) -> anyhow::Result<Senders> {
    // Verify sends as whom it likes.
    if config.gateway.kind == GatewayKind::Verify {
        return Ok(Senders::default());
    }
    let twilio = &config.twilio;
    let caller = twilio.from.clone().or_else(|| of_sandbox(config)).filter(|from| from.starts_with('+'));
    let usual = twilio.messaging_service_sid.clone().or_else(|| twilio.from.clone());
    let usual = usual.or_else(|| of_sandbox(config));
    let senders = Senders::new(parts::senders(config)?, usual, caller);
    Ok(senders.of_account(parts::main_account(config, local)))
}

/// The number that is there without being configured: where senders are listed, none is.
fn of_sandbox(config: &Config) -> Option<String> {
    let is_wanted = config.sandbox.enabled && config.twilio.senders.is_empty();
    if is_wanted { beside::sender() } else { None }
}

pub(super) fn gateway_of(
    config: &Config,
    local: &Local,
    public_url: &PublicUrl,
    sandbox_url: Option<String>,
    messages: &Arc<Catalog>,
    trust: &Trust,
) -> anyhow::Result<Arc<dyn Gateway>> {
    let of = |kind| -> anyhow::Result<Arc<dyn Gateway>> {
        Ok(match kind {
            GatewayKind::Console => Arc::new(Console::new(Entropy::system(), messages.clone())),
            GatewayKind::Http => Arc::new(parts::relay(config, public_url, messages, trust)?),
            GatewayKind::Verify => Arc::new(verify_of(config, local, trust)?),
            GatewayKind::Twilio => {
                Arc::new(twilio_of(config, local, public_url, sandbox_url.clone(), messages, trust)?)
            }
        })
    };
    let first = of(config.gateway.kind)?;
    Ok(match config.gateway.fallback {
        None => first,
        Some(next) => {
            Arc::new(Routes::new([(config.gateway.kind.as_str(), first), (next.as_str(), of(next)?)]))
        }
    })
}

fn twilio_of(
    config: &Config,
    local: &Local,
    public_url: &PublicUrl,
    sandbox_url: Option<String>,
    messages: &Arc<Catalog>,
    trust: &Trust,
) -> anyhow::Result<Twilio<Client>> {
    let twilio = &config.twilio;
    let (account_sid, auth) = (account_sid(config, local), auth_of(config, local));
    let from = twilio.from.clone().or_else(|| of_sandbox(config));
    // Where senders are listed, each request names its own.
    let listed = twilio.senders.first().map(|first| first.sender.clone());
    let sender = match (&twilio.messaging_service_sid, from.clone().or(listed)) {
        (Some(service), _) => Sender::MessagingService(service.clone()),
        (None, Some(from)) => Sender::From(from),
        (None, None) => anyhow::bail!("nobody to send as: set twilio.from or twilio.messaging_service_sid"),
    };
    let base_url = twilio.base_url.clone().or(sandbox_url).unwrap_or_else(|| "https://api.twilio.com".into());
    let settings = twilio::Settings {
        content_url: beside_api("content", &base_url),
        base_url,
        account_sid,
        auth,
        others: parts::sending_accounts(config),
        sender,
        call_from: from,
        messages: messages.clone(),
        public_url: public_url.to_string(),
        voice_fallback_url: twilio.voice_fallback_url.clone(),
        ring: config.voice.ring,
        machine_detection: parts::machine_detection(config),
        concurrency: twilio.max_in_flight,
    };
    let client = Client::new(twilio.connect_timeout, twilio.request_timeout, trust);
    let client = client.context("cannot set up TLS")?;
    Ok(Twilio::new(settings, client))
}

fn verify_of(config: &Config, local: &Local, trust: &Trust) -> anyhow::Result<Verify<Client>> {
    let (twilio, verify) = (&config.twilio, &config.gateway.verify);
    let settings = verify::Settings {
        base_url: verify_base_url(config),
        service_sid: verify.service_sid.clone().context("gateway.verify.service_sid is missing")?,
        account_sid: account_sid(config, local),
        auth: auth_of(config, local),
        concurrency: twilio.max_in_flight,
    };
    let client = Client::new(twilio.connect_timeout, twilio.request_timeout, trust);
    Ok(Verify::new(settings, client.context("cannot set up TLS")?))
}

/// Where Verify is: where it was said to be, or beside the API.
pub fn verify_base_url(config: &Config) -> String {
    let api = config.twilio.base_url.as_deref().unwrap_or("https://api.twilio.com");
    config.gateway.verify.base_url.clone().unwrap_or_else(|| beside_api("verify", api))
}

/// Who is asked about numbers, at Twilio or in the sandbox; nothing where nobody is.
fn lookups_of(
    config: &Config,
    local: &Local,
    sandbox_url: Option<&str>,
    trust: &Trust,
) -> anyhow::Result<Option<(Lookups, LookupSettings)>> {
    let Some(settings) = config.lookup.clone() else { return Ok(None) };
    let base_url = match (&settings.base_url, &config.twilio.base_url, sandbox_url) {
        (Some(own), ..) => own.clone(),
        (None, Some(twilio), _) => beside_api("lookups", twilio),
        (None, None, Some(sandbox)) => sandbox.to_owned(),
        (None, None, None) => "https://lookups.twilio.com".to_owned(),
    };
    let client = Client::new(config.twilio.connect_timeout, settings.request_timeout, trust);
    let client = Arc::new(client.context("cannot set up TLS")?);
    let lookups = Lookups::new(&base_url, auth_of(config, local), client);
    Ok(Some((lookups, settings)))
}

/// The host of a product of Twilio's that goes with one of the API:
/// `api.dublin.ie1.twilio.com` has `lookups.dublin.ie1.twilio.com`, and what is no host of
/// Twilio's is asked for all of them.
fn beside_api(product: &str, base_url: &str) -> String {
    let Ok(url) = Url::parse(base_url) else { return base_url.to_owned() };
    let rest = url.host_str().and_then(|host| host.strip_prefix("api."));
    match rest.filter(|rest| *rest == "twilio.com" || rest.ends_with(".twilio.com")) {
        Some(rest) => format!("{}://{product}.{rest}", url.scheme()),
        None => base_url.to_owned(),
    }
}

/// Name and password of requests to Twilio: an API key's, or else the account's.
fn auth_of(config: &Config, local: &Local) -> (String, Secret) {
    match (&config.twilio.api_key_sid, &config.twilio.api_key_secret) {
        (Some(sid), Some(secret)) => (sid.clone(), secret.clone()),
        _ => (account_sid(config, local), auth_token(config, local)),
    }
}

pub(super) fn context_of(
    config: &Config,
    local: &Local,
    public_url: &PublicUrl,
    app: App,
    messages: Arc<Catalog>,
    opens_account: Option<http::OpensAccount>,
) -> anyhow::Result<http::Context> {
    let verifier = Arc::new(parts::verifier(config, local)?);
    let env_key = std::env::var("DIALBACK_API_KEY").ok().filter(|key| !key.is_empty());
    let settings = http::Settings {
        public_url: public_url.clone(),
        trusted_proxies: config.signature.trusted_proxies.clone(),
        hosts: config.signature.hosts.clone(),
        mode: parts::signature_mode(config),
        max_body: config.server.max_body_bytes,
        body_timeout: config.server.request_timeout,
        service_name: config.service_name.clone(),
        messages,
        keys: env_key.map(Secret::new).into_iter().collect(),
        sandbox_key: config.sandbox.enabled.then(|| local.api_key.clone()),
        sandboxed: config.sandbox.enabled,
        account_sid: parts::main_account(config, local),
        opens_account,
        operator: Some(http::Operator(Secret::new(format!("dbo_{}", Entropy::system().hex::<32>())))),
        shows_description: match config.server.openapi {
            Openapi::Private => !config.is_public(),
            Openapi::Always => true,
            Openapi::Never => false,
        },
        requests_per_minute: config.api.requests_per_minute,
    };
    let explainer = Explainer::start(verifier.clone(), Vec::new());
    let pages = http::Pages::load(config.pages.templates.as_deref())?;
    Ok(http::Context::new(app, verifier, settings, pages, explainer))
}

#[cfg(test)]
mod tests {
    use super::beside_api;

    #[test]
    fn a_product_has_the_region_of_the_api() {
        for (base_url, lookups) in [
            ("https://api.twilio.com", "https://lookups.twilio.com"),
            ("https://api.twilio.com:443/", "https://lookups.twilio.com"),
            ("https://api.dublin.ie1.twilio.com", "https://lookups.dublin.ie1.twilio.com"),
            ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
            ("https://api.nottwilio.com", "https://api.nottwilio.com"),
        ] {
            assert_eq!(beside_api("lookups", base_url), lookups, "{base_url}");
            assert_eq!(beside_api("verify", base_url), lookups.replace("lookups", "verify"));
        }
    }
}
