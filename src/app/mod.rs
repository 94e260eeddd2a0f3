//! Read, decide, write.
//!
//! Each operation reads what it needs, lets the model decide, and writes
//! against the versions that it read, again and again until nobody was faster.
//! `App` refuses to know HTTP, XML, sled and Twilio's parameters. It
//! never sends from a request: what is to be sent stands in the store first,
//! and `jobs` does it.

pub mod admin;
pub mod admission;
pub mod audit;
mod board;
mod error;
pub mod events;
pub mod keyed;
mod listing;
pub mod messaging;
pub mod privacy;
mod recent;
pub mod services;
mod transact;
pub mod verification;

pub use self::admin::{
    Aside, Exporting, ImportError, ImportRules, InspectRules, Queue, Trouble, Waiting, all_keys, create_key,
    inspect_rules, revoke_key,
};
pub use self::audit::{AuditFilter, By, read_audit};
pub use self::error::AppError;
pub use self::events::{EndpointChange, EventQuery, EventSettings, Events, Feed, Trial};
pub use self::keyed::Narrowed;
pub use self::listing::{Page, Place, Window};
pub use self::messaging::{
    DeliveryFilter, Found, Recorded, Said, Spoken, Step, VoiceRequest, find_delivery, list_deliveries,
};
pub use self::privacy::{EraseOptions, Retention, Swept, find_erasure};
pub use self::services::ServiceDirectory;
pub use self::verification::{
    Ask, AskError, Attempt, AttemptCount, AttemptFilter, AttemptPage, AttemptPlace, Checked, Claim,
    Idempotency, LocaleHints, NewSession, Offer, Repeat, SessionView, StartRequest, Started,
    VerificationFilter, View,
};

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::gateway::Gateway;
use crate::model::account::Accounts;
use crate::model::code::CodeKeys;
use crate::model::phone::NumberPolicy;
use crate::model::policy::Policy;
use crate::model::test_number::TestNumber;
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::Notify;

/// All operations, over the parts that they need. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>, Arc<verification::Turns>, Arc<board::Board>);

/// What an [`App`] is made of.
pub struct Parts {
    /// Where records are.
    pub store: Arc<dyn Store>,
    /// The way out.
    pub gateway: Arc<dyn Gateway>,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// The rules of verifications that no service sets.
    pub policy: Policy,
    /// The services.
    pub directory: ServiceDirectory,
    /// Numbers to which nothing is sent.
    pub test_numbers: Vec<TestNumber>,
    /// The rules of numbers.
    pub numbers: NumberPolicy,
    /// The keys that derive codes.
    pub codes: CodeKeys,
    /// Who we send as: our number or messaging service, for opt-outs.
    pub sender: Option<String>,
    /// What applications are told, and how.
    pub events: Events,
    /// Whose senders and sends are whose.
    pub accounts: Accounts,
    /// How long records are kept.
    pub retention: Retention,
    /// Wakes who does what people wait for.
    pub wake: Notify,
}

impl App {
    /// All operations, over these parts.
    pub fn new(mut parts: Parts) -> Self {
        parts.store = parts.events.watching(parts.store);
        Self(Arc::new(parts), Arc::default(), Arc::default())
    }

    /// Whether the store would take a write now.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.0.store.probe().await
    }

    /// Why nothing will be written any more, if that is so: the process is to end.
    pub fn failure(&self) -> Option<StoreError> {
        self.0.store.failure()
    }

    /// Waits until nothing will be written any more.
    pub async fn failed(&self) -> StoreError {
        self.0.store.failed().await
    }

    /// The clock, for those who wait by it.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The time, as the `App` sees it.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Who takes turns at one value of a rate limit.
    pub(in crate::app) fn turns(&self) -> &verification::Turns {
        &self.1
    }

    /// What those who do the work have in common.
    pub(in crate::app) fn board(&self) -> &board::Board {
        &self.2
    }

    /// Where records are.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.0.store
    }
}
