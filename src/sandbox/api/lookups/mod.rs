//! `lookups.twilio.com`: what is known of a number.

mod phone_numbers;
mod phone_numbers_v1;

use super::route::{Route, get, post};

const PRODUCT: &str = "lookups";

/// The operations.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/v1/PhoneNumbers/{PhoneNumber}", phone_numbers_v1::fetch),
    get(PRODUCT, "/v2/PhoneNumbers/{PhoneNumber}", phone_numbers::fetch),
    post(PRODUCT, "/v2/batch/query", phone_numbers::batch),
];
