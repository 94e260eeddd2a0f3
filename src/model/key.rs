//! API keys: shown once, kept as a hash.
//!
//! A key is `dbk_<id>_<secret>`. The secret holds 256 random bits, so a plain
//! SHA-256 of it is safe at rest: there is no dictionary to try.

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
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Start verifications and send again.
    Send,
    /// Offer codes.
    Check,
    /// Say of a code that the application chose that it was right.
    Approve,
    /// See verifications, deliveries and settings.
    Read,
    /// Change services, keys, opt-outs and endpoints; erase people's data; read
    /// the audit log.
    Admin,
}

impl Scope {
    /// Every scope there is.
    pub const ALL: [Self; 5] = [Self::Send, Self::Check, Self::Approve, Self::Read, Self::Admin];

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
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

impl ApiKey {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 64;

    /// A key from random bytes, and the text that is shown once.
    pub fn generate(
        name: &str,
        scopes: BTreeSet<Scope>,
        id: [u8; 6],
        secret: [u8; 32],
        now: Timestamp,
    ) -> (Self, Secret) {
        let (id, secret) = (hex::encode(id), hex::encode(secret));
        let shown = Secret::new(format!("dbk_{id}_{secret}"));
        let key = Self { id, name: name.to_owned(), secret_sha256: sha256(&secret), created_at: now, scopes };
        (key, shown)
    }

    /// Whether the secret part is this key's, in constant time.
    pub fn opens_with(&self, secret: &str) -> bool {
        self.secret_sha256.as_bytes().ct_eq(sha256(secret).as_bytes()).into()
    }
}

/// The id and the secret of a key as it was shown; `None` when it is not one.
pub fn split(shown: &str) -> Option<(&str, &str)> {
    let (id, secret) = shown.strip_prefix("dbk_")?.split_once('_')?;
    (id.len() == 12 && secret.len() == 64).then_some((id, secret))
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_with_its_own_secret_only() {
        let (key, shown) =
            ApiKey::generate("shop", Scope::of_an_application(), [1; 6], [0xab; 32], Timestamp::UNIX_EPOCH);
        let (id, secret) = split(shown.expose()).unwrap();
        assert_eq!(id, key.id);
        assert!(key.opens_with(secret) && !key.opens_with("") && !key.opens_with(&secret.to_uppercase()));
        assert!(!serde_json::to_string(&key).unwrap().contains(secret));
        assert_eq!(split("dbk_short"), None);
    }
}
