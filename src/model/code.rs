//! One-time codes: derived, never stored.
//!
//! A code is `HMAC-SHA-256(key, id ‖ nonce ‖ generation)` cut to digits without
//! bias. The key is kept outside the store, so that what is at rest does not
//! tell any code. This module refuses to know where keys come from.

use crate::model::id::VerificationId;
use crate::secret::Secret;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;

/// What is stored of a code: enough to derive it with the key, useless without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeSeed {
    /// Which key derives it.
    pub key_id: String,
    /// 16 random bytes in hexadecimal.
    pub nonce: String,
    /// Raised by each new code of the same verification; the older ones are dead.
    pub generation: u32,
    /// Digits.
    pub length: u8,
}

/// The keys that derive codes: the first makes new ones, the others still
/// check what they made.
#[derive(Debug, Clone)]
pub struct CodeKeys(Vec<CodeKey>);

/// A key with its name.
#[derive(Debug, Clone)]
pub struct CodeKey {
    /// A short name without secret, kept in the records.
    pub id: String,
    /// At least 32 bytes of text.
    pub secret: Secret,
}

/// Why keys are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeKeyError {
    /// There is none.
    #[error("no code key is configured")]
    None,
    /// Two have the same id.
    #[error("two code keys have the id {0}")]
    Twice(String),
    /// Shorter than 32 bytes.
    #[error("the code key {0} is shorter than 32 bytes")]
    Short(String),
}

impl CodeKeys {
    /// Keys, the current one first.
    ///
    /// # Errors
    /// None at all, the same id twice, or a key shorter than 32 bytes.
    pub fn new(keys: Vec<CodeKey>) -> Result<Self, CodeKeyError> {
        if keys.is_empty() {
            return Err(CodeKeyError::None);
        }
        for (at, key) in keys.iter().enumerate() {
            if key.secret.expose().len() < 32 {
                return Err(CodeKeyError::Short(key.id.clone()));
            }
            if keys[..at].iter().any(|other| other.id == key.id) {
                return Err(CodeKeyError::Twice(key.id.clone()));
            }
        }
        Ok(Self(keys))
    }

    /// The seed of a new verification's first code.
    pub fn seed(&self, nonce: [u8; 16], length: u8) -> CodeSeed {
        CodeSeed { key_id: self.0[0].id.clone(), nonce: hex::encode(nonce), generation: 1, length }
    }

    /// The code, or `None` when its key is gone.
    pub fn derive(&self, id: &VerificationId, seed: &CodeSeed) -> Option<Code> {
        let key = self.0.iter().find(|key| key.id == seed.key_id)?;
        Some(Code(digits(key, id, seed)))
    }
}

/// A code in clear. Lives only while a message is built, TwiML is rendered or
/// an offer is compared; its `Debug` hides it, and it cannot be serialized.
#[derive(Clone)]
pub struct Code(String);

impl Code {
    /// The digits.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether that is what the person typed, in constant time.
    pub fn matches(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(***)")
    }
}

/// Digits without bias: bytes of 250 and more are passed over, so that each of
/// the ten digits stands for the same number of bytes.
fn digits(key: &CodeKey, id: &VerificationId, seed: &CodeSeed) -> String {
    let mut code = String::with_capacity(seed.length.into());
    let mut block = 0u32;
    while code.len() < usize::from(seed.length) {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.secret.expose().as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(b"dialback code v1\0");
        mac.update(id.as_str().as_bytes());
        mac.update(seed.nonce.as_bytes());
        mac.update(&seed.generation.to_be_bytes());
        mac.update(&block.to_be_bytes());
        let fair = mac.finalize().into_bytes().into_iter().filter(|byte| *byte < 250);
        code.extend(
            fair.take(usize::from(seed.length) - code.len()).map(|byte| char::from(b'0' + byte % 10)),
        );
        block += 1;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> CodeKeys {
        CodeKeys::new(vec![CodeKey { id: "a".into(), secret: Secret::new("k".repeat(32)) }]).unwrap()
    }

    #[test]
    fn every_digit_is_as_likely_as_every_other_at_every_place() {
        let keys = keys();
        let mut seen = [[0u32; 10]; 6];
        for n in 0..20_000u128 {
            let id = VerificationId::from_random([1; 15]);
            let code = keys.derive(&id, &keys.seed(n.to_be_bytes(), 6)).unwrap();
            for (place, digit) in code.expose().bytes().enumerate() {
                seen[place][usize::from(digit - b'0')] += 1;
            }
        }
        // 2000 expected each; 200 is more than four and a half standard deviations.
        assert!(seen.iter().flatten().all(|n| n.abs_diff(2000) < 200), "{seen:?}");
    }

    #[test]
    fn a_code_changes_with_id_nonce_generation_and_key() {
        let keys = keys();
        let id = VerificationId::from_random([1; 15]);
        let seed = CodeSeed { length: 10, ..keys.seed([2; 16], 6) };
        let code = keys.derive(&id, &seed).unwrap();
        let others = [
            keys.derive(&VerificationId::from_random([3; 15]), &seed),
            keys.derive(&id, &CodeSeed { nonce: "00".into(), ..seed.clone() }),
            keys.derive(&id, &CodeSeed { generation: 2, ..seed.clone() }),
        ];
        assert!(code.matches(keys.derive(&id, &seed).unwrap().expose()));
        assert!(others.iter().flatten().all(|other| !code.matches(other.expose())));
        assert!(keys.derive(&id, &CodeSeed { key_id: "gone".into(), ..seed }).is_none());
    }

    #[test]
    fn a_code_does_not_show() {
        let keys = keys();
        let code = keys.derive(&VerificationId::from_random([1; 15]), &keys.seed([2; 16], 8)).unwrap();
        assert_eq!(format!("{code:?}"), "Code(***)");
        assert_eq!(code.expose().len(), 8);
    }

    #[test]
    fn weak_or_missing_keys_are_refused() {
        let key = |id: &str, secret: &str| CodeKey { id: id.into(), secret: Secret::new(secret) };
        let long = "k".repeat(32);
        assert_eq!(CodeKeys::new(vec![]).unwrap_err(), CodeKeyError::None);
        assert_eq!(CodeKeys::new(vec![key("a", "short")]).unwrap_err(), CodeKeyError::Short("a".into()));
        let twice = CodeKeys::new(vec![key("a", &long), key("a", &long)]);
        assert_eq!(twice.unwrap_err(), CodeKeyError::Twice("a".into()));
    }
}
