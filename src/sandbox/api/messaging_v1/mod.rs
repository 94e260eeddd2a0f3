//! `messaging.twilio.com`: messaging services and the senders in their pools.

mod senders;
mod services;

use super::route::{Route, delete, get, post};
use crate::sandbox::service::Kind;

const PRODUCT: &str = "messaging";

/// The whole product on one screen.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/v1/Services", services::list),
    post(PRODUCT, "/v1/Services", services::create),
    get(PRODUCT, "/v1/Services/Usecases", services::usecases),
    get(PRODUCT, "/v1/Services/{Sid}", services::fetch),
    post(PRODUCT, "/v1/Services/{Sid}", services::update),
    delete(PRODUCT, "/v1/Services/{Sid}", services::delete),
    get(PRODUCT, "/v1/Services/{ServiceSid}/PhoneNumbers", |ask| senders::list(ask, Kind::Number)),
    post(PRODUCT, "/v1/Services/{ServiceSid}/PhoneNumbers", |ask| senders::create(ask, Kind::Number)),
    get(PRODUCT, "/v1/Services/{ServiceSid}/PhoneNumbers/{Sid}", |ask| senders::fetch(ask, Kind::Number)),
    delete(PRODUCT, "/v1/Services/{ServiceSid}/PhoneNumbers/{Sid}", |ask| senders::delete(ask, Kind::Number)),
    get(PRODUCT, "/v1/Services/{ServiceSid}/ShortCodes", |ask| senders::list(ask, Kind::ShortCode)),
    post(PRODUCT, "/v1/Services/{ServiceSid}/ShortCodes", |ask| senders::create(ask, Kind::ShortCode)),
    get(PRODUCT, "/v1/Services/{ServiceSid}/ShortCodes/{Sid}", |ask| senders::fetch(ask, Kind::ShortCode)),
    delete(PRODUCT, "/v1/Services/{ServiceSid}/ShortCodes/{Sid}", |ask| {
        senders::delete(ask, Kind::ShortCode)
    }),
    get(PRODUCT, "/v1/Services/{ServiceSid}/AlphaSenders", |ask| senders::list(ask, Kind::Name)),
    post(PRODUCT, "/v1/Services/{ServiceSid}/AlphaSenders", |ask| senders::create(ask, Kind::Name)),
    get(PRODUCT, "/v1/Services/{ServiceSid}/AlphaSenders/{Sid}", |ask| senders::fetch(ask, Kind::Name)),
    delete(PRODUCT, "/v1/Services/{ServiceSid}/AlphaSenders/{Sid}", |ask| senders::delete(ask, Kind::Name)),
    get(PRODUCT, "/v1/Services/{ServiceSid}/DestinationAlphaSenders", |ask| {
        senders::list(ask, Kind::CountryName)
    }),
    post(PRODUCT, "/v1/Services/{ServiceSid}/DestinationAlphaSenders", |ask| {
        senders::create(ask, Kind::CountryName)
    }),
    get(PRODUCT, "/v1/Services/{ServiceSid}/DestinationAlphaSenders/{Sid}", |ask| {
        senders::fetch(ask, Kind::CountryName)
    }),
    delete(PRODUCT, "/v1/Services/{ServiceSid}/DestinationAlphaSenders/{Sid}", |ask| {
        senders::delete(ask, Kind::CountryName)
    }),
    get(PRODUCT, "/v1/Services/{MessagingServiceSid}/ChannelSenders", |ask| {
        senders::list(ask, Kind::Channel)
    }),
    post(PRODUCT, "/v1/Services/{MessagingServiceSid}/ChannelSenders", |ask| {
        senders::create(ask, Kind::Channel)
    }),
    get(PRODUCT, "/v1/Services/{MessagingServiceSid}/ChannelSenders/{Sid}", |ask| {
        senders::fetch(ask, Kind::Channel)
    }),
    delete(PRODUCT, "/v1/Services/{MessagingServiceSid}/ChannelSenders/{Sid}", |ask| {
        senders::delete(ask, Kind::Channel)
    }),
];
