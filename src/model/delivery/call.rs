//! What a call of ours came to: which keys were pressed, how often the code was
//! read, and whether it was heard.
//!
//! That a call took place says nothing: a machine may have taken it, or nobody
//! pressed a key. So what each request of a call has come to is a fact like any
//! other, with counts that only grow: the greatest of each holds, in whatever
//! order they arrive.

use super::said::{self, is_machine};
use super::{CallSoFar, Delivery, Fact, Source, Told};
use crate::model::status::Status;
use std::fmt;

/// Why a call of ours ended without the code having been heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unheard {
    /// A machine took it.
    Machine,
    /// Nobody pressed a key.
    NoKey,
    /// The keys that were pressed were not the right one.
    WrongKey,
    /// It ended before the code was read.
    HungUp,
    /// It ended while the code was read.
    CutShort,
    /// The code was no longer good when the call was answered.
    Ended,
    /// The line was busy.
    Busy,
    /// It rang, and nobody answered.
    NoAnswer,
    /// It could not be placed.
    Failed,
    /// It was called off.
    Canceled,
}

impl Unheard {
    /// Every reason there is.
    pub const ALL: [Self; 10] = [
        Self::Machine,
        Self::NoKey,
        Self::WrongKey,
        Self::HungUp,
        Self::CutShort,
        Self::Ended,
        Self::Busy,
        Self::NoAnswer,
        Self::Failed,
        Self::Canceled,
    ];

    /// The reason as it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::NoKey => "no_key",
            Self::WrongKey => "wrong_key",
            Self::HungUp => "hung_up",
            Self::CutShort => "cut_short",
            Self::Ended => "code_ended",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::Failed => "call_failed",
            Self::Canceled => "call_canceled",
        }
    }
}

/// Why it was not heard, in words for people.
impl fmt::Display for Unheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Machine => "a machine answered, and was told nothing",
            Self::NoKey => "somebody or something answered, and no key was pressed",
            Self::WrongKey => "another key was pressed than the call had asked for",
            Self::HungUp => "the call ended before the code was read",
            Self::CutShort => "the call ended while the code was read for the first time",
            Self::Ended => "the code was no longer good when the call was answered",
            Self::Busy => "the line was busy, or the call was declined",
            Self::NoAnswer => "nobody answered",
            Self::Failed => "the call could not be placed",
            Self::Canceled => "the call was called off",
        })
    }
}

impl Delivery {
    /// What a call of ours has come to; `None` when it has not asked what to
    /// say, and for everything else.
    pub fn call(&self) -> Option<CallSoFar> {
        self.calls().reduce(|one, other| CallSoFar {
            told: one.told.max(other.told),
            right_keys: one.right_keys.max(other.right_keys),
            wrong_keys: one.wrong_keys.max(other.wrong_keys),
            readings: one.readings.max(other.readings),
            finished: one.finished.max(other.finished),
        })
    }

    /// Whether it reached its person: the handset took the message, or the call
    /// was read the code. `None` where nobody can say: messages that come in,
    /// calls of others, calls from before readings were counted.
    pub fn is_delivered(&self) -> Option<bool> {
        match self.sid.is_call() {
            true => self.is_counted().then(|| self.call().is_some_and(|call| call.readings > 0)),
            false if self.is_inbound() => None,
            false => Some(matches!(self.status(), Some(Status::Delivered | Status::Read))),
        }
    }

    /// Whether a call of ours lasted one whole reading of the code; `None` for
    /// everything else.
    pub fn is_heard(&self) -> Option<bool> {
        (self.sid.is_call() && self.is_counted()).then(|| {
            let call = self.call().unwrap_or_default();
            // A machine presses no keys; what was taken for one and did is none.
            call.finished > 0 && (call.right_keys > 0 || !self.took_machine())
        })
    }

    /// Why the code was not heard in a call of ours that has ended.
    pub fn unheard(&self) -> Option<Unheard> {
        if self.is_heard() != Some(false) {
            return None;
        }
        let status = self.status().filter(|status| status.is_final())?;
        let call = self.call().unwrap_or_default();
        let was_told = |told| self.calls().any(|call| call.told == told);
        Some(match status {
            Status::Busy => Unheard::Busy,
            Status::NoAnswer => Unheard::NoAnswer,
            Status::Failed => Unheard::Failed,
            Status::Canceled => Unheard::Canceled,
            _ if self.took_machine() || was_told(Told::Nothing) => Unheard::Machine,
            _ if call.readings > 0 => Unheard::CutShort,
            _ if was_told(Told::Ended) => Unheard::Ended,
            _ if call.wrong_keys > 0 => Unheard::WrongKey,
            _ if was_told(Told::NoKey) => Unheard::NoKey,
            _ => Unheard::HungUp,
        })
    }

    fn calls(&self) -> impl Iterator<Item = CallSoFar> {
        self.events.iter().filter_map(|event| event.fact.call)
    }

    fn took_machine(&self) -> bool {
        self.answered_by().is_some_and(is_machine)
    }

    /// Whether it is a call of ours whose readings are counted, which those are
    /// not that asked what to say before there were such counts.
    fn is_counted(&self) -> bool {
        let has_asked = |fact: &Fact| fact.source == Source::VoiceRequest;
        self.id.is_some()
            && (self.calls().next().is_some() || !self.events.iter().any(|event| has_asked(&event.fact)))
    }

    fn is_inbound(&self) -> bool {
        self.about.direction.as_deref().is_some_and(said::is_inbound)
            || self.events.iter().any(|event| event.fact.source == Source::Inbound)
            || matches!(self.status(), Some(Status::Receiving | Status::Received))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::delivery::{About, Report};
    use crate::model::id::VerificationId;
    use jiff::Timestamp;

    /// A call of ours after these facts.
    fn call(facts: &[Fact]) -> Delivery {
        let report = |fact: &Fact| Report {
            sid: format!("CA{:032x}", 1).parse().unwrap(),
            id: Some(VerificationId::from_random([7; 15]).delivery(1)),
            about: About::default(),
            fact: fact.clone(),
        };
        let at = Timestamp::UNIX_EPOCH;
        let (first, rest) = facts.split_first().unwrap();
        rest.iter().fold(Delivery::new(report(first), at), |delivery, fact| {
            delivery.merge(report(fact), at).unwrap_or(delivery)
        })
    }

    fn status(status: Status) -> Fact {
        Fact { status: Some(status), ..Fact::default() }
    }

    fn asked(told: Told, right_keys: u8, wrong_keys: u8, readings: u8, finished: u8) -> Fact {
        let call = CallSoFar { told, right_keys, wrong_keys, readings, finished };
        Fact { source: Source::VoiceRequest, call: Some(call), ..status(Status::InProgress) }
    }

    fn by(answered_by: &str) -> Fact {
        Fact { answered_by: Some(answered_by.into()), ..status(Status::InProgress) }
    }

    #[test]
    fn a_call_is_heard_when_it_lasted_a_whole_reading_and_says_why_it_was_not() {
        use Told::{Code, Ended, Gate, NoKey, Nothing};
        let gate = || asked(Gate, 0, 0, 0, 0);
        let over = || status(Status::Completed);
        let rows = [
            (vec![status(Status::Busy)], false, Some(Unheard::Busy)),
            (vec![status(Status::NoAnswer)], false, Some(Unheard::NoAnswer)),
            (vec![status(Status::Failed)], false, Some(Unheard::Failed)),
            (vec![status(Status::Canceled)], false, Some(Unheard::Canceled)),
            (vec![status(Status::Ringing)], false, None),
            (vec![over()], false, Some(Unheard::HungUp)),
            (vec![gate(), over()], false, Some(Unheard::HungUp)),
            (vec![gate(), asked(NoKey, 0, 0, 0, 0), over()], false, Some(Unheard::NoKey)),
            (
                vec![gate(), asked(Gate, 0, 1, 0, 0), asked(NoKey, 0, 1, 0, 0), over()],
                false,
                Some(Unheard::WrongKey),
            ),
            (vec![by("machine_start"), asked(Nothing, 0, 0, 0, 0), over()], false, Some(Unheard::Machine)),
            (vec![by("fax"), gate(), over()], false, Some(Unheard::Machine)),
            (vec![asked(Ended, 0, 0, 0, 0), over()], false, Some(Unheard::Ended)),
            (vec![gate(), asked(Code, 1, 0, 1, 0)], true, None),
            (vec![gate(), asked(Code, 1, 0, 1, 0), over()], true, Some(Unheard::CutShort)),
            (vec![gate(), asked(Code, 1, 0, 1, 0), asked(Code, 1, 0, 1, 1), over()], true, None),
            (vec![by("machine_start"), asked(Code, 1, 0, 1, 1), over()], true, None),
            (vec![by("machine_start"), asked(Code, 0, 0, 1, 1), over()], true, Some(Unheard::Machine)),
            (vec![by("human"), asked(Code, 0, 0, 1, 1), over()], true, None),
        ];
        for (mut facts, delivered, unheard) in rows {
            for _ in 0..2 {
                let delivery = call(&facts);
                assert_eq!(delivery.is_delivered(), Some(delivered), "{facts:?}");
                assert_eq!(delivery.unheard(), unheard, "{facts:?}");
                // In whatever order.
                facts.reverse();
            }
        }
    }

    #[test]
    fn of_others_and_of_what_was_not_counted_nothing_is_said() {
        let over = call(&[status(Status::Completed)]);
        let strange = Delivery { id: None, ..over.clone() };
        let old = call(&[Fact { source: Source::VoiceRequest, ..by("human") }, status(Status::Completed)]);
        for delivery in [strange, old] {
            assert_eq!(
                (delivery.is_delivered(), delivery.is_heard(), delivery.unheard()),
                (None, None, None)
            );
        }
        let text = |status| Delivery {
            sid: format!("SM{:032x}", 1).parse().unwrap(),
            ..call(&[self::status(status)])
        };
        let told =
            [Status::Sent, Status::Delivered, Status::Read, Status::Undelivered, Status::Received].map(text);
        let delivered = told.each_ref().map(Delivery::is_delivered);
        assert_eq!(delivered, [Some(false), Some(true), Some(true), Some(false), None]);
        assert!(told.iter().all(|text| text.is_heard().is_none() && text.unheard().is_none()));
    }
}
