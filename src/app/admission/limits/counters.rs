//! Under which counters somebody is counted. It refuses to know what is counted there.

use crate::app::hash::hash;
use crate::model::id::{ServiceId, SessionId};
use crate::model::limits::{self, Admitted, Subject};
use crate::model::message::{Message, Send};
use crate::model::phone::{PhoneNumber, Standing};
use crate::model::pseudonym::Pseudonyms;
use crate::model::verification::Verification;
use jiff::Timestamp;
use std::sync::OnceLock;

/// A counter, and which part of it is a subject's; empty where it has it for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) struct Counted {
    pub(in crate::app) counter: String,
    pub(in crate::app) part: String,
}

/// Characters of a service's id that tell it from the others of one number.
const PART: usize = 12;

/// The counter of a subject, by its pseudonym.
pub(in crate::app) fn counter_id(subject: Subject, pseudonym: &str) -> String {
    hash(&["limit", subject.word(), pseudonym])
}

/// The counter of a person's number, with those of the services that it has to do with.
pub(in crate::app) fn number_counter(names: &Pseudonyms, number: &PhoneNumber) -> String {
    named(names, Subject::Number, number.person().as_str())
}

/// The counter of the thousand numbers around a number.
pub(in crate::app) fn block_counter(names: &Pseudonyms, number: &PhoneNumber) -> String {
    named(names, Subject::Block1000, number.person().number().block().0)
}

/// The counter of a value that is no pseudonym yet.
pub(in crate::app) fn named(names: &Pseudonyms, subject: Subject, value: &str) -> String {
    counter_id(subject, &names.of(subject.word(), value))
}

/// For whom a verification, or a message of its own, is counted.
pub(in crate::app) struct CountedFor<'a> {
    pub(in crate::app) names: &'a Pseudonyms,
    pub(in crate::app) service: &'a ServiceId,
    /// The person's number.
    pub(in crate::app) to: &'a PhoneNumber,
    session: Option<&'a SessionId>,
    /// What was asked for so far, in order.
    pub(in crate::app) sends: &'a [Send],
    /// When it began.
    pub(in crate::app) began_at: Timestamp,
    /// Whether codes are sent: a message of its own is none.
    pub(in crate::app) is_of_codes: bool,
    pub(in crate::app) admitted: &'a Admitted,
    standing: OnceLock<Standing>,
    places: [OnceLock<Option<Counted>>; Subject::ALL],
}

impl<'a> CountedFor<'a> {
    /// Those of a verification of a service.
    pub(in crate::app) fn new(
        names: &'a Pseudonyms,
        service: &'a ServiceId,
        verification: &'a Verification,
        admitted: &'a Admitted,
    ) -> Self {
        let of = (&verification.to, verification.session.as_ref());
        Self::of(names, service, of, (&verification.sends, verification.created_at), admitted, true)
    }

    /// Those of a message of a service.
    pub(in crate::app) fn of_message(
        names: &'a Pseudonyms,
        service: &'a ServiceId,
        message: &'a Message,
        admitted: &'a Admitted,
    ) -> Self {
        Self::of(names, service, (&message.to, None), (&message.sends, message.created_at), admitted, false)
    }

    /// Whether that is counted of it: of a message of its own what it costs alone, so that no
    /// notification keeps a person from their code.
    pub(in crate::app) fn counts(&self, counted: limits::Counted) -> bool {
        self.is_of_codes || counted == limits::Counted::Money
    }

    fn of(
        names: &'a Pseudonyms,
        service: &'a ServiceId,
        (to, session): (&'a PhoneNumber, Option<&'a SessionId>),
        (sends, began_at): (&'a [Send], Timestamp),
        admitted: &'a Admitted,
        is_of_codes: bool,
    ) -> Self {
        let places = [const { OnceLock::new() }; Subject::ALL];
        Self {
            names,
            service,
            to,
            session,
            sends,
            began_at,
            is_of_codes,
            admitted,
            standing: OnceLock::new(),
            places,
        }
    }

    /// The same whose number's standing is known already.
    pub(in crate::app) fn standing_at(self, standing: Standing) -> Self {
        Self { standing: OnceLock::from(standing), ..self }
    }

    /// Where its number stands in its plan; read when it is asked for, for that takes as
    /// long as most of the rest.
    pub(in crate::app) fn standing(&self) -> &Standing {
        self.standing.get_or_init(|| self.to.standing())
    }

    /// Where one of the subjects is counted; nothing where it is not known. It is made
    /// once, for to make a name is most of what counting costs.
    pub(in crate::app) fn counter(&self, subject: Subject) -> Option<&Counted> {
        self.places[subject as usize].get_or_init(|| self.place(subject)).as_ref()
    }

    fn place(&self, subject: Subject) -> Option<Counted> {
        let person = || self.to.person();
        let own = |value: &str| Some(alone(named(self.names, subject, value)));
        let by_name = |name: &Option<String>| Some(alone(counter_id(subject, name.as_deref()?)));
        match subject {
            Subject::Number => own(person().as_str()),
            Subject::NumberOfService => {
                let id = self.service.as_str();
                let part = id[id.len().saturating_sub(PART)..].to_owned();
                Some(Counted { counter: number_counter(self.names, self.to), part })
            }
            Subject::Block1000 => own(person().number().block().0),
            Subject::Block100 => {
                let person = person();
                let (thousand, hundred) = person.number().block();
                Some(Counted { counter: named(self.names, subject, thousand), part: hundred.to_owned() })
            }
            Subject::Range => own(&self.standing().range),
            Subject::Country => own(&self.standing().region),
            Subject::Service => own(self.service.as_str()),
            Subject::Whole => own(""),
            Subject::Session => own(self.session?.as_str()),
            Subject::Key => own(self.admitted.key.as_deref()?),
            Subject::Address => by_name(&self.admitted.address),
            Subject::Subnet => by_name(&self.admitted.subnet),
            Subject::Device => by_name(&self.admitted.device),
        }
    }
}

fn alone(counter: String) -> Counted {
    Counted { counter, part: String::new() }
}
