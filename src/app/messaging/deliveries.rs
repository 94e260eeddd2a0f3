//! Looking deliveries up.

mod listed;
mod merged;

use self::listed::{Listed, of_verification};
use crate::app::admission::Admission;
use crate::app::admission::numbers::is_short_code;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::listing::{All, LONGEST_PAGE, MOST_READ, Page, Place, Whose, Window, page_of, scan_of};
use crate::app::messaging::MessagingError;
use crate::app::services::among::Among;
use crate::model::address;
use crate::model::channel::DeliveryChannel;
use crate::model::delivery::Delivery;
use crate::model::id::{DeliveryId, Sid, VerificationId};
use crate::model::key::ServiceSet;
use crate::model::owner::{Owned, Owner};
use crate::model::phone::{NumberPolicy, PhoneNumber};
use crate::model::status::Status;
use crate::model::verification::{Attempts, Send, Verification};
use crate::store::records::{self, Versioned};
use crate::store::{Index, Scan, Store};
use jiff::Timestamp;
use std::time::Instant;

/// Which deliveries to list.
#[derive(Clone, Default)]
pub struct DeliveryFilter {
    /// To this number, in any writing and on any channel; or to this address,
    /// like `whatsapp:+…`.
    pub to: Option<String>,
    /// Of this verification.
    pub verification: Option<VerificationId>,
    /// In this status now, as [`Found::status`] has it.
    pub status: Option<String>,
    /// By this channel.
    pub channel: Option<DeliveryChannel>,
    /// First heard of, or asked for, at this time or later.
    pub since: Option<Timestamp>,
    /// First heard of, or asked for, before this time.
    pub until: Option<Timestamp>,
}

/// What a delivery's name led to.
#[derive(Debug, Clone)]
pub enum Found {
    /// Twilio knows it. One of ours that was asked for by its name, or among those
    /// of its verification, brings along how its tries went, as long as its
    /// verification is kept.
    Delivery(Box<Delivery>, Option<Box<Attempts>>),
    /// It stands in our outbox, or never left.
    Send(Box<Verification>, Send),
}

impl Owned for Found {
    fn owner(&self) -> Owner {
        match self {
            Self::Delivery(delivery, _) => delivery.owner(),
            Self::Send(verification, _) => verification.owner(),
        }
    }
}

/// A delivery by Twilio's name or by ours.
///
/// # Errors
/// Not found, or the store's.
pub async fn delivery(base: &Base, name: &str) -> Result<Found, MessagingError> {
    find_delivery(base.store(), name).await
}

/// Lists deliveries, newest first; ours from the moment that they are
/// promised. A page may be short, or even empty, while `next` says that there is more.
///
/// # Errors
/// A number that is none, or the store's.
pub async fn deliveries(
    admission: &Admission,
    filter: &DeliveryFilter,
    window: &Window,
) -> Result<Page<Found>, MessagingError> {
    list(admission.base.store(), &admission.numbers, filter, window, &All).await
}

/// The same, of these services.
pub(in crate::app) async fn deliveries_among(
    admission: &Admission,
    services: &ServiceSet,
    filter: &DeliveryFilter,
    window: &Window,
) -> Result<Page<Found>, MessagingError> {
    let whose = Among { directory: &admission.directory, services };
    list(admission.base.store(), &admission.numbers, filter, window, &whose).await
}

/// A delivery by Twilio's name or by ours, straight from a store.
///
/// # Errors
/// Not found, or the store's.
pub async fn find_delivery(store: &dyn Store, name: &str) -> Result<Found, MessagingError> {
    if let Ok(sid) = name.parse::<Sid>() {
        return by_sid(store, &sid).await;
    }
    let (id, number) = name.parse::<DeliveryId>().map_err(|_| Fault::NotFound)?.parts();
    let found = records::get::<Verification>(store, id.as_str()).await?.ok_or(Fault::NotFound)?;
    let send = found.record.send(number).cloned().ok_or(Fault::NotFound)?;
    match &send.sid {
        Some(sid) => by_sid(store, sid).await,
        None => Ok(Found::Send(Box::new(found.record), send)),
    }
}

async fn by_sid(store: &dyn Store, sid: &Sid) -> Result<Found, MessagingError> {
    let found: Option<Versioned<Delivery>> = records::get(store, sid.as_str()).await?;
    let delivery = found.ok_or(Fault::NotFound)?.record;
    let attempts = attempts_of(store, &delivery).await?;
    Ok(Found::Delivery(Box::new(delivery), attempts))
}

/// How the tries of a delivery of ours went.
async fn attempts_of(
    store: &dyn Store,
    delivery: &Delivery,
) -> Result<Option<Box<Attempts>>, MessagingError> {
    let Some(id) = &delivery.id else { return Ok(None) };
    let (verification, number) = id.parts();
    let found: Option<Versioned<Verification>> = records::get(store, verification.as_str()).await?;
    let send = found.as_ref().and_then(|found| found.record.send(number));
    Ok(send.map(|send| Box::new(send.attempts.clone())))
}

/// Deliveries straight from a store, as [`messaging::deliveries`](crate::app::messaging::deliveries) lists them.
///
/// # Errors
/// A number that is none, or the store's.
pub async fn list_deliveries(
    store: &dyn Store,
    numbers: &NumberPolicy,
    filter: &DeliveryFilter,
    window: &Window,
) -> Result<Page<Found>, MessagingError> {
    list(store, numbers, filter, window, &All).await
}

async fn list(
    store: &dyn Store,
    numbers: &NumberPolicy,
    filter: &DeliveryFilter,
    window: &Window,
    whose: &impl Whose<Found>,
) -> Result<Page<Found>, MessagingError> {
    let wanted = filter.to.as_deref().map(|to| Wanted::read(to, numbers)).transpose()?;
    if let Some(id) = &filter.verification {
        let mut taken = Vec::new();
        for (place, found) in of_verification(store, id, wanted.as_ref()).await? {
            if filter.takes(&found) && filter.spans(found.asked_at()) && whose.has(&found).await? {
                taken.push((place, found));
            }
        }
        let page = page_of(taken, window, |(place, _)| place.clone());
        return Ok(Page { items: page.items.into_iter().map(|(_, found)| found).collect(), next: page.next });
    }
    let mut listed = Listed::new(store, scans(filter, wanted.as_ref()), window.after.clone());
    let mut page = Page { items: Vec::new(), next: None };
    let (mut read, mut last, begun) = (0, None::<Place>, Instant::now());
    let takes =
        |found: &Found| filter.takes(found) && wanted.as_ref().is_none_or(|wanted| wanted.takes(found));
    while let Some((place, found)) = listed.next().await? {
        // One more than is wanted, or may be read, says that there is more.
        if page.items.len() == window.limit {
            page.next = last;
            break;
        }
        // The last thing read may be another service's, and its name is not to
        // be told: whoever may not see it goes on behind its whole millisecond.
        let is_between = last.as_ref().is_some_and(|last| last.0 != place.0);
        if (read >= MOST_READ || begun.elapsed() >= LONGEST_PAGE) && (whose.is_all() || is_between) {
            page.next = last.map(|(at, id)| (at, if whose.is_all() { id } else { String::new() }));
            break;
        }
        read += 1;
        if let Some(found) = found.filter(&takes)
            && whose.has(&found).await?
        {
            page.items.push(found);
        }
        last = Some(place);
    }
    Ok(page)
}

/// Where to look for what a filter wants: everywhere, or under each address
/// that the wanted number can have. Sends come first: what is given its name
/// meanwhile is then met in one of the two.
fn scans(filter: &DeliveryFilter, wanted: Option<&Wanted>) -> Vec<Scan> {
    let scan =
        |index, scope: String| Scan { since: filter.since, until: filter.until, ..scan_of(index, scope) };
    match wanted {
        None => [Index::Sends, Index::Deliveries].map(|index| scan(index, String::new())).to_vec(),
        Some(Wanted::Address(address)) => vec![scan(Index::DeliveriesTo, address.clone())],
        Some(Wanted::Number { number, prefix }) => {
            let sends = address::numbers_of(number).into_iter().map(|to| scan(Index::SendsTo, to));
            let named = address::addresses_of(number, prefix.as_deref());
            sends.chain(named.into_iter().map(|to| scan(Index::DeliveriesTo, to))).collect()
        }
    }
}

/// Whose deliveries are wanted.
enum Wanted {
    /// Those of a number, on all channels or behind one prefix.
    Number { number: PhoneNumber, prefix: Option<String> },
    /// Those to an address that is no number: a short code, a name.
    Address(String),
}

impl Wanted {
    /// Reads a number in any writing, or an address.
    fn read(text: &str, numbers: &NumberPolicy) -> Result<Self, MessagingError> {
        let text = text.trim_end();
        let (prefix, bare) = address::split(text);
        // `tel:` is a way to write a number.
        let prefix = prefix.filter(|prefix| !prefix.eq_ignore_ascii_case("tel"));
        let bare = if prefix.is_some() { bare } else { text };
        // In a query, a plus that was meant as itself is a space.
        let plus = bare.strip_prefix(' ').map(|rest| format!("+{}", rest.trim_start_matches(['+', ' '])));
        let bare = plus.as_deref().unwrap_or(bare);
        // On WhatsApp people have their numbers for names.
        let is_of_numbers = prefix.is_none_or(|prefix| prefix.eq_ignore_ascii_case("whatsapp"));
        match PhoneNumber::parse_to_find(bare, numbers) {
            Ok(number) => Ok(Self::Number { number, prefix: prefix.map(str::to_owned) }),
            Err(_) if prefix.is_none() && is_short_code(bare) => Ok(Self::Address(bare.to_owned())),
            Err(_) if !is_of_numbers => Ok(Self::Address(text.to_owned())),
            Err(refused) => Err(refused.into()),
        }
    }
}

impl Wanted {
    /// Whether a send goes to it. What Twilio has named was found by its address.
    fn takes(&self, found: &Found) -> bool {
        let Found::Send(verification, send) = found else { return true };
        match self {
            Self::Address(_) => false,
            Self::Number { number, prefix } => {
                let channel = DeliveryChannel::of_prefix(prefix.as_deref());
                address::numbers_of(number).iter().any(|to| to == verification.to.in_full())
                    && (prefix.is_none() || channel == send.channel.into())
            }
        }
    }
}

impl DeliveryFilter {
    fn spans(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }

    fn takes(&self, found: &Found) -> bool {
        self.status.as_deref().is_none_or(|status| found.status() == Some(status))
            && self.channel.is_none_or(|channel| found.channel() == channel)
    }
}

impl Found {
    /// Where it stands: Twilio's word once Twilio has said one, ours before.
    pub fn status(&self) -> Option<&'static str> {
        match self {
            Self::Delivery(delivery, _) => delivery.status().map(Status::as_str),
            Self::Send(_, send) => Some(send.state.as_str()),
        }
    }

    /// When it was asked for, or first heard of.
    fn asked_at(&self) -> Timestamp {
        match self {
            Self::Delivery(delivery, _) => delivery.first_seen,
            Self::Send(_, send) => send.asked_at,
        }
    }

    /// How it goes.
    pub fn channel(&self) -> DeliveryChannel {
        match self {
            Self::Delivery(delivery, _) => delivery.channel(),
            Self::Send(_, send) => send.channel.into(),
        }
    }
}
