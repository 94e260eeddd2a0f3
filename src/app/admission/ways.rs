//! Which ways a service has to a number, and what is read for that, in one place for every
//! face; `rules` judge them.
//!
//! A call comes out of the blue and costs more than a text, so none is chosen
//! instead of a text that is refused: only who asks for one, a service that has
//! it first, a landline that takes no texts, or a text that did not arrive leads to one.

use crate::app::admission::way::{Countries, Way};
use crate::app::admission::{Admission, AdmissionError, lists, opt_outs, rules, safe_list};
use crate::app::services::compat;
use crate::model::address;
use crate::model::channel::Channel;
use crate::model::lists::Listed;
use crate::model::opt_out::OptOut;
use crate::model::phone::{Line, PhoneNumber};
use crate::model::senders::Senders;
use crate::model::service::{Reach, Service};
use crate::store::records::{Ahead, Versioned};
use std::sync::Arc;

/// A service as it sends to a number.
#[derive(Clone)]
pub(in crate::app) struct Ways {
    /// It, with the messaging service of the number's country.
    pub(in crate::app) service: Arc<Service>,
    /// Which countries are reached this time.
    pub(in crate::app) countries: Countries,
    /// Who it may come from.
    senders: Arc<Senders>,
    /// What the lists say of the number, where that makes a difference.
    lists: Listed,
    /// What sort of telephone it leads to by a look-up.
    line: Line,
}

impl Ways {
    /// Those of a service as it sends to a number.
    pub(in crate::app) fn of(service: Arc<Service>, countries: Countries, senders: &Arc<Senders>) -> Self {
        let senders = senders.clone();
        Self { service, countries, senders, lists: Listed::default(), line: Line::Unknown }
    }

    /// The same to a number that leads to such a telephone, unless it is known already to
    /// which.
    pub(in crate::app) fn leading_to(self, line: Line) -> Self {
        match self.line {
            Line::Unknown => Self { line, ..self },
            _ => self,
        }
    }

    /// The channels that may be used, the preferred one first.
    pub(in crate::app) fn channels(&self, to: &PhoneNumber) -> Vec<Channel> {
        let usable = |channel: &Channel| self.refusal(*channel, to).is_none();
        self.service.settings.channels.iter().copied().filter(usable).collect()
    }

    /// Whether a call would be chosen only because a text is refused.
    pub(in crate::app) fn is_makeshift(
        &self,
        channel: Channel,
        channels: &[Channel],
        to: &PhoneNumber,
    ) -> bool {
        let before = channels.iter().take_while(|before| **before != channel);
        channel == Channel::Call
            && before
                .into_iter()
                .any(|before| !matches!(self.refusal(*before, to), Some(AdmissionError::Landline)))
    }

    /// Why a channel may not be used, whatever the person wishes; nothing when it may.
    fn refusal(&self, channel: Channel, to: &PhoneNumber) -> Option<AdmissionError> {
        let service = &*self.service;
        let countries = if self.lists.is_allowed_on(channel) { Countries::All } else { self.countries };
        let (line, senders) = (self.line, &*self.senders);
        let way = Way { service, to, channel, countries, block: None, is_unwanted: false, line, senders };
        rules::of_way(&way).iter().find_map(|reason| reason.finding.refusal().cloned())
    }
}

/// Wants what says which ways of a service lead to a number: what is kept with the
/// service, the safe list where it would make a difference, and what the person wishes
/// of the service's senders.
pub(in crate::app) fn want_ways(
    admission: &Admission,
    service: Arc<Service>,
    to: &PhoneNumber,
    ahead: &mut Ahead,
) {
    let service = compat::want_sending_to(&admission.directory, service, to, ahead);
    if is_refused_somewhere(&service, to) {
        safe_list::want_safe_number(to, ahead);
    }
    for channel in service.settings.channels.iter().copied() {
        for (address, sender) in wish_addresses(admission, &service, to, channel) {
            opt_outs::want_wishes(&address, &sender, ahead);
        }
    }
}

/// A service as it sends to a number, with what this process was told of the number. Whether
/// it is on the safe list is read where it would make a difference.
pub(in crate::app) async fn ways(
    admission: &Admission,
    service: Arc<Service>,
    to: &PhoneNumber,
    ahead: &Ahead,
) -> Result<Ways, AdmissionError> {
    let service = compat::sending_to(&admission.directory, service, to, ahead).await?;
    let (lists, is_safe) = match is_refused_somewhere(&service, to) {
        true => (
            lists::listed(admission, to, &service.id, None).await?,
            safe_list::stored_safe_number(&admission.base, to, ahead).await?.is_some(),
        ),
        false => (Listed::default(), false),
    };
    let countries = if is_safe { Countries::All } else { Countries::AsSet };
    let line = admission.lookups.as_ref().map_or(Line::Unknown, |lookups| lookups.line_of(to));
    Ok(Ways { lists, ..Ways::of(service, countries, &admission.senders) }.leading_to(line))
}

fn is_refused_somewhere(service: &Service, to: &PhoneNumber) -> bool {
    service.settings.channels.iter().any(|channel| service.reach(*channel, to) == Reach::No)
}

/// The channels of a service, as it sends to a number, whose senders the person has told
/// to stop.
pub(in crate::app) async fn unwanted(
    admission: &Admission,
    service: &Service,
    to: &PhoneNumber,
    ahead: &Ahead,
) -> Result<Vec<Channel>, AdmissionError> {
    let mut unwanted = Vec::new();
    for channel in service.settings.channels.iter().copied() {
        if is_unwanted(admission, service, to, channel, ahead).await? {
            unwanted.push(channel);
        }
    }
    Ok(unwanted)
}

/// Whether the person has told the senders of a channel to stop: their latest word to any of
/// them holds, so that nobody who said STOP to one is written to by the next.
pub(in crate::app) async fn is_unwanted(
    admission: &Admission,
    service: &Service,
    to: &PhoneNumber,
    channel: Channel,
    ahead: &Ahead,
) -> Result<bool, AdmissionError> {
    let mut wishes = Vec::new();
    for (address, sender) in wish_addresses(admission, service, to, channel) {
        wishes.extend(opt_outs::opt_outs_towards(&admission.base, &address, &sender, ahead).await?);
    }
    Ok(is_stop(&wishes))
}

/// Whether the person has told this sender of a channel to stop, whatever they said to others.
pub(in crate::app) async fn has_stopped(
    admission: &Admission,
    (to, channel): (&PhoneNumber, Channel),
    sender: &str,
    ahead: &Ahead,
) -> Result<bool, AdmissionError> {
    if channel == Channel::Call {
        return Ok(false);
    }
    let address = address::of_number(to, channel);
    Ok(is_stop(&opt_outs::opt_outs_towards(&admission.base, &address, sender, ahead).await?))
}

fn is_stop(wishes: &[Versioned<OptOut>]) -> bool {
    OptOut::latest(wishes.iter().map(|wish| &wish.record)).is_some_and(|wish| wish.opted_out)
}

/// Under which address a number's wishes stand, and towards which senders; calls have none.
fn wish_addresses(
    admission: &Admission,
    service: &Service,
    to: &PhoneNumber,
    channel: Channel,
) -> impl Iterator<Item = (String, String)> {
    let address = address::of_number(to, channel);
    let heard = admission.senders.heard(service, channel, to);
    heard.into_iter().map(move |sender| (address.clone(), sender))
}
