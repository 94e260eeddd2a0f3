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
use crate::gateway::twilio::{self, Twilio};
use crate::gateway::{Gateway, console::Console};
use crate::http::{self, Explainer};
use crate::secret::Secret;
use crate::store::Maintenance;
use crate::texts::Catalog;
use crate::trust::Trust;
use crate::twilio::request::Sender;
use crate::twilio::url::PublicUrl;
use anyhow::Context;
use std::sync::Arc;

/// The `App` of a configuration, with its ways out for codes and for events.
pub(super) fn app_of(
    config: &Config,
    local: &Local,
    store: Arc<dyn Maintenance>,
    (gateway, events, captcha): (Arc<dyn Gateway>, Events, Option<Captcha>),
    messages: &Arc<Catalog>,
    clock: Clock,
) -> anyhow::Result<App> {
    Ok(App::new(Parts {
        store,
        gateway,
        services: parts::directory(config, clock.now()).judged_by({
            let messages = messages.clone();
            let verification = &config.verification;
            let guessable = verification.allow_guessable_codes.is_some();
            let long_life = verification.allow_long_life.is_some();
            let is_answered = config.captcha.is_some();
            move |settings| {
                let mut wrong = settings.weaknesses(guessable, long_life);
                let unknown = messages.wrong_in(settings).into_iter();
                wrong.extend(unknown.map(|wrong| settings.complaint(wrong)));
                if !is_answered {
                    wrong.extend(settings.unanswerable());
                }
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
        codes: parts::code_keys(config, local)?,
        sender: sender(config),
        accounts: parts::accounts(config, local),
        retention: parts::retention(config),
        captcha,
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
    let ways_out = (gateway, parts::events(config, &trust)?, parts::captcha(config, &trust)?);
    let app = app_of(config, &local, store.clone(), ways_out, &messages, Clock::real())?;
    events::learn_endpoints(&app.telling).await.context("store.url")?;
    Ok((app, store))
}

fn sender(config: &Config) -> Option<String> {
    let twilio = &config.twilio;
    twilio.messaging_service_sid.clone().or_else(|| twilio.from.clone()).or_else(|| of_sandbox(config))
}

/// The number that is there without being configured.
fn of_sandbox(config: &Config) -> Option<String> {
    if config.sandbox.enabled { beside::sender() } else { None }
}

pub(super) fn gateway_of(
    config: &Config,
    local: &Local,
    public_url: &PublicUrl,
    sandbox_url: Option<String>,
    messages: &Arc<Catalog>,
    trust: &Trust,
) -> anyhow::Result<Arc<dyn Gateway>> {
    if config.gateway.kind == GatewayKind::Console {
        return Ok(Arc::new(Console::new(Entropy::system(), messages.clone())));
    }
    let twilio = &config.twilio;
    let account_sid = account_sid(config, local);
    let auth = match (&twilio.api_key_sid, &twilio.api_key_secret) {
        (Some(sid), Some(secret)) => (sid.clone(), secret.clone()),
        _ => (account_sid.clone(), auth_token(config, local)),
    };
    let from = twilio.from.clone().or_else(|| of_sandbox(config));
    let sender = match (&twilio.messaging_service_sid, &from) {
        (Some(service), _) => Sender::MessagingService(service.clone()),
        (None, Some(from)) => Sender::From(from.clone()),
        (None, None) => anyhow::bail!("nobody to send as: set twilio.from or twilio.messaging_service_sid"),
    };
    let base_url = twilio.base_url.clone().or(sandbox_url).unwrap_or_else(|| "https://api.twilio.com".into());
    let settings = twilio::Settings {
        base_url,
        account_sid,
        auth,
        sender,
        call_from: from,
        messages: messages.clone(),
        public_url: public_url.to_string(),
        ring: config.voice.ring,
        machine_detection: parts::machine_detection(config),
        concurrency: twilio.max_in_flight,
    };
    let client = Client::new(twilio.connect_timeout, twilio.request_timeout, trust);
    let client = client.context("cannot set up TLS")?;
    Ok(Arc::new(Twilio::new(settings, client)))
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
