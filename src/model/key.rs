//! API keys: shown once, kept as a hash.
//!
//! A key is `dbk_<id>_<secret>`. The secret holds 256 random bits, so a plain
//! SHA-256 of it is safe at rest: there is no dictionary to try.

use crate::model::id::ServiceId;
use crate::secret::Secret;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use subtle::ConstantTimeEq;

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// 12 hexadecimal digits, no secret.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Lower-case hexadecimal SHA-256 of the secret part.
    pub secret_sha256: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it may do. A key from before there were scopes may do what an
    /// application does.
    #[serde(default = "Scope::of_an_application")]
    pub scopes: BTreeSet<Scope>,
    /// For which services. A key from before there was a choice is for all.
    #[serde(default, skip_serializing_if = "ServiceSet::is_all")]
    pub services: ServiceSet,
}

/// The services that a key is for: all, those to come too, or these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceSet(Option<BTreeSet<ServiceId>>);

impl ServiceSet {
    /// Most services that a key is bound to; for more, it is for all.
    pub const MOST: usize = 100;

    /// Every service there is and will be.
    pub const fn all() -> Self {
        Self(None)
    }

    /// These services and no others.
    pub const fn of(services: BTreeSet<ServiceId>) -> Self {
        Self(Some(services))
    }

    /// Whether it is all of them.
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a service is among them.
    pub fn has(&self, service: &ServiceId) -> bool {
        self.0.as_ref().is_none_or(|services| services.contains(service))
    }

    /// Which they are; nothing for all.
    pub fn bound(&self) -> Option<&BTreeSet<ServiceId>> {
        self.0.as_ref()
    }

    /// The one that there is, where there is one.
    pub fn only(&self) -> Option<&ServiceId> {
        self.0.as_ref().filter(|services| services.len() == 1).and_then(BTreeSet::first)
    }
}

/// What somebody may do, and to which services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// What may be done.
    pub scopes: BTreeSet<Scope>,
    /// The services whose things it may be done to.
    pub services: ServiceSet,
}

impl Access {
    /// Whether they may do what needs this scope. An `admin` may do all: it
    /// could make itself a key for it.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Start verifications and send again.
    Send,
    /// Offer codes that people typed.
    Check,
    /// Say of a code that the application chose that it was right.
    Approve,
    /// Send messages of their own, and see and change these; no code is among them.
    Message,
    /// See verifications, deliveries and settings.
    Read,
    /// Change services, keys, opt-outs and endpoints; erase people's data; read
    /// the audit log.
    Admin,
}

impl Scope {
    /// Every scope there is.
    pub const ALL: [Self; 6] =
        [Self::Send, Self::Check, Self::Approve, Self::Message, Self::Read, Self::Admin];

    /// What an application that verifies numbers needs. To approve is not among
    /// it: who may approve needs no code.
    pub fn of_an_application() -> BTreeSet<Self> {
        BTreeSet::from([Self::Send, Self::Check, Self::Read])
    }

    /// The scope as it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Check => "check",
            Self::Approve => "approve",
            Self::Message => "message",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

/// These, to all services.
impl From<BTreeSet<Scope>> for Access {
    fn from(scopes: BTreeSet<Scope>) -> Self {
        Self { scopes, services: ServiceSet::all() }
    }
}

impl ApiKey {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 64;

    /// A key from random bytes, and the text that is shown once.
    pub fn generate(
        name: &str,
        access: Access,
        id: [u8; 6],
        secret: [u8; 32],
        now: Timestamp,
    ) -> (Self, Secret) {
        let (id, secret) = (hex::encode(id), hex::encode(secret));
        let shown = Secret::new(format!("dbk_{id}_{secret}"));
        let Access { scopes, services } = access;
        let (name, secret_sha256) = (name.to_owned(), sha256(&secret));
        let key = Self { id, name, secret_sha256, created_at: now, scopes, services };
        (key, shown)
    }

    /// Whether a text may be a key's name: it is there, of at most 64 characters
    /// in one line.
    pub fn is_name(text: &str) -> bool {
        let text = text.trim();
        (1..=Self::MAX_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    }

    /// Whether the secret part is this key's, in constant time.
    pub fn opens_with(&self, secret: &str) -> bool {
        self.secret_sha256.as_bytes().ct_eq(sha256(secret).as_bytes()).into()
    }
}

/// How long an id is, in hexadecimal digits.
pub const ID_LENGTH: usize = 12;

/// The id and the secret of a key as it was shown; `None` when it is not one.
pub fn split(shown: &str) -> Option<(&str, &str)> {
    let (id, secret) = shown.strip_prefix("dbk_")?.split_once('_')?;
    (id.len() == ID_LENGTH && secret.len() == 64).then_some((id, secret))
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_with_its_own_secret_only() {
        let access = Scope::of_an_application().into();
        let (key, shown) = ApiKey::generate("shop", access, [1; 6], [0xab; 32], Timestamp::UNIX_EPOCH);
        let (id, secret) = split(shown.expose()).unwrap();
        assert_eq!(id, key.id);
        assert!(key.opens_with(secret) && !key.opens_with("") && !key.opens_with(&secret.to_uppercase()));
        assert!(!serde_json::to_string(&key).unwrap().contains(secret));
        assert_eq!(split("dbk_short"), None);
    }

    #[test]
    fn a_key_from_before_there_was_a_choice_is_for_all_services() {
        let access = Scope::of_an_application().into();
        let (key, _) = ApiKey::generate("shop", access, [1; 6], [0xab; 32], Timestamp::UNIX_EPOCH);
        let stored = serde_json::to_value(&key).unwrap();
        assert!(stored.get("services").is_none());
        assert_eq!(serde_json::from_value::<ApiKey>(stored).unwrap(), key);
        let (shop, bank) = (ServiceId::from_name("shop"), ServiceId::from_name("bank"));
        let bound = ApiKey { services: ServiceSet::of(BTreeSet::from([shop.clone()])), ..key.clone() };
        let read: ApiKey = serde_json::from_value(serde_json::to_value(&bound).unwrap()).unwrap();
        assert_eq!(read, bound);
        assert!(key.services.has(&bank) && read.services.has(&shop) && !read.services.has(&bank));
        assert!(!ServiceSet::of(BTreeSet::new()).has(&shop));
    }
}
