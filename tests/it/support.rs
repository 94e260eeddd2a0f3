//! A service over an engine of one's choice, a gateway that answers by script,
//! and a clock that stands still.

pub use crate::opened::{open, schema_for};
use crate::over::store_over;
use crate::postgres::TestDatabase;
pub use crate::reporting::{proof, report};
use crate::scripted::Busy;
pub use crate::scripted::{Find, Say, Script};
use bytes::Bytes;
use dialback::app::messaging::{self, Recorded};
use dialback::app::privacy::Retention;
use dialback::app::services::ServiceDirectory;
use dialback::app::verification::{self, StartRequest, View};
use dialback::app::{App, Parts};
use dialback::clock::Clock;
use dialback::entropy::Entropy;
use dialback::jobs;
use dialback::model::account::Accounts;
use dialback::model::channel::Channel;
use dialback::model::code::{CodeKey, CodeKeys};
use dialback::model::delivery::Report;
use dialback::model::id::VerificationId;
use dialback::model::limits::Limits;
use dialback::model::phone::NumberPolicy;
use dialback::model::policy::Policy;
use dialback::model::price::Prices;
use dialback::model::senders::Senders;
use dialback::model::service::Settings;
use dialback::model::verification::{SendState, Verification};
use dialback::secret::Secret;
use dialback::store::records::{self, Versioned};
use dialback::store::{Commit, CountedError, Key, Lane, Maintenance};
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Who is verified where it does not matter who.
pub const PERSON: &str = "+14155550123";

/// An engine that remembers every body that was ever written through it.
struct Watched {
    inner: Arc<dyn Maintenance>,
    bodies: Bodies,
    busy: Arc<AtomicU32>,
    is_shared: bool,
}

type Bodies = Arc<Mutex<Vec<Vec<u8>>>>;

store_over!(Watched, inner, [read due_in scan], {
    async fn commit_counted(&self, commit: Commit) -> Result<(), CountedError> {
        self.bodies.lock().unwrap().extend(commit.changes.iter().filter_map(|change| change.body.clone()));
        let _busy = Busy::new(&self.busy);
        self.inner.commit_counted(commit).await
    }

    fn is_shared(&self) -> bool {
        self.is_shared
    }
});

/// Which engine a world stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Memory,
    Sled,
    /// In memory, and said to be written by others too.
    Shared,
    /// A schema of its own; only where there is a server.
    Postgres,
}

/// In what one world differs from another.
#[derive(Clone)]
pub struct Own {
    pub limits: Limits,
    pub senders: Senders,
    pub accounts: Accounts,
}

impl Own {
    fn limited_by(limits: Limits) -> Self {
        let senders = Senders::only(Some("+15005550006".into()));
        Self { limits, senders, accounts: Accounts::default() }
    }
}

/// A service and everything around it.
pub struct World {
    pub app: App,
    pub gateway: Arc<Script>,
    pub clock: Clock,
    pub store: Arc<dyn Maintenance>,
    bodies: Bodies,
    busy: Arc<AtomicU32>,
    policy: Policy,
    own: Own,
    key_id: &'static str,
    engine: Engine,
    dir: TempDir,
    schema: Option<TestDatabase>,
    runner: Option<(JoinHandle<()>, Arc<Notify>)>,
}

impl World {
    pub fn new(engine: Engine) -> Self {
        Self::with(engine, Policy::default())
    }

    /// The same where no limit counts: for stories of more codes than one number gets, and
    /// of other counters.
    pub fn unlimited(engine: Engine) -> Self {
        Self::unlimited_with(engine, Policy::default())
    }

    pub fn unlimited_with(engine: Engine, policy: Policy) -> Self {
        Self::of(engine, policy, Own::limited_by(Limits::none()))
    }

    pub fn with(engine: Engine, policy: Policy) -> Self {
        Self::of(engine, policy, Own::limited_by(Limits::default()))
    }

    /// The same with senders to choose from, of these accounts.
    pub fn of_senders(engine: Engine, policy: Policy, senders: Senders, accounts: Accounts) -> Self {
        Self::of(engine, policy, Own { limits: Limits::none(), senders, accounts })
    }

    fn of(engine: Engine, policy: Policy, own: Own) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::stopped("2026-11-20T09:00:00Z".parse().unwrap());
        let (bodies, busy) = <(Bodies, Arc<AtomicU32>)>::default();
        let schema = schema_for(engine);
        let store = watched(engine, &dir, schema.as_ref(), &bodies, &busy);
        let gateway: Arc<Script> = Arc::default();
        let app = app_on((&store, &own), &gateway, &clock, &policy, "a");
        Self {
            app,
            gateway,
            clock,
            store,
            bodies,
            busy,
            policy,
            own,
            key_id: "a",
            engine,
            dir,
            schema,
            runner: None,
        }
    }

    /// Lets the gateway answer so, in this order.
    pub fn script(&self, says: impl Into<VecDeque<Say>>, finds: impl Into<VecDeque<Find>>) {
        *self.gateway.says.lock().unwrap() = says.into();
        *self.gateway.finds.lock().unwrap() = finds.into();
    }

    /// Lets the gateway answer so whenever the script has ended.
    pub fn always(&self, say: Say, find: Find) {
        *self.gateway.otherwise.lock().unwrap() = Some((say, find));
    }

    /// Starts the work.
    pub fn work(&mut self) {
        self.work_within(jobs::Settings::default());
    }

    /// Starts the work with other limits.
    pub fn work_within(&mut self, settings: jobs::Settings) {
        let stop = Arc::new(Notify::new());
        let stopped = stop.clone();
        let stopped = async move { stopped.notified().await };
        self.runner = Some((tokio::spawn(jobs::run(self.app.clone(), settings, stopped)), stop));
    }

    /// Another app on the same store, as another machine would have it.
    pub fn beside(&self, clock: &Clock) -> App {
        app_on((&self.store, &self.own), &self.gateway, clock, &self.policy, self.key_id)
    }

    /// Kills the jobs where they stand, closes the store, and opens both anew.
    pub async fn crash(&mut self) {
        if let Some((runner, _)) = self.runner.take() {
            runner.abort();
            let _ = runner.await;
        }
        if matches!(self.engine, Engine::Sled | Engine::Postgres) {
            self.store.close().await;
            let schema = self.schema.as_ref();
            self.store = watched(self.engine, &self.dir, schema, &self.bodies, &self.busy);
        }
        let (on, key_id) = ((&self.store, &self.own), self.key_id);
        self.app = app_on(on, &self.gateway, &self.clock, &self.policy, key_id);
    }

    /// Opens all anew with another key to derive codes, the old one forgotten.
    pub async fn crash_and_lose_the_code_key(&mut self) {
        self.key_id = "b";
        self.crash().await;
    }

    /// Moves the clock.
    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub async fn start(&self, channel: Channel) -> View {
        verification::start(&self.app.verifying, request(PERSON, channel), None).await.unwrap().view
    }

    /// Starts a verification by text and waits until the gateway took it.
    pub async fn sent(&mut self) -> (VerificationId, String) {
        self.work();
        let id = self.start(Channel::Sms).await.verification.id;
        self.until_accepted(&id, 1).await;
        let code = self.gateway.orders().last().unwrap().code.clone();
        (id, code)
    }

    /// Records a report of the account that sends.
    pub async fn tell(&self, report: Report) -> Recorded {
        messaging::record(&self.app.messaging, &proof(), report).await.unwrap()
    }

    pub async fn record(&self, id: &VerificationId) -> Verification {
        let found: Option<Versioned<Verification>> = records::get(&*self.store, id.as_str()).await.unwrap();
        found.unwrap().record
    }

    pub async fn state(&self, id: &VerificationId, number: u8) -> SendState {
        self.record(id).await.send(number).unwrap().state.clone()
    }

    pub async fn until_accepted(&self, id: &VerificationId, number: u8) {
        eventually("the send is accepted", async || self.state(id, number).await == SendState::Accepted)
            .await;
    }

    /// Lets the jobs do all that they can do at this standstill of the clock:
    /// nothing is due, nobody writes or asks the gateway, and it stays so.
    pub async fn settle(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let (mut quiet, mut seen) = (0, 0);
        while quiet < 8 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let is_idle = self.busy.load(Ordering::SeqCst) == 0
                && self.gateway.busy.load(Ordering::SeqCst) == 0
                && self.nothing_is_due().await;
            let written = self.bodies.lock().unwrap().len();
            quiet = if is_idle && written == seen { quiet + 1 } else { 0 };
            seen = written;
        }
    }

    /// Of what a person waits for, and of what only expires.
    async fn nothing_is_due(&self) -> bool {
        let due = async |lane| self.store.due_in(lane, self.now(), 1).await.unwrap();
        for lane in [Lane::Person, Lane::Chore, Lane::Bulk] {
            if !due(lane).await.is_empty() {
                return false;
            }
        }
        true
    }

    /// Everything that was ever at rest, as text.
    pub fn at_rest(&self) -> Vec<String> {
        let bodies = self.bodies.lock().unwrap();
        bodies.iter().map(|body| String::from_utf8(body.clone()).unwrap()).collect()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn later(&self, seconds: i64) -> Timestamp {
        self.now() + SignedDuration::from_secs(seconds)
    }
}

/// A request to start.
pub fn request(to: &str, channel: Channel) -> StartRequest {
    StartRequest { channel: Some(channel), ..StartRequest::to(to) }
}

/// Sends one again, whoever's it is.
pub async fn resend(
    app: &App,
    id: &VerificationId,
    channel: Option<Channel>,
) -> Result<View, verification::VerificationError> {
    let again = verification::Again { channel, ..verification::Again::default() };
    verification::resend(&app.verifying, id, &again, &|_| true).await
}

/// Waits until it is so.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let deadline = Instant::now() + crate::wire::PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "never came about: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The variant of an error, whatever errors of other folders it stands in.
pub fn word(error: &impl std::fmt::Debug) -> String {
    const AROUND: [&str; 5] = ["Verification(", "Admission(", "Service(", "Messaging(", "Fault("];
    let text = format!("{error:?}");
    let mut inner = text.as_str();
    while let Some(rest) = AROUND.iter().find_map(|around| inner.strip_prefix(around)) {
        inner = rest;
    }
    inner.split([' ', '(', '{', ')']).next().unwrap_or_default().to_owned()
}

fn watched(
    engine: Engine,
    dir: &TempDir,
    schema: Option<&TestDatabase>,
    bodies: &Bodies,
    busy: &Arc<AtomicU32>,
) -> Arc<dyn Maintenance> {
    let inner = open(engine, dir, schema);
    let is_shared = inner.is_shared() || engine == Engine::Shared;
    Arc::new(Watched { inner, bodies: bodies.clone(), busy: busy.clone(), is_shared })
}

fn app_on(
    (store, own): (&Arc<dyn Maintenance>, &Own),
    gateway: &Arc<Script>,
    clock: &Clock,
    policy: &Policy,
    key_id: &str,
) -> App {
    let key = CodeKey { id: key_id.into(), secret: Secret::new("k".repeat(32)) };
    App::new(Parts {
        policy: policy.clone(),
        services: services(policy, clock),
        codes: CodeKeys::new(vec![key]).unwrap(),
        limits: own.limits.clone(),
        senders: own.senders.clone(),
        accounts: own.accounts.clone(),
        fraud: dialback::model::fraud::FraudPolicy::default(),
        ..parts(store, gateway, clock)
    })
}

/// One service, which takes any text, too, and may send it by each of its channels.
fn services(policy: &Policy, clock: &Clock) -> ServiceDirectory {
    let has_whatsapp = policy.channels.contains(&Channel::Whatsapp);
    let settings = Settings {
        name: "Dialback".to_owned(),
        free_text: true,
        whatsapp_from: has_whatsapp.then(|| "+15005550006".to_owned()),
        ..Settings::of_policy(policy)
    };
    ServiceDirectory::new(ServiceDirectory::of_file(None, settings, clock.now()), Vec::new())
}

/// The parts of the plainest service.
pub fn parts(store: &Arc<dyn Maintenance>, gateway: &Arc<Script>, clock: &Clock) -> Parts {
    let (policy, secret) = (Policy::default(), Secret::new("k".repeat(32)));
    Parts {
        store: store.clone(),
        gateway: gateway.clone(),
        clock: clock.clone(),
        entropy: Entropy::system(),
        services: ServiceDirectory::of_policy("Dialback", &policy, clock.now()),
        policy,
        events: crate::world::events(),
        test_numbers: Vec::new(),
        numbers: NumberPolicy::default(),
        limits: Limits::default(),
        prices: Prices::default(),
        fraud: dialback::model::fraud::FraudPolicy::default(),
        codes: CodeKeys::new(vec![CodeKey { id: "a".into(), secret }]).unwrap(),
        senders: Senders::only(Some("+15005550006".into())),
        accounts: Accounts::default(),
        retention: Retention::default(),
        captcha: None,
        lookups: None,
        rates: std::collections::BTreeMap::new(),
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some((runner, stop)) = self.runner.take() {
            stop.notify_one();
            runner.abort();
        }
    }
}

/// A body of a record, for those who look at the bytes.
pub async fn body(store: &dyn Maintenance, key: &Key) -> Bytes {
    store.read(key).await.unwrap().unwrap().body
}
