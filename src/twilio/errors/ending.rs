//! Bad endings for which Twilio gives no code, and what applications are told of
//! any failure.
//!
//! It refuses to know how the words reach anybody.

use super::{TABLES, fault};
use crate::model::delivery::{Delivery, Unheard};
use crate::model::event::{EventBody, EventType, Fault, Reason};
use crate::model::status::Status;

/// How something ended badly without an error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// A call in which the code was not heard.
    Unheard(Unheard),
    /// A message did not arrive.
    Undelivered,
    /// A message could not be sent.
    Failed,
    /// A message was called off at Twilio.
    Canceled,
    /// It was never handed to Twilio.
    NotSent,
}

impl Ending {
    /// How a delivery ended, when its status says that it failed.
    pub fn of(delivery: &Delivery) -> Option<Self> {
        let status = delivery.status()?;
        Self::by(status, delivery.sid.is_call())
    }

    fn by(status: Status, is_call: bool) -> Option<Self> {
        Some(match (is_call, status) {
            (_, Status::Busy) => Self::Unheard(Unheard::Busy),
            (_, Status::NoAnswer) => Self::Unheard(Unheard::NoAnswer),
            (true, Status::Failed | Status::Undelivered) => Self::Unheard(Unheard::Failed),
            (true, Status::Canceled) => Self::Unheard(Unheard::Canceled),
            (false, Status::Undelivered) => Self::Undelivered,
            (false, Status::Failed) => Self::Failed,
            (false, Status::Canceled) => Self::Canceled,
            _ => return None,
        })
    }

    /// A word for it, as it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unheard(why) => why.as_str(),
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::NotSent => "not_sent",
        }
    }

    /// Its name, for a person: the word with spaces.
    pub fn name(self) -> String {
        self.as_str().replace('_', " ")
    }

    /// "What this means", in a sentence for the person who runs the service.
    pub fn explanation(self) -> &'static str {
        self.sentences().map_or("", |sentences| &sentences.means)
    }

    /// "What to do", in a sentence for the person who runs the service.
    pub fn advice(self) -> &'static str {
        self.sentences().map_or("", |sentences| &sentences.todo)
    }

    fn sentences(self) -> Option<&'static super::Advice> {
        let tables = &*TABLES;
        tables.by_ending.get(self.as_str())
    }

    fn fault(self) -> Fault {
        Fault {
            name: self.name(),
            meaning: Some(self.explanation().to_owned()),
            advice: Some(self.advice().to_owned()),
            ..Fault::default()
        }
    }
}

/// What applications are told of a failure: by Twilio's code, else by our reason,
/// else by how it ended. `None` where nothing failed.
pub fn told(body: &EventBody) -> Option<Fault> {
    if let Some(code) = body.error_code {
        return Some(fault(code, body.detail.as_deref()));
    }
    if let Some(detail) = &body.detail {
        return Some(Fault { name: detail.clone(), ..Fault::default() });
    }
    let ending = match (body.event_type, body.reason) {
        (EventType::Unheard, Some(reason)) => unheard(reason).map(Ending::Unheard),
        (EventType::Failed, Some(Reason::NotDelivered)) | (EventType::DeliveryUpdated, _) => {
            let status = body.status.as_deref()?.parse().ok()?;
            Ending::by(status, body.sid.as_ref().is_some_and(|sid| sid.is_call()))
        }
        _ => None,
    };
    ending.map(Ending::fault)
}

fn unheard(reason: Reason) -> Option<Unheard> {
    Unheard::ALL.into_iter().find(|why| Reason::from(*why) == reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::delivery::{About, Fact, Report};
    use jiff::Timestamp;

    fn all() -> impl Iterator<Item = Ending> {
        let others = [Ending::Undelivered, Ending::Failed, Ending::Canceled, Ending::NotSent];
        Unheard::ALL.into_iter().map(Ending::Unheard).chain(others)
    }

    #[test]
    fn every_ending_has_its_sentences_and_every_sentence_its_ending() {
        let silent: Vec<_> =
            all().filter(|end| end.explanation().is_empty() || end.advice().is_empty()).collect();
        assert_eq!((silent, TABLES.by_ending.len()), (vec![], all().count()));
    }

    #[test]
    fn every_failure_has_a_meaning_and_advice_though_no_code_came() {
        for status in Status::all() {
            for kind in ["SM", "CA"] {
                let report = Report {
                    sid: format!("{kind}{:032x}", 1).parse().unwrap(),
                    id: None,
                    about: About::default(),
                    fact: Fact { status: Some(status), ..Fact::default() },
                };
                let ending = Ending::of(&Delivery::new(report.clone(), Timestamp::UNIX_EPOCH));
                assert_eq!(ending.is_some(), status.is_failure(), "{kind} {status}");
                let body = EventBody {
                    status: Some(status.to_string()),
                    sid: Some(report.sid),
                    ..EventBody::new(EventType::DeliveryUpdated, Timestamp::UNIX_EPOCH)
                };
                assert_eq!(told(&body).is_some_and(|fault| fault.advice.is_some()), status.is_failure());
            }
        }
    }

    #[test]
    fn a_call_that_was_not_heard_is_told_with_advice() {
        for why in Unheard::ALL {
            let body = EventBody {
                reason: Some(why.into()),
                ..EventBody::new(EventType::Unheard, Timestamp::UNIX_EPOCH)
            };
            let fault = told(&body).unwrap();
            assert_eq!(fault.name, why.as_str().replace('_', " "));
            assert!(fault.meaning.is_some() && fault.advice.is_some() && fault.code.is_none());
        }
        assert_eq!(told(&EventBody::new(EventType::Approved, Timestamp::UNIX_EPOCH)), None);
    }
}
