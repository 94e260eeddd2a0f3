//! One-time codes: derived, never stored.
//!
//! A code is `HMAC-SHA-256(key, id ‖ nonce ‖ generation)` cut to digits without
//! bias. The key is kept outside the store, so that what is at rest does not
//! tell any code. This module refuses to know where keys come from.

use crate::model::id::VerificationId;
use crate::model::pseudonym::Pseudonyms;
use crate::model::typed;
use crate::model::typed::sentence::{self, Form, Found};
use crate::secret::Secret;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;

/// The ten digits.
pub const DIGITS: &str = "0123456789";

/// What is stored of a code: enough to derive it with the key, useless without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeSeed {
    /// Which key derives it.
    pub key_id: String,
    /// 16 random bytes in hexadecimal.
    pub nonce: String,
    /// Raised by each new code of the same verification; the older ones are dead.
    pub generation: u32,
    /// Characters.
    pub length: u8,
    /// What it is made of; nothing for the ten digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alphabet: Option<String>,
    /// What else the code is bound to, hashed: an amount and a payee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// A code that somebody else chose, as its difference from what the key
    /// derives, in hexadecimal: without the key it tells nothing but a length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<String>,
}

/// What the characters of a code are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeKind {
    /// Digits alone.
    Digits,
    /// Letters alone.
    Letters,
    /// Both, or either.
    Characters,
}

impl CodeKind {
    /// What the characters of an alphabet are.
    pub fn of(alphabet: &str) -> Self {
        let has = |is: fn(&u8) -> bool| alphabet.as_bytes().iter().any(is);
        match (has(u8::is_ascii_digit), has(u8::is_ascii_alphabetic)) {
            (true, true) => Self::Characters,
            (false, true) => Self::Letters,
            _ => Self::Digits,
        }
    }
}

/// `digits`, `letters`, or `letters or digits`.
impl std::fmt::Display for CodeKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Digits => "digits",
            Self::Letters => "letters",
            Self::Characters => "letters or digits",
        })
    }
}

impl CodeSeed {
    /// What its characters are. One that somebody chose may have any.
    pub fn kind(&self) -> CodeKind {
        match (&self.custom, &self.alphabet) {
            (Some(_), _) => CodeKind::Characters,
            (None, alphabet) => CodeKind::of(alphabet.as_deref().unwrap_or(DIGITS)),
        }
    }

    /// What somebody typed, as a code of this form: without what it was read
    /// with, and with capitals where there are no small letters. `None` for what
    /// cannot be one.
    pub fn read(&self, typed: &str) -> Option<String> {
        let mut offered = typed::code(typed);
        if self.custom.is_none() {
            // Alphabets have capitals and digits alone.
            offered.make_ascii_uppercase();
        }
        self.has_form_of(&offered).then_some(offered)
    }

    /// The code in what a person typed or pasted, a whole message perhaps.
    pub fn find(&self, typed: &str) -> Found {
        if let Some(code) = self.read(typed) {
            return Found::One(code);
        }
        let alphabet = match &self.custom {
            Some(_) => None,
            None => Some(self.alphabet.as_deref().unwrap_or(DIGITS)),
        };
        sentence::find(typed, Form { length: self.length.into(), alphabet })
    }

    /// Whether a text has the form of this code.
    fn has_form_of(&self, offered: &str) -> bool {
        let known = |byte: u8| match (&self.custom, &self.alphabet) {
            (Some(_), _) => byte.is_ascii_alphanumeric(),
            (None, Some(alphabet)) => alphabet.as_bytes().contains(&byte),
            (None, None) => byte.is_ascii_digit(),
        };
        offered.len() == usize::from(self.length) && offered.bytes().all(known)
    }
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

    /// The seed of a new verification's first code, of digits.
    pub fn seed(&self, nonce: [u8; 16], length: u8) -> CodeSeed {
        CodeSeed {
            key_id: self.0[0].id.clone(),
            nonce: hex::encode(nonce),
            generation: 1,
            length,
            alphabet: None,
            context: None,
            custom: None,
        }
    }

    /// The seed of a code that somebody else chose. It is kept as its
    /// difference from a stream that the key derives, so that it is not at rest.
    /// `None` when the seed's key is gone, or the code is longer than 32 bytes.
    pub fn seed_custom(&self, id: &VerificationId, seed: CodeSeed, code: &str) -> Option<CodeSeed> {
        let length = u8::try_from(code.len()).ok().filter(|length| *length <= 32)?;
        let seed = CodeSeed { length, ..seed };
        let key = self.0.iter().find(|key| key.id == seed.key_id)?;
        let custom = hex::encode(difference(key, id, &seed, code.as_bytes()));
        Some(CodeSeed { custom: Some(custom), ..seed })
    }

    /// A hash of something in which there may be a code: with the key, so that
    /// what is at rest cannot be tried out.
    pub fn fingerprint(&self, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0[0].secret.expose().as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(b"dialback request v1\0");
        mac.update(text.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// What makes names for numbers and addresses, by the oldest of the keys: a new one
    /// that is put before it changes none of them.
    pub fn pseudonyms(&self) -> Pseudonyms {
        Pseudonyms::new(&self.0[self.0.len() - 1].secret)
    }

    /// The code, or `None` when its key is gone.
    pub fn derive(&self, id: &VerificationId, seed: &CodeSeed) -> Option<Code> {
        let key = self.0.iter().find(|key| key.id == seed.key_id)?;
        let Some(custom) = &seed.custom else {
            return Some(Code(characters(key, id, seed)));
        };
        let custom = hex::decode(custom).ok().filter(|custom| custom.len() <= 32)?;
        String::from_utf8(difference(key, id, seed, &custom)).ok().map(Code)
    }
}

/// A code in clear. Lives only while a message is built, TwiML is rendered or
/// an offer is compared; its `Debug` hides it, and it cannot be serialized.
#[derive(Clone)]
pub struct Code(String);

impl Code {
    /// The characters.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether that is what the person typed, in constant time. Small letters
    /// are the capitals of a code that somebody chose without small ones.
    pub fn matches(&self, offered: &str) -> bool {
        let has_small = self.0.bytes().any(|byte| byte.is_ascii_lowercase());
        let offered = if has_small { offered.to_owned() } else { offered.to_ascii_uppercase() };
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(***)")
    }
}

/// Characters without bias: the highest bytes are passed over (for digits those
/// of 250 and more), so that each character stands for the same number of bytes.
fn characters(key: &CodeKey, id: &VerificationId, seed: &CodeSeed) -> String {
    // The alphabet's length was checked when it was set; one that is empty
    // nevertheless falls back to digits and never divides by nothing.
    let alphabet = seed.alphabet.as_deref().filter(|all| (1..=256).contains(&all.len()));
    let alphabet = alphabet.unwrap_or(DIGITS).as_bytes();
    let fair_below = 256 - 256 % alphabet.len();
    let mut code = String::with_capacity(seed.length.into());
    let mut block = 0u32;
    while code.len() < usize::from(seed.length) {
        let bytes = derived(key, b"dialback code v1\0", id, seed, block);
        let fair = bytes.into_iter().map(usize::from).filter(|byte| *byte < fair_below);
        let missing = usize::from(seed.length) - code.len();
        code.extend(fair.take(missing).map(|byte| char::from(alphabet[byte % alphabet.len()])));
        block += 1;
    }
    code
}

/// A text laid over a stream of its own; the same again gives the text back.
fn difference(key: &CodeKey, id: &VerificationId, seed: &CodeSeed, text: &[u8]) -> Vec<u8> {
    let stream = derived(key, b"dialback custom code v1\0", id, seed, 0);
    text.iter().zip(stream).map(|(byte, mask)| byte ^ mask).collect()
}

fn derived(key: &CodeKey, purpose: &[u8], id: &VerificationId, seed: &CodeSeed, block: u32) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(purpose);
    mac.update(id.as_str().as_bytes());
    mac.update(seed.nonce.as_bytes());
    mac.update(&seed.generation.to_be_bytes());
    mac.update(&block.to_be_bytes());
    // Last, and with nothing where there is none: codes from before there was
    // a context are derived as they were.
    if let Some(context) = &seed.context {
        mac.update(context.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> CodeKeys {
        CodeKeys::new(vec![CodeKey { id: "a".into(), secret: Secret::new("k".repeat(32)) }]).unwrap()
    }

    #[test]
    fn a_code_that_somebody_chose_comes_back_and_is_not_at_rest() {
        let (keys, id) = (keys(), VerificationId::from_random([1; 15]));
        let seed = keys.seed_custom(&id, keys.seed([7; 16], 6), "Ab12345").unwrap();
        assert_eq!(keys.derive(&id, &seed).unwrap().expose(), "Ab12345");
        assert!(!serde_json::to_string(&seed).unwrap().contains("Ab12345"));
        let newer = CodeSeed { generation: 2, ..seed };
        assert_ne!(keys.derive(&id, &newer).map(|code| code.0), Some("Ab12345".into()));
    }

    #[test]
    fn a_context_makes_another_code_and_an_alphabet_its_characters() {
        let (keys, id) = (keys(), VerificationId::from_random([1; 15]));
        let seed = keys.seed([7; 16], 10);
        let bound = CodeSeed { context: Some("39.99 to the shop".into()), ..seed.clone() };
        let code = |seed: &CodeSeed| keys.derive(&id, seed).unwrap().expose().to_owned();
        assert_ne!(code(&seed), code(&bound));
        let letters = CodeSeed { alphabet: Some("ABCDEFGH".into()), ..seed.clone() };
        assert!(code(&letters).bytes().all(|byte| (b'A'..=b'H').contains(&byte)));
        assert!(letters.has_form_of("ABCDEFGHAB") && !letters.has_form_of("ABCDEFGHAI"));
        assert!(seed.has_form_of("0123456789") && !seed.has_form_of("012345678A"));
    }

    #[test]
    fn a_code_is_taken_as_it_was_typed() {
        let seed = keys().seed([7; 16], 6);
        for typed in ["123456", " 123 456\n", "123-456", "\u{200e}123\u{202f}456", "\u{661}\u{662}3456"] {
            assert_eq!(seed.read(typed).as_deref(), Some("123456"), "{typed:?}");
        }
        for typed in ["", "12345", "1234567", "12345O", "12345+6"] {
            assert_eq!(seed.read(typed), None, "{typed:?}");
        }
        let letters = CodeSeed { alphabet: Some("ABCDWFP34".into()), ..seed.clone() };
        assert_eq!(letters.read("dwf 4p3").as_deref(), Some("DWF4P3"));
        let (keys, id) = (keys(), VerificationId::from_random([1; 15]));
        for (chosen, typed, is_it) in
            [("AB12CD", "ab-12-cd", true), ("Ab12cd", "Ab12cd", true), ("Ab12cd", "AB12CD", false)]
        {
            let custom = keys.seed_custom(&id, seed.clone(), chosen).unwrap();
            let offered = custom.read(typed).unwrap();
            assert_eq!(keys.derive(&id, &custom).unwrap().matches(&offered), is_it, "{chosen} {typed}");
        }
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
