//! Looking deliveries up.

mod found;
mod listed;
mod merged;

pub use self::found::{DeliveryFilter, Found};

use self::found::Wanted;
use self::listed::{Listed, of_verification};
use crate::app::admission::Admission;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::listing::{
    All, LONGEST_PAGE, MOST_READ, Page, Place, Steps, Whose, Window, only_own, page_of, scan_of,
};
use crate::app::messaging::MessagingError;
use crate::app::services::among::Among;
use crate::model::address;
use crate::model::delivery::Delivery;
use crate::model::id::{DeliveryId, SentFor, Sid};
use crate::model::key::ServiceSet;
use crate::model::message::Message;
use crate::model::phone::NumberPolicy;
use crate::model::verification::{Attempts, Verification};
use crate::store::records::{self, Versioned};
use crate::store::{Index, Scan, Store};
use std::time::Instant;

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
    let (id, number) = match name.parse::<DeliveryId>().map_err(|_| Fault::NotFound)?.parts() {
        (SentFor::Verification(id), number) => (id, number),
        (SentFor::Message(id), number) => {
            let message = records::get::<Message>(store, id.as_str()).await?.ok_or(Fault::NotFound)?.record;
            // What has no name of the provider's yet stands in the message.
            let sid = message.send(number).and_then(|send| send.sid.clone()).ok_or(Fault::NotFound)?;
            return by_sid(store, &sid).await;
        }
    };
    let found = records::get::<Verification>(store, id.as_str()).await?.ok_or(Fault::NotFound)?;
    let send = found.record.send(number).cloned().ok_or(Fault::NotFound)?;
    let Some(sid) = &send.sid else {
        return Ok(Found::Send(Box::new(found.record), Box::new(send)));
    };
    let delivery = records::get::<Delivery>(store, sid.as_str()).await?.ok_or(Fault::NotFound)?.record;
    let attempts = match delivery.id.as_ref().and_then(DeliveryId::of_verification) {
        Some((own, number)) if own == id => attempts_in(&found.record, number),
        _ => attempts_of(store, &delivery).await?,
    };
    Ok(Found::Delivery(Box::new(delivery), attempts))
}

/// Whether a delivery was never sent, and what is told of it is made up; of one whose
/// verification is not kept any more nobody says so.
///
/// # Errors
/// The store's.
pub async fn is_shadow(store: &dyn Store, found: &Found) -> Result<bool, MessagingError> {
    let id = match found {
        Found::Send(_, send) => return Ok(send.shadow),
        Found::Delivery(delivery, _) => delivery.id.as_ref().and_then(DeliveryId::of_verification),
    };
    let Some((verification, number)) = id else { return Ok(false) };
    let found: Option<Versioned<Verification>> = records::get(store, verification.as_str()).await?;
    Ok(found.is_some_and(|found| found.record.send(number).is_some_and(|send| send.shadow)))
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
    match id.parts() {
        (SentFor::Verification(id), number) => {
            let found = records::get::<Verification>(store, id.as_str()).await?;
            Ok(found.and_then(|found| attempts_in(&found.record, number)))
        }
        (SentFor::Message(id), number) => {
            let found = records::get::<Message>(store, id.as_str()).await?;
            let send = found.as_ref().and_then(|found| found.record.send(number));
            Ok(send.map(|send| Box::new(send.attempts.clone())))
        }
    }
}

fn attempts_in(verification: &Verification, number: u8) -> Option<Box<Attempts>> {
    verification.send(number).map(|send| Box::new(send.attempts.clone()))
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
        let mut taken = of_verification(store, id, wanted.as_ref()).await?;
        taken.retain(|(_, found)| filter.takes(found) && filter.spans(found.asked_at()));
        let taken = taken.into_iter().map(|(place, found)| (place, Some(found))).collect();
        let taken = only_own(whose, taken).await?.into_iter();
        let own = taken.filter_map(|(place, found)| Some((place, found?))).collect();
        let page = page_of(own, window, |(place, _): &(Place, Found)| place.clone());
        return Ok(Page { items: page.items.into_iter().map(|(_, found)| found).collect(), next: page.next });
    }
    let steps = Steps::for_page_of(window.limit);
    let mut listed = Listed::new(store, scans(filter, wanted.as_ref()), window.after.clone(), steps);
    let mut page = Page { items: Vec::new(), next: None };
    let (mut read, mut last, begun) = (0, None::<Place>, Instant::now());
    let takes =
        |found: &Found| filter.takes(found) && wanted.as_ref().is_none_or(|wanted| wanted.takes(found));
    while let Some(standing) = listed.next().await? {
        let standing = standing.into_iter().map(|(place, found)| (place, found.filter(&takes))).collect();
        for (place, found) in only_own(whose, standing).await? {
            // One more than is wanted, or may be read, says that there is more.
            if page.items.len() == window.limit {
                page.next = last;
                return Ok(page);
            }
            // The last thing read may be another service's, and its name is not to
            // be told: whoever may not see it goes on behind its whole millisecond.
            let is_between = last.as_ref().is_some_and(|last| last.0 != place.0);
            if (read >= MOST_READ || begun.elapsed() >= LONGEST_PAGE) && (whose.is_all() || is_between) {
                page.next = last.map(|(at, id)| (at, if whose.is_all() { id } else { String::new() }));
                return Ok(page);
            }
            read += 1;
            page.items.extend(found);
            last = Some(place);
        }
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
