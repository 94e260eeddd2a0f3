//! `accounts.twilio.com`.

mod auth_tokens;

use super::route::{Route, delete, post};

const PRODUCT: &str = "accounts";

/// The whole product on one screen.
pub(super) const ROUTES: &[Route] = &[
    post(PRODUCT, "/v1/AuthTokens/Secondary", auth_tokens::create),
    delete(PRODUCT, "/v1/AuthTokens/Secondary", auth_tokens::delete),
    post(PRODUCT, "/v1/AuthTokens/Promote", auth_tokens::promote),
];
