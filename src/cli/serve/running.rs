//! Everything put together, started in order and stopped in order.

use super::account::{account_sid, auth_token};
use super::assemble::{WaysOut, app_of, context_of, gateway_of};
use super::beside::Beside;
use super::parts;
use super::ports::{AllLimits, bind, limits, reachable};
use super::stop::told;
use super::stores::open_store;
use crate::app::admin::all_keys;
use crate::app::{App, audit, events, fraud};
use crate::cli::local::{self, Local};
use crate::cli::operator::Operator;
use crate::clock::Clock;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::http;
use crate::jobs;
use crate::model::phone::PhoneNumber;
use crate::secret::Secret;
use crate::server;
use crate::store::{Maintenance, StoreError};
use crate::trust::Trust;
use crate::twilio::url::PublicUrl;
use anyhow::Context;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A service that is ready to run: its ports are bound and its store is open.
pub struct Running {
    config: Config,
    listener: TcpListener,
    admin: Option<TcpListener>,
    sandbox: Option<Beside>,
    app: App,
    context: Arc<http::Context>,
    store: Arc<dyn Maintenance>,
    store_dir: Option<PathBuf>,
    local: Local,
    public_url: PublicUrl,
    /// The server's, and the sandbox's.
    limits: AllLimits,
}

impl Running {
    /// Binds the ports, opens the store and makes what is missing.
    ///
    /// # Errors
    /// What is in the way, and what to do.
    pub async fn open(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let entropy = Entropy::system();
        let trust = Trust::from_env()?;
        let limits = limits(&config)?;
        // The numbering plans are unpacked when they are first asked: now, and
        // not while the first person waits.
        std::thread::spawn(|| "+16505550100".parse::<PhoneNumber>().map(|number| number.region()));
        let listener = bind(config.server.listen, "server.listen")?;
        let admin = config.server.admin_listen.map(|addr| bind(addr, "server.admin_listen")).transpose()?;
        let sandbox_listener = match config.sandbox.enabled {
            true => Some(bind(config.sandbox.listen, "sandbox.listen")?),
            false => None,
        };
        let (store, store_dir) = open_store(&config).await?;
        let local = Local::load(store_dir.as_deref(), &entropy)?;
        let own = format!("http://{}", reachable(listener.local_addr()?));
        let public_url = config.public_url.clone().unwrap_or_else(|| own.clone());
        let public_url = PublicUrl::parse(&public_url).context("public_url")?;
        let sandbox = match sandbox_listener {
            Some(listener) => {
                let server = (own.as_str(), &public_url);
                Some(Beside::new(listener, &config, &local, server, clock.clone(), &trust)?)
            }
            None => None,
        };
        let sandbox_url = sandbox.as_ref().and_then(Beside::addr).map(|addr| format!("http://{addr}"));
        let messages = Arc::new(parts::messages(&config)?);
        let gateway = gateway_of(&config, &local, &public_url, sandbox_url.clone(), &messages, &trust)?;
        let ways_out = WaysOut::new(&config, &local, gateway, sandbox_url.as_deref(), &trust)?;
        let app = app_of(&config, &local, store.clone(), ways_out, &messages, clock)?;
        events::learn_endpoints(&app.telling).await.context("store.url")?;
        let opens_account = sandbox.as_ref().map(Beside::opens_account);
        let context = context_of(&config, &local, &public_url, app.clone(), messages, opens_account)?;
        let context = Arc::new(context.holding(limits.server.max_connections));
        Ok(Self {
            config,
            listener,
            admin,
            sandbox,
            app,
            context,
            store,
            store_dir,
            local,
            public_url,
            limits,
        })
    }

    /// Where the server listens.
    pub fn server_addr(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Where this machine's own are listened to, when they are.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Where the sandbox listens, when there is one.
    pub fn sandbox_addr(&self) -> Option<SocketAddr> {
        self.sandbox.as_ref().and_then(Beside::addr)
    }

    /// Where Twilio reaches the server.
    pub fn public_url(&self) -> &PublicUrl {
        &self.public_url
    }

    /// The sandbox's API key.
    pub fn sandbox_key(&self) -> Option<&Secret> {
        self.sandbox.as_ref().map(|_| &self.local.api_key)
    }

    /// The sandbox's account, which applications name that speak to it as to Twilio.
    pub fn sandbox_account(&self) -> Option<String> {
        self.sandbox.as_ref().map(|_| account_sid(&self.config, &self.local))
    }

    /// The file with the token that the sandbox has made for itself; nothing where
    /// one is configured.
    pub fn sandbox_token_file(&self) -> Option<PathBuf> {
        let is_made = self.sandbox.is_some() && self.config.twilio.auth_token.is_none();
        self.store_dir.as_ref().filter(|_| is_made).map(|dir| dir.join(local::NAME))
    }

    /// Whether there is any key that an application could show.
    ///
    /// # Errors
    /// The store's.
    pub async fn has_a_key(&self) -> anyhow::Result<bool> {
        let settings = &self.context.settings;
        let is_set = !settings.keys.is_empty() || settings.sandbox_key.is_some();
        Ok(is_set || !all_keys(&*self.store).await?.is_empty())
    }

    /// Whether a key could be made beside the server, which needs a store that is kept.
    pub fn keeps_keys(&self) -> bool {
        self.store_dir.is_some()
    }

    /// Writes up in the audit log which settings are others than at the last
    /// start.
    ///
    /// # Errors
    /// The store's.
    pub async fn note_configuration(&self, settings: &[(String, Secret, bool)]) -> anyhow::Result<()> {
        let changed = audit::note_configuration(&self.app.base, &self.app.verifying.codes, settings)
            .await
            .context("store.url")?;
        if !changed.is_empty() && changed.len() < settings.len() {
            tracing::info!(
                changed = changed.join(", "),
                "the configuration is another one than at the last start"
            );
        }
        Ok(())
    }

    /// Leaves word for the command line of this machine, before anybody else
    /// is told that we are there.
    ///
    /// # Errors
    /// When the operator's file cannot be written.
    pub fn announce(&self) -> anyhow::Result<()> {
        let (Some(dir), Some(addr)) = (&self.store_dir, self.server_addr()) else {
            return Ok(());
        };
        self.operator(addr).write(dir).with_context(|| format!("cannot write to {}", dir.display()))
    }

    /// Serves until `stop`, then finishes: no new connections, requests in
    /// flight, what is being done, and the store last. It stops by itself when it
    /// cannot do its work any more, and says why.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Option<Failure> {
        let operator = self.server_addr().map(|addr| self.operator(addr));
        let (stopping, stopped) = watch::channel(());
        let AllLimits { server: limits, admin: admin_limits, sandbox: sandbox_limits } = self.limits;
        let admin = self.admin.map(|listener| {
            let own = listener.local_addr().ok().filter(|addr| !addr.ip().is_unspecified());
            let own = own.map(|addr| addr.ip().to_string());
            let hosts = own.into_iter().chain(self.config.server.admin_hosts.iter().cloned()).collect();
            let service = warp::service(http::admin(self.context.clone(), hosts));
            tokio::spawn(server::serve(listener, service, admin_limits, told(stopped.clone())))
        });
        let service = warp::service(http::filter(self.context.clone()));
        let server = tokio::spawn(server::serve(self.listener, service, limits, told(stopped.clone())));
        let work = jobs::run(self.app.clone(), parts::jobs(&self.config), told(stopped.clone()));
        let mut work = tokio::spawn(work);
        let sandbox = self.sandbox.map(|sandbox| tokio::spawn(sandbox.run(sandbox_limits, stopped)));
        let failure = tokio::select! {
            () = stop => None,
            failure = self.store.failed() => Some(Failure::Store(failure)),
            // It ends when it is told to, or by a panic, which was reported: who goes
            // on without it takes requests for codes and sends none.
            _ = &mut work => Some(Failure::Work),
        };
        match &failure {
            None => tracing::info!("stopping"),
            Some(failure) => tracing::error!(%failure, "stopping, when what can be answered is"),
        }
        drop(stopping);
        let drained = server.await.unwrap_or_default();
        if let Some(admin) = admin {
            let _ = admin.await;
        }
        // The store closes whatever became of the work.
        if !matches!(failure, Some(Failure::Work)) {
            let _ = work.await;
        }
        if let Some(sandbox) = sandbox {
            let _ = sandbox.await;
        }
        if failure.is_none() {
            fraud::close(&self.app.base, &self.app.fraud).await;
            self.app.admission.alerts.flush(&self.app.telling).await;
            self.app.admission.limiting.close(&self.app.base).await;
        }
        self.store.close().await;
        if let (Some(dir), Some(operator)) = (&self.store_dir, operator) {
            let _ = operator.remove(dir);
        }
        tracing::info!(connections_cut = drained.connections_cut, "stopped");
        failure
    }

    fn operator(&self, addr: SocketAddr) -> Operator {
        let sandboxed = self.sandbox.is_some();
        Operator {
            url: format!("http://{}", reachable(addr)),
            admin: self.admin_addr().map(|addr| format!("http://{}", reachable(addr))),
            key: self
                .context
                .settings
                .operator
                .as_ref()
                .map(|operator| operator.0.clone())
                .unwrap_or_default(),
            public_url: self.public_url.to_string(),
            account_sid: sandboxed.then(|| account_sid(&self.config, &self.local)),
            auth_token: sandboxed.then(|| auth_token(&self.config, &self.local)),
        }
    }
}

/// Why a server stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The store takes no more writes.
    #[error("the store takes no more writes: {0}")]
    Store(StoreError),
    /// Nobody does any more what falls due.
    #[error("what falls due is not done any more: a fault of this program, see the panic above")]
    Work,
}
