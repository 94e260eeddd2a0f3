//! What messages of their own are counted by: what they cost, by the budgets of codes, and
//! how many of a type a number may get. Of how many codes somebody may get they take
//! nothing, so that no notification keeps a person from their code.

use crate::app::admission::budget_told::tell_of_budget;
use crate::app::admission::limits::counted::{Additions, asked, refused, unsent};
use crate::app::admission::limits::counters::CountedFor;
use crate::app::admission::{Admission, AdmissionError};
use crate::app::hash::hash;
use crate::app::messages::MessageError;
use crate::app::verification::settled::{joined, never_left};
use crate::model::counter::{Addition, Limit};
use crate::model::id::ServiceId;
use crate::model::limits::Admitted;
use crate::model::message::{Message, MessageStatus, Send};
use crate::model::phone::{PhoneNumber, Standing};
use crate::model::pseudonym::Pseudonyms;
use crate::model::service::{MessageType, Service};
use crate::store::{Counting, Limited};
use jiff::Timestamp;

/// The rule, as refusals name it.
const RULE: &str = "message_type";
/// Characters that tell a service's type from the others of one number.
const PART: usize = 16;
/// Sends that are given back in one commit at most.
const MOST_SENDS: usize = 10;

/// What the last send of a message adds: what it costs, and, where it is the first one, that
/// there is one more of its type. What it costs is written into it.
pub(super) fn count(
    admission: &Admission,
    service: &Service,
    message: &mut Message,
    message_type: &MessageType,
) -> Additions {
    if message.test {
        return Additions::default();
    }
    let limiting = &admission.limiting;
    let limits = limiting.of(&service.settings.limits);
    let standing = message.to.standing();
    if let Some(send) = message.sends.last_mut() {
        send.micros = limiting.prices.of_send(&standing.region, send.channel);
    }
    let admitted = message.admitted.clone().unwrap_or_default();
    let who = CountedFor::of_message(&limiting.names, &service.id, message, &admitted).standing_at(standing);
    let mut additions = asked(limiting, &limits, &service.settings, &who);
    drop(who);
    if message.counted_at.is_none() && !message_type.per_number.is_empty() {
        let (place, now) = (Place::of(&limiting.names, service, message), admission.base.now());
        message.counted_at = Some(now);
        additions.countings.push(Counting {
            counter: place.counter,
            now,
            additions: vec![
                Addition::Amount { of: place.word.clone(), amount: 1 },
                // A number may have to do with any number of services in its time.
                Addition::ForgetOthers,
            ],
            limits: limits_of(message_type, &place.word, &place.part),
        });
    }
    additions
}

/// What is given back where sends have come to nothing by this change: what they would have
/// cost, and, where the message is over and nothing of it ever left, that there was one of
/// its type. Whoever has it sent again is counted again.
pub(in crate::app) fn given_back(
    admission: &Admission,
    service: &Service,
    (old, new): (&Message, &mut Message),
    now: Timestamp,
) -> Vec<Counting> {
    if new.test {
        return Vec::new();
    }
    let limiting = &admission.limiting;
    let mut all = Vec::new();
    let never_sent: Vec<&Send> = never_left((&old.sends, &old.outbox), &new.sends).take(MOST_SENDS).collect();
    if !never_sent.is_empty() {
        let limits = limiting.of(&service.settings.limits);
        let admitted = new.admitted.clone().unwrap_or_default();
        let who = CountedFor::of_message(&limiting.names, &service.id, new, &admitted);
        for send in never_sent {
            all.extend(unsent(limiting, &limits, &who, send, now));
        }
    }
    let is_over = !matches!(new.status, MessageStatus::Queued | MessageStatus::Sent) && !new.is_at_work();
    if let Some(added_at) = new.counted_at.filter(|_| is_over && !new.has_left) {
        let message_type = service.settings.message_types().remove(&new.message_type).unwrap_or_default();
        let place = Place::of(&limiting.names, service, new);
        let back = Addition::GiveBack { of: place.word.clone(), amount: 1, added_at };
        let limits = limits_of(&message_type, &place.word, &place.part);
        all.push(Counting { counter: place.counter, now, additions: vec![back], limits });
        new.counted_at = None;
    }
    joined(all)
}

/// A limit that had no room for a message.
pub(super) struct Full {
    why: AdmissionError,
    limited: Limited,
    country: String,
    service: ServiceId,
}

impl Full {
    /// That of a refused commit, about a number that stands there in its plan.
    pub(super) fn of(limited: &Limited, standing: &Standing, service: &ServiceId, now: Timestamp) -> Self {
        // Every limit of a message is one of ours.
        let why = refused(limited, now).unwrap_or(AdmissionError::NoChannel);
        let (limited, country) = (limited.clone(), standing.region.clone());
        Self { why, limited, country, service: service.clone() }
    }

    /// As it is said; where it is a budget, who is to know that is told.
    pub(super) async fn told(self: Box<Self>, admission: &Admission) -> MessageError {
        tell_of_budget(admission, (&self.country, self.service.as_str()), &self.limited).await;
        self.why.into()
    }
}

/// Who asks, as it is counted: by the key's name.
pub(super) fn asked_by(caller: Option<&str>) -> Admitted {
    Admitted { key: caller.map(str::to_owned), ..Admitted::default() }
}

/// Where a number's messages of a type are counted.
struct Place {
    counter: String,
    word: String,
    part: String,
}

impl Place {
    fn of(names: &Pseudonyms, service: &Service, message: &Message) -> Self {
        // However long names are, what is counted under them has a short one.
        let part = hash(&[service.id.as_str(), &message.message_type])[..PART].to_owned();
        Self { counter: type_counter(names, &message.to), word: format!("message:{part}"), part }
    }
}

/// The counter of a number's messages of all services and types.
pub(in crate::app) fn type_counter(names: &Pseudonyms, number: &PhoneNumber) -> String {
    hash(&["limit", RULE, &names.of(RULE, number.person().as_str())])
}

fn limits_of(message_type: &MessageType, word: &str, part: &str) -> Vec<Limit> {
    let windows = message_type.per_number.iter();
    let limit = |seconds: u32, max| {
        Limit::new(format!("{RULE}:{seconds}:{part}"), word.to_owned(), seconds, max).exact()
    };
    windows.map(|window| limit(window.seconds, window.max)).collect()
}
