//! The signature of webhooks, which carry events out: Standard Webhooks, version 1:
//! HMAC-SHA-256 over id, time and body, with a secret that is 32 bytes in base64 behind
//! `whsec_`. It refuses to know events and requests.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks>.

use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";

/// A secret of random bytes.
pub fn new_secret(bytes: [u8; 32]) -> Secret {
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// The header `webhook-signature`: a signature for each secret, so that a
/// receiver that has the old one or the new one finds its own.
pub fn signature(id: &str, seconds: i64, body: &[u8], secrets: &[Secret]) -> String {
    let signatures = secrets.iter().filter_map(|secret| {
        let key = STANDARD.decode(secret.expose().trim_start_matches(PREFIX)).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification's own libraries.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = |secrets: &[Secret]| {
            signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#, secrets)
        };
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed(std::slice::from_ref(&secret)), expected);
        let other = new_secret([7; 32]);
        assert_eq!(signed(&[other.clone(), secret]), format!("{} {expected}", signed(&[other])));
    }
}
