//! A delivery: one message or call, and everything that was reported of it.
//!
//! It changes only by [`Delivery::merge`], which is a join: any order and any
//! repetition of the same reports, on any machine, adds up to the same value.
//! So what is kept is the set of facts; the status is read off it, and nothing
//! is overwritten by whoever writes last.

mod about;
mod asking;
mod call;
mod charge;
mod fact;
mod kept;
mod said;
mod so_far;

pub use about::About;
pub use asking::Asking;
pub use call::Unheard;
pub use charge::Charge;
pub use fact::{Fact, Source};
pub use said::{CHANNEL, ERROR_TEXT, is_machine};
pub use so_far::{CallSoFar, Told};

use crate::model::address;
use crate::model::channel::DeliveryChannel;
use crate::model::id::{DeliveryId, ErasureId, Sid};
use crate::model::status::Status;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One message or call at the provider, ours or anybody's on the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The provider's name for it.
    pub sid: Sid,
    /// Our name for it, when we sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<DeliveryId>,
    /// When we first heard of it, or asked for it.
    pub first_seen: Timestamp,
    /// Who and where; of contradicting values the greatest is kept.
    #[serde(default)]
    pub about: About,
    /// What was reported, the greatest status first, each fact once.
    pub events: Vec<Entry>,
    /// True while nothing proves what was reported, which in report-only mode is
    /// kept nonetheless: the first proved report takes its place.
    #[serde(default, skip_serializing_if = "crate::model::plain::is_default")]
    pub unproved: bool,
    /// That everything about it was erased. It then stays as it is, whatever is
    /// reported: a callback that comes late brings no number back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Erased>,
    /// Where the asking about one of ours stands, until its status is final; nothing where
    /// nobody asks, as of all that versions wrote that never asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asking: Option<Asking>,
}

/// That a delivery was erased. Nothing of it is left but the provider's name for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Erased {
    /// Whether the provider was told, too.
    pub redacted: bool,
    /// When it was erased here.
    pub at: Timestamp,
    /// The erasure that has to tell the provider.
    pub by: ErasureId,
    /// The account whose it was, where that was known: it is the one that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// A fact and when we first heard it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Our time of the first report of it.
    pub received_at: Timestamp,
    /// What was reported.
    pub fact: Fact,
}

/// One report, as it reaches us: a fact about a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which message or call.
    pub sid: Sid,
    /// Our name for it, when the report carries it.
    pub id: Option<DeliveryId>,
    /// Who and where.
    pub about: About,
    /// What is reported of it.
    pub fact: Fact,
}

impl Delivery {
    /// The most events that are kept of one delivery. Those with the greatest
    /// statuses stay, so that a flood cannot push out the truth; a bounded set
    /// of the greatest is still a join.
    pub const MAX_EVENTS: usize = 32;

    /// A delivery of which nothing is known but one report.
    pub fn new(report: Report, received_at: Timestamp) -> Self {
        let is_silent = !report.fact.status.is_some_and(Status::is_final);
        let asking = report.id.as_ref().filter(|_| is_silent).map(|_| Asking::default());
        Self {
            sid: report.sid,
            id: report.id,
            asking,
            first_seen: received_at,
            about: report.about.bounded(),
            events: vec![Entry { received_at, fact: report.fact.bounded() }],
            unproved: false,
            erased: None,
        }
    }

    /// The same of a report that nothing proves.
    pub fn unproved(report: Report, received_at: Timestamp) -> Self {
        Self { unproved: true, ..Self::new(report, received_at) }
    }

    /// What is left of a delivery of that name when it is erased.
    pub fn erased(sid: Sid, first_seen: Timestamp, erased: Erased) -> Self {
        Self {
            sid,
            id: None,
            first_seen,
            about: About::default(),
            events: Vec::new(),
            unproved: false,
            erased: Some(erased),
            asking: None,
        }
    }

    /// The same as a message or call that is none of ours, though whoever reports it says so.
    #[must_use]
    pub fn of_nobody(self) -> Self {
        Self { id: None, ..self }
    }

    /// The same, when it is one that was asked for at that time: it then stands
    /// in listings where it stood before the provider had a name for it.
    #[must_use]
    pub fn asked_at(self, at: Timestamp) -> Self {
        let first_seen = if self.erased.is_some() { self.first_seen } else { self.first_seen.min(at) };
        Self { first_seen, ..self }
    }

    /// This delivery and one report more. `None` when the report says nothing new.
    pub fn merge(&self, report: Report, received_at: Timestamp) -> Option<Self> {
        let merged = self.join(&Self::new(report, received_at));
        (merged != *self).then_some(merged)
    }

    /// The least delivery that knows all that either knows: associative,
    /// commutative, idempotent. Both must have the same SID.
    pub fn join(&self, other: &Self) -> Self {
        let first_seen = self.first_seen.min(other.first_seen);
        if let Some(erased) = self.erased.as_ref().max(other.erased.as_ref()) {
            // Nothing is greater: what is erased stays so.
            let first_seen = match (&self.erased, &other.erased) {
                (Some(_), None) => self.first_seen,
                (None, Some(_)) => other.first_seen,
                _ => first_seen,
            };
            return Self::erased(self.sid.clone(), first_seen, erased.clone());
        }
        // Whatever is proved is greater than all that is not.
        match (self.unproved, other.unproved) {
            (false, true) => return self.clone(),
            (true, false) => return other.clone(),
            _ => {}
        }
        let mut joined = Self {
            sid: self.sid.clone(),
            id: self.id.clone().max(other.id.clone()),
            first_seen,
            about: self.about.join(&other.about),
            events: Vec::with_capacity(self.events.len() + other.events.len()),
            unproved: self.unproved,
            erased: None,
            asking: self.asking.max(other.asking),
        };
        let mut theirs = other.events.iter().peekable();
        for mine in &self.events {
            while let Some(before) = theirs.next_if(|event| event.fact > mine.fact) {
                joined.events.push(before.clone());
            }
            let same = theirs.next_if(|event| event.fact == mine.fact);
            let received_at = same.map_or(mine.received_at, |event| event.received_at.min(mine.received_at));
            joined.events.push(Entry { received_at, fact: mine.fact.clone() });
        }
        joined.events.extend(theirs.cloned());
        joined.events.truncate(Self::MAX_EVENTS);
        // A status that is final stays so: what is left out with it never comes back.
        if joined.status().is_some_and(Status::is_final) {
            joined.asking = None;
        }
        joined
    }

    /// When the provider is to be asked what became of it: of one of ours that stays
    /// silent past its expected time. `None` where nobody asks.
    pub fn ask_at(&self) -> Option<Timestamp> {
        let asking = self.asking.filter(|_| self.id.is_some() && !self.unproved)?;
        asking.due(self.first_seen, self.sid.is_call(), self.sid.as_str())
    }

    /// The same, asked for no earlier than then; no turn is spent.
    #[must_use]
    pub fn put_off(&self, until: Timestamp) -> Self {
        Self { asking: self.asking.map(|asking| asking.put_off(until)), ..self.clone() }
    }

    /// The same after it was asked for now.
    #[must_use]
    pub fn asked_for(&self, now: Timestamp) -> Self {
        let (first, is_call, seed) = (self.first_seen, self.sid.is_call(), self.sid.as_str());
        let asking = self.asking.map(|asking| asking.asked(now, first, is_call, seed));
        Self { asking, ..self.clone() }
    }

    /// The same, never asked for again.
    #[must_use]
    pub fn not_asked_again(&self) -> Self {
        Self { asking: self.asking.map(|asking| Asking { over: true, ..asking }), ..self.clone() }
    }

    /// Whether a report that is proved says more of what became of it than is known: a
    /// greater status, the error of one that has none, or what it costs. Of what is erased
    /// nothing more is known.
    pub fn learns(&self, report: &Report) -> bool {
        let fact = &report.fact;
        let is_reason = fact.error_code.is_some() && self.error_code().is_none();
        let is_more = self.unproved
            || fact.status > self.status()
            || (is_reason && fact.status == self.status())
            || report.about.charge > self.about.charge;
        is_more && self.erased.is_none()
    }

    /// The greatest status reported, `None` while none was.
    pub fn status(&self) -> Option<Status> {
        self.events.first().and_then(|event| event.fact.status)
    }

    /// What went wrong: the code reported with the status that holds, else that of
    /// the greatest status that came with one. No later report takes it away: what
    /// failed and then arrived had that error all the same.
    pub fn error_code(&self) -> Option<u32> {
        self.error().and_then(|fact| fact.error_code)
    }

    /// What was said about that error, where something was.
    pub fn error_text(&self) -> Option<&str> {
        let code = self.error()?.error_code;
        let mut facts = self.events.iter().map(|event| &event.fact);
        facts.find_map(|fact| fact.error_text().filter(|_| fact.error_code == code))
    }

    fn error(&self) -> Option<&Fact> {
        // The greatest status comes first, and of one the greatest code. Without a
        // status it is a line of an error log, which may be about something else
        // where all went well.
        let counts = |fact: &&Fact| {
            fact.error_code.is_some() && (fact.status.is_some() || self.is_delivered() != Some(true))
        };
        self.events.iter().map(|event| &event.fact).find(counts)
    }

    /// Who answered, as far as anything said.
    pub fn answered_by(&self) -> Option<&str> {
        self.events.iter().find_map(|event| event.fact.answered_by.as_deref())
    }

    /// The channel it used: of a message that of its addresses, the recipient's
    /// first, or what was said besides.
    pub fn channel(&self) -> DeliveryChannel {
        if self.sid.is_call() {
            return DeliveryChannel::Call;
        }
        // No address is left to tell by.
        if self.erased.is_some() {
            return DeliveryChannel::Unknown;
        }
        let addresses = [&self.about.to, &self.about.from];
        let named = addresses.into_iter().flatten().find_map(|address| address::named_channel(address));
        let said = || {
            let mut facts = self.events.iter().map(|event| &event.fact);
            facts.find_map(Fact::channel_said)
        };
        named.unwrap_or_else(|| DeliveryChannel::of_prefix(said()))
    }

    /// How many segments it costs, where it is paid by the segment.
    pub fn segments(&self) -> Option<u32> {
        self.about.segments().filter(|_| self.channel().has_segments())
    }

    /// The alphabet it is written in, where that makes a difference.
    pub fn encoding(&self) -> Option<&str> {
        self.about.encoding.as_deref().filter(|_| self.channel().has_segments())
    }

    /// When the status that holds was first reported.
    pub fn updated_at(&self) -> Timestamp {
        self.events.first().map_or(self.first_seen, |event| event.received_at)
    }

    /// The events as they happened, to be read by a person: by the order of
    /// statuses, and by our time where that says nothing.
    pub fn history(&self) -> Vec<&Entry> {
        let mut history: Vec<&Entry> = self.events.iter().collect();
        history.sort_by_key(|event| (event.received_at, event.fact.status, event.fact.sequence));
        history
    }
}

#[cfg(test)]
mod tests;
