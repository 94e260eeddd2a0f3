//! `lookups.twilio.com`: what is known of a number.

mod overrides;
mod phone_numbers;
mod phone_numbers_v1;

use super::route::{Route, delete, get, post, put};

const PRODUCT: &str = "lookups";
const OVERRIDE: &str = "/v2/PhoneNumbers/{PhoneNumber}/Overrides/{Field}";

/// What is played of Lookups v1 and v2: methods, paths and who answers.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/v1/PhoneNumbers/{PhoneNumber}", phone_numbers_v1::fetch),
    get(PRODUCT, "/v2/PhoneNumbers/{PhoneNumber}", phone_numbers::fetch),
    get(PRODUCT, OVERRIDE, overrides::fetch),
    post(PRODUCT, OVERRIDE, overrides::create),
    put(PRODUCT, OVERRIDE, overrides::update),
    delete(PRODUCT, OVERRIDE, overrides::delete),
    post(PRODUCT, "/v2/batch/query", phone_numbers::batch),
];
