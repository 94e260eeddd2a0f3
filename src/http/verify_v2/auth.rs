//! Who calls: Basic authentication with an account's SID and, as its token, a
//! key of Dialback's; or with that key as one of Twilio's, `SK…` and its secret.
//! Beside a sandbox also with what opens the sandbox's REST API, so that one
//! client can do both.

use super::failure::Failure;
use crate::http::auth;
use crate::http::caller;
use crate::http::context::{CallContext, Context};
use crate::http::request::Request;
use crate::model::key::Scope;
use crate::secret::Secret;
use crate::twilio::api_key;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::Instant;

/// Who it is.
pub struct Caller {
    /// The account, as they named it.
    pub account: String,
    key: caller::Caller,
}

impl Caller {
    /// What their request is answered from.
    pub fn sees(&self, context: &Context) -> CallContext {
        context.seen_by(&self.key)
    }

    /// Whether they may do what `scope` names.
    pub fn may(&self, scope: Scope) -> bool {
        self.key.may(scope)
    }

    /// Refuses who may not do what `scope` names.
    ///
    /// # Errors
    /// 20003, with 403.
    pub fn must(&self, scope: Scope) -> Result<(), Failure> {
        match self.may(scope) {
            true => Ok(()),
            false => Err(Failure::scope_missing(scope)),
        }
    }
}

/// Where no account is configured, a key's documents name none that there is.
const NO_ACCOUNT: &str = "AC00000000000000000000000000000000";

/// The caller of a request.
///
/// # Errors
/// 20003 with 401: nobody is named, the account is another one, or the token
/// is nobody's; 20429: the key asked too often; or the store's.
pub async fn caller(context: &Context, request: &Request) -> Result<Caller, Failure> {
    let (user, password) = basic(request).ok_or_else(Failure::nobody)?;
    let by_account = context.settings.opens_account.as_ref().is_some_and(|opens| opens(&user, &password));
    let is_key = is_sid(&user, "SK");
    let account = account(context, &user, by_account);
    let Some(account) = account else {
        return Err(wrong(context, request, "invalid username").await);
    };
    let token = match is_key {
        true => api_key::of_sid(&user, password.expose()),
        false => Some(password.clone()),
    };
    let key = match &token {
        _ if by_account => Some(caller::account_holder()),
        Some(token) => auth::holder(context, token).await?,
        None => None,
    };
    let Some(key) = key else {
        return Err(wrong(context, request, "invalid password").await);
    };
    let standing = context.limiter.take(&key.name, Instant::now());
    if let Some(seconds) = standing.and_then(|standing| standing.wait) {
        return Err(Failure::too_often(seconds));
    }
    Ok(Caller { account, key })
}

/// What is said of credentials that are nobody's.
async fn wrong(context: &Context, request: &Request, what: &str) -> Failure {
    match auth::wrong_key(context, request).await {
        Some(seconds) => Failure::wrong_keys(seconds),
        None => Failure::wrong_credentials(what),
    }
}

fn basic(request: &Request) -> Option<(String, Secret)> {
    let (scheme, encoded) = request.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (account, token) = text.split_once(':')?;
    Some((account.to_owned(), Secret::new(token)))
}

/// The account that somebody means: a key belongs to the one that there is.
fn account(context: &Context, user: &str, is_known: bool) -> Option<String> {
    let own = context.settings.account_sid.as_deref();
    match own {
        Some(own) => (is_known || user == own || is_sid(user, "SK")).then(|| own.to_owned()),
        None if is_sid(user, "SK") => Some(NO_ACCOUNT.to_owned()),
        None => is_sid(user, "AC").then(|| user.to_owned()),
    }
}

/// Whether this is a SID, at least by its looks.
fn is_sid(text: &str, prefix: &str) -> bool {
    let digits = text.strip_prefix(prefix);
    digits.is_some_and(|digits| {
        (prefix == "SK" || digits.len() == 32) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}
