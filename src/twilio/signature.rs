//! Proof that a webhook is Twilio's: `X-Twilio-Signature` and `bodySHA256`.
//!
//! <https://www.twilio.com/docs/usage/security#validating-requests>
//!
//! This module refuses to know where the URL came from (see
//! [`url::PublicUrl`]), what a failure is answered
//! with, and why a signature fails beyond what costs nothing to say: guessing
//! is `explain`'s, off the request's path. A rejected
//! signature therefore never costs more than an accepted one.

pub(crate) use self::named::Named;
pub use self::rejection::Rejection;
pub use self::signed::Signed;
pub(crate) use self::signed::{Coverage, claimed_hash};
use super::form::{self, Pairs};
pub use super::mac::Algorithm;
use super::mac::{Key, tail};
use super::url;
use crate::model::account::{AccountSid, Proof};
use crate::secret::Secret;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// The most keys one request is tried with; each costs two HMACs (four where
/// the URL has an apostrophe), so that a flood cannot multiply work.
pub const MAX_KEYS_TRIED: usize = 16;

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "x-twilio-signature";

/// The header that names a SharedKey and its algorithm.
pub const SETTINGS_HEADER: &str = "x-twilio-webhooks-signature-settings";

/// An auth token that signatures are accepted from.
#[derive(Debug, Clone)]
pub struct Token {
    /// What logs call it, such as `auth_token` or `auth_tokens[1]`.
    pub label: String,
    /// The account it belongs to, for which alone it proves anything. Without
    /// one nothing is asked of the account that a request names.
    pub account: Option<String>,
    /// The account's auth token.
    pub secret: Secret,
}

/// A SharedKey of Twilio's webhook settings (public beta).
#[derive(Debug, Clone)]
pub struct SharedKey {
    /// Its id, `webhooks_sharedkey_…`, which requests name.
    pub id: String,
    /// The account it belongs to, as of a [`Token`].
    pub account: Option<String>,
    /// The secret that requests are signed with.
    pub secret: Secret,
}

/// What was accepted. Its `Debug` hides the parameters, which hold numbers and
/// texts.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    /// The request's decoded parameters: of a form's body, else of a GET's
    /// query; empty for other bodies. Nothing unsigned is among them.
    pub params: Pairs,
    /// Whose token signed, or whose SharedKey. The request names that very
    /// account and no other, where it has parameters at all.
    pub proof: Proof,
}

/// Why tokens cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTokens {
    /// An empty key would accept what anybody can compute.
    #[error("{0} is empty: an empty token proves nothing")]
    Empty(String),
    /// More than [`MAX_KEYS_TRIED`] for one account.
    #[error("more than {MAX_KEYS_TRIED} tokens for one account")]
    TooMany,
}

/// Holds the keys and proves requests. Build it once and share it.
pub struct Verifier {
    /// Those of no account first.
    tokens: Vec<Signer>,
    /// How many belong to no account.
    general: usize,
    /// Account SID to places in `tokens`.
    accounts: HashMap<String, Vec<usize>>,
    shared: Vec<Signer>,
}

impl Verifier {
    /// Takes the tokens and keys that are accepted from now on.
    ///
    /// # Errors
    /// [`InvalidTokens`] when a secret is empty or there are too many.
    pub fn new(tokens: Vec<Token>, shared_keys: Vec<SharedKey>) -> Result<Self, InvalidTokens> {
        let (general, owned): (Vec<_>, Vec<_>) = tokens.into_iter().partition(|t| t.account.is_none());
        let mut accounts: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, token) in owned.iter().enumerate() {
            let account = token.account.clone().unwrap_or_default();
            accounts.entry(account).or_default().push(general.len() + place);
        }
        let most = accounts.values().map(Vec::len).max().unwrap_or(0);
        if general.len() + most > MAX_KEYS_TRIED {
            return Err(InvalidTokens::TooMany);
        }
        let general_count = general.len();
        let tokens = general.into_iter().chain(owned);
        let tokens = tokens.map(|t| Signer::new(&t.label, t.account.as_deref(), t.secret));
        let shared = shared_keys.into_iter().map(|k| Signer::new(&k.id, k.account.as_deref(), k.secret));
        Ok(Self {
            tokens: tokens.collect::<Result<_, _>>()?,
            general: general_count,
            accounts,
            shared: shared.collect::<Result<_, _>>()?,
        })
    }

    /// Proves a request, and hands on its parameters so that the body is
    /// parsed once. All candidates are computed, whichever matches.
    ///
    /// # Errors
    /// The [`Rejection`] that is known without further work.
    pub fn verify(&self, request: &Signed<'_>) -> Result<Verified, Rejection> {
        let (offered, settings) = self.header(request.signatures, request.settings)?;
        let coverage = Coverage::of(request)?;
        let params = coverage.params(request);
        let tail = if coverage == Coverage::Form { tail(&params) } else { String::new() };
        let named = Named::of(request, coverage, &params);
        let signers = self.signers(&settings, &named)?;
        let matched = find_match(&signers, settings.algorithm, request.url, &tail, offered);
        let signer = matched.ok_or(Rejection::Mismatch)?;
        if let Coverage::Hash(hash) = coverage {
            // Last, so that a forger cannot make us hash.
            check_hash(hash, request.body)?;
        }
        named.fits(signer.account.as_ref())?;
        let proof = Proof::new(signer.account.clone(), signer.label.clone());
        Ok(Verified { params, proof })
    }

    /// Whether headers such as these could prove anything, whatever the body is.
    ///
    /// # Errors
    /// The [`Rejection`] that [`Verifier::verify`] would end with.
    pub fn judge_header(&self, signatures: &[&[u8]], settings: Option<&str>) -> Result<(), Rejection> {
        self.header(signatures, settings).map(drop)
    }

    /// Whether a URL with the hash of a body was signed by any account or key, so
    /// that its body, which may be long, is worth waiting for. It proves nothing
    /// yet: that takes the body, and looks at whose it is.
    pub fn announces_body(&self, url: &str, signatures: &[&[u8]], settings: Option<&str>) -> bool {
        let Ok((offered, settings)) = self.header(signatures, settings) else { return false };
        let keys: Vec<&Signer> = match settings.key {
            Some(id) => self.shared.iter().filter(|key| *key.label == *id).collect(),
            None => self.tokens.iter().collect(),
        };
        claimed_hash(url).is_some() && find_match(&keys, settings.algorithm, url, "", offered).is_some()
    }

    fn header<'a>(
        &self,
        signatures: &[&'a [u8]],
        settings: Option<&'a str>,
    ) -> Result<(&'a [u8], Settings<'a>), Rejection> {
        let offered = offered(signatures)?;
        let settings = Settings::parse(settings)?;
        if self.tokens.is_empty() && self.shared.is_empty() {
            return Err(Rejection::NoToken);
        }
        if offered.len() != settings.algorithm.signature_length() {
            return Err(Rejection::Mismatch);
        }
        Ok((offered, settings))
    }

    /// The keys that may have signed a request with these settings: those of
    /// the account that it names, and those of no account.
    pub(crate) fn signers(
        &self,
        settings: &Settings<'_>,
        named: &Named<'_>,
    ) -> Result<Vec<&Signer>, Rejection> {
        if let Some(id) = settings.key {
            let known = self.shared.iter().find(|key| *key.label == *id);
            return known.map(|key| vec![key]).ok_or(Rejection::UnknownKey);
        }
        let general = self.tokens[..self.general].iter();
        let (owned, otherwise) = match named {
            Named::One(account) => (self.owned_by(account).collect(), Rejection::UnknownAccount),
            Named::Within(body) => (self.mentioned(body), Rejection::UnknownAccount),
            Named::Nobody => (Vec::new(), Rejection::NoAccount),
            Named::Many => (Vec::new(), Rejection::ManyAccounts),
        };
        let signers: Vec<&Signer> = general.chain(owned).take(MAX_KEYS_TRIED).collect();
        if signers.is_empty() { Err(otherwise) } else { Ok(signers) }
    }

    fn owned_by(&self, account: &str) -> impl Iterator<Item = &Signer> {
        self.accounts.get(account).into_iter().flatten().map(|place| &self.tokens[*place])
    }

    /// The tokens of the accounts that a body speaks of, which nobody has read
    /// yet: a hint at what to try, and no more. Of a body that speaks of none
    /// that we know, any account may be the sender.
    fn mentioned(&self, body: &[u8]) -> Vec<&Signer> {
        let mut found: Vec<&str> = Vec::new();
        for account in named::accounts_within(body) {
            if found.len() < MAX_KEYS_TRIED
                && self.accounts.contains_key(account)
                && !found.contains(&account)
            {
                found.push(account);
            }
        }
        if found.is_empty() {
            return self.tokens[self.general..].iter().collect();
        }
        found.into_iter().flat_map(|account| self.owned_by(account)).collect()
    }

    /// Every key there is: tokens, then shared keys.
    pub(crate) fn everyone(&self) -> impl Iterator<Item = &Signer> {
        self.tokens.iter().chain(&self.shared)
    }

    pub(crate) fn tokens(&self) -> &[Signer] {
        &self.tokens
    }

    pub(crate) fn shared_keys(&self) -> &[Signer] {
        &self.shared
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("proof", &self.proof).finish_non_exhaustive()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.everyone().map(|signer| &signer.label)).finish()
    }
}

/// Signs a request as Twilio does: the URL as written, then each distinct
/// pair in order of names. For GET, and for bodies that `bodySHA256` covers,
/// there are no pairs: see [`sign_request`] for the choice.
pub fn sign<N: AsRef<str>, V: AsRef<str>>(
    secret: &Secret,
    algorithm: Algorithm,
    url: &str,
    pairs: &[(N, V)],
) -> String {
    let tail = tail(pairs);
    Key::new(secret).mac(algorithm, &[url], &tail).text().to_owned()
}

/// Signs a request given as it goes over the wire; `signatures` and
/// `settings` are not looked at.
///
/// # Errors
/// [`Rejection::BodyNotCovered`] and [`Rejection::BodyHashMismatch`]: what no
/// signature could cover.
pub fn sign_request(
    secret: &Secret,
    algorithm: Algorithm,
    request: &Signed<'_>,
) -> Result<String, Rejection> {
    let coverage = Coverage::of(request)?;
    if let Coverage::Hash(hash) = coverage {
        check_hash(hash, request.body)?;
    }
    let pairs = if coverage == Coverage::Form { form::parse(request.body) } else { Pairs::new() };
    Ok(sign(secret, algorithm, request.url, &pairs))
}

/// What `bodySHA256` must be for this body: lowercase hex of its raw bytes.
pub fn body_hash(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// What the settings header asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings<'a> {
    /// A SharedKey's id; none means an auth token.
    pub key: Option<&'a str>,
    pub algorithm: Algorithm,
}

impl<'a> Settings<'a> {
    /// Without `algorithm=` it is an auth token and HMAC_SHA1, whatever else is there.
    pub fn parse(header: Option<&'a str>) -> Result<Self, Rejection> {
        let parts = || header.unwrap_or_default().split(',').filter_map(|part| part.split_once('='));
        let value = |name: &str| parts().find(|(n, _)| n.trim() == name).map(|(_, v)| v.trim());
        match value("algorithm") {
            None => Ok(Self { key: None, algorithm: Algorithm::HmacSha1 }),
            Some(name) => {
                let algorithm = Algorithm::from_name(name).ok_or(Rejection::UnknownAlgorithm)?;
                Ok(Self { key: value("key"), algorithm })
            }
        }
    }
}

fn check_hash(claimed: &str, body: &[u8]) -> Result<(), Rejection> {
    let same = body_hash(body).as_bytes().ct_eq(claimed.as_bytes());
    if same.into() { Ok(()) } else { Err(Rejection::BodyHashMismatch) }
}

fn offered<'a>(signatures: &[&'a [u8]]) -> Result<&'a [u8], Rejection> {
    match signatures {
        [] | [b""] => Err(Rejection::MissingHeader),
        [one] => Ok(one),
        _ => Err(Rejection::DuplicateHeader),
    }
}

/// Which of the keys signed this URL, in either spelling of its port and of
/// its apostrophes. Looks at every candidate, also after a match.
fn find_match<'s>(
    signers: &[&'s Signer],
    algorithm: Algorithm,
    url: &str,
    tail: &str,
    offered: &[u8],
) -> Option<&'s Signer> {
    // Some clients escape an apostrophe on the way: both spellings count.
    let escaped = url.contains('\'').then(|| url.replace('\'', "%27"));
    let (mut found, mut place) = (Choice::from(0), 0u32);
    for (at, signer) in (0u32..).zip(signers) {
        for text in [Some(url), escaped.as_deref()].into_iter().flatten() {
            for pieces in url::spellings(text) {
                let same = signer.key.mac(algorithm, &pieces, tail).matches(offered);
                place.conditional_assign(&at, same);
                found |= same;
            }
        }
    }
    bool::from(found).then(|| signers[place as usize])
}

/// A key with its name.
pub(crate) struct Signer {
    pub label: Arc<str>,
    pub account: Option<AccountSid>,
    /// Kept for guessing at misspelt ones.
    pub secret: Secret,
    pub key: Key,
}

impl Signer {
    fn new(label: &str, account: Option<&str>, secret: Secret) -> Result<Self, InvalidTokens> {
        if secret.is_empty() {
            return Err(InvalidTokens::Empty(label.to_owned()));
        }
        let account = account.map(AccountSid::from);
        Ok(Self { label: label.into(), account, key: Key::new(&secret), secret })
    }
}

mod named;
mod rejection;
mod signed;
#[cfg(test)]
mod tests;
