//! `accounts.twilio.com`.

mod auth_tokens;
mod geo_permissions;
mod safe_list;

use super::route::{Route, delete, get, patch, post};

const PRODUCT: &str = "accounts";

/// The whole product on one screen.
pub(super) const ROUTES: &[Route] = &[
    post(PRODUCT, "/v1/AuthTokens/Secondary", auth_tokens::create),
    delete(PRODUCT, "/v1/AuthTokens/Secondary", auth_tokens::delete),
    post(PRODUCT, "/v1/AuthTokens/Promote", auth_tokens::promote),
    get(PRODUCT, "/v1/SafeList/Numbers", safe_list::fetch),
    post(PRODUCT, "/v1/SafeList/Numbers", safe_list::create),
    delete(PRODUCT, "/v1/SafeList/Numbers", safe_list::delete),
    get(PRODUCT, "/v1/Messaging/GeoPermissions", geo_permissions::fetch),
    patch(PRODUCT, "/v1/Messaging/GeoPermissions", geo_permissions::update),
];
