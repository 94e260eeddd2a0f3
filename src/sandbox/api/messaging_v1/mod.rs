//! `messaging.twilio.com`: messaging services and the senders in their pools.

mod senders;
mod services;

use super::route::{Route, delete, get, post};
use senders::{channels, country_names, names, numbers, short_codes};

const PRODUCT: &str = "messaging";

/// The whole product on one screen.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/v1/Services", services::list),
    post(PRODUCT, "/v1/Services", services::create),
    get(PRODUCT, "/v1/Services/Usecases", services::usecases),
    get(PRODUCT, "/v1/Services/{Sid}", services::fetch),
    post(PRODUCT, "/v1/Services/{Sid}", services::update),
    delete(PRODUCT, "/v1/Services/{Sid}", services::delete),
    get(PRODUCT, "/v1/Services/{ServiceSid}/PhoneNumbers", numbers::list),
    post(PRODUCT, "/v1/Services/{ServiceSid}/PhoneNumbers", numbers::create),
    get(PRODUCT, "/v1/Services/{ServiceSid}/PhoneNumbers/{Sid}", numbers::fetch),
    delete(PRODUCT, "/v1/Services/{ServiceSid}/PhoneNumbers/{Sid}", numbers::delete),
    get(PRODUCT, "/v1/Services/{ServiceSid}/ShortCodes", short_codes::list),
    post(PRODUCT, "/v1/Services/{ServiceSid}/ShortCodes", short_codes::create),
    get(PRODUCT, "/v1/Services/{ServiceSid}/ShortCodes/{Sid}", short_codes::fetch),
    delete(PRODUCT, "/v1/Services/{ServiceSid}/ShortCodes/{Sid}", short_codes::delete),
    get(PRODUCT, "/v1/Services/{ServiceSid}/AlphaSenders", names::list),
    post(PRODUCT, "/v1/Services/{ServiceSid}/AlphaSenders", names::create),
    get(PRODUCT, "/v1/Services/{ServiceSid}/AlphaSenders/{Sid}", names::fetch),
    delete(PRODUCT, "/v1/Services/{ServiceSid}/AlphaSenders/{Sid}", names::delete),
    get(PRODUCT, "/v1/Services/{ServiceSid}/DestinationAlphaSenders", country_names::list),
    post(PRODUCT, "/v1/Services/{ServiceSid}/DestinationAlphaSenders", country_names::create),
    get(PRODUCT, "/v1/Services/{ServiceSid}/DestinationAlphaSenders/{Sid}", country_names::fetch),
    delete(PRODUCT, "/v1/Services/{ServiceSid}/DestinationAlphaSenders/{Sid}", country_names::delete),
    get(PRODUCT, "/v1/Services/{MessagingServiceSid}/ChannelSenders", channels::list),
    post(PRODUCT, "/v1/Services/{MessagingServiceSid}/ChannelSenders", channels::create),
    get(PRODUCT, "/v1/Services/{MessagingServiceSid}/ChannelSenders/{Sid}", channels::fetch),
    delete(PRODUCT, "/v1/Services/{MessagingServiceSid}/ChannelSenders/{Sid}", channels::delete),
];
