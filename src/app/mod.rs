//! Read, decide, write.
//!
//! Each operation reads what it needs, lets the model decide, and writes
//! against the versions that it read, again and again until nobody was faster.
//! `App` refuses to know HTTP, XML, sled and Twilio's parameters. It
//! never sends from a request: what is to be sent stands in the store first,
//! and `jobs` does it.

mod attempts;
pub mod audit;
mod callback;
mod care;
mod check;
mod compat;
mod deliveries;
mod dispatch;
mod endpoints;
mod erase;
mod events;
mod holding;
mod inbound;
mod keys;
mod listing;
mod names;
mod narrowed;
mod opt_outs;
mod pending;
mod queue;
mod recent;
mod repeats;
mod retention;
mod safe_list;
mod sending;
mod services;
mod sessions;
mod start;
mod terms;
mod tidy;
mod transact;
mod verdict;
mod verifications;
mod voice;
mod ways;

pub use crate::store::transfer::ImportError;
pub use attempts::{Attempt, AttemptCount, AttemptFilter, AttemptPage, AttemptPlace};
pub use audit::{AuditFilter, By, read_audit};
pub use callback::Recorded;
pub use care::{Exporting, ImportRules, InspectRules, inspect_rules};
pub use check::{Checked, Offer};
pub use deliveries::{DeliveryFilter, Found, find_delivery, list_deliveries};
pub use endpoints::{EndpointChange, Trial};
pub use erase::{EraseOptions, find_erasure};
pub use events::{EventQuery, EventSettings, Events, Feed};
pub use keys::{all_keys, create_key, revoke_key};
pub use listing::{Page, Place, Window};
pub use narrowed::Narrowed;
pub use pending::{Ask, AskError};
pub use queue::{Aside, Queue, Trouble, Waiting};
pub use repeats::{Claim, Repeat};
pub use retention::{Retention, Swept};
pub use services::ServiceDirectory;
pub use sessions::{LocaleHints, NewSession, SessionView};
pub use start::{Idempotency, StartRequest, Started};
pub use verifications::VerificationFilter;
pub use voice::{Said, Spoken, Step, VoiceRequest};

use self::transact::Draft;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::gateway::Gateway;
use crate::model::account::Accounts;
use crate::model::channel::Channel;
use crate::model::code::{CodeKeys, CodeKind};
use crate::model::delivery::Delivery;
use crate::model::id::VerificationId;
use crate::model::phone::{NumberPolicy, PhoneError};
use crate::model::policy::{Gate, Policy};
use crate::model::service::{BadSetting, Service};
use crate::model::session::End;
use crate::model::test_number::TestNumber;
use crate::model::verification::{Decision, Input, Outcome, Send, Status, Verification, decide};
use crate::store::records::{self, Versioned};
use crate::store::{Change, CommitError, Store, StoreError};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::Notify;

/// All operations, over the parts that they need. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>, Arc<pending::Turns>, Arc<queue::Board>);

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

/// Why an operation was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppError {
    /// The number is none, or one that is refused.
    #[error(transparent)]
    Number(#[from] PhoneError),
    /// No such verification, delivery or key.
    #[error("nothing has this name")]
    NotFound,
    /// What is about the whole, asked for with a key of some services.
    #[error(
        "this is about all services, and the key is for some alone; `dialback key create NAME` makes one for all"
    )]
    KeyBound,
    /// No such service.
    #[error("no service has this id or name; `GET /v1/services` lists them")]
    NoSuchService,
    /// The service does not have this channel.
    #[error("the channel {0} is not offered")]
    ChannelOff(Channel),
    /// The service does not use this channel in that country.
    #[error("the channel {channel} is not offered in {region}")]
    CountryOff {
        /// The channel.
        channel: Channel,
        /// ISO 3166, or `??` where no country is known.
        region: String,
    },
    /// What is reported is another account's.
    #[error("the message or call belongs to another account than the one that reports of it")]
    OtherAccount,
    /// The number is a landline, and the service sends no texts to these.
    #[error("the number is a landline, which gets no texts from this service; a call reaches it")]
    Landline,
    /// A text for people has a link or an address in it.
    #[error(
        "{field} has a link, an address or a telephone number in it, and people would follow it in the service's name: \
         leave it out, or, for a brand that is a domain, allow it with {{\"allow_links\": true}} to PATCH \
         /v1/services/ID, or with allow_links = true under services in the configuration"
    )]
    Link {
        /// Which text.
        field: &'static str,
    },
    /// Something that the service's settings do not allow.
    #[error("{what}")]
    NotAllowed {
        /// What was asked for.
        field: &'static str,
        /// Why not, and which setting allows it.
        what: &'static str,
    },
    /// The service does not let people be sent there.
    #[error("return_url {0}")]
    ReturnUrl(String),
    /// The service binds its codes to payments, and half of one is missing.
    #[error("this service binds its codes to a payment: amount and payee are both needed, from the start on")]
    PaymentMissing {
        /// Which half: `amount` or `payee`.
        field: &'static str,
    },
    /// The service takes no codes that applications chose.
    #[error("this service takes no codes of the application's own: its setting custom_code allows them")]
    CustomCodeOff,
    /// No channel of the service reaches this number.
    #[error("no channel of this service reaches this number")]
    NoChannel,
    /// The recipient told our sender to stop.
    #[error("the recipient has opted out of messages from this sender")]
    OptedOut,
    /// It has ended.
    #[error("the verification is {0}")]
    Ended(Status),
    /// The session has ended otherwise than by being called off.
    #[error("the session has ended: it is {}", .0.as_str())]
    SessionEnded(End),
    /// The next send is not allowed yet.
    #[error("the next message or call is allowed from {at} on")]
    TooSoon {
        /// From when on.
        at: Timestamp,
        /// How long that is from now, in whole seconds of our clock.
        seconds: i64,
    },
    /// All sends are used up.
    #[error("no message or call is left in this verification")]
    NoSendsLeft,
    /// What was offered cannot be a code; no check was spent.
    #[error("a code of this verification is {length} {kind}")]
    NotACode {
        /// How many characters it has.
        length: u8,
        /// What they are.
        kind: CodeKind,
    },
    /// More than one part of what was offered may be the code; no check was
    /// spent.
    #[error("more than one part of this text may be the code; give the code alone")]
    SeveralCodes,
    /// The application did not choose the code, and cannot say that it was right.
    #[error("the code was not chosen by the application, so a check alone can approve this verification")]
    CodeNotChosen,
    /// No further number may be entered in a session.
    #[error("no further number can be entered in this session")]
    NoNumbersLeft,
    /// No further verification may be started in a session.
    #[error("no further verification can be started in this session")]
    NoStartsLeft,
    /// Not a session's result, or one that was exchanged before.
    #[error("this is not the result of this session, or it was exchanged before, or came too late")]
    NoSuchResult,
    /// The same idempotency key came with another request.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// The first request with this idempotency key is being done.
    #[error("the first request with this idempotency key has not been answered yet")]
    InProgress,
    /// A setting of a service that cannot be.
    #[error(transparent)]
    Setting(#[from] BadSetting),
    /// A service that the configuration file sets.
    #[error("this service is set in the configuration file, under {key}, and is changed there")]
    ReadOnly {
        /// Its key there.
        key: String,
    },
    /// A name or limit that is none.
    #[error("{0}")]
    Malformed(&'static str),
    /// The key that made this code is not configured any more.
    #[error("the code's key is not configured")]
    CodeKeyGone,
    /// Too many writes of the same record at once.
    #[error("too many requests for the same record at once")]
    Contended,
    /// What is kept together in one record would be too much for it.
    #[error(
        "what is kept together here would take {size} bytes, and {most} are possible: use fewer or shorter \
         settings, limits, lists or tags"
    )]
    TooLarge {
        /// How much it would be.
        size: usize,
        /// How much it may be.
        most: usize,
    },
    /// The store could not do it.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooLarge { size } => Self::TooLarge { size, most: Change::MAX_BODY },
            error => Self::Store(error),
        }
    }
}

impl From<CommitError> for AppError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict => Self::Contended,
            CommitError::Store(error) => error.into(),
        }
    }
}

/// A verification with what is known of its deliveries.
#[derive(Debug, Clone)]
pub struct View {
    /// The service it belongs to.
    pub service: Arc<Service>,
    /// The record.
    pub verification: Verification,
    /// The status as of now.
    pub status: Status,
    /// Codes that may still be offered.
    pub checks_left: u32,
    /// Sends that are left.
    pub sends_left: u8,
    /// From when on the next send is allowed.
    pub resend_at: Option<Timestamp>,
    /// The channels by which it may be sent again, the preferred one first.
    pub channels_left: Vec<Channel>,
    /// Each send, and what became of it.
    pub deliveries: Vec<(Send, Option<Delivery>)>,
}

impl View {
    /// The last send's number, if it did not arrive by Twilio's word.
    pub fn failed_send(&self) -> Option<u8> {
        let (send, delivery) = self.deliveries.last()?;
        let status = delivery.as_ref().and_then(Delivery::status)?;
        status.is_failure().then_some(send.number)
    }

    /// The channels that are open at once, though the next send by the way of
    /// the last one has to wait.
    pub fn ways_out(&self) -> Vec<Channel> {
        let failed = self.failed_send();
        let is_open = |channel: &&Channel| self.verification.is_way_out(**channel, failed);
        self.channels_left.iter().filter(is_open).copied().collect()
    }

    fn new(
        service: Arc<Service>,
        base: &Policy,
        verification: Verification,
        status: Status,
        deliveries: Vec<(Send, Option<Delivery>)>,
    ) -> Self {
        let policy = service.policy(base);
        let pending = status == Status::Pending;
        let sends_left = if pending { verification.sends_left(&policy) } else { 0 };
        Self {
            status,
            checks_left: if pending { verification.checks_left(&policy) } else { 0 },
            sends_left,
            resend_at: verification.resend_at(&policy).filter(|_| pending),
            channels_left: if sends_left > 0 { service.channels_for(&verification.to) } else { Vec::new() },
            deliveries,
            verification,
            service,
        }
    }
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
    fn turns(&self) -> &pending::Turns {
        &self.1
    }

    /// What those who do the work have in common.
    fn board(&self) -> &queue::Board {
        &self.2
    }

    /// Where records are.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    async fn verification(&self, id: &VerificationId) -> Result<Versioned<Verification>, AppError> {
        records::get(self.store(), id.as_str()).await?.ok_or(AppError::NotFound)
    }

    /// Lets an event happen to a verification, as often as it takes to be
    /// first. The event is made anew from what was read each time.
    async fn happen(
        &self,
        id: &VerificationId,
        input: impl Fn(&Verification) -> Result<Input, AppError>,
    ) -> Result<Decision, AppError> {
        let decision = self
            .transact(&transact::VERIFICATION, || async {
                let old = self.verification(id).await?;
                let policy = self.policy_of(&old.record).await?;
                let decision = decide(&policy, &old.record, input(&old.record)?, self.now());
                if decision.verification == old.record {
                    return Ok(Draft::Settled((decision, false)));
                }
                Ok(Draft::Write(self.written(Some(&old), &decision.verification), (decision, true)))
            })
            .await?;
        match decision {
            (decision, true) if !decision.effects.is_empty() => {
                self.0.wake.notify_one();
                Ok(decision)
            }
            (decision, _) => Ok(decision),
        }
    }

    /// What has to be written for a verification to become another: it, and
    /// what others are told of it.
    fn written(&self, old: Option<&Versioned<Verification>>, new: &Verification) -> Vec<Change> {
        let mut changes = vec![records::put(old, new)];
        changes.extend(self.told_of(old, new));
        changes
    }

    /// The same for a delivery.
    async fn written_delivery(
        &self,
        old: Option<&Versioned<Delivery>>,
        new: &Delivery,
    ) -> Result<Vec<Change>, AppError> {
        let mut changes = vec![records::put(old, new)];
        // Most callbacks are told to nobody. Those that are have a future of
        // their own, so that the others carry no place for it.
        if self.tells_of(new) {
            // What was unproved was told to nobody.
            let old = old.filter(|old| !old.record.unproved);
            changes.extend(Box::pin(self.told_of_delivery(old, new)).await?);
        }
        Ok(changes)
    }

    async fn view(&self, verification: Verification) -> Result<View, AppError> {
        let mut deliveries = Vec::with_capacity(verification.sends.len());
        for send in &verification.sends {
            let delivery = match &send.sid {
                Some(sid) => records::get::<Delivery>(self.store(), sid.as_str()).await?,
                None => None,
            };
            deliveries.push((send.clone(), delivery.map(|delivery| delivery.record)));
        }
        let service = self.service_of(&verification).await?;
        self.wanted(self.bare_view(service, verification, deliveries)).await
    }

    /// The same view with the channels that go to the number and that the person
    /// wants.
    async fn wanted(&self, mut view: View) -> Result<View, AppError> {
        view.channels_left.clear();
        if view.sends_left == 0 {
            return Ok(view);
        }
        let to = &view.verification.to;
        let ways = self.ways(view.service.clone(), to).await?;
        for channel in ways.channels(to) {
            match self.refuse_opted_out(&ways.service, to, channel).await {
                Ok(()) => view.channels_left.push(channel),
                Err(AppError::OptedOut) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(view)
    }

    fn bare_view(
        &self,
        service: Arc<Service>,
        verification: Verification,
        deliveries: Vec<(Send, Option<Delivery>)>,
    ) -> View {
        let status = verification.status_at(self.now());
        View::new(service, &self.0.policy, verification, status, deliveries)
    }

    fn gate_key(&self, service: &Service) -> Option<u8> {
        // From 1 to 9: `0` and the signs are hard to find on some phones.
        let digit = || u8::try_from(self.0.entropy.below(9)).unwrap_or(0) + 1;
        (service.settings.gate == Gate::NamedKey).then(digit)
    }

    fn refuse(&self, outcome: Outcome, channel: Channel) -> Result<(), AppError> {
        match outcome {
            Outcome::Ended(status) => Err(AppError::Ended(status)),
            Outcome::TooSoon { at } => {
                let left = at.duration_since(self.now()).as_millis();
                let seconds = i64::try_from((left + 999) / 1000).unwrap_or(i64::MAX).max(1);
                Err(AppError::TooSoon { at, seconds })
            }
            Outcome::NoSendsLeft => Err(AppError::NoSendsLeft),
            Outcome::ChannelOff => Err(AppError::ChannelOff(channel)),
            Outcome::CodeNotChosen => Err(AppError::CodeNotChosen),
            _ => Ok(()),
        }
    }
}
