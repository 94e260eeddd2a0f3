//! Why a signature did not match: the usual mistakes, tried one after the other.
//!
//! Made for the log and the terminal, off the request's path: it answers
//! nobody who sent the request. It refuses to say a token, a signature that
//! would have been right, or the URL's query, and to work longer than
//! [`MAX_HMACS`] allows.

mod body;
mod found;
mod guess;
mod place;

use super::mac::{Algorithm, Key, tail};
use super::signature::{
    Coverage, MAX_KEYS_TRIED, Named, Rejection, Settings, Signed, Signer, Token, Verifier,
};
use super::url::spellings;
use crate::secret::Secret;
use found::shown;
pub use found::{Explanation, Hints};
pub use guess::Cause;
use guess::Guess;
use subtle::ConstantTimeEq;

/// The most HMACs one explanation computes, beside those of the verdict itself.
pub const MAX_HMACS: usize = 256;

/// The longest URL and body together, in bytes, that is explained.
pub const MAX_TEXT: usize = 16 * 1024;

/// The most keys that each guess at the text is tried with.
const MAX_KEYS_PER_GUESS: usize = 3;

/// The most misspelt, strange or rotated keys that are tried.
const MAX_OTHER_KEYS: usize = 32;

/// Says why a request is rejected, or that it is not.
///
/// Pure and bounded, a few milliseconds at the very worst; run it where
/// blocking is allowed.
pub fn explain(verifier: &Verifier, request: &Signed<'_>, hints: &Hints<'_>) -> Explanation {
    if request.url.len() + request.body.len() > MAX_TEXT {
        return Explanation::new(Cause::TooLong, "the request is too long to be explained");
    }
    let rejection = match verifier.verify(request) {
        Ok(verified) => {
            return Explanation::new(
                Cause::Valid,
                format!("the signature is valid: {}", verified.proof.signer()),
            );
        }
        Err(rejection) => rejection,
    };
    let found = match rejection {
        Rejection::BodyHashMismatch => Some(body::altered_bytes(request)),
        Rejection::Mismatch
        | Rejection::UnknownAccount
        | Rejection::NoAccount
        | Rejection::UnknownKey
        | Rejection::BodyNotCovered => search(verifier, request, hints),
        Rejection::MissingHeader
        | Rejection::DuplicateHeader
        | Rejection::NoToken
        | Rejection::ManyAccounts
        | Rejection::OtherAccount
        | Rejection::UnknownAlgorithm => None,
    };
    found.unwrap_or_else(|| unexplained(rejection))
}

fn unexplained(rejection: Rejection) -> Explanation {
    let advice = match rejection {
        Rejection::MissingHeader => "not from twilio, or a proxy drops x-twilio-signature",
        Rejection::DuplicateHeader => "a proxy repeats the header, or somebody added a line",
        Rejection::NoToken => "set twilio.auth_token",
        Rejection::UnknownAccount => "add that account with its token to twilio.accounts",
        Rejection::NoAccount => "not from twilio, or something on the way drops AccountSid",
        Rejection::ManyAccounts => "not from twilio, or something on the way adds AccountSid",
        Rejection::OtherAccount => "an account's key speaks for that account alone",
        Rejection::UnknownKey => "add the shared key to the configuration",
        Rejection::UnknownAlgorithm => "choose HMAC_SHA256 or HMAC_SHA1 in twilio's webhook settings",
        Rejection::BodyNotCovered => "a proxy changed content-type or dropped bodySHA256 from the query",
        Rejection::BodyHashMismatch | Rejection::Mismatch => {
            "no usual mistake explains it: a token that is not configured, an altered request, \
             or one that is not twilio's"
        }
    };
    Explanation::new(Cause::Rejected(rejection), format!("{rejection}: {advice}"))
}

fn search(verifier: &Verifier, request: &Signed<'_>, hints: &Hints<'_>) -> Option<Explanation> {
    let [offered] = request.signatures else { return None };
    let settings = Settings::parse(request.settings).ok()?;
    let coverage = Coverage::of(request).ok();
    let params = coverage.map(|coverage| coverage.params(request)).unwrap_or_default();
    let tail = if coverage == Some(Coverage::Form) { tail(&params) } else { String::new() };
    let named = coverage.map_or(Named::Nobody, |coverage| Named::of(request, coverage, &params));
    let mut search = Search { offered, algorithm: settings.algorithm, left: MAX_HMACS };
    let accepted = match verifier.signers(&settings, &named) {
        Ok(accepted) => accepted,
        // What named the account may be what was lost; unless nothing was.
        Err(Rejection::NoAccount) => {
            let all: Vec<&Signer> = verifier.tokens().iter().take(MAX_KEYS_TRIED).collect();
            let algorithm = settings.algorithm;
            let mut fits =
                all.iter().map(|signer| search.fits_either_port(&signer.key, algorithm, request.url, &tail));
            if coverage.is_some() && fits.any(|fits| fits) {
                return None;
            }
            all
        }
        Err(_) => Vec::new(),
    };
    if coverage.is_some() {
        let found = search
            .header(&accepted, request.url, &tail)
            .or_else(|| search.algorithm(verifier, &settings, request.url, &tail))
            .or_else(|| search.other_keys(verifier, &accepted, hints.tokens, request.url, &tail));
        if found.is_some() {
            return found;
        }
    }
    let likely = if accepted.is_empty() { verifier.everyone().collect() } else { accepted };
    let is_form = matches!(coverage, None | Some(Coverage::Form));
    let guesses = place::simple(request.url, hints, &tail)
        .chain(place::query(request.url, &tail))
        .chain(body::guesses(request, is_form))
        .chain(place::combined(request.url, hints, &tail));
    search.guesses(&likely, guesses)
}

/// Tries candidates against what was offered until the allowance is used up.
struct Search<'a> {
    offered: &'a [u8],
    algorithm: Algorithm,
    /// HMACs that may still be computed.
    left: usize,
}

impl Search<'_> {
    fn fits(&mut self, key: &Key, algorithm: Algorithm, url: &[&str], tail: &str) -> bool {
        if algorithm.signature_length() != self.offered.len() || self.left == 0 {
            return false;
        }
        self.left -= 1;
        key.mac(algorithm, url, tail).matches(self.offered).into()
    }

    fn fits_either_port(&mut self, key: &Key, algorithm: Algorithm, url: &str, tail: &str) -> bool {
        spellings(url).iter().any(|pieces| self.fits(key, algorithm, pieces, tail))
    }

    /// The right signature, spoilt on its way.
    fn header(&mut self, accepted: &[&Signer], url: &str, tail: &str) -> Option<Explanation> {
        let seen = tidied(self.offered);
        let mut spoilt = false;
        for signer in accepted {
            for pieces in spellings(url) {
                self.left = self.left.saturating_sub(1);
                let wanted = tidied(signer.key.mac(self.algorithm, &pieces, tail).bytes());
                spoilt |= bool::from(seen.get(..wanted.len()).unwrap_or_default().ct_eq(&wanted));
            }
        }
        let text = "the signature is right but for its spelling (case, padding, quotes or characters added): \
                    something between twilio and here rewrites headers";
        spoilt.then(|| Explanation::new(Cause::HeaderSpelling, text))
    }

    /// A settings header lost, added or ignored.
    fn algorithm(
        &mut self,
        verifier: &Verifier,
        settings: &Settings<'_>,
        url: &str,
        tail: &str,
    ) -> Option<Explanation> {
        let given = [Algorithm::HmacSha1, Algorithm::HmacSha256]
            .into_iter()
            .find(|algorithm| algorithm.signature_length() == self.offered.len())?;
        let shared = verifier.shared_keys().iter().take(MAX_OTHER_KEYS);
        let other_kind = given != settings.algorithm || settings.key.is_some();
        let tokens = verifier.tokens().iter().take(MAX_OTHER_KEYS).filter(|_| other_kind);
        for signer in shared.chain(tokens) {
            if self.fits_either_port(&signer.key, given, url, tail) {
                let text = format!(
                    "would have matched with {} and {}, which is not what x-twilio-webhooks-signature-settings \
                     asks for: pass that header on as it came, nothing else is accepted",
                    shown(&signer.label),
                    given.name()
                );
                return Some(Explanation::new(Cause::Algorithm, text));
            }
        }
        let text = format!(
            "the signature has the length of {}, and {} is asked for: x-twilio-webhooks-signature-settings was \
             lost or changed, or the request is not twilio's",
            given.name(),
            settings.algorithm.name()
        );
        (given != settings.algorithm).then(|| Explanation::new(Cause::Algorithm, text))
    }

    /// The right text, signed with a key that does not count for this request.
    fn other_keys(
        &mut self,
        verifier: &Verifier,
        accepted: &[&Signer],
        known: &[Token],
        url: &str,
        tail: &str,
    ) -> Option<Explanation> {
        let strangers =
            verifier.tokens().iter().filter(|token| !accepted.iter().any(|a| std::ptr::eq(*a, *token)));
        for token in strangers.take(MAX_OTHER_KEYS) {
            if self.fits_either_port(&token.key, self.algorithm, url, tail) {
                let text = format!(
                    "would have matched with {}, the token of another account than the request names: \
                     check which account the token belongs to, and name it in twilio.accounts",
                    shown(&token.label)
                );
                return Some(Explanation::new(Cause::OtherAccount, text));
            }
        }
        for token in known.iter().take(MAX_OTHER_KEYS).filter(|token| !token.secret.is_empty()) {
            if self.fits_either_port(&Key::new(&token.secret), self.algorithm, url, tail) {
                let text = format!(
                    "would have matched with {}, which is known and not accepted: \
                     if it is the account's token, add it to twilio.auth_tokens",
                    shown(&token.label)
                );
                return Some(Explanation::new(Cause::OtherToken, text));
            }
        }
        self.misspelt_keys(accepted, url, tail)
    }

    fn misspelt_keys(&mut self, accepted: &[&Signer], url: &str, tail: &str) -> Option<Explanation> {
        for signer in accepted.iter().take(MAX_KEYS_PER_GUESS) {
            for (spelling, what) in misspellings(signer.secret.expose()) {
                if self.fits_either_port(&Key::new(&Secret::new(spelling)), self.algorithm, url, tail) {
                    let text = format!(
                        "would have matched with {} {what}: look at how the token is written",
                        shown(&signer.label)
                    );
                    return Some(Explanation::new(Cause::TokenSpelling, text));
                }
            }
        }
        let empty = Key::new(&Secret::default());
        let text = "signed with an empty token: the sender has none set, which is never accepted";
        self.fits_either_port(&empty, self.algorithm, url, tail)
            .then(|| Explanation::new(Cause::EmptyToken, text))
    }

    fn guesses(&mut self, likely: &[&Signer], guesses: impl Iterator<Item = Guess>) -> Option<Explanation> {
        for guess in guesses {
            for signer in likely.iter().take(MAX_KEYS_PER_GUESS) {
                let [written, other] = spellings(&guess.url);
                let fits = self.fits(&signer.key, self.algorithm, &written, &guess.tail)
                    || (guess.either_port && self.fits(&signer.key, self.algorithm, &other, &guess.tail));
                if fits {
                    return Some(Explanation::new(guess.cause, guess.text));
                }
            }
            if self.left == 0 {
                break;
            }
        }
        None
    }
}

/// Spellings of a token that people end up with, and how they got there.
fn misspellings(token: &str) -> Vec<(String, &'static str)> {
    let bare = token.trim().trim_matches(['"', '\'']);
    let candidates = [
        (bare.to_owned(), "without the white space or quotes around it"),
        (format!("{bare}\n"), "and a newline at its end"),
        (format!("{bare}\r\n"), "and a newline at its end"),
        (bare.to_ascii_lowercase(), "in lower case"),
    ];
    candidates.into_iter().filter(|(spelling, _)| spelling != token && !spelling.is_empty()).collect()
}

/// A signature without what rewriting changes: case, padding, quotes, the URL-safe alphabet.
fn tidied(signature: &[u8]) -> Vec<u8> {
    let kept = |byte: &u8| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') => {
            Some(byte.to_ascii_lowercase())
        }
        _ => None,
    };
    signature.iter().filter_map(kept).collect()
}

#[cfg(test)]
mod tests;
