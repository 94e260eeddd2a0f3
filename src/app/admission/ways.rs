//! Which ways a service has to a number, and what is read for that, in one place for every
//! face; `rules` judge them.
//!
//! A call comes out of the blue and costs more than a text, so none is chosen
//! instead of a text that is refused: only who asks for one, a service that has
//! it first, a landline that takes no texts, or a text that did not arrive leads to one.

use crate::app::admission::way::{Countries, Way};
use crate::app::admission::{Admission, AdmissionError, lists, opt_outs, rules, safe_list};
use crate::app::services::compat;
use crate::model::channel::Channel;
use crate::model::lists::Listed;
use crate::model::opt_out::OptOut;
use crate::model::phone::{Line, PhoneNumber};
use crate::model::service::{Reach, Service};
use crate::store::records::Ahead;
use std::sync::Arc;

/// A service as it sends to a number.
#[derive(Clone)]
pub(in crate::app) struct Ways {
    /// It, with the messaging service of the number's country.
    pub(in crate::app) service: Arc<Service>,
    /// Which countries are reached this time.
    pub(in crate::app) countries: Countries,
    /// Who texts come from where the service names nobody.
    sender: Option<String>,
    /// What the lists say of the number, where that makes a difference.
    lists: Listed,
    /// What sort of telephone it leads to by a look-up.
    line: Line,
}

impl Ways {
    /// Those of a service as it sends to a number.
    pub(in crate::app) fn of(service: Arc<Service>, countries: Countries, sender: Option<&str>) -> Self {
        let sender = sender.map(str::to_owned);
        Self { service, countries, sender, lists: Listed::default(), line: Line::Unknown }
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
        let sender = self.sender.as_deref();
        let line = self.line;
        let way = Way { service, to, channel, countries, block: None, is_unwanted: false, line, sender };
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
        if let Some((address, sender)) = wish_address(admission, &service, to, channel) {
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
    Ok(Ways { lists, ..Ways::of(service, countries, admission.sender.as_deref()) }.leading_to(line))
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

/// Whether the person has told the sender of a channel to stop.
pub(in crate::app) async fn is_unwanted(
    admission: &Admission,
    service: &Service,
    to: &PhoneNumber,
    channel: Channel,
    ahead: &Ahead,
) -> Result<bool, AdmissionError> {
    let Some((address, sender)) = wish_address(admission, service, to, channel) else {
        return Ok(false);
    };
    let wishes = opt_outs::opt_outs_towards(&admission.base, &address, &sender, ahead).await?;
    Ok(OptOut::latest(wishes.iter().map(|wish| &wish.record)).is_some_and(|wish| wish.opted_out))
}

/// Under which address a number's wish stands, and towards which sender;
/// calls have none.
fn wish_address(
    admission: &Admission,
    service: &Service,
    to: &PhoneNumber,
    channel: Channel,
) -> Option<(String, String)> {
    let settings = &service.settings;
    match channel {
        Channel::Call => None,
        Channel::Sms => {
            let own = settings.messaging_service_sid.as_ref().or(settings.from.as_ref());
            Some((to.in_full().to_owned(), own.or(admission.sender.as_ref())?.clone()))
        }
        Channel::Whatsapp => {
            let from = settings.whatsapp_from.as_ref()?;
            Some((format!("whatsapp:{}", to.in_full()), format!("whatsapp:{from}")))
        }
    }
}
