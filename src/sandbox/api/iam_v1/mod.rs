//! `iam.twilio.com`: the keys once more, in the newer form.

mod keys;

use super::route::{Route, delete, get, post};

const PRODUCT: &str = "iam";

/// The whole product on one screen.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/v1/Keys", keys::list),
    post(PRODUCT, "/v1/Keys", keys::create),
    get(PRODUCT, "/v1/Keys/{Sid}", keys::fetch),
    post(PRODUCT, "/v1/Keys/{Sid}", keys::update),
    delete(PRODUCT, "/v1/Keys/{Sid}", keys::delete),
];
