//! A whole server in this process, on a port of its own: the real faces, the
//! real app and jobs, a store in memory, a clock that stands until it is
//! moved, and a gateway that takes every request and keeps it.

use async_trait::async_trait;
use dialback::app::events::{EventSettings, Events};
use dialback::app::privacy::Retention;
use dialback::app::services::ServiceDirectory;
use dialback::app::{App, Parts, messaging};
use dialback::clock::Clock;
use dialback::entropy::Entropy;
use dialback::gateway::captcha::Captcha;
use dialback::gateway::lookups::Lookups;
use dialback::gateway::webhook::Messenger;
use dialback::gateway::{Gateway, Redaction, SendError, SendRequest};
use dialback::http::{self, Context, Explainer, Operator, Pages, Settings};
use dialback::jobs;
use dialback::model::account::Accounts;
use dialback::model::channel::Channel;
use dialback::model::code::{CodeKey, CodeKeys};
use dialback::model::delivery::{About, Fact, Report, Source};
use dialback::model::id::Sid;
use dialback::model::limits::{self, LimitChanges};
use dialback::model::lookup::LookupSettings;
use dialback::model::phone::NumberPolicy;
use dialback::model::policy::Policy;
use dialback::model::senders::Senders;
use dialback::model::service;
use dialback::model::status::Status;
use dialback::secret::Secret;
use dialback::server::{self, Limits};
use dialback::store::Maintenance;
use dialback::store::memory::Memory;
use dialback::texts::Catalog;
use dialback::twilio::signature::{Token, Verifier};
use dialback::twilio::url::PublicUrl;
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The account whose webhooks the server takes.
pub const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";
/// Its auth token.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// A key to the API.
pub const API_KEY: &str = "dbk_test_0123456789abcdef";
/// The operator's key, which may do everything.
pub const OPERATOR_KEY: &str = "dbo_test_0123456789abcdef";
/// Where the clock stands at first.
pub const START: &str = "2026-11-20T09:30:00Z";

/// A running server; it stops when this is dropped.
pub struct World {
    /// Where it listens and believes to be: `http://127.0.0.1:PORT`.
    pub base_url: String,
    /// Where its admin listener is.
    pub admin_url: String,
    /// The service behind the faces.
    pub app: App,
    /// Its time.
    pub clock: Clock,
    /// What it sent.
    pub post: Arc<Post>,
    _running: watch::Sender<()>,
}

impl World {
    /// Starts a server. It has [`TOKEN`] and refuses what that did not sign.
    pub async fn start() -> Self {
        Self::with_service(|_| ()).await
    }

    /// The same, with a service that was changed.
    pub async fn with_service(change: impl FnOnce(&mut service::Settings)) -> Self {
        Self::with(change, events()).await
    }

    /// The same, where somebody's proofs count.
    pub async fn with_captcha(change: impl FnOnce(&mut service::Settings), captcha: Captcha) -> Self {
        Self::with_parts(|parts| Parts { captcha: Some(captcha), ..parts }, change).await
    }

    /// The same, where a provider is asked about numbers.
    pub async fn with_lookups(
        change: impl FnOnce(&mut service::Settings),
        lookups: (Lookups, LookupSettings),
    ) -> Self {
        Self::with_parts(|parts| Parts { lookups: Some(lookups), ..parts }, change).await
    }

    /// The same, of other parts.
    pub async fn with_parts(
        own: impl FnOnce(Parts) -> Parts,
        change: impl FnOnce(&mut service::Settings),
    ) -> Self {
        Self::on_idle_with(Arc::new(Memory::new()), change, events(), own).await.at_work()
    }

    /// The same, where endpoints have so long to answer.
    pub async fn with_patience(deadline: Duration) -> Self {
        // Stories of many events, and so of more codes than anybody begins.
        Self::with(|settings| settings.limits = unlimited(), events_within(deadline)).await
    }

    async fn with(change: impl FnOnce(&mut service::Settings), events: Events) -> Self {
        Self::on(Arc::new(Memory::new()), change, events).await
    }

    /// The same over a store that has something in it, or fails.
    pub async fn over(store: Arc<dyn Maintenance>) -> Self {
        Self::on(store, |_| (), events()).await
    }

    /// The same, with a service that was changed.
    pub async fn over_with(store: Arc<dyn Maintenance>, change: impl FnOnce(&mut service::Settings)) -> Self {
        Self::on(store, change, events()).await
    }

    /// The same over a store, where no job does anything: what is asked of the store is
    /// asked by requests.
    pub async fn idle(store: Arc<dyn Maintenance>) -> Self {
        Self::on_idle(store, |_| (), events()).await
    }

    /// The same, with a service that was changed.
    pub async fn idle_with(store: Arc<dyn Maintenance>, change: impl FnOnce(&mut service::Settings)) -> Self {
        Self::on_idle(store, change, events()).await
    }

    async fn on(
        store: Arc<dyn Maintenance>,
        change: impl FnOnce(&mut service::Settings),
        events: Events,
    ) -> Self {
        Self::on_idle(store, change, events).await.at_work()
    }

    fn at_work(self) -> Self {
        let mut stop = self._running.subscribe();
        let stopped = async move {
            // Ends when the world is dropped.
            let _ = stop.changed().await;
        };
        tokio::spawn(jobs::run(self.app.clone(), jobs::Settings::default(), stopped));
        self
    }

    async fn on_idle(
        store: Arc<dyn Maintenance>,
        change: impl FnOnce(&mut service::Settings),
        events: Events,
    ) -> Self {
        Self::on_idle_with(store, change, events, |parts| parts).await
    }

    async fn on_idle_with(
        store: Arc<dyn Maintenance>,
        change: impl FnOnce(&mut service::Settings),
        events: Events,
        own: impl FnOnce(Parts) -> Parts,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let clock = Clock::stopped(START.parse::<Timestamp>().unwrap());
        let post = Arc::new(Post::default());
        let app = App::new(own(Parts { events, store, ..parts(post.clone(), clock.clone(), change) }));
        let context = context(&base_url, app.clone());
        let admin_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin_url = format!("http://{}", admin_listener.local_addr().unwrap());
        let admin_filter = warp::service(http::admin(context.clone(), vec!["127.0.0.1".to_owned()]));
        let service_filter = warp::service(http::filter(context));
        let (running, stop) = watch::channel(());
        let stopped = |mut stop: watch::Receiver<()>| async move {
            // Ends when the world is dropped.
            let _ = stop.changed().await;
        };
        tokio::spawn(server::serve(listener, service_filter, Limits::default(), stopped(stop.clone())));
        tokio::spawn(server::serve(admin_listener, admin_filter, Limits::default(), stopped(stop)));
        Self { base_url, admin_url, app, clock, post, _running: running }
    }
}

impl World {
    /// Twilio says that a request's message was not delivered.
    pub async fn tell_failed(&self, send_request: &SendRequest, sid: &Sid) {
        self.tell_failed_with(send_request, sid, None).await;
    }

    /// The same, and by which error.
    pub async fn tell_failed_with(&self, send_request: &SendRequest, sid: &Sid, error_code: Option<u32>) {
        let fact = Fact { status: Some(Status::Undelivered), error_code, ..Fact::default() };
        self.tell(send_request, sid, fact).await;
    }

    /// A callback says so of a message.
    pub async fn tell(&self, send_request: &SendRequest, sid: &Sid, fact: Fact) {
        let fact = Fact { source: Source::StatusCallback, ..fact };
        let about = About { to: Some(send_request.to.in_full().to_owned()), ..About::default() };
        messaging::record(
            &self.app.messaging,
            &crate::support::proof(),
            Report { sid: sid.clone(), id: Some(send_request.id.clone()), about, fact },
        )
        .await
        .unwrap();
    }
}

fn parts(gateway: Arc<dyn Gateway>, clock: Clock, change: impl FnOnce(&mut service::Settings)) -> Parts {
    let policy = Policy::default();
    let mut settings =
        service::Settings { name: "Dialback".to_owned(), ..service::Settings::of_policy(&policy) };
    change(&mut settings);
    let secret = Secret::new("a key for codes of 32 bytes or more");
    Parts {
        store: Arc::new(Memory::new()),
        gateway,
        services: ServiceDirectory::new(ServiceDirectory::of_file(None, settings, clock.now()), Vec::new()),
        events: events(),
        clock,
        entropy: Entropy::seeded(1),
        policy,
        test_numbers: Vec::new(),
        numbers: NumberPolicy { fictional: vec!["+1500555".to_owned()], ..NumberPolicy::default() },
        limits: limits::Limits::default(),
        prices: dialback::model::price::Prices::default(),
        fraud: dialback::model::fraud::FraudPolicy::default(),
        codes: CodeKeys::new(vec![CodeKey { id: "test".to_owned(), secret }]).unwrap(),
        senders: Senders::only(Some("+15005550006".to_owned())),
        accounts: Accounts::default(),
        retention: Retention::default(),
        captcha: None,
        lookups: None,
        rates: std::collections::BTreeMap::new(),
    }
}

fn events_within(deadline: Duration) -> Events {
    Events::new(
        Arc::new(Messenger::new(deadline, deadline, true, &dialback::trust::Trust::compiled_in()).unwrap()),
        EventSettings::default(),
    )
}

/// No limit but those of verifications themselves, for a service that begins more than
/// anybody does.
pub fn unlimited() -> LimitChanges {
    let windows =
        limits::Limits::default().rules().iter().map(|rule| (rule.name.to_owned(), Vec::new())).collect();
    LimitChanges { windows, ..LimitChanges::default() }
}

/// Events go to endpoints wherever they are.
pub fn events() -> Events {
    events_within(Duration::from_secs(20))
}

fn context(base_url: &str, app: App) -> Arc<Context> {
    let token = Token { label: "auth_token".to_owned(), account: None, secret: Secret::new(TOKEN) };
    let verifier = Arc::new(Verifier::new(vec![token], vec![]).unwrap());
    let settings = Settings {
        keys: vec![Secret::new(API_KEY)],
        sandboxed: true,
        account_sid: Some(ACCOUNT_SID.to_owned()),
        operator: Some(Operator(Secret::new(OPERATOR_KEY))),
        shows_description: true,
        ..Settings::new(PublicUrl::parse(base_url).unwrap(), "Dialback", Arc::new(Catalog::shipped()))
    };
    let explainer = Explainer::start(verifier.clone(), vec![]);
    let pages = Pages::load(None).unwrap();
    Arc::new(Context::new(app, verifier, settings, pages, explainer))
}

/// A gateway that takes every request.
#[derive(Default)]
pub struct Post {
    fails: AtomicBool,
    taken: Mutex<Vec<(SendRequest, Sid)>>,
}

impl Post {
    /// The first request that came or comes, and the SID that it was given.
    pub async fn first(&self) -> (SendRequest, Sid) {
        self.nth(1).await
    }

    /// The request of that number, from 1.
    pub async fn nth(&self, number: usize) -> (SendRequest, Sid) {
        let look = || std::future::ready(self.taken.lock().unwrap().get(number - 1).cloned());
        let taken = crate::wire::poll(look).await;
        taken.unwrap_or_else(|| panic!("less than {number} requests"))
    }

    /// From now on nothing is taken, or everything again.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    /// The codes of all that it has taken.
    pub fn codes(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|(order, _)| order.code().unwrap().expose().to_owned()).collect()
    }

    /// How many orders there were so far.
    pub fn count(&self) -> usize {
        self.taken.lock().unwrap().len()
    }
}

#[async_trait]
impl Gateway for Post {
    async fn send(&self, send_request: &SendRequest) -> Result<Report, SendError> {
        if self.fails.load(Ordering::SeqCst) {
            let reason = "this gateway fails".to_owned();
            return Err(SendError::NotProcessed { code: None, reason, after: Duration::ZERO });
        }
        let mut taken = self.taken.lock().unwrap();
        let prefix = if send_request.channel == Channel::Call { "CA" } else { "SM" };
        let sid: Sid = format!("{prefix}{:032x}", taken.len() + 1).parse().unwrap();
        taken.push((send_request.clone(), sid.clone()));
        Ok(Report {
            sid,
            id: Some(send_request.id.clone()),
            about: About { to: Some(send_request.to.in_full().to_owned()), ..About::default() },
            fact: Fact { status: Some(Status::Queued), source: Source::Api, ..Fact::default() },
        })
    }

    async fn look_up(
        &self,
        send_request: &SendRequest,
        _: Timestamp,
        _: &[Sid],
    ) -> Result<Option<Report>, SendError> {
        panic!("{} was taken at once and needs no looking up", send_request.id);
    }

    async fn redact(&self, _: &Sid, _: Option<&str>, _: bool) -> Result<Redaction, SendError> {
        Ok(Redaction::Done)
    }
}
