//! Everything put together, started in order and stopped in order.

use super::beside::{self, Beside};
#[cfg(not(feature = "postgres"))]
use super::built;
use super::{parts, room};
use crate::app::admin::all_keys;
use crate::app::events::{self, Events};
use crate::app::{App, Parts, audit};
use crate::cli::client::store_dir;
use crate::cli::local::{self, Local};
use crate::cli::operator::{self, Operator};
use crate::cli::private;
use crate::clock::Clock;
use crate::config::{self, Config, GatewayKind, Openapi, StoreUrl};
use crate::entropy::Entropy;
use crate::gateway::Gateway;
use crate::gateway::console::Console;
use crate::gateway::http::Client;
use crate::gateway::twilio::{self, Twilio};
use crate::http::{self, Explainer};
use crate::jobs;
use crate::model::phone::PhoneNumber;
use crate::secret::Secret;
use crate::server::{self, Limits};
use crate::store::memory::Memory;
use crate::store::{Store, StoreError, sled};
use crate::texts::Catalog;
use crate::trust::Trust;
use crate::twilio::request::Sender;
use crate::twilio::url::PublicUrl;
use anyhow::Context;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
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
    store: Arc<dyn Store>,
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
        let gateway = gateway_of(&config, &local, &public_url, sandbox_url, &messages, &trust)?;
        let ways_out = (gateway, parts::events(&config, &trust)?);
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

/// Ends when all are told to stop.
pub(super) async fn told(mut stopped: watch::Receiver<()>) {
    // Ends by a message or by the sender's end: both mean stop.
    let _ = stopped.changed().await;
}

/// What bounds each of the listeners.
struct AllLimits {
    server: Limits,
    admin: Limits,
    sandbox: Limits,
}

/// The limits of the listeners, as far as there are descriptors.
fn limits(config: &Config) -> anyhow::Result<AllLimits> {
    let (mut server, mut sandbox) = (Limits::from(config), beside::limits());
    match config.sandbox.enabled {
        true => room::fit(&mut [&mut server, &mut sandbox], room::kept(config))?,
        false => room::fit(&mut [&mut server], room::kept(config))?,
    }
    let admin = Limits {
        max_connections: room::ADMIN_CONNECTIONS,
        max_connections_per_peer: room::ADMIN_CONNECTIONS,
        uncounted_peers: [].into(),
        over_tls: false,
        ..Limits::from(config)
    };
    Ok(AllLimits { server, admin, sandbox })
}

/// The `App` of a configuration, with its ways out for codes and for events.
fn app_of(
    config: &Config,
    local: &Local,
    store: Arc<dyn Store>,
    (gateway, events): (Arc<dyn Gateway>, Events),
    messages: &Arc<Catalog>,
    clock: Clock,
) -> anyhow::Result<App> {
    Ok(App::new(Parts {
        store,
        gateway,
        directory: parts::directory(config, clock.now()).judged_by({
            let messages = messages.clone();
            let verification = &config.verification;
            let guessable = verification.allow_guessable_codes.is_some();
            let long_life = verification.allow_long_life.is_some();
            move |settings| {
                let mut wrong = settings.weaknesses(guessable, long_life);
                let unknown = messages.wrong_in(settings).into_iter();
                wrong.extend(unknown.map(|wrong| settings.complaint(wrong)));
                wrong
            }
        }),
        events,
        clock,
        entropy: Entropy::system(),
        policy: parts::policy(config),
        test_numbers: config.test_numbers.clone(),
        numbers: parts::numbers(config),
        codes: parts::code_keys(config, local)?,
        sender: sender(config),
        accounts: parts::accounts(config, local),
        retention: parts::retention(config),
    }))
}

/// The `App` of a configuration without its faces, for a command on a store
/// that no server has open. A sandbox that does not run has forgotten all
/// messages, so there is nobody to send to.
///
/// # Errors
/// What is in the way, and what to do.
pub async fn offline(config: &Config) -> anyhow::Result<(App, Arc<dyn Store>)> {
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
    let ways_out = (gateway, parts::events(config, &trust)?);
    let app = app_of(config, &local, store.clone(), ways_out, &messages, Clock::real())?;
    events::learn_endpoints(&app.telling).await.context("store.url")?;
    Ok((app, store))
}

/// Listens there.
///
/// # Errors
/// When it cannot, with the key to turn.
pub fn bind(addr: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    server::listen(addr)
        .with_context(|| format!("cannot listen on {addr}: set {key} to a free address, or port 0 for any"))
}

/// The address that a process on this machine can reach.
pub fn reachable(addr: SocketAddr) -> SocketAddr {
    let mut addr = addr;
    if addr.ip().is_unspecified() {
        addr.set_ip(if addr.is_ipv4() { [127, 0, 0, 1].into() } else { [0, 0, 0, 0, 0, 0, 0, 1].into() });
    }
    addr
}

/// Why nothing is found where the store is in memory. A server may run all the same.
pub const IN_MEMORY: &str = "store.url = \"memory:\" is in the server's memory alone, and leaves no word of where \
                             the server is: name it with --url and --api-key";

/// The store that is configured, which must be there: to look is no reason to
/// make one.
///
/// # Errors
/// When there is none, or the store's, which say what to do.
pub async fn open_existing(config: &Config) -> anyhow::Result<(Arc<dyn Store>, Option<PathBuf>)> {
    match store_dir(config) {
        None => anyhow::bail!("{IN_MEMORY}"),
        Some(dir) if matches!(config.store.url, StoreUrl::Sled(_)) && !dir.exists() => {
            anyhow::bail!(
                "no server is running, and {} is no store: name the server's --config",
                dir.display()
            )
        }
        Some(_) => open_store(config).await,
    }
}

/// The store that is configured, and the directory for what belongs to this
/// machine, when something is kept.
///
/// # Errors
/// The store's, which say what to do.
pub async fn open_store(config: &Config) -> anyhow::Result<(Arc<dyn Store>, Option<PathBuf>)> {
    let settings = &config.store;
    // Before anything is made.
    #[cfg(not(feature = "postgres"))]
    if matches!(settings.url, StoreUrl::Postgres(_)) {
        anyhow::bail!("{}", built::Lacking::POSTGRES);
    }
    if let Some(dir) = settings.dir() {
        let is_own = |name: &str| operator::is_own(name) || sled::is_own(name);
        let key = match settings.url {
            StoreUrl::Postgres(_) => "store.state_dir",
            _ => "store.url",
        };
        private::take(dir, is_own).context(key)?;
    }
    let store: Arc<dyn Store> = match &settings.url {
        StoreUrl::Memory => Arc::new(Memory::new()),
        StoreUrl::Sled(dir) => {
            let options = sled::Options { cache_bytes: settings.cache_bytes, ..sled::Options::default() };
            Arc::new(sled::Sled::open(dir, options).context("store.url")?)
        }
        StoreUrl::Postgres(url) => {
            make_dir(&settings.state_dir)
                .with_context(|| format!("store.state_dir: cannot make {}", settings.state_dir.display()))?;
            postgres(url, settings).await?
        }
    };
    Ok((store, settings.dir().map(Path::to_owned)))
}

#[cfg(feature = "postgres")]
async fn postgres(url: &Secret, settings: &config::Store) -> anyhow::Result<Arc<dyn Store>> {
    use crate::store::postgres::{Options, Postgres};
    let (connections, deadline) = (settings.connections, settings.deadline);
    let options = Options { connections, deadline, ..Options::default() };
    Ok(Arc::new(Postgres::open(url.expose(), options).await.context("store.url")?))
}

#[cfg(not(feature = "postgres"))]
async fn postgres(_: &Secret, _: &config::Store) -> anyhow::Result<Arc<dyn Store>> {
    anyhow::bail!("{}", built::Lacking::POSTGRES)
}

/// Makes a directory for its owner alone.
fn make_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}

/// The account that sends: the configured one, or the sandbox's.
pub(super) fn account_sid(config: &Config, local: &Local) -> String {
    config.twilio.account_sid.clone().unwrap_or_else(|| local.account_sid.clone())
}

/// Its token.
pub(super) fn auth_token(config: &Config, local: &Local) -> Secret {
    config.twilio.auth_token.clone().unwrap_or_else(|| local.auth_token.clone())
}

fn sender(config: &Config) -> Option<String> {
    let twilio = &config.twilio;
    twilio.messaging_service_sid.clone().or_else(|| twilio.from.clone()).or_else(|| of_sandbox(config))
}

/// The number that is there without being configured.
fn of_sandbox(config: &Config) -> Option<String> {
    if config.sandbox.enabled { beside::sender() } else { None }
}

fn gateway_of(
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

fn context_of(
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
