//! Which way a code may take to a number: the rules about countries, landlines,
//! the safe list and what people wish, in one place for every face.
//!
//! A call comes out of the blue and costs more than a text, so none is chosen
//! instead of a text that is refused: only who asks for one, a service that has
//! it first, or a landline that takes no texts leads to one.

use crate::app::admission::{Admission, AdmissionError, opt_outs, safe_list};
use crate::app::fault::Fault;
use crate::app::services::{Directory, compat};
use crate::model::channel::Channel;
use crate::model::opt_out::OptOut;
use crate::model::phone::PhoneNumber;
use crate::model::service::{Reach, Service};
use crate::store::records::Ahead;
use std::sync::Arc;

/// A service as it sends to a number.
#[derive(Clone)]
pub(in crate::app) struct Ways {
    /// It, with the messaging service of the number's country.
    pub(in crate::app) service: Arc<Service>,
    countries: Countries,
}

/// Which countries a channel reaches this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Countries {
    /// Those of the service's settings.
    AsSet,
    /// All: the number is on the safe list, or the application says so.
    All,
}

impl Ways {
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

    /// Why a channel may not be used; nothing when it may.
    fn refusal(&self, channel: Channel, to: &PhoneNumber) -> Option<AdmissionError> {
        if !self.service.settings.channels.contains(&channel) {
            return Some(AdmissionError::ChannelOff(channel));
        }
        if self.service.is_deaf(channel, to) {
            return Some(AdmissionError::Landline);
        }
        let is_out = self.countries == Countries::AsSet && self.service.reach(channel, to) == Reach::No;
        is_out.then(|| AdmissionError::CountryOff { channel, region: region_of(to) })
    }
}

fn region_of(to: &PhoneNumber) -> String {
    to.region().unwrap_or_else(|| "??".to_owned())
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

/// A service as it sends to a number. Whether the number is on the safe list
/// is looked up where it would make a difference.
pub(in crate::app) async fn ways(
    directory: &Directory,
    service: Arc<Service>,
    to: &PhoneNumber,
    ahead: &Ahead,
) -> Result<Ways, AdmissionError> {
    let service = compat::sending_to(directory, service, to, ahead).await?;
    let is_safe = is_refused_somewhere(&service, to)
        && safe_list::stored_safe_number(&directory.base, to, ahead).await?.is_some();
    Ok(Ways { service, countries: if is_safe { Countries::All } else { Countries::AsSet } })
}

fn is_refused_somewhere(service: &Service, to: &PhoneNumber) -> bool {
    service.settings.channels.iter().any(|channel| service.reach(*channel, to) == Reach::No)
}

/// The same where the application passes over the rules about countries.
pub(in crate::app) async fn ways_to_all(
    directory: &Directory,
    service: Arc<Service>,
    to: &PhoneNumber,
    ahead: &Ahead,
) -> Result<Ways, AdmissionError> {
    Ok(Ways { service: compat::sending_to(directory, service, to, ahead).await?, countries: Countries::All })
}

/// The channel that was asked for, if it may be used; or the best that may.
///
/// # Errors
/// Why it may not, or why the preferred one may not; or the store's.
pub(in crate::app) async fn way(
    admission: &Admission,
    ways: &Ways,
    asked: Option<Channel>,
    to: &PhoneNumber,
    ahead: &Ahead,
) -> Result<Channel, AdmissionError> {
    if let Some(channel) = asked {
        refuse_way(admission, ways, channel, to, ahead).await?;
        return Ok(channel);
    }
    let channels = &ways.service.settings.channels;
    let mut refused = None;
    for channel in channels.iter().copied() {
        if ways.is_makeshift(channel, channels, to) {
            continue;
        }
        match refuse_way(admission, ways, channel, to, ahead).await {
            Ok(()) => return Ok(channel),
            Err(AdmissionError::Fault(Fault::Store(error))) => return Err(error.into()),
            Err(error) => drop(refused.get_or_insert(error)),
        }
    }
    Err(refused.unwrap_or(AdmissionError::NoChannel))
}

/// Refuses a channel that the service does not have, that does not go to
/// the number or its country, or that the person does not want.
pub(in crate::app) async fn refuse_way(
    admission: &Admission,
    ways: &Ways,
    channel: Channel,
    to: &PhoneNumber,
    ahead: &Ahead,
) -> Result<(), AdmissionError> {
    if let Some(refused) = ways.refusal(channel, to) {
        return Err(refused);
    }
    if ways.service.reach(channel, to) == Reach::Watched {
        tracing::warn!(%to, %channel, region = region_of(to), "a watched country");
    }
    refuse_opted_out(admission, &ways.service, to, channel, ahead).await
}

pub(in crate::app) async fn refuse_opted_out(
    admission: &Admission,
    service: &Service,
    to: &PhoneNumber,
    channel: Channel,
    ahead: &Ahead,
) -> Result<(), AdmissionError> {
    let Some((address, sender)) = wish_address(admission, service, to, channel) else {
        return Ok(());
    };
    let wishes = opt_outs::opt_outs_towards(&admission.base, &address, &sender, ahead).await?;
    match OptOut::latest(wishes.iter().map(|wish| &wish.record)) {
        Some(wish) if wish.opted_out => Err(AdmissionError::OptedOut),
        _ => Ok(()),
    }
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
