//! Who asks: HTTP Basic with an account's token or with an API key.

use super::outcome::Proof;
use crate::sandbox::incoming::Request;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::world::World;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Somebody who proved who they are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Caller {
    /// The account they are of.
    pub account: String,
    /// What they proved it with.
    pub proof: Proof,
}

/// Reads who asks.
///
/// # Errors
/// 20003 without credentials, or with wrong ones.
pub(super) fn authenticate(world: &World, request: &Request) -> Result<Caller, Refusal> {
    let header = request.header("authorization").ok_or_else(|| Refusal::unauthorized("Authenticate"))?;
    let wrong = || Refusal::unauthorized("Authentication Error - invalid username");
    let (scheme, encoded) = header.split_once(' ').ok_or_else(wrong)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(wrong());
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| wrong())?;
    let decoded = String::from_utf8(decoded).map_err(|_| wrong())?;
    let (user, password) = decoded.split_once(':').ok_or_else(wrong)?;
    caller(world, user, &Secret::new(password)).ok_or_else(wrong)
}

/// Who this user and password are, if anybody.
pub(super) fn caller(world: &World, user: &str, password: &Secret) -> Option<Caller> {
    let settings = &world.settings;
    let by_token = user == settings.account_sid && *password == settings.auth_token;
    let by_key = settings.api_key.as_ref().is_some_and(|(sid, secret)| user == sid && password == secret);
    let by_made = || world.with(|state| state.keys.get(user).is_some_and(|key| key.secret == *password));
    let account = settings.account_sid.clone();
    match password.is_empty() {
        false if by_token => Some(Caller { account, proof: Proof::Token }),
        false if by_key || by_made() => Some(Caller { account, proof: Proof::Key }),
        _ => None,
    }
}
