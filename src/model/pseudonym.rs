//! Names for numbers, addresses and devices that tell nobody whose they are: a keyed
//! hash, whose key is not in the store.
//!
//! Numbers and IPv4 addresses are so few that a plain hash of each can be tried. The key
//! is derived from the oldest key that codes are derived from, the last of the list: a
//! new one that is put before it changes no name. Once that one is taken away all names
//! are others, and what was counted or kept under them is found no more and passes with
//! its time. This module refuses to know what is kept under a name.

use crate::model::counter;
use crate::secret::Secret;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// Makes names. Cheap to clone.
#[derive(Clone)]
pub struct Pseudonyms(Hmac<Sha256>);

/// Bytes of a name: so many that no two things have the same.
const LENGTH: usize = 16;

impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms(***)")
    }
}

impl Pseudonyms {
    /// Those of a secret.
    pub fn new(secret: &Secret) -> Self {
        let mut derived = keyed(secret.expose().as_bytes());
        derived.update(b"dialback pseudonyms v1\0");
        Self(keyed(&derived.finalize().into_bytes()))
    }

    /// The name of a value of some kind, in 32 hexadecimal digits. The same value of
    /// another kind has another.
    pub fn of(&self, kind: &str, value: &str) -> String {
        hex::encode(&self.hash(kind, value)[..LENGTH])
    }

    /// The same as a counter keeps it of a member.
    pub fn member(&self, kind: &str, value: &str) -> counter::Pseudonym {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.hash(kind, value)[..8]);
        counter::Pseudonym(bytes)
    }

    fn hash(&self, kind: &str, value: &str) -> [u8; 32] {
        let mut mac = self.0.clone();
        // No kind has a zero in it, so none runs into its value.
        mac.update(kind.as_bytes());
        mac.update(b"\0");
        mac.update(value.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_depends_on_key_kind_and_value() {
        let names = Pseudonyms::new(&Secret::new("k".repeat(32)));
        let name = names.of("number", "+14155550123");
        assert_eq!((name.len(), &name), (32, &names.clone().of("number", "+14155550123")));
        let others = [
            names.of("number", "+14155550124"),
            names.of("address", "+14155550123"),
            Pseudonyms::new(&Secret::new("l".repeat(32))).of("number", "+14155550123"),
        ];
        assert!(others.iter().all(|other| *other != name));
        assert!(name.starts_with(&hex::encode(names.member("number", "+14155550123").0)));
        assert_eq!(format!("{names:?}"), "Pseudonyms(***)");
    }
}
