//! The service beside `dialback sandbox`, for an application that uses Verify v2 and
//! has only the sandbox: the product itself over a memory store, on a port of this
//! machine's own, that sends by way of the sandbox and for the sandbox's account.
//!
//! It refuses to know the sandbox but by its address and by who has its account.

use super::assemble::{WaysOut, app_of, context_of, gateway_of};
use super::parts;
use super::ports::bind;
use super::stop::told;
use crate::app::{App, events};
use crate::cli::local::Local;
use crate::clock::Clock;
use crate::config::{Config, GatewayKind, StoreUrl};
use crate::entropy::Entropy;
use crate::http::{self, OpensAccount};
use crate::jobs;
use crate::secret::Secret;
use crate::server::{self, Limits};
use crate::store::Maintenance;
use crate::store::memory::Memory;
use crate::trust::Trust;
use crate::twilio::url::PublicUrl;
use anyhow::Context;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The sandbox as the service knows it.
#[derive(Clone)]
pub struct Twilio {
    /// Where it is, such as `http://127.0.0.1:8001`.
    pub base_url: String,
    /// The SID of its account.
    pub account_sid: String,
    /// The account's token, with which its webhooks are signed.
    pub auth_token: Secret,
    /// A number that exists there, when not every one does.
    pub sender: Option<String>,
    /// Who has the account.
    pub opens: OpensAccount,
}

/// A service that is ready to run.
pub struct Verify {
    listener: TcpListener,
    address: SocketAddr,
    config: Config,
    app: App,
    context: Arc<http::Context>,
    store: Arc<dyn Maintenance>,
    limits: Limits,
}

impl Verify {
    /// Binds a port and puts the service together. Of the configuration count its
    /// services, its words and its rules; nothing is kept, and nobody else is told.
    ///
    /// # Errors
    /// What is in the way.
    pub async fn open(config: Config, twilio: Twilio, clock: Clock, limits: Limits) -> anyhow::Result<Self> {
        let listener = bind((Ipv4Addr::LOCALHOST, 0).into(), "a port for Verify")?;
        let address = listener.local_addr()?;
        let own = format!("http://{address}");
        let config = configured(config, &twilio, &own);
        let local = Local {
            account_sid: twilio.account_sid,
            auth_token: twilio.auth_token,
            ..Local::load(None, &Entropy::system())?
        };
        let trust = Trust::from_env()?;
        let public_url = PublicUrl::parse(&own).context("the port for Verify")?;
        let messages = Arc::new(parts::messages(&config)?);
        let store: Arc<dyn Maintenance> = Arc::new(Memory::new());
        let sandbox_url = twilio.base_url;
        let gateway = gateway_of(&config, &local, &public_url, Some(sandbox_url.clone()), &messages, &trust)?;
        let ways_out = WaysOut::new(&config, &local, gateway, Some(&sandbox_url), &trust)?;
        let app = app_of(&config, &local, store.clone(), ways_out, &messages, clock)?;
        events::learn_endpoints(&app.telling).await?;
        let context = context_of(&config, &local, &public_url, app.clone(), messages, Some(twilio.opens))?;
        let context = Arc::new(context.holding(limits.max_connections));
        Ok(Self { listener, address, config, app, context, store, limits })
    }

    /// Where it is.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until it is told to stop, then finishes what is under way.
    pub async fn run(self, stopped: watch::Receiver<()>) {
        let service = warp::service(http::filter(self.context.clone()));
        let server = server::serve(self.listener, service, self.limits, told(stopped.clone()));
        // Of the sandbox's own templates nobody need be told.
        let settings = jobs::Settings { looks_at_templates: false, ..parts::jobs(&self.config) };
        let work = jobs::run(self.app, settings, told(stopped));
        // Who panicked has been reported.
        let _ = tokio::join!(tokio::spawn(server), tokio::spawn(work));
        self.store.close().await;
    }
}

fn configured(mut config: Config, twilio: &Twilio, own: &str) -> Config {
    config.public_url = Some(own.to_owned());
    config.sandbox.enabled = true;
    config.store.url = StoreUrl::Memory;
    config.server.admin_listen = None;
    config.gateway.kind = GatewayKind::Twilio;
    config.gateway.fallback = None;
    config.signature.trusted_proxies.clear();
    config.signature.hosts.clear();
    config.signature.shared_keys.clear();
    let own = &mut config.twilio;
    own.base_url = None;
    own.account_sid = Some(twilio.account_sid.clone());
    own.auth_token = Some(twilio.auth_token.clone());
    own.auth_tokens.clear();
    own.accounts.clear();
    own.senders.clear();
    (own.api_key_sid, own.api_key_secret) = (None, None);
    own.messaging_service_sid = None;
    own.from = twilio.sender.clone().or_else(|| own.from.take().filter(|from| !from.starts_with("MG")));
    config
}
