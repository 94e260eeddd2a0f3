//! Who calls the application's API, and what they may do.

use super::caller::{Caller, ENVIRONMENT, OPERATOR, SANDBOX};
use super::context::{Context, Operator};
use super::error::Error;
use super::guesses;
use super::request::Request;
use crate::app::admin;
use crate::model::key::{Access, ApiKey, Scope};
use crate::secret::Secret;

/// The caller of an API request.
///
/// # Errors
/// [`Error::Unauthorized`], or the store's.
pub async fn caller(context: &Context, request: &Request) -> Result<Caller, Error> {
    let shown = Secret::new(bearer(request).ok_or(Error::Unauthorized)?);
    match holder(context, &shown).await? {
        Some(caller) => Ok(caller),
        None => Err(nobodys(context, request).await),
    }
}

/// What is said of a key that is nobody's.
async fn nobodys(context: &Context, request: &Request) -> Error {
    match wrong_key(context, request).await {
        Some(seconds) => Error::WrongKeys { seconds },
        None => Error::Unauthorized,
    }
}

/// Counts a wrong key; how many seconds its sender has to wait, once there are many.
pub async fn wrong_key(context: &Context, request: &Request) -> Option<u64> {
    guesses::wrong_key(&context.guesses, &context.app, &context.settings.trusted_proxies, request).await
}

/// Whose key this is, `None` when it is nobody's.
///
/// # Errors
/// The store's.
pub async fn holder(context: &Context, shown: &Secret) -> Result<Option<Caller>, Error> {
    if is_operator(context, shown) {
        return Ok(Some(Caller::of_all(OPERATOR, Scope::ALL.into())));
    }
    let settings = &context.settings;
    let is = |key: &Secret| !key.is_empty() && key == shown;
    // In the sandbox its key and the environment's are as good as an account's
    // token at Twilio: there is nothing to protect.
    let scopes = || match settings.sandboxed {
        true => Scope::ALL.into(),
        false => Scope::of_an_application(),
    };
    if settings.keys.iter().any(is) {
        return Ok(Some(Caller::of_all(ENVIRONMENT, scopes())));
    }
    if settings.sandbox_key.as_ref().is_some_and(is) {
        return Ok(Some(Caller::of_all(SANDBOX, scopes())));
    }
    let key = admin::key_holder(&context.app.base, shown.expose()).await?;
    Ok(key
        .map(|ApiKey { id, scopes, services, .. }| Caller { name: id, access: Access { scopes, services } }))
}

/// Lets the operator's key in, and no other.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn operator(context: &Context, request: &Request) -> Result<(), Error> {
    let shown = Secret::new(bearer(request).ok_or(Error::Unauthorized)?);
    match is_operator(context, &shown) {
        true => Ok(()),
        false => Err(nobodys(context, request).await),
    }
}

fn is_operator(context: &Context, shown: &Secret) -> bool {
    context.settings.operator.as_ref().is_some_and(|Operator(key)| !key.is_empty() && key == shown)
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, key) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}
