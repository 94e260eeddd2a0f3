//! Who asks: HTTP Basic with an account's token or with an API key.

use super::outcome::Proof;
use crate::sandbox::account::Account;
use crate::sandbox::grounds;
use crate::sandbox::incoming::Request;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::world::{State, World};
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
    let caller = caller(world, user, &Secret::new(password)).ok_or_else(wrong)?;
    let is_active = |state: &mut State| state.accounts.get(&caller.account).is_some_and(Account::is_active);
    if world.with(is_active) { Ok(caller) } else { Err(grounds::inactive()) }
}

/// Who this user and password are, if anybody.
pub(super) fn caller(world: &World, user: &str, password: &Secret) -> Option<Caller> {
    if password.is_empty() {
        return None;
    }
    let configured =
        world.settings.api_key.as_ref().filter(|(sid, secret)| user == sid && password == secret);
    world.with(|state| {
        if let Some(account) = state.accounts.get(user).filter(|account| account.opens(password)) {
            return Some(Caller { account: account.sid.clone(), proof: Proof::Token });
        }
        let made = state.keys.get(user).filter(|key| key.secret == *password).map(|key| &key.account);
        let account = configured.map(|_| &world.settings.account_sid).or(made)?.clone();
        Some(Caller { account, proof: Proof::Key })
    })
}

/// Whether a caller may do this to what is an account's: it is the caller's own,
/// or one below it, and is active unless it is only looked at.
///
/// # Errors
/// 20003 for somebody else's account, 20005 for one that is suspended or closed.
pub(super) fn may(world: &World, caller: &Caller, account: &str, looks: bool) -> Result<(), Refusal> {
    world.with(|state| match state.accounts.seen(&caller.account, account) {
        Some(account) if looks || account.is_active() => Ok(()),
        Some(_) => Err(grounds::inactive()),
        None => Err(Refusal::unauthorized("Authenticate")),
    })
}
