//! The configuration, taken apart and handed on in the words of those who use it.

use super::beside;
use crate::app::events::{EventSettings, Events};
use crate::app::privacy::Retention;
use crate::app::services::ServiceDirectory;
use crate::cli::local::Local;
use crate::config::{self, Config, GatewayKind};
use crate::gateway::captcha::Captcha;
use crate::gateway::relay::{self, Relay};
use crate::gateway::twilio::{Account, LONGEST_TURN};
use crate::gateway::webhook::Messenger;
use crate::http::SignatureMode;
use crate::jobs;
use crate::model::account::{AccountSid, Accounts};
use crate::model::channel::Channel;
use crate::model::code::{CodeKey, CodeKeys};
use crate::model::id::ServiceId;
use crate::model::message::{Keep, Route};
use crate::model::phone::{Kind, NumberPolicy};
use crate::model::policy::Policy;
use crate::model::senders::{Sender, bare};
use crate::model::service::{ContentSids, Settings};
use crate::secret::Secret;
use crate::texts::Catalog;
use crate::trust::Trust;
use crate::twilio::request::MachineDetection;
use crate::twilio::signature::{SharedKey, Token, Verifier};
use crate::twilio::url::PublicUrl;
use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Twilio's magic numbers and North America's 555 numbers: in the sandbox they
/// are telephones like any other.
const FICTIONAL: [&str; 2] = ["+1500555", "+1555"];

/// With the two seconds between two looks of a process at what is due (`jobs`), what a
/// process had begun that died is taken up within fifteen.
const LEASE: Duration = Duration::from_millis(12_500);

/// The rules of verifications that no service sets.
pub fn policy(config: &Config) -> Policy {
    Policy {
        max_replays: config.voice.max_replays,
        lease: LEASE,
        longest_send: longest_send(config),
        ..Policy::default()
    }
}

fn longest_send(config: &Config) -> Duration {
    let (twilio, http) = (&config.twilio, &config.gateway.http);
    // Where one way out has not taken it, the next is asked within the same claim.
    let of = |kind| match kind {
        // Requests wait for their turn at Twilio alone.
        GatewayKind::Http => http.connect_timeout + http.request_timeout,
        GatewayKind::Twilio | GatewayKind::Verify | GatewayKind::Console => {
            LONGEST_TURN + twilio.connect_timeout + twilio.request_timeout
        }
    };
    config.gateway.kinds().map(of).sum()
}

/// A service of the operator's own as the way out, that calls back at `public_url`.
///
/// # Errors
/// When its address may not be called, or TLS cannot be set up.
pub fn relay(
    config: &Config,
    public_url: &PublicUrl,
    messages: &Arc<Catalog>,
    trust: &Trust,
) -> anyhow::Result<Relay> {
    let http = &config.gateway.http;
    let settings = relay::Settings {
        url: http.url.clone().unwrap_or_default(),
        secrets: http.secrets.clone(),
        channels: http.channels.clone(),
        from: config.twilio.from.clone(),
        messages: messages.clone(),
        callback_url: public_url.join("/gateway/status"),
        connect_timeout: http.connect_timeout,
        request_timeout: http.request_timeout,
        // Whoever tries it on one machine has the gateway there, too.
        allow_private: http.allow_private_address.is_some() || !config.is_public(),
    };
    Ok(Relay::new(settings, trust)?)
}

/// The services of the configuration, made at `now` as far as they say when.
pub fn directory(config: &Config, now: Timestamp) -> ServiceDirectory {
    let services = services(config);
    let others = services.others.into_iter();
    let others = others.map(|(key, settings)| ServiceDirectory::of_file(Some(&key), settings, now));
    ServiceDirectory::new(ServiceDirectory::of_file(None, services.default, now), others.collect())
}

/// The service that a person names: by its id, by its key in the configuration,
/// `default`, or by the name that people read, where no other of the configuration
/// has that.
///
/// # Errors
/// When it is none of these, with the keys that there are, or several have the name.
pub fn service_id(config: &Config, name: &str) -> anyhow::Result<ServiceId> {
    let others = &config.services.others;
    let so_called = std::iter::once(("", &config.services.default))
        .chain(others.iter().map(|(key, settings)| (key.as_str(), settings)))
        .filter(|(_, settings)| settings.name == name)
        .map(|(key, _)| key);
    match (name.parse::<ServiceId>(), name, so_called.collect::<Vec<_>>().as_slice()) {
        (Ok(id), ..) => Ok(id),
        (_, "default", _) => Ok(ServiceId::from_name("")),
        (_, key, _) if others.contains_key(key) => Ok(ServiceId::from_name(key)),
        (_, _, [key]) => Ok(ServiceId::from_name(key)),
        (_, _, [_, _, ..]) => {
            anyhow::bail!(
                "several services of the configuration are called {name:?}: name one by its key or its id"
            )
        }
        _ => {
            let keys: Vec<&str> =
                std::iter::once("default").chain(others.keys().map(String::as_str)).collect();
            anyhow::bail!(
                "there is no service {name:?}: name one by its id (VA…), by its name, or by its key in the configuration: {}",
                keys.join(", ")
            )
        }
    }
}

/// The services with what the sandbox gives them.
pub fn services(config: &Config) -> config::Services {
    let mut services = config.services.clone();
    if config.sandbox.enabled {
        let all = std::iter::once(&mut services.default).chain(services.others.values_mut());
        let mut listed = config.twilio.senders.iter();
        let is_listed = listed.any(|sender| sender.channels.contains(&Channel::Whatsapp));
        all.for_each(|settings| on_sandbox_whatsapp(settings, is_listed));
    }
    services
}

/// The sandbox has a sender and an approved template for whoever has none.
fn on_sandbox_whatsapp(settings: &mut Settings, is_listed: bool) {
    settings.whatsapp_from =
        settings.whatsapp_from.take().or_else(|| beside::sender().filter(|_| !is_listed));
    settings.whatsapp_content_sid =
        settings.whatsapp_content_sid.take().or_else(|| beside::whatsapp_template().map(ContentSids::One));
}

/// The words of messages, with the services that use them looked at.
///
/// # Errors
/// Every mistake in a text, and every service that names what does not exist.
pub fn messages(config: &Config) -> anyhow::Result<Catalog> {
    let catalog = match &config.messages.dir {
        Some(dir) => Catalog::load(dir)?,
        None => Catalog::shipped(),
    };
    let services = &config.services;
    let named = services.others.iter().map(|(key, settings)| (key.as_str(), settings));
    let mut wrong = Vec::new();
    for (key, settings) in std::iter::once(("default", &services.default)).chain(named) {
        wrong.extend(catalog.wrong_in(settings).into_iter().map(|wrong| format!("services.{key}.{wrong}")));
    }
    anyhow::ensure!(wrong.is_empty(), wrong.join("\n"));
    Ok(catalog)
}

/// What applications are told, and how.
///
/// # Errors
/// When TLS cannot be set up.
pub fn events(config: &Config, trust: &Trust) -> anyhow::Result<Events> {
    let events = &config.events;
    // Whoever tries the sandbox on one machine has the receivers there, too.
    let tried_out = config.sandbox.enabled && !config.is_public();
    let allow_private = events.allow_private_addresses.is_some() || tried_out;
    let courier = Messenger::new(events.connect_timeout, events.request_timeout, allow_private, trust)
        .context("cannot set up TLS")?;
    let settings = EventSettings {
        record: events.record.iter().cloned().collect(),
        retention: retention(config).events.unwrap_or(SignedDuration::MAX),
        max_endpoints: events.max_endpoints,
        max_in_flight: events.max_in_flight,
        max_streams: events.max_streams,
        timeout: events.request_timeout,
        disable_after: events.disable_after.try_into()?,
    };
    Ok(Events::new(Arc::new(courier), settings))
}

/// Who says that a person is there; nothing where nobody's proofs count.
///
/// # Errors
/// When TLS cannot be set up.
pub fn captcha(config: &Config, trust: &Trust) -> anyhow::Result<Option<Captcha>> {
    let Some(settings) = config.captcha.clone() else { return Ok(None) };
    Ok(Some(Captcha::new(settings, trust).context("cannot set up TLS")?))
}

/// What bounds the work that falls due.
pub fn jobs(config: &Config) -> jobs::Settings {
    let config::Jobs {
        max_person_in_flight,
        max_chores_in_flight,
        max_long_in_flight,
        max_bulk_in_flight,
        set_aside_after,
    } = config.jobs;
    jobs::Settings {
        max_person_in_flight,
        max_chores_in_flight,
        max_long_in_flight,
        max_bulk_in_flight,
        set_aside_after,
        sweep_hour: config.sweep_hour,
        looks_at_templates: true,
        ..jobs::Settings::default()
    }
}

/// How long records are kept.
pub fn retention(config: &Config) -> Retention {
    let config::Retention { verifications, deliveries, events, audit, decisions, messages, failed_messages } =
        &config.retention;
    let span = |span: &Option<Duration>| span.and_then(|span| SignedDuration::try_from(span).ok());
    Retention {
        verifications: span(verifications),
        deliveries: span(deliveries),
        events: span(events),
        audit: span(audit),
        decisions: span(decisions),
        messages: Keep {
            finished: SignedDuration::try_from(*messages).unwrap_or(SignedDuration::MAX),
            failed: SignedDuration::try_from(*failed_messages).unwrap_or(SignedDuration::MAX),
        },
    }
}

/// The rules of numbers.
pub fn numbers(config: &Config) -> NumberPolicy {
    use config::NumberKind;
    let kind = |kind: &NumberKind| match kind {
        NumberKind::Premium => Kind::Premium,
        NumberKind::SharedCost => Kind::SharedCost,
        NumberKind::Satellite => Kind::Satellite,
        NumberKind::Personal => Kind::Personal,
        NumberKind::Pager => Kind::Pager,
        NumberKind::Voicemail => Kind::Voicemail,
        NumberKind::Uan => Kind::Uan,
        NumberKind::TollFree => Kind::TollFree,
        NumberKind::Voip => Kind::Voip,
    };
    NumberPolicy {
        default_region: config.numbers.default_region.clone(),
        refuse: config.numbers.refuse.iter().map(kind).collect(),
        fictional: if config.sandbox.enabled { FICTIONAL.map(str::to_owned).to_vec() } else { Vec::new() },
    }
}

/// The keys that derive codes.
///
/// # Errors
/// When they are too weak, or two have one name.
pub fn code_keys(config: &Config, local: &Local) -> anyhow::Result<CodeKeys> {
    if config.codes.keys.is_empty() {
        return local.code_keys();
    }
    let key = |key: &config::CodeKey| CodeKey { id: key.id.clone(), secret: key.secret.clone() };
    Ok(CodeKeys::new(config.codes.keys.iter().map(key).collect())?)
}

/// The account that sends: the configured one, or the sandbox's. Without either
/// nothing is sent by way of Twilio.
pub fn main_account(config: &Config, local: &Local) -> Option<String> {
    let of_sandbox = || config.sandbox.enabled.then(|| local.account_sid.clone());
    config.twilio.account_sid.clone().or_else(of_sandbox)
}

/// Which account has what.
pub fn accounts(config: &Config, local: &Local) -> Accounts {
    // A number is one sender on every channel.
    let mut senders = BTreeMap::new();
    for (sid, account) in &config.twilio.accounts {
        let own = account.senders.iter().map(|sender| (bare(sender).to_owned(), AccountSid::from(&**sid)));
        senders.extend(own);
    }
    for sender in &config.twilio.senders {
        if let Some(sid) = config.twilio.other_account(sender) {
            senders.insert(bare(&sender.sender).to_owned(), AccountSid::from(sid));
        }
    }
    // What left by one whose senders are out of the list is its own yet.
    let sending = config.twilio.accounts.keys().map(|sid| AccountSid::from(&**sid)).collect();
    Accounts { main: main_account(config, local).as_deref().map(AccountSid::from), sending, senders }
}

/// The senders of the list, in the model's own words.
///
/// # Errors
/// When one names a service that is not there.
pub fn senders(config: &Config) -> anyhow::Result<Vec<Sender>> {
    let sender = |sender: &config::Sender| -> anyhow::Result<Sender> {
        let services: anyhow::Result<Vec<ServiceId>> =
            sender.services.iter().map(|name| service_id(config, name)).collect();
        Ok(Sender {
            route: Route {
                sender: sender.sender.clone(),
                account: config.twilio.other_account(sender).map(str::to_owned),
            },
            channels: sender.channels.clone(),
            countries: sender.countries.clone(),
            services: services?,
            weight: sender.weight,
        })
    };
    config.twilio.senders.iter().map(sender).collect()
}

/// The accounts beside the main one, which senders of the list belong to, or did.
pub fn sending_accounts(config: &Config) -> Vec<Account> {
    let account = |(sid, own): (&String, &config::Account)| {
        let by_token = own.tokens.first().map(|token| (sid.clone(), token.clone()));
        let mut listed = config.twilio.senders.iter();
        let sends = listed.any(|sender| config.twilio.other_account(sender) == Some(sid));
        Some(Account { sid: sid.clone(), auth: own.api_key.clone().or(by_token)?, sends })
    };
    config.twilio.accounts.iter().filter_map(account).collect()
}

/// Who may sign webhooks. What names no account is the main account's.
///
/// # Errors
/// When a token is empty, or there are too many.
pub fn verifier(config: &Config, local: &Local) -> anyhow::Result<Verifier> {
    Ok(Verifier::new(tokens(config, Some(local)), shared_keys(config, Some(local)))?)
}

/// The tokens that may sign, the account's own first; `local` has the sandbox's.
pub fn tokens(config: &Config, local: Option<&Local>) -> Vec<Token> {
    let twilio = &config.twilio;
    let local = local.filter(|_| config.sandbox.enabled);
    let main = twilio.account_sid.clone().or_else(|| local.map(|local| local.account_sid.clone()));
    let own = twilio.auth_token.clone().or_else(|| local.map(|local| local.auth_token.clone()));
    let own = own.map(|secret| Token { label: "auth_token".to_owned(), account: main.clone(), secret });
    let accepted = twilio.auth_tokens.iter().enumerate().map(|(at, accepted)| Token {
        label: format!("auth_tokens[{at}]"),
        account: accepted.account_sid.clone().or_else(|| main.clone()),
        secret: accepted.token.clone(),
    });
    let others = twilio.accounts.iter().flat_map(|(sid, account)| {
        account.tokens.iter().enumerate().map(move |(at, secret)| Token {
            label: format!("accounts.{sid}[{at}]"),
            account: Some(sid.clone()),
            secret: secret.clone(),
        })
    });
    own.into_iter().chain(accepted).chain(others).collect()
}

/// The shared keys that may sign for the account.
pub fn shared_keys(config: &Config, local: Option<&Local>) -> Vec<SharedKey> {
    let main = local.map_or_else(|| config.twilio.account_sid.clone(), |local| main_account(config, local));
    let key = |(id, secret): (&String, &Secret)| SharedKey {
        id: id.clone(),
        account: main.clone(),
        secret: secret.clone(),
    };
    config.signature.shared_keys.iter().map(key).collect()
}

/// What happens to webhooks that nothing proves.
pub fn signature_mode(config: &Config) -> SignatureMode {
    match config.signature.mode {
        config::SignatureMode::Enforce => SignatureMode::Enforce,
        config::SignatureMode::ReportOnly => SignatureMode::ReportOnly,
    }
}

/// Whether calls find out who answered.
pub fn machine_detection(config: &Config) -> MachineDetection {
    match config.voice.machine_detection {
        config::MachineDetection::Off => MachineDetection::Off,
        config::MachineDetection::Enable => MachineDetection::Enable,
        config::MachineDetection::DetectMessageEnd => MachineDetection::DetectMessageEnd,
    }
}
