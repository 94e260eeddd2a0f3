//! Who calls the application's API.

use super::context::{Context, Operator};
use super::error::Error;
use super::request::Request;
use crate::secret::Secret;

/// Who it is, for keeping callers' idempotency keys apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub String);

/// The operator's name as a caller; no key's id is this.
const OPERATOR: &str = "operator";

/// The caller of an API request.
///
/// # Errors
/// [`Error::Unauthorized`], or the store's.
pub async fn caller(context: &Context, request: &Request) -> Result<Caller, Error> {
    let shown = Secret::new(bearer(request).ok_or(Error::Unauthorized)?);
    if is_operator(context, &shown) {
        return Ok(Caller(OPERATOR.into()));
    }
    if context.settings.keys.iter().any(|key| !key.is_empty() && *key == shown) {
        return Ok(Caller("environment".into()));
    }
    let holder = context.service.key_holder(shown.expose()).await?;
    holder.map(Caller).ok_or(Error::Unauthorized)
}

/// Lets only the operator through.
///
/// # Errors
/// [`Error::OperatorOnly`] for everybody else who has a key, or as [`caller`].
pub async fn operator(context: &Context, request: &Request) -> Result<(), Error> {
    match caller(context, request).await? {
        Caller(name) if name == OPERATOR => Ok(()),
        Caller(_) => Err(Error::OperatorOnly),
    }
}

fn is_operator(context: &Context, shown: &Secret) -> bool {
    context.settings.operator.as_ref().is_some_and(|Operator(key)| !key.is_empty() && key == shown)
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, key) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}
