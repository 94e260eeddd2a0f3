//! The sandbox beside the server: what it is told of the configuration, and what it
//! gives to whoever has no account. `alone.rs` is the same for a build without one.
//!
//! It refuses to know the service, which the sandbox speaks to as Twilio does.

use super::account::{account_sid, auth_token};
use super::stop::told;
use crate::cli::local::Local;
use crate::clock::Clock;
use crate::config::{Config, SandboxProfile, SandboxSenders};
use crate::entropy::Entropy;
use crate::http::OpensAccount;
use crate::sandbox::{self, Sandbox};
use crate::server::{self, Limits};
use crate::trust::Trust;
use crate::twilio::url::PublicUrl;
use anyhow::Context;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A sandbox with its port.
pub struct Beside {
    listener: TcpListener,
    sandbox: Sandbox,
}

impl Beside {
    /// One that is ready to run, for a server at that address, which webhooks reach
    /// at that URL. `local` has its account and the key that it shows.
    ///
    /// # Errors
    /// When it cannot be set up.
    pub fn new(
        listener: TcpListener,
        config: &Config,
        local: &Local,
        (server, public_url): (&str, &PublicUrl),
        clock: Clock,
        trust: &Trust,
    ) -> anyhow::Result<Self> {
        let mut settings = sandbox::Settings::new(account_sid(config, local), auth_token(config, local));
        settings.seed = config.sandbox.seed;
        settings.pace = config.sandbox.pace;
        (settings.senders, settings.profile) = rules(config);
        settings.keep = keep(config);
        settings.trust = trust.clone();
        settings.app =
            Some(sandbox::DialbackApi { base_url: server.to_owned(), api_key: local.api_key.clone() });
        // Services of the file name others beside it: here all exist, unless only
        // what is owned does.
        let owned = config.sandbox.senders == SandboxSenders::Owned;
        let exists = |from: &&String| owned || !from.starts_with("MG");
        settings.own_numbers = config.twilio.from.iter().filter(exists).cloned().collect();
        // With one sender that there is, the others of the list are there, too.
        let listed = config.twilio.senders.iter();
        let of_main = listed.filter(|sender| config.twilio.other_account(sender).is_none());
        let listed = of_main.map(|sender| sender.sender.clone()).filter(|sender| exists(&sender));
        let listed: Vec<String> = listed.collect();
        if owned || !settings.own_numbers.is_empty() {
            settings.own_numbers.extend(listed);
        }
        settings.others = others(config);
        settings.hosts = vec![config.sandbox.listen.ip().to_string()];
        settings.inbound.sms_url = Some(format!("{public_url}/twilio/sms"));
        settings.inbound.voice_url = Some(format!("{public_url}/twilio/voice"));
        settings.inbound.voice_status_url = Some(format!("{public_url}/twilio/call-status"));
        if let (Some(sid), Some(secret)) = (&config.twilio.api_key_sid, &config.twilio.api_key_secret) {
            settings.api_key = Some((sid.clone(), secret.clone()));
        }
        // Names come from the system: the store outlives the sandbox, and a name
        // that comes twice would make two messages one. The dice have the seed.
        let sandbox = Sandbox::new(settings, clock, Entropy::system());
        Ok(Self { listener, sandbox: sandbox.context("the sandbox cannot be set up")? })
    }

    /// Where it listens.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Who has its account: for one client of both.
    pub fn opens_account(&self) -> OpensAccount {
        let sandbox = self.sandbox.clone();
        Arc::new(move |user, password| sandbox.opens(user, password))
    }

    /// Serves until it is told to stop, then finishes what is under way.
    pub async fn run(self, limits: Limits, stopped: watch::Receiver<()>) {
        let service = warp::service(self.sandbox.filter());
        let background = tokio::spawn(self.sandbox.run(told(stopped.clone())));
        let server = tokio::spawn(server::serve(self.listener, service, limits, told(stopped)));
        // Who panicked has been reported.
        let _ = tokio::join!(server, background);
    }
}

/// The accounts beside the main one, with the numbers that stand in the list as theirs.
fn others(config: &Config) -> Vec<sandbox::OtherAccount> {
    let other = |(sid, account): (&String, &crate::config::Account)| {
        let is_its = |sender: &&crate::config::Sender| sender.account_sid.as_ref() == Some(sid);
        let senders = config.twilio.senders.iter().filter(is_its);
        let numbers = senders.map(|sender| sender.sender.clone()).filter(|sender| sender.starts_with('+'));
        let token = account.tokens.first()?.clone();
        Some(sandbox::OtherAccount { sid: sid.clone(), token, numbers: numbers.collect() })
    };
    config.twilio.accounts.iter().filter_map(other).collect()
}

/// Which senders pass, and which limits hold.
pub fn rules(config: &Config) -> (sandbox::Senders, sandbox::Profile) {
    let senders = match config.sandbox.senders {
        SandboxSenders::Any => sandbox::Senders::Any,
        SandboxSenders::Owned => sandbox::Senders::Owned,
    };
    let profile = match config.sandbox.profile {
        SandboxProfile::Unlimited => sandbox::Profile::Unlimited,
        SandboxProfile::Paid => sandbox::Profile::Paid,
        SandboxProfile::Trial => sandbox::Profile::Trial,
    };
    (senders, profile)
}

/// How much the sandbox keeps.
pub fn keep(config: &Config) -> sandbox::Keep {
    let own = &config.sandbox;
    sandbox::Keep {
        messages: own.keep_messages,
        phones: own.keep_phones,
        exchanges: own.keep_exchanges,
        ..sandbox::Keep::default()
    }
}

/// What bounds the sandbox's listener.
pub fn limits() -> Limits {
    Sandbox::limits()
}

/// The number that everything is sent from where none is configured.
pub fn sender() -> Option<String> {
    Some(sandbox::SENDER.to_owned())
}

/// The approved WhatsApp template where none is configured.
pub fn whatsapp_template() -> Option<String> {
    Some(sandbox::AUTHENTICATION_TEMPLATE.to_owned())
}
