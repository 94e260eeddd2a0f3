//! `voice.twilio.com`: to which countries an account may call.

mod countries;
mod settings;

use super::route::{Route, get, post};

const PRODUCT: &str = "voice";

/// The whole product on one screen.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/v1/DialingPermissions/Countries", countries::list),
    get(PRODUCT, "/v1/DialingPermissions/Countries/{IsoCode}", countries::fetch),
    get(
        PRODUCT,
        "/v1/DialingPermissions/Countries/{IsoCode}/HighRiskSpecialPrefixes",
        countries::special_prefixes,
    ),
    post(PRODUCT, "/v1/DialingPermissions/BulkCountryUpdates", countries::update),
    get(PRODUCT, "/v1/Settings", settings::fetch),
    post(PRODUCT, "/v1/Settings", settings::update),
];
