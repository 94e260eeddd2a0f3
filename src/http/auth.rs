//! Who calls the application's API, and what they may do.

use super::context::{Context, Operator};
use super::error::Error;
use super::guesses;
use super::request::Request;
use crate::app::admin;
use crate::model::audit::Actor;
use crate::model::key::{Access, ApiKey, Scope, ServiceSet};
use crate::secret::Secret;
use std::collections::BTreeSet;

/// Who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// A name that no other caller has: it keeps their idempotency keys and
    /// their limits apart.
    pub name: String,
    access: Access,
}

impl Caller {
    fn of_all(name: &str, scopes: BTreeSet<Scope>) -> Self {
        Self { name: name.to_owned(), access: scopes.into() }
    }

    /// Who it is to the audit log.
    pub fn actor(&self) -> Actor {
        Actor::caller(&self.name)
    }

    /// Whether they may do what needs this scope.
    pub fn may(&self, scope: Scope) -> bool {
        self.access.may(scope)
    }

    /// For which services they may do it.
    pub fn services(&self) -> &ServiceSet {
        &self.access.services
    }
}

/// The operator's name as a caller, and that of who has the environment's key;
/// no key's id is one of these, nor the account's.
const OPERATOR: &str = "operator";
const ENVIRONMENT: &str = "environment";
/// Whoever has the key that the sandbox shows: whose shares are not the other's.
const SANDBOX: &str = "sandbox";
/// Whoever has the token or a key of the sandbox's account.
const ACCOUNT: &str = "account";

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
    match guesses::wrong_key(context, request).await {
        Some(seconds) => Error::WrongKeys { seconds },
        None => Error::Unauthorized,
    }
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

/// Whoever is the account's own at the sandbox beside: they may do all, as at Twilio.
pub fn account_holder() -> Caller {
    Caller::of_all(ACCOUNT, Scope::ALL.into())
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
