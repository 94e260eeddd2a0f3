//! The keyed hash under a signature, and the text it is taken over.
//!
//! This module refuses to know which key a request may be proven with and
//! what became of it.

use crate::secret::Secret;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// How a signature is made. SharedKeys choose; auth tokens use HMAC_SHA1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA-1: 28 characters of base64.
    HmacSha1,
    /// HMAC-SHA-256: 44 characters of base64.
    HmacSha256,
}

impl Algorithm {
    /// Reads Twilio's name for it, in any case; `None` for any other.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::HmacSha1, Self::HmacSha256].into_iter().find(|a| a.name().eq_ignore_ascii_case(name))
    }

    /// Twilio's name for it, as in the settings header.
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC_SHA1",
            Self::HmacSha256 => "HMAC_SHA256",
        }
    }

    pub(crate) fn signature_length(self) -> usize {
        match self {
            Self::HmacSha1 => 28,
            Self::HmacSha256 => 44,
        }
    }
}

/// A key with its first block already hashed, so that each use begins at the text.
pub(crate) struct Key {
    sha1: Hmac<Sha1>,
    sha256: Hmac<Sha256>,
}

impl Key {
    pub fn new(secret: &Secret) -> Self {
        let bytes = secret.expose().as_bytes();
        Self {
            sha1: Hmac::new_from_slice(bytes).expect("hmac takes keys of any length"),
            sha256: Hmac::new_from_slice(bytes).expect("hmac takes keys of any length"),
        }
    }

    pub fn mac(&self, algorithm: Algorithm, url: &[&str], tail: &str) -> Signature {
        match algorithm {
            Algorithm::HmacSha1 => Signature::encode(&fed(&self.sha1, url, tail)),
            Algorithm::HmacSha256 => Signature::encode(&fed(&self.sha256, url, tail)),
        }
    }
}

fn fed<M: Mac + Clone>(fresh: &M, url: &[&str], tail: &str) -> impl AsRef<[u8]> + use<M> {
    let mut mac = fresh.clone();
    for piece in url {
        mac.update(piece.as_bytes());
    }
    mac.update(tail.as_bytes());
    mac.finalize().into_bytes()
}

/// A signature as the header has it. It is compared as text, so that no
/// lenient decoding lets a second spelling pass.
pub(crate) struct Signature {
    text: [u8; 44],
    length: usize,
}

impl Signature {
    fn encode(bytes: &impl AsRef<[u8]>) -> Self {
        let mut text = [0; 44];
        let length = STANDARD.encode_slice(bytes, &mut text).expect("44 characters hold 32 bytes");
        Self { text, length }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.text[..self.length]
    }

    pub fn text(&self) -> &str {
        str::from_utf8(self.bytes()).expect("base64 is ascii")
    }

    pub fn matches(&self, offered: &[u8]) -> Choice {
        self.bytes().ct_eq(offered)
    }
}

/// What is signed after the URL: the set of pairs in order of names, then of
/// values, by bytes, without separators.
pub(crate) fn tail<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let mut sorted: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
    sorted.sort_unstable();
    sorted.dedup();
    concatenated(&sorted)
}

pub(crate) fn concatenated<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let length = pairs.iter().map(|(n, v)| n.as_ref().len() + v.as_ref().len()).sum();
    let mut text = String::with_capacity(length);
    for (name, value) in pairs {
        text.push_str(name.as_ref());
        text.push_str(value.as_ref());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_a_set_in_order_of_names_then_values() {
        let pairs = [("b", "2"), ("B", "x"), ("a_", ""), ("b", "1"), ("aZ", "0"), ("b", "2"), ("b1", "")];
        assert_eq!(tail(&pairs), "BxaZ0a_b1b2b1");
    }

    #[test]
    fn algorithms_are_read_in_any_case() {
        assert_eq!(Algorithm::from_name("hmac_Sha256"), Some(Algorithm::HmacSha256));
        assert_eq!(Algorithm::from_name("HMAC_MD5"), None);
    }

    #[test]
    fn the_two_algorithms_agree_with_rfc_2202_and_rfc_4231() {
        let key = Key::new(&Secret::new("Jefe"));
        let hex = |algorithm| {
            let signed = key.mac(algorithm, &["what do ya ", "want "], "for nothing?");
            hex::encode(STANDARD.decode(signed.bytes()).unwrap())
        };
        assert_eq!(hex(Algorithm::HmacSha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(
            hex(Algorithm::HmacSha256),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
