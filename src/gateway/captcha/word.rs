//! A word by which an application says that a person is there: a JWT (RFC 7519), signed
//! with HS256 and the secret of `[captcha]`.
//!
//! Its header is `{"alg":"HS256"}`, with `"typ":"JWT"` or without. Its claims are `sub`,
//! the `bound_to` that the application was given; `exp`, at most five minutes from now;
//! and `jti`, 1 to 128 characters, another one for each word. It refuses to know whether
//! a word was used.

use crate::model::captcha::CaptchaFault;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

/// The longest that a word may live, in seconds.
const LONGEST_LIFE: f64 = 300.0;
/// How far the application's clock may be before ours, in seconds.
const SKEW: f64 = 5.0;
/// The longest name of a word, in characters.
const MOST_NAME: usize = 128;

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    // What a reader has to understand, and this one does not (RFC 7515 §4.1.11).
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    jti: String,
    #[serde(default)]
    nbf: Option<f64>,
}

/// The name of a word that is good, by which its use is kept.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(
    secret: &Secret,
    text: &str,
    bound_to: &str,
    now: Timestamp,
) -> Result<String, CaptchaFault> {
    let claims = signed(secret, text).ok_or(CaptchaFault::Invalid)?;
    let length = claims.jti.chars().count();
    if !(1..=MOST_NAME).contains(&length) {
        return Err(CaptchaFault::Invalid);
    }
    let now = now.as_millisecond() as f64 / 1000.0;
    let is_early = claims.nbf.is_some_and(|nbf| nbf > now + SKEW);
    // Whoever writes a later end wants a word that lives longer than may be.
    if claims.exp <= now || claims.exp > now + LONGEST_LIFE + SKEW || is_early {
        return Err(CaptchaFault::Expired);
    }
    if claims.sub != bound_to {
        return Err(CaptchaFault::Elsewhere);
    }
    Ok(claims.jti)
}

/// The claims of a word, if it is signed with that secret.
fn signed(secret: &Secret, text: &str) -> Option<Claims> {
    let (signed, signature) = text.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(signed.as_bytes());
    mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    let header: Header = part(header)?;
    let is_ours = header.alg == "HS256"
        && header.crit.is_none()
        && header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
    is_ours.then(|| part(claims)).flatten()
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const SECRET: &str = "2b1f0c6ed58a4c7794f3a1b6c0d9e8f7";
    const BOUND: &str = "0123456789abcdef0123456789abcdef";

    fn word(header: &Value, claims: &Value, secret: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    fn read_at(text: &str, now: i64) -> Result<String, CaptchaFault> {
        read(&Secret::new(SECRET), text, BOUND, Timestamp::from_second(now).unwrap())
    }

    #[test]
    fn a_word_is_good_for_what_it_names_until_its_end() {
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let claims = |exp: i64| json!({"sub": BOUND, "exp": exp, "jti": "one", "iat": exp - 60, "more": {}});
        let good = word(&header, &claims(1_000), SECRET);
        assert_eq!(read_at(&good, 700), Ok("one".to_owned()));
        assert_eq!(read_at(&good, 999), Ok("one".to_owned()));
        assert_eq!(read_at(&good, 1_000), Err(CaptchaFault::Expired));
        assert_eq!(read_at(&good, 690), Err(CaptchaFault::Expired), "that is longer than five minutes");
        let bare = word(&json!({"alg": "HS256"}), &claims(1_000), SECRET);
        assert_eq!(read_at(&bare, 900), Ok("one".to_owned()));
    }

    #[test]
    fn what_is_altered_unsigned_or_for_something_else_is_worth_nothing() {
        let header = json!({"alg": "HS256"});
        let claims = json!({"sub": BOUND, "exp": 1_000, "jti": "one"});
        let good = word(&header, &claims, SECRET);
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let with = |name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            word(&header, &claims, SECRET)
        };
        let without = |name: &str| {
            let mut claims = claims.clone();
            claims.as_object_mut().unwrap().remove(name);
            word(&header, &claims, SECRET)
        };
        for (text, fault) in [
            (String::new(), CaptchaFault::Invalid),
            (signed.to_owned(), CaptchaFault::Invalid),
            (format!("{signed}."), CaptchaFault::Invalid),
            (format!("{signed}.{signature}="), CaptchaFault::Invalid),
            (format!("{good}.x"), CaptchaFault::Invalid),
            (word(&header, &claims, "another secret of some length"), CaptchaFault::Invalid),
            (word(&json!({"alg": "none"}), &claims, SECRET), CaptchaFault::Invalid),
            (word(&json!({"alg": "HS512"}), &claims, SECRET), CaptchaFault::Invalid),
            (word(&json!({"alg": "HS256", "crit": ["exp"]}), &claims, SECRET), CaptchaFault::Invalid),
            (with("sub", json!("fedcba9876543210fedcba9876543210")), CaptchaFault::Elsewhere),
            (with("exp", json!(1e300)), CaptchaFault::Expired),
            (with("exp", json!("1000")), CaptchaFault::Invalid),
            (with("nbf", json!(990)), CaptchaFault::Expired),
            (with("jti", json!("")), CaptchaFault::Invalid),
            (with("jti", json!("x".repeat(129))), CaptchaFault::Invalid),
            (without("sub"), CaptchaFault::Invalid),
            (without("exp"), CaptchaFault::Invalid),
            (without("jti"), CaptchaFault::Invalid),
        ] {
            assert_eq!(read_at(&text, 900), Err(fault), "{text}");
        }
        // A signature has one writing: its last character holds bits that are no part of it.
        let last = signature.chars().last().unwrap();
        let near = |c: char| char::from_u32(u32::from(c) + 1).unwrap();
        let other = format!("{signed}.{}{}", &signature[..signature.len() - 1], near(last));
        assert_eq!(read_at(&other, 900), Err(CaptchaFault::Invalid));
    }
}
