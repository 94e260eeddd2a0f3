//! What the handlers share.

use super::caller::Caller;
use super::explainer::Explainer;
use super::guesses::Guesses;
use super::pages::Pages;
use super::rate_limit::Limiter;
use crate::app::services::ServiceError;
use crate::app::{App, Narrowed, keyed};
use crate::secret::Secret;
use crate::texts::{Catalog, DEFAULT_SET, Set};
use crate::twilio::signature::Verifier;
use crate::twilio::url::PublicUrl;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the faces must know.
pub struct Settings {
    /// Where Twilio reaches us.
    pub public_url: PublicUrl,
    /// Who may name another address of ours with `X-Forwarded-*`.
    pub trusted_proxies: Vec<IpNet>,
    /// Hosts besides `public_url`'s that they may name.
    pub hosts: Vec<String>,
    /// Whether unproved webhooks are refused.
    pub mode: SignatureMode,
    /// The most bytes of a body.
    pub max_body: usize,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// The name in the texts.
    pub service_name: String,
    /// The texts themselves.
    pub messages: Arc<Catalog>,
    /// Keys given by the environment or made for the sandbox, besides those in
    /// the store.
    pub keys: Vec<Secret>,
    /// The key that the sandbox shows, if there is one beside.
    pub sandbox_key: Option<Secret>,
    /// Whether the other side is the sandbox.
    pub sandboxed: bool,
    /// The account that callers of Verify name; nothing for any.
    pub account_sid: Option<String>,
    /// Says of a user and a password whether they are the account's own, by its
    /// token or one of its keys: where a sandbox plays Twilio beside, and never live.
    pub opens_account: Option<OpensAccount>,
    /// Lets the command line on the same machine in.
    pub operator: Option<Operator>,
    /// Whether `/openapi.json` is shown to all who can reach the service.
    pub shows_description: bool,
    /// Requests that an API key may send each minute; 0 for all.
    pub requests_per_minute: u32,
}

impl Settings {
    /// Settings for a server that is reached there, with everything else at its
    /// strictest: unproved webhooks are refused, nobody has a key, nothing is the
    /// sandbox's, a body has 256 KiB and 5 s, and keys have no limit of requests.
    pub fn new(public_url: PublicUrl, service_name: impl Into<String>, messages: Arc<Catalog>) -> Self {
        Self {
            public_url,
            trusted_proxies: Vec::new(),
            hosts: Vec::new(),
            mode: SignatureMode::Enforce,
            max_body: 256 * 1024,
            body_timeout: Duration::from_secs(5),
            service_name: service_name.into(),
            messages,
            keys: Vec::new(),
            sandbox_key: None,
            sandboxed: false,
            account_sid: None,
            opens_account: None,
            operator: None,
            shows_description: false,
            requests_per_minute: 0,
        }
    }
}

/// The operator's own key: made at start, kept in a file that only the
/// operator can read, gone when the server stops. It may make API keys.
pub struct Operator(pub Secret);

/// Whether a user and a password open the sandbox's account.
pub type OpensAccount = Arc<dyn Fn(&str, &Secret) -> bool + Send + Sync>;

/// What happens to a webhook that is not proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureMode {
    /// It is refused.
    Enforce,
    /// It is counted, logged and let through: for a roll-out.
    ReportOnly,
}

/// What the handlers share.
pub struct Context {
    /// The service behind the faces.
    pub app: App,
    /// Who proves that a webhook is Twilio's.
    pub verifier: Arc<Verifier>,
    /// What else the faces go by, out of the configuration.
    pub settings: Arc<Settings>,
    /// The pages for people.
    pub pages: Pages,
    /// Finds out why signatures do not match, elsewhere.
    pub explainer: Explainer,
    /// Counts the requests of each API key.
    pub limiter: Limiter,
    /// Counts wrong API keys.
    pub guesses: Guesses,
    rejected: Mutex<BTreeMap<&'static str, u64>>,
    unread: Mutex<BTreeMap<String, u64>>,
}

/// The most kinds of events that are counted apart; the rest are counted as one.
const MOST_KINDS: usize = 64;

/// What the handlers of an API are given: the service as the caller may use it,
/// so that none of them can reach what belongs to others.
#[derive(Clone)]
pub struct CallContext {
    /// The service, narrowed to the caller's.
    pub app: Narrowed,
    /// What the faces know.
    pub settings: Arc<Settings>,
}

impl CallContext {
    /// The sets of texts that the caller may see and name, for one request.
    ///
    /// # Errors
    /// The store's.
    pub async fn sets(&self) -> Result<Sets, ServiceError> {
        Ok(Sets { catalog: self.settings.messages.clone(), named: keyed::templates(&self.app).await? })
    }
}

/// The sets of texts that a caller may see and name: all, or the shipped one
/// and those of its services.
pub struct Sets {
    catalog: Arc<Catalog>,
    named: Option<BTreeSet<String>>,
}

impl Sets {
    /// Whether the caller may not name it: another service's, or none at all.
    pub fn hides(&self, name: &str) -> bool {
        self.named.is_some() && self.find(name).is_none()
    }

    /// Which they are.
    pub fn iter(&self) -> impl Iterator<Item = &Set> {
        let is_seen = |set: &&Set| {
            set.name() == DEFAULT_SET || self.named.as_ref().is_none_or(|named| named.contains(set.name()))
        };
        self.catalog.sets().iter().filter(is_seen)
    }

    /// The one of a name or a SID.
    pub fn find(&self, name_or_sid: &str) -> Option<&Set> {
        self.iter().find(|set| set.name() == name_or_sid || set.sid() == name_or_sid)
    }
}

impl Context {
    /// What a caller's request is answered from.
    pub fn seen_by(&self, caller: &Caller) -> CallContext {
        let app = self.app.seen_by(caller.services().clone(), caller.actor());
        CallContext { app, settings: self.settings.clone() }
    }

    /// Puts together what the handlers share.
    pub fn new(
        app: App,
        verifier: std::sync::Arc<Verifier>,
        settings: Settings,
        pages: Pages,
        explainer: Explainer,
    ) -> Self {
        let limiter = Limiter::new(settings.requests_per_minute);
        let settings = Arc::new(settings);
        Self {
            app,
            verifier,
            settings,
            pages,
            explainer,
            limiter,
            guesses: Guesses::default(),
            rejected: Mutex::default(),
            unread: Mutex::default(),
        }
    }

    /// The same at a server of so many connections, where who tries wrong keys waits.
    #[must_use]
    pub fn holding(mut self, connections: usize) -> Self {
        self.guesses = Guesses::holding(connections);
        self
    }

    /// Counts a rejected webhook by its cause.
    pub fn count_rejected(&self, cause: &'static str) {
        *self.rejected.lock().unwrap_or_else(|broken| broken.into_inner()).entry(cause).or_default() += 1;
    }

    /// Counts an event of a stream that is not read, by its kind; true for the
    /// first one of a kind.
    pub fn count_unread(&self, kind: &str) -> bool {
        let mut unread = self.unread.lock().unwrap_or_else(|broken| broken.into_inner());
        if let Some(count) = unread.get_mut(kind) {
            *count += 1;
            return false;
        }
        let kind = if unread.len() < MOST_KINDS { kind } else { "others" };
        let count = unread.entry(kind.to_owned()).or_default();
        *count += 1;
        *count == 1
    }

    /// How many events of streams were not read since the start, by kind.
    pub fn unread(&self) -> BTreeMap<String, u64> {
        self.unread.lock().unwrap_or_else(|broken| broken.into_inner()).clone()
    }

    /// How many webhooks were rejected since the start, by cause.
    pub fn rejected(&self) -> BTreeMap<&'static str, u64> {
        self.rejected.lock().unwrap_or_else(|broken| broken.into_inner()).clone()
    }
}
