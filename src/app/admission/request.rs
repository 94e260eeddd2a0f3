//! A request for a code as the rules see it: what was asked, by whom, and what is known
//! of it. It refuses to know where that was read.

use crate::app::admission::AdmissionError;
use crate::app::admission::listed::Listed;
use crate::app::admission::profile::Profile;
use crate::app::admission::way::{Countries, Way};
use crate::model::channel::Channel;
use crate::model::compat::RateLimit;
use crate::model::fraud::Signal;
use crate::model::id::SessionId;
use crate::model::limits::Asker;
use crate::model::lists;
use crate::model::phone::{Kind, Line, PhoneError, PhoneNumber};
use crate::model::policy::Policy;
use crate::model::senders::Senders;
use crate::model::service::{BadSetting, Service};
use crate::model::verification::{Details, Verification};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// A request that begins a verification, or sends one again.
pub(in crate::app) struct Request<'r> {
    /// How its face differs.
    pub(in crate::app) profile: &'r Profile,
    /// Who asks, as far as the face knows.
    pub(in crate::app) who: Who<'r>,
    /// When it is asked, by the clock of this process.
    pub(in crate::app) now: Timestamp,
    /// For which service, as it sends to the number.
    pub(in crate::app) service: Arc<Service>,
    /// The rules by which its verifications live.
    pub(in crate::app) policy: Policy,
    /// Who it may come from.
    pub(in crate::app) senders: &'r Arc<Senders>,
    /// To which number, as it was read; its region and kind are its own.
    pub(in crate::app) number: Result<&'r PhoneNumber, &'r PhoneError>,
    /// Whether it is one of internet telephony, by its plan or by a look-up.
    pub(in crate::app) is_voip: bool,
    /// What sort of telephone it leads to by a look-up.
    pub(in crate::app) line: Line,
    /// Kinds of numbers that are refused.
    pub(in crate::app) refused_kinds: &'r BTreeSet<Kind>,
    /// By which channel; nothing for the best.
    pub(in crate::app) channel: Option<Channel>,
    /// The channels that may take the place of a send that did not arrive, the best first;
    /// nothing where somebody asks.
    pub(in crate::app) plan: Option<&'r [Channel]>,
    /// Which countries are reached this time: all for a number on the safe list.
    pub(in crate::app) countries: Countries,
    /// The channels whose senders the person has told to stop.
    pub(in crate::app) unwanted: Vec<Channel>,
    /// What is said about it, in the words that people will see, or why these cannot be.
    pub(in crate::app) details: &'r Result<Details, AdmissionError>,
    /// What is wrong with the language that was asked for.
    pub(in crate::app) language: Option<BadSetting>,
    /// Whether the application brings a code.
    pub(in crate::app) has_code: bool,
    /// The verification that was begun last for the number and the caller; it may have ended.
    pub(in crate::app) open: Option<Open<'r>>,
    /// Whether its idempotency key was used for something else before.
    pub(in crate::app) is_key_reused: bool,
    /// The rate limits that it names.
    pub(in crate::app) rate_limits: Vec<&'r str>,
    /// Those that the service has.
    pub(in crate::app) known_limits: &'r [RateLimit],
    /// What speaks against it, out of what is known of traffic.
    pub(in crate::app) signals: &'r [Signal],
    /// What is known of a proof that a person is asking.
    pub(in crate::app) proof: Proof,
    /// What the lists say of it.
    pub(in crate::app) listed: Listed,
    /// The same, channel by channel.
    pub(in crate::app) lists: &'r lists::Listed,
}

/// What is known of a proof that a person is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Proof {
    /// Nobody's proofs count here.
    Unknown,
    /// There is none yet.
    Missing,
    /// There is one, for this request alone.
    Given,
}

/// Who asks for a code: key, session and address, as far as the face knows.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::app) struct Who<'r> {
    /// The caller's name: an API key's id, or a word for one that stands in no store.
    pub(in crate::app) caller: Option<&'r str>,
    /// The session of the pages.
    pub(in crate::app) session: Option<&'r SessionId>,
    /// The person's address: as the application said, or the pages' own.
    pub(in crate::app) address: Option<IpAddr>,
    /// The person's device, as the application names it.
    pub(in crate::app) device: Option<&'r str>,
}

impl Who<'_> {
    /// The same to the limits.
    pub(in crate::app) fn asker(&self) -> Asker {
        Asker {
            key: self.caller.map(str::to_owned),
            address: self.address,
            device: self.device.map(str::to_owned),
        }
    }
}

/// A verification that a request goes on with, or that stands in its way.
#[derive(Debug, Clone, Copy)]
pub(in crate::app) struct Open<'r> {
    /// The verification, as it was read for this write.
    pub(in crate::app) verification: &'r Verification,
    /// The last send's number, if what was reported of it is that it did not arrive.
    pub(in crate::app) failed: Option<u8>,
}

impl Request<'_> {
    /// One way to the number; nothing where that is none.
    pub(in crate::app) fn way(&self, channel: Channel) -> Option<Way<'_>> {
        Some(Way {
            service: &self.service,
            to: self.number.ok()?,
            channel,
            countries: match self.lists.is_allowed_on(channel) || self.listed.is_allowed() {
                true => Countries::All,
                false => self.countries,
            },
            block: self.lists.block_on(channel).map(|block| block.until),
            is_unwanted: self.unwanted.contains(&channel),
            line: self.line,
            senders: self.senders,
        })
    }

    /// How long it is until then, in whole seconds, at least one.
    pub(in crate::app) fn seconds_until(&self, at: Timestamp) -> i64 {
        seconds_between(self.now, at)
    }
}

/// How long it is from one time to another, in whole seconds, at least one.
pub(in crate::app) fn seconds_between(now: Timestamp, at: Timestamp) -> i64 {
    let left = at.duration_since(now).as_millis();
    i64::try_from((left + 999) / 1000).unwrap_or(i64::MAX).max(1)
}
