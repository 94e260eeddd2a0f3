//! Who calls, once that is known. It refuses to know how.

use crate::model::audit::Actor;
use crate::model::key::{Access, Scope, ServiceSet};
use std::collections::BTreeSet;

/// Who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// A name that no other caller has: it keeps their idempotency keys and
    /// their limits apart.
    pub name: String,
    pub(super) access: Access,
}

impl Caller {
    /// Who may do these for all services.
    pub(super) fn of_all(name: &str, scopes: BTreeSet<Scope>) -> Self {
        Self { name: name.to_owned(), access: scopes.into() }
    }

    /// Who it is to the audit log.
    pub fn actor(&self) -> Actor {
        Actor::caller(&self.name)
    }

    /// Whether it is the operator: whoever can read the key that the server made at its
    /// start.
    pub fn is_operator(&self) -> bool {
        self.name == OPERATOR
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
pub(super) const OPERATOR: &str = "operator";
pub(super) const ENVIRONMENT: &str = "environment";

/// Whoever has the key that the sandbox shows: whose shares are not the other's.
pub(super) const SANDBOX: &str = "sandbox";

/// Whoever has the token or a key of the sandbox's account.
const ACCOUNT: &str = "account";

/// Whoever is the account's own at the sandbox beside: they may do all, as at Twilio.
pub fn account_holder() -> Caller {
    Caller::of_all(ACCOUNT, Scope::ALL.into())
}
