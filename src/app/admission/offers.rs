//! The table of channels: which of them a service offers in a country or to a kind of
//! number, and why it does not offer the others, by the rules that a start goes by.
//!
//! It goes by country and plan alone. It refuses to know persons: what a number wishes, what
//! the lists or look-ups say of it and what waits for it are not read, or whoever may ask
//! would learn that of anybody.

use crate::app::admission::finding::Finding;
use crate::app::admission::listed::Listed;
use crate::app::admission::profile::Profile;
use crate::app::admission::request::{Proof, Request, Who};
use crate::app::admission::way::Countries;
use crate::app::admission::{Admission, AdmissionError, numbers, rules, terms};
use crate::app::services::{compat, find};
use crate::model::channel::Channel;
use crate::model::id::ServiceId;
use crate::model::lists;
use crate::model::phone::{Line, NumberPolicy, PhoneNumber};
use crate::model::policy::Policy;
use crate::model::region;
use crate::model::senders::Senders;
use crate::model::service::{BadSetting, Service};
use crate::model::verification::Details;
use crate::store::records::Ahead;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A number of no country, for what is asked of none: the ITU has given 999 to nobody.
const NOWHERE: &str = "+999000000000";

/// What is asked about channels.
#[derive(Debug, Clone, Default)]
pub struct OfferQuery {
    /// For which service; nothing for the default one.
    pub service: Option<ServiceId>,
    /// In which country, ISO 3166; nothing for wherever.
    pub country: Option<String>,
    /// To which number, in any writing. Its own country goes before the one that is named.
    pub to: Option<String>,
    /// The language that is asked for, to be judged as a start's.
    pub locale: Option<String>,
}

/// What a service offers.
#[derive(Debug, Clone)]
pub struct Offers {
    /// The service that was meant, with its own settings, whoever sends for it there.
    pub service: Arc<Service>,
    /// In which country, ISO 3166; nothing where none was named or the number has none. Of
    /// a territory whose mobile numbers are its neighbour's it is that one.
    pub country: Option<String>,
    /// Every channel there is: those of the service in its order, then the others.
    pub channels: Vec<ChannelOffer>,
}

/// Whether a channel is offered.
#[derive(Debug, Clone)]
pub struct ChannelOffer {
    /// The channel, one of the service's or any other that there is.
    pub channel: Channel,
    /// Why it is not offered, by the code of the first rule that refuses it; nothing where
    /// it is.
    pub refusal: Option<(&'static str, AdmissionError)>,
}

/// Where a code would go, as far as the table may know.
struct Place {
    /// A number there.
    to: PhoneNumber,
    /// Its country.
    country: Option<String>,
    /// Which countries are reached: all where none is meant.
    countries: Countries,
    /// Whether its plan says that it is one of internet telephony.
    is_voip: bool,
}

/// Which channels a service offers, and why not the others.
///
/// # Errors
/// A service that is not there; a country, number or language that is none; or the store's.
pub(in crate::app) async fn offers(
    admission: &Admission,
    query: OfferQuery,
) -> Result<Offers, AdmissionError> {
    let directory = &admission.directory;
    let own = find::service(directory, query.service.as_ref()).await?;
    terms::refuse_unspoken(directory, &own, None, query.locale.as_deref())?;
    let place = place(admission, &query)?;
    let sending = match place.country {
        Some(_) => compat::sending_to(directory, own.clone(), &place.to, &Ahead::default()).await?,
        None => own.clone(),
    };
    let policy = own.policy(&Policy::default());
    let senders = match place.country.is_none() && query.to.is_none() {
        true => Arc::new(admission.senders.of_all_countries()),
        false => admission.senders.clone(),
    };
    let channels = judged(&sending, &place, (&senders, &policy));
    Ok(Offers { service: own, country: place.country, channels })
}

fn place(admission: &Admission, query: &OfferQuery) -> Result<Place, AdmissionError> {
    if let Some(text) = &query.to {
        let (to, test) = numbers::known(admission, numbers::number_of_form(admission, text)?);
        let is_voip = test.is_none() && to.standing().is_voip;
        return Ok(Place { country: to.region(), to, countries: Countries::AsSet, is_voip });
    }
    match &query.country {
        Some(country) => {
            let bad = |mend| {
                let what = format!("is no country of ISO 3166 that has telephone numbers: {mend}");
                AdmissionError::Setting(BadSetting { field: "country".to_owned(), what })
            };
            region::check(country).map_err(bad)?;
            let to = number_of(country)?;
            // A start there goes by what its number is read as, so the table does, too.
            Ok(Place { country: to.region(), to, countries: Countries::AsSet, is_voip: false })
        }
        None => {
            let to = NOWHERE.parse().map_err(AdmissionError::Number)?;
            Ok(Place { to, country: None, countries: Countries::All, is_voip: false })
        }
    }
}

/// A number of a country that nobody has, a mobile one where the country tells these apart.
fn number_of(country: &str) -> Result<PhoneNumber, AdmissionError> {
    let policy = NumberPolicy {
        default_region: Some(country.to_owned()),
        refuse: BTreeSet::new(),
        fictional: Vec::new(),
    };
    let example = region::find(country).map_or("", |region| region.example.as_str());
    Ok(PhoneNumber::parse(example, &policy)?)
}

/// What the rules say of every channel.
fn judged(
    service: &Arc<Service>,
    place: &Place,
    (senders, policy): (&Arc<Senders>, &Policy),
) -> Vec<ChannelOffer> {
    let (details, lists, refused_kinds) = (Ok(Details::default()), lists::Listed::default(), BTreeSet::new());
    let request = Request {
        profile: &Profile::API,
        who: Who::default(),
        now: service.created_at,
        service: service.clone(),
        policy: policy.clone(),
        senders,
        number: Ok(&place.to),
        is_voip: place.is_voip,
        line: Line::Unknown,
        refused_kinds: &refused_kinds,
        channel: None,
        countries: place.countries,
        plan: None,
        unwanted: Vec::new(),
        details: &details,
        language: None,
        has_code: false,
        open: None,
        is_key_reused: false,
        rate_limits: Vec::new(),
        known_limits: &[],
        signals: &[],
        proof: Proof::Unknown,
        listed: Listed::Nothing,
        lists: &lists,
    };
    let first = rules::first(&request);
    let own = &service.settings.channels;
    let others = Channel::ALL.into_iter().filter(|channel| !own.contains(channel));
    let offer = |channel| {
        let of_way = request.way(channel).map(|way| rules::of_way(&way)).unwrap_or_default();
        let refusal = first.iter().chain(&of_way).find_map(|reason| match &reason.finding {
            Finding::Refuse { why, .. } => Some((reason.code, why.clone())),
            _ => None,
        });
        ChannelOffer { channel, refusal }
    };
    own.iter().copied().chain(others).map(offer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::ServiceDirectory;
    use crate::model::service::{self, OnVoip, Settings};
    use jiff::Timestamp;

    const ALL: [Channel; 3] = [Channel::Whatsapp, Channel::Sms, Channel::Call];

    fn told(change: impl FnOnce(&mut Settings), place: &Place) -> String {
        let mut settings = Settings { channels: ALL.to_vec(), ..Settings::default() };
        change(&mut settings);
        let service = Arc::new(ServiceDirectory::of_file(None, settings, Timestamp::UNIX_EPOCH));
        let senders = Arc::new(Senders::only(Some("+15005550006".to_owned())));
        let policy = service.policy(&Policy::default());
        let one = |offer: &ChannelOffer| {
            format!("{}:{}", offer.channel, offer.refusal.as_ref().map_or("yes", |(code, _)| code))
        };
        let offers = judged(&service, place, (&senders, &policy));
        offers.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn to(number: &str) -> Place {
        let to: PhoneNumber = number.parse().unwrap();
        let is_voip = to.standing().is_voip;
        Place { country: to.region(), to, countries: Countries::AsSet, is_voip }
    }

    fn texts_to(allow: &str) -> impl FnOnce(&mut Settings) {
        let own = service::Countries { allow: vec![allow.to_owned()], ..Default::default() };
        move |settings| {
            settings.whatsapp_from = Some("+15005550006".to_owned());
            settings.countries.insert(Channel::Sms, own);
        }
    }

    #[test]
    fn each_channel_has_what_the_rules_say_of_it() {
        let (mobile, landline) = (to("+4915123456789"), to("+4930123456"));
        let nowhere =
            Place { to: NOWHERE.parse().unwrap(), country: None, countries: Countries::All, is_voip: false };
        // Nobody sends by WhatsApp as a number alone.
        assert_eq!(told(|_| (), &mobile), "whatsapp:channel_not_offered sms:yes call:yes");
        assert_eq!(told(texts_to("AT"), &mobile), "whatsapp:yes sms:country_not_offered call:yes");
        assert_eq!(told(texts_to("DE"), &mobile), "whatsapp:yes sms:yes call:yes");
        assert_eq!(told(texts_to("AT"), &nowhere), "whatsapp:yes sms:yes call:yes");
        let deaf = |settings: &mut Settings| {
            settings.whatsapp_from = Some("+15005550006".to_owned());
            settings.skip_sms_to_landlines = true;
        };
        let none = "whatsapp:channel_not_offered sms:channel_not_offered call:yes";
        assert_eq!(told(deaf, &landline), none);
        assert_eq!(told(deaf, &mobile), "whatsapp:yes sms:yes call:yes");
        assert_eq!(told(deaf, &nowhere), "whatsapp:yes sms:yes call:yes");
        let one = |settings: &mut Settings| settings.channels = vec![Channel::Call];
        let expected = "call:yes sms:channel_not_offered whatsapp:channel_not_offered";
        assert_eq!(told(one, &mobile), expected);
        let voip = Place { is_voip: true, ..to("+4915123456789") };
        let expected = "whatsapp:invalid_number sms:invalid_number call:invalid_number";
        assert_eq!(told(|settings| settings.voip = OnVoip::Refuse, &voip), expected);
        assert_eq!(told(|_| (), &voip), "whatsapp:channel_not_offered sms:yes call:yes");
    }

    #[test]
    fn a_country_is_asked_about_by_a_number_of_its_own() {
        let mut others = Vec::new();
        for region in region::all() {
            let number = number_of(&region.id).unwrap();
            assert!(!number.standing().is_voip, "{}", region.id);
            let country = number.region().unwrap();
            if country != region.id {
                assert_eq!(region::find(&country).unwrap().calling_code, region.calling_code, "{country}");
                others.push(format!("{}:{country}", region.id));
            }
        }
        let expected = "AX:FI BL:GP CC:AU CX:AU EH:MA IM:GB MF:GP SJ:NO VA:IT";
        assert_eq!(others.join(" "), expected);
        assert_eq!(NOWHERE.parse::<PhoneNumber>().unwrap().region(), None);
    }
}
