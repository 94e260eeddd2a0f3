//! Read, decide, write.
//!
//! Each operation reads what it needs, lets the model decide, and writes
//! against the versions that it read, again and again until nobody was faster.
//! `App` refuses to know HTTP, XML, sled and Twilio's parameters. It
//! never sends from a request: what is to be sent stands in the store first,
//! and `jobs` does it.

pub mod admin;
pub mod admission;
pub mod alerts;
pub mod audit;
pub mod base;
pub mod board;
pub mod decisions;
pub mod events;
pub mod fault;
pub mod fraud;
mod hash;
mod held;
pub mod keyed;
mod leases;
mod listing;
pub mod messages;
pub mod messaging;
mod once;
pub mod privacy;
mod recent;
pub mod services;
mod transact;
pub mod verification;

pub use self::keyed::Narrowed;
pub use self::listing::{Page, Place, Window};

use crate::app::admission::known_lists::Lists;
use crate::app::admission::{Admission, Limiting, NumberLookup};
use crate::app::alerts::Alerts;
use crate::app::base::Base;
use crate::app::board::Board;
use crate::app::events::{Events, Telling};
use crate::app::fraud::Watch;
use crate::app::messages::Messages;
use crate::app::messaging::{Messaging, Turns};
use crate::app::privacy::{Privacy, Retention};
use crate::app::services::{Directory, ServiceDirectory};
use crate::app::verification::Verifying;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::gateway::Gateway;
use crate::gateway::captcha::Captcha;
use crate::gateway::lookups::Lookups;
use crate::model::account::Accounts;
use crate::model::code::CodeKeys;
use crate::model::fraud::FraudPolicy;
use crate::model::limits::Limits;
use crate::model::lookup::LookupSettings;
use crate::model::phone::NumberPolicy;
use crate::model::policy::Policy;
use crate::model::price::Prices;
use crate::model::senders::Senders;
use crate::model::test_number::TestNumber;
use crate::store::Maintenance;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

/// All operations, over the parts that they need. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Rooms>);

/// What the operations work over, from what all stand on to what few need.
pub struct Rooms {
    /// What every operation stands on.
    pub base: Arc<Base>,
    /// The services, of the configuration and of the store.
    pub directory: Arc<Directory>,
    /// Who tells applications what happened.
    pub telling: Arc<Telling>,
    /// What is known of traffic, and speaks against requests.
    pub fraud: Arc<Watch>,
    /// What decides whether a start may be, and by which way.
    pub admission: Arc<Admission>,
    /// What begins, checks and ends verifications.
    pub verifying: Arc<Verifying>,
    /// What takes messages of their own.
    pub messages: Messages,
    /// What sends, and hears what became of it.
    pub messaging: Messaging,
    /// What takes records away.
    pub privacy: Privacy,
}

impl Deref for App {
    type Target = Rooms;

    fn deref(&self) -> &Rooms {
        &self.0
    }
}

/// What an [`App`] is made of.
pub struct Parts {
    /// Where records are.
    pub store: Arc<dyn Maintenance>,
    /// The way out.
    pub gateway: Arc<dyn Gateway>,
    /// The clock that everything goes by.
    pub clock: Clock,
    /// Where ids, seeds and waits are drawn from.
    pub entropy: Entropy,
    /// The rules of verifications that no service sets.
    pub policy: Policy,
    /// The services of the configuration.
    pub services: ServiceDirectory,
    /// Numbers to which nothing is sent.
    pub test_numbers: Vec<TestNumber>,
    /// The rules of numbers.
    pub numbers: NumberPolicy,
    /// How often something may happen to whom.
    pub limits: Limits,
    /// What messages and calls cost.
    pub prices: Prices,
    /// What is taken for a sign of fraud, and what follows.
    pub fraud: FraudPolicy,
    /// The keys that derive codes.
    pub codes: CodeKeys,
    /// Who messages and calls may come from.
    pub senders: Senders,
    /// How many segments a second senders send, where that is not as usual: by number, name or
    /// messaging service, and `whatsapp:` and the number.
    pub rates: BTreeMap<String, u32>,
    /// What applications are told, and how.
    pub events: Events,
    /// Whose senders and sends are whose.
    pub accounts: Accounts,
    /// How long records are kept.
    pub retention: Retention,
    /// Who says that a person is there; nothing where nobody's proofs count.
    pub captcha: Option<Captcha>,
    /// Who is asked about numbers, and for how long what it says is remembered; nothing
    /// where nobody is.
    pub lookups: Option<(Lookups, LookupSettings)>,
}

impl App {
    /// All operations, over these parts.
    pub fn new(parts: Parts) -> Self {
        parts.events.watch(&*parts.store);
        let board = Board::new(parts.events.wake());
        let names = parts.codes.pseudonyms();
        // It writes by real time, and draws then.
        let fraud = Arc::new(Watch::new(parts.fraud, names.clone(), parts.entropy.apart("fraud")));
        let alerts = Alerts::new(names.clone());
        let lookups =
            parts.lookups.map(|(provider, settings)| NumberLookup::new(provider, names.clone(), settings));
        let base = Arc::new(Base::new(parts.store, parts.clock, parts.entropy, board));
        let (services, policy) = (parts.services, parts.policy);
        let directory = Arc::new(Directory { base: base.clone(), services, policy });
        let telling =
            Arc::new(Telling { base: base.clone(), directory: directory.clone(), events: parts.events });
        let admission = Arc::new(Admission {
            base: base.clone(),
            directory: directory.clone(),
            telling: telling.clone(),
            numbers: parts.numbers,
            test_numbers: parts.test_numbers,
            senders: Arc::new(parts.senders),
            limiting: Limiting::new(parts.limits, parts.prices, names),
            fraud: fraud.clone(),
            lookups,
            lists: Lists::default(),
            alerts,
        });
        let verifying = Arc::new(Verifying {
            base: base.clone(),
            directory: directory.clone(),
            telling: telling.clone(),
            admission: admission.clone(),
            codes: parts.codes,
            gateway: parts.gateway.clone(),
            captcha: parts.captcha.map(Arc::new),
        });
        let messages = Messages {
            admission: admission.clone(),
            keep: parts.retention.messages,
            has_words: parts.gateway.codes().is_none(),
        };
        let messaging = Messaging {
            base: base.clone(),
            directory: directory.clone(),
            telling: telling.clone(),
            admission: admission.clone(),
            verifying: verifying.clone(),
            gateway: parts.gateway.clone(),
            accounts: parts.accounts,
            pace: Arc::default(),
            messages: messages.clone(),
            turns: Arc::new(Turns::new(parts.rates)),
            health: Arc::default(),
            courtesy: Arc::default(),
        };
        let privacy = Privacy {
            base: base.clone(),
            telling: telling.clone(),
            admission: admission.clone(),
            gateway: parts.gateway,
            retention: parts.retention,
        };
        Self(Arc::new(Rooms {
            base,
            directory,
            telling,
            fraud,
            admission,
            verifying,
            messages,
            messaging,
            privacy,
        }))
    }
}
