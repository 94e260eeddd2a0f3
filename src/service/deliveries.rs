//! Looking deliveries up.

use super::listing::{Page, Window, scan_of};
use super::{Service, ServiceError};
use crate::model::channel::Channel;
use crate::model::delivery::Delivery;
use crate::model::id::{DeliveryId, Sid};
use crate::model::key::ServiceSet;
use crate::model::owner::{Owned, Owner};
use crate::model::phone::PhoneNumber;
use crate::model::status::Status;
use crate::model::typed::plain;
use crate::model::verification::{Send, Verification};
use crate::store::records::{self, Versioned};
use crate::store::{Index, Scan, Store};
use jiff::Timestamp;

/// Which deliveries to list.
#[derive(Clone, Default)]
pub struct DeliveryFilter {
    /// Sent to this address: a number in any writing, or an address like `whatsapp:+…`.
    pub to: Option<String>,
    /// In this status now.
    pub status: Option<Status>,
    /// By this channel.
    pub channel: Option<Channel>,
    /// First seen at this time or later.
    pub since: Option<Timestamp>,
    /// First seen before this time.
    pub until: Option<Timestamp>,
}

/// What a delivery's name led to.
#[derive(Debug, Clone)]
pub enum Found {
    /// Twilio knows it.
    Delivery(Box<Delivery>),
    /// It stands in our outbox, or never left.
    Send(Box<Verification>, Send),
}

impl Owned for Found {
    fn owner(&self) -> Owner {
        match self {
            Self::Delivery(delivery) => delivery.owner(),
            Self::Send(verification, _) => verification.owner(),
        }
    }
}

impl Service {
    /// A delivery by Twilio's name or by ours.
    ///
    /// # Errors
    /// Not found, or the store's.
    pub async fn delivery(&self, name: &str) -> Result<Found, ServiceError> {
        find_delivery(self.store(), name).await
    }

    /// Lists deliveries, newest first. A page may be short, or even empty,
    /// while `next` says that there is more.
    ///
    /// # Errors
    /// A number that is none, or the store's.
    pub async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        window: &Window,
    ) -> Result<Page<Delivery>, ServiceError> {
        self.deliveries_among(&ServiceSet::all(), filter, window).await
    }

    /// The same, of these services.
    pub(super) async fn deliveries_among(
        &self,
        services: &ServiceSet,
        filter: &DeliveryFilter,
        window: &Window,
    ) -> Result<Page<Delivery>, ServiceError> {
        let index = if filter.to.is_some() { Index::DeliveriesTo } else { Index::Deliveries };
        let scan = Scan {
            since: filter.since,
            until: filter.until,
            ..scan_of(index, self.address(filter.to.as_deref())?)
        };
        let scopes = [scan.scope.clone()];
        self.page_among(services, scan, &scopes, window, |delivery| filter.takes(delivery)).await
    }

    /// An address as it stands in listings: a number in any writing, or
    /// something else as it is, like `whatsapp:+…` and short codes.
    pub(super) fn address(&self, text: Option<&str>) -> Result<String, ServiceError> {
        let Some(text) = text else {
            return Ok(String::new());
        };
        // In a query, a plus that was meant as itself is a space.
        let plus = text.strip_prefix(' ').map(|rest| format!("+{rest}"));
        let text = plus.as_deref().unwrap_or(text);
        if text.contains(':') || (1..=6).contains(&text.len()) {
            return Ok(text.to_owned());
        }
        let number = PhoneNumber::parse(text, &self.0.numbers);
        let number = number.or_else(|refused| plain(text).parse::<PhoneNumber>().map_err(|_| refused))?;
        Ok(number.in_full().to_owned())
    }
}

/// A delivery by Twilio's name or by ours, straight from a store.
///
/// # Errors
/// Not found, or the store's.
pub async fn find_delivery(store: &dyn Store, name: &str) -> Result<Found, ServiceError> {
    if let Ok(sid) = name.parse::<Sid>() {
        return by_sid(store, &sid).await;
    }
    let (id, number) = name.parse::<DeliveryId>().map_err(|_| ServiceError::NotFound)?.parts();
    let found = records::get::<Verification>(store, id.as_str()).await?.ok_or(ServiceError::NotFound)?;
    let send = found.record.send(number).cloned().ok_or(ServiceError::NotFound)?;
    match &send.sid {
        Some(sid) => by_sid(store, sid).await,
        None => Ok(Found::Send(Box::new(found.record), send)),
    }
}

async fn by_sid(store: &dyn Store, sid: &Sid) -> Result<Found, ServiceError> {
    let found: Option<Versioned<Delivery>> = records::get(store, sid.as_str()).await?;
    found.map(|found| Found::Delivery(Box::new(found.record))).ok_or(ServiceError::NotFound)
}

impl DeliveryFilter {
    fn takes(&self, delivery: &Delivery) -> bool {
        self.status.is_none_or(|status| delivery.status() == Some(status))
            && self.channel.is_none_or(|channel| delivery.channel() == channel)
    }
}
