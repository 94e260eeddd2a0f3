//! The service as it stands in the hour: the real app with its jobs over a store in memory,
//! the real gateway of Twilio's, and the real webhooks on a port.

use super::parameters::World;
use super::policy::Policy;
use super::wire::Wire;
use async_trait::async_trait;
use dialback::app::events::{EventSettings, Events};
use dialback::app::privacy::Retention;
use dialback::app::services::ServiceDirectory;
use dialback::app::{App, Parts};
use dialback::clock::Clock;
use dialback::entropy::Entropy;
use dialback::gateway::twilio::{self, Twilio};
use dialback::gateway::webhook::Messenger;
use dialback::gateway::{Gateway, Redaction, SendError, SendRequest};
use dialback::http::{self, Context, Explainer, Pages};
use dialback::jobs;
use dialback::model::account::Accounts;
use dialback::model::code::{CodeKey, CodeKeys};
use dialback::model::delivery::Report;
use dialback::model::fraud::FraudPolicy;
use dialback::model::id::{DeliveryId, ServiceId, Sid, VerificationId};
use dialback::model::limits::Limits;
use dialback::model::phone::NumberPolicy;
use dialback::model::price::Prices;
use dialback::model::senders::Senders;
use dialback::model::service::{ContentSids, Settings};
use dialback::sandbox;
use dialback::secret::Secret;
use dialback::server;
use dialback::store::memory::Memory;
use dialback::store::{Key, Lane, Maintenance, Store};
use dialback::texts::Catalog;
use dialback::trust::Trust;
use dialback::twilio::request::{MachineDetection, Sender};
use dialback::twilio::signature::{Token, Verifier};
use dialback::twilio::url::PublicUrl;
use futures_util::FutureExt;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

/// The account, at the sandbox and at the service.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// Its token.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// How long events have to be posted; nobody listens.
const EVENTS: Duration = Duration::from_secs(20);

/// The service.
pub struct House {
    pub app: App,
    pub store: Arc<Memory>,
    /// The services of the world, in its order.
    pub services: Vec<ServiceId>,
    pub witness: Arc<Witness>,
    pub limits: Limits,
}

/// Where the sandbox and the service listen.
pub struct Ports {
    pub sandbox_url: String,
    pub own: TcpListener,
}

impl House {
    /// Opens it under a policy, and lets it work until the runtime ends.
    pub async fn open(
        world: &World,
        policy: Policy,
        seed: u64,
        clock: &Clock,
        wire: Wire,
        ports: Ports,
    ) -> Result<Self, String> {
        let own_url = ports.own.local_addr().map_err(|wrong| wrong.to_string())?;
        let own_url = format!("http://{own_url}");
        let catalog = Arc::new(Catalog::shipped());
        let twilio = Twilio::new(gateway_settings(&ports.sandbox_url, &own_url, &catalog), wire);
        let witness = Arc::new(Witness::new(twilio, policy == Policy::None));
        let store = Arc::new(Memory::new());
        let limits = Limits::default().with(&world.limits);
        let (directory, services) = services(world, policy, clock.now());
        let app = App::new(Parts {
            services: directory,
            limits: limits.clone(),
            entropy: Entropy::seeded(seed),
            ..parts(store.clone(), witness.clone(), clock)?
        });
        let context = context(&own_url, &catalog, app.clone())?;
        let filter = warp::service(http::filter(context));
        tokio::spawn(server::serve(ports.own, filter, server::Limits::default(), std::future::pending()));
        let settings = jobs::Settings { max_chores_in_flight: 0, ..jobs::Settings::default() };
        tokio::spawn(jobs::run(app.clone(), settings, std::future::pending()));
        Ok(Self { app, store, services, witness, limits })
    }
}

fn gateway_settings(sandbox_url: &str, own_url: &str, catalog: &Arc<Catalog>) -> twilio::Settings {
    twilio::Settings {
        base_url: sandbox_url.to_owned(),
        content_url: sandbox_url.to_owned(),
        account_sid: ACCOUNT.to_owned(),
        auth: (ACCOUNT.to_owned(), Secret::new(TOKEN)),
        others: Vec::new(),
        sender: Sender::From(sandbox::SENDER.to_owned()),
        call_from: Some(sandbox::SENDER.to_owned()),
        messages: catalog.clone(),
        public_url: own_url.to_owned(),
        voice_fallback_url: None,
        ring: Duration::from_secs(30),
        machine_detection: MachineDetection::Off,
        concurrency: 50,
    }
}

/// The services as the policy has them.
fn services(world: &World, policy: Policy, now: Timestamp) -> (ServiceDirectory, Vec<ServiceId>) {
    let base = dialback::model::policy::Policy::default();
    let settings = |name: &str| Settings {
        name: name.to_owned(),
        failover: policy.failover(),
        ..Settings::of_policy(&base)
    };
    let others: Vec<_> = world
        .services
        .iter()
        .map(|service| {
            let own = Settings {
                channels: service.channels.clone(),
                from: Some(service.sender.clone()),
                whatsapp_from: Some(service.sender.clone()),
                whatsapp_content_sid: Some(ContentSids::One(sandbox::AUTHENTICATION_TEMPLATE.to_owned())),
                ..settings(&service.name)
            };
            ServiceDirectory::of_file(Some(&service.name), own, now)
        })
        .collect();
    let ids = others.iter().map(|service| service.id.clone()).collect();
    (ServiceDirectory::new(ServiceDirectory::of_file(None, settings("Dialback"), now), others), ids)
}

/// The rest of it, as it comes.
fn parts(store: Arc<Memory>, gateway: Arc<Witness>, clock: &Clock) -> Result<Parts, String> {
    let trust = Trust::compiled_in();
    let messenger = Messenger::new(EVENTS, EVENTS, false, &trust).map_err(|wrong| wrong.to_string())?;
    let key = CodeKey { id: "hour".to_owned(), secret: Secret::new("the key of the codes of one hour") };
    let policy = dialback::model::policy::Policy::default();
    Ok(Parts {
        store,
        gateway,
        clock: clock.clone(),
        entropy: Entropy::seeded(0),
        services: ServiceDirectory::of_policy("Dialback", &policy, clock.now()),
        policy,
        events: Events::new(Arc::new(messenger), EventSettings::default()),
        test_numbers: Vec::new(),
        numbers: NumberPolicy::default(),
        limits: Limits::default(),
        prices: Prices::default(),
        fraud: FraudPolicy::default(),
        codes: CodeKeys::new(vec![key]).map_err(|wrong| wrong.to_string())?,
        senders: Senders::only(Some(sandbox::SENDER.to_owned())),
        accounts: Accounts::default(),
        retention: Retention::default(),
        captcha: None,
        lookups: None,
        rates: std::collections::BTreeMap::new(),
    })
}

fn context(own_url: &str, catalog: &Arc<Catalog>, app: App) -> Result<Arc<Context>, String> {
    let token = Token { label: "auth_token".to_owned(), account: None, secret: Secret::new(TOKEN) };
    let verifier = Arc::new(Verifier::new(vec![token], vec![]).map_err(|wrong| wrong.to_string())?);
    let public_url = PublicUrl::parse(own_url).map_err(|wrong| wrong.to_string())?;
    let settings = http::Settings {
        sandboxed: true,
        account_sid: Some(ACCOUNT.to_owned()),
        ..http::Settings::new(public_url, "Dialback", catalog.clone())
    };
    let explainer = Explainer::start(verifier.clone(), vec![]);
    let pages = Pages::load(None).map_err(|wrong| wrong.to_string())?;
    Ok(Arc::new(Context::new(app, verifier, settings, pages, explainer)))
}

/// The commits of the store.
pub struct Commits(pub Arc<Memory>);

impl Commits {
    /// How many there were, and how many came too late.
    pub fn count(&self) -> (u64, u64) {
        let stats = self.0.stats().now_or_never().and_then(Result::ok).unwrap_or_default();
        (stats.commits, stats.conflicts)
    }

    /// What people wait for that is due, and since when: 64 records at most.
    pub fn due(&self, now: Timestamp) -> Vec<(Key, Timestamp)> {
        self.0.due_in(Lane::Person, now, 64).now_or_never().and_then(Result::ok).unwrap_or_default()
    }
}

/// The gateway, watched: which code each verification has, and, where nothing is tried
/// again, that nothing is.
pub struct Witness {
    gateway: Twilio<Wire>,
    gives_up: bool,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    codes: BTreeMap<VerificationId, String>,
    begun: BTreeSet<DeliveryId>,
}

impl Witness {
    fn new(gateway: Twilio<Wire>, gives_up: bool) -> Self {
        Self { gateway, gives_up, seen: Mutex::default() }
    }

    /// The code of a verification that something was sent for.
    pub fn code(&self, id: &VerificationId) -> Option<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).codes.get(id).cloned()
    }

    /// Whether a request is the first of its send.
    fn note(&self, request: &SendRequest) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some((verification, _)), Some(code)) = (request.id.of_verification(), request.code()) {
            seen.codes.insert(verification, code.expose().to_owned());
        }
        seen.begun.insert(request.id.clone())
    }
}

/// What is said in the place of a further try.
fn given_up(reason: String) -> SendError {
    SendError::Refused { code: None, reason }
}

#[async_trait]
impl Gateway for Witness {
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        let is_first = self.note(request);
        if self.gives_up && !is_first {
            return Err(given_up("nothing is tried again".to_owned()));
        }
        match self.gateway.send(request).await {
            Err(SendError::NotProcessed { reason, .. }) if self.gives_up => Err(given_up(reason)),
            outcome => outcome,
        }
    }

    fn pretend(&self, request: &SendRequest, sid: Sid) -> Result<Report, SendError> {
        self.gateway.pretend(request, sid)
    }

    fn ring(&self, request: &SendRequest) -> Duration {
        self.gateway.ring(request)
    }

    async fn look_up(
        &self,
        request: &SendRequest,
        since: Timestamp,
        others: &[Sid],
    ) -> Result<Option<Report>, SendError> {
        self.gateway.look_up(request, since, others).await
    }

    async fn redact(&self, sid: &Sid, account: Option<&str>, delete: bool) -> Result<Redaction, SendError> {
        self.gateway.redact(sid, account, delete).await
    }
}
