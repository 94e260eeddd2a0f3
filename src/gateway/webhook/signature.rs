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
        let mac = mac(id, seconds, body, secret)?;
        Some(format!("{VERSION}{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

/// Whether one of these secrets made one of the signatures of a header, over that id,
/// time and body. How long it takes says which secret at most, and nothing of it.
pub fn is_signed(id: &str, seconds: i64, body: &[u8], secrets: &[Secret], header: &str) -> bool {
    let told = header.split(' ').filter_map(|one| one.strip_prefix(VERSION)).take(MOST_SIGNATURES);
    let told: Vec<Vec<u8>> = told.filter_map(|one| STANDARD.decode(one).ok()).collect();
    let macs = secrets.iter().filter_map(|secret| mac(id, seconds, body, secret));
    macs.into_iter().any(|mac| told.iter().any(|told| mac.clone().verify_slice(told).is_ok()))
}

/// As many as a sender has that rotates its secret twice in a row, and some.
const MOST_SIGNATURES: usize = 8;

const VERSION: &str = "v1,";

fn mac(id: &str, seconds: i64, body: &[u8], secret: &Secret) -> Option<Hmac<Sha256>> {
    let key = STANDARD.decode(secret.expose().trim_start_matches(PREFIX)).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Some(mac)
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
    #[test]
    fn any_of_the_secrets_proves_and_nothing_else() {
        let (own, old, other) = (new_secret([7; 32]), new_secret([8; 32]), new_secret([9; 32]));
        let secrets = [own.clone(), old.clone()];
        let by = |secret: &Secret| signature("id", 5, b"body", std::slice::from_ref(secret));
        let is_ours = |header: &str| is_signed("id", 5, b"body", &secrets, header);
        assert!(is_ours(&by(&own)) && is_ours(&by(&old)) && !is_ours(&by(&other)));
        assert!(is_ours(&format!("v2,AAAA {} {}", by(&other), by(&old))), "its own is found among others");
        for wrong in ["", "v1,", "v1,AAAA", "v1", &by(&own)[3..], &by(&own).replacen("v1", "v1a", 1)] {
            assert!(!is_ours(wrong), "{wrong}");
        }
        let many = format!("{}{}", "v1,AAAA ".repeat(MOST_SIGNATURES), by(&own));
        assert!(!is_ours(&many), "nobody makes us look at many");
        for (id, at, body) in [("ie", 5, "body"), ("id", 6, "body"), ("id", 5, "bodz")] {
            assert!(!is_signed(id, at, body.as_bytes(), &secrets, &by(&own)), "{id} {at} {body}");
        }
    }
}
