//! What the handlers share.

use super::limiter::Limiter;
use super::pages::Pages;
use super::webhooks::explainer::Explainer;
use crate::messages::Catalog;
use crate::secret::Secret;
use crate::service::Service;
use crate::twilio::signature::Verifier;
use crate::twilio::url::PublicUrl;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

/// What the faces must know.
pub struct Settings {
    /// Where Twilio reaches us.
    pub public_url: PublicUrl,
    /// Who may say otherwise with `X-Forwarded-*`.
    pub trusted_proxies: Vec<IpNet>,
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
    /// Whether the other side is the sandbox.
    pub sandboxed: bool,
    /// The account that callers of Verify name; nothing for any.
    pub account_sid: Option<String>,
    /// Lets the command line on the same machine in.
    pub operator: Option<Operator>,
    /// Requests that an API key may send each minute; 0 for all.
    pub requests_per_minute: u32,
}

/// The operator's own key: made at start, kept in a file that only the
/// operator can read, gone when the server stops. It may make API keys.
pub struct Operator(pub Secret);

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
    pub service: Service,
    /// Proves webhooks.
    pub verifier: Arc<Verifier>,
    /// The rest.
    pub settings: Settings,
    /// The pages for people.
    pub pages: Pages,
    /// Finds out why signatures do not match, elsewhere.
    pub explainer: Explainer,
    /// Counts the requests of each API key.
    pub limiter: Limiter,
    rejected: Mutex<BTreeMap<&'static str, u64>>,
}

impl Context {
    /// A context.
    pub fn new(
        service: Service,
        verifier: std::sync::Arc<Verifier>,
        settings: Settings,
        pages: Pages,
        explainer: Explainer,
    ) -> Self {
        let limiter = Limiter::new(settings.requests_per_minute);
        Self { service, verifier, settings, pages, explainer, limiter, rejected: Mutex::default() }
    }

    /// Counts a rejected webhook by its cause.
    pub fn count_rejected(&self, cause: &'static str) {
        *self.rejected.lock().unwrap_or_else(|broken| broken.into_inner()).entry(cause).or_default() += 1;
    }

    /// How many webhooks were rejected since the start, by cause.
    pub fn rejected(&self) -> BTreeMap<&'static str, u64> {
        self.rejected.lock().unwrap_or_else(|broken| broken.into_inner()).clone()
    }
}
