//! `pricing.twilio.com`: what messages, calls and numbers cost, from the one table
//! that they are booked by.

mod countries;
mod messaging;
mod phone_numbers;
mod voice;

use super::route::{Route, get};

const PRODUCT: &str = "pricing";

/// The operations, of which those of voice alone are there in a second version.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/v1/Messaging/Countries", messaging::list),
    get(PRODUCT, "/v1/Messaging/Countries/{IsoCountry}", messaging::fetch),
    get(PRODUCT, "/v1/PhoneNumbers/Countries", phone_numbers::list),
    get(PRODUCT, "/v1/PhoneNumbers/Countries/{IsoCountry}", phone_numbers::fetch),
    get(PRODUCT, "/v1/Voice/Countries", voice::list),
    get(PRODUCT, "/v1/Voice/Countries/{IsoCountry}", voice::fetch),
    get(PRODUCT, "/v1/Voice/Numbers/{Number}", voice::number),
    get(PRODUCT, "/v2/Voice/Countries", voice::list),
    get(PRODUCT, "/v2/Voice/Countries/{IsoCountry}", voice::fetch_v2),
    get(PRODUCT, "/v2/Voice/Numbers/{DestinationNumber}", voice::number_v2),
];
