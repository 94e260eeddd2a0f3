//! A request for a code, told by names that are nobody's. They are made with the key of
//! the counters' names, so that the same person has the same name in every line.

use crate::model::channel::Channel;
use crate::model::counter::Pseudonym;
use crate::model::fraud::About;
use crate::model::id::{ServiceId, SessionId};
use crate::model::limits::{Admitted, Subject};
use crate::model::phone::{PhoneNumber, Standing};
use crate::model::pseudonym::Pseudonyms;
use crate::model::senders::Senders;
use crate::model::service::Service;

/// What a request is told by, as far as it is known.
pub(in crate::app) struct Told<'a> {
    /// The person's number.
    pub(in crate::app) number: &'a PhoneNumber,
    /// Where it stands in its plan.
    pub(in crate::app) standing: &'a Standing,
    /// Who asks, as a verification keeps it: key, address, network and device.
    pub(in crate::app) admitted: &'a Admitted,
    /// The session of the pages.
    pub(in crate::app) session: Option<&'a SessionId>,
    /// The service that the code is for, by its id.
    pub(in crate::app) service: &'a ServiceId,
    /// Who it is sent from.
    pub(in crate::app) sender: Option<&'a str>,
    /// By which channel.
    pub(in crate::app) channel: Channel,
    /// By which face.
    pub(in crate::app) face: &'a str,
    /// Whether it is a further send.
    pub(in crate::app) is_resend: bool,
}

/// What is told of a request.
pub(in crate::app) fn about(names: &Pseudonyms, told: &Told<'_>) -> About {
    let person = told.number.person();
    let (thousand, hundred) = person.number().block();
    let admitted = told.admitted;
    About {
        number: of_number(names, told.number),
        block100: names.member("block100", &format!("{thousand}{hundred}")),
        block1000: names.member(Subject::Block1000.word(), thousand),
        range: told.standing.range.clone(),
        country: told.standing.region.clone(),
        is_voip: told.standing.is_voip,
        looked_up: None,
        address: shortened(admitted.address.as_deref()),
        subnet: shortened(admitted.subnet.as_deref()),
        device: shortened(admitted.device.as_deref()),
        session: told.session.map(|id| names.member(Subject::Session.word(), id.as_str())),
        key: admitted.key.clone(),
        service: told.service.to_string(),
        sender: told.sender.map(str::to_owned),
        channel: told.channel,
        face: told.face.to_owned(),
        is_resend: told.is_resend,
        micros: 0,
    }
}

/// Who is sent from by a channel, as far as that is known before: a number is one sender on
/// every channel.
pub(in crate::app) fn sender_of(
    senders: &Senders,
    (service, channel): (&Service, Channel),
    to: &PhoneNumber,
) -> Option<String> {
    senders.first(service, channel, to).map(|sender| bare(&sender).to_owned())
}

pub(in crate::app) use crate::model::senders::bare;

/// The name of a person's number, however it was written.
pub(in crate::app) fn of_number(names: &Pseudonyms, number: &PhoneNumber) -> Pseudonym {
    names.member(Subject::Number.word(), number.person().as_str())
}

/// The name that lines of the log have of what a verification keeps a longer one of.
fn shortened(name: Option<&str>) -> Option<Pseudonym> {
    let mut bytes = [0; 8];
    hex::decode_to_slice(name?.get(..16)?, &mut bytes).ok()?;
    Some(Pseudonym(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::limits::Asker;
    use crate::secret::Secret;

    #[test]
    fn the_name_of_an_address_is_the_beginning_of_the_one_that_is_kept() {
        let names = Pseudonyms::new(&Secret::new("k".repeat(32)));
        let asker = Asker { address: Some("192.0.2.7".parse().unwrap()), ..Asker::default() };
        let kept = Admitted::of(&asker, &names).address;
        assert_eq!(shortened(kept.as_deref()), Some(names.member("address", "192.0.2.7")));
        assert_eq!((shortened(None), shortened(Some("no name"))), (None, None));
    }
}
