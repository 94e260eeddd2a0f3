//! Who calls: Basic authentication with an account's SID and, as its token, a
//! key of Dialback's.

use super::failure::Failure;
use crate::http::auth;
use crate::http::context::{CallContext, Context};
use crate::http::guesses;
use crate::http::request::Request;
use crate::model::key::Scope;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::time::Instant;

/// Who it is.
pub struct Caller {
    /// The account, as they named it.
    pub account: String,
    key: auth::Caller,
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

/// The caller of a request.
///
/// # Errors
/// 20003 with 401: nobody is named, the account is another one, or the token
/// is nobody's; 20429: the key asked too often; or the store's.
pub async fn caller(context: &Context, request: &Request) -> Result<Caller, Failure> {
    let (account, token) = basic(request).ok_or_else(Failure::nobody)?;
    let is_theirs = match &context.settings.account_sid {
        Some(own) => *own == account,
        None => is_account_sid(&account),
    };
    if !is_theirs {
        return Err(wrong(context, request, "invalid username"));
    }
    let key = auth::holder(context, &token).await?;
    let key = key.ok_or_else(|| wrong(context, request, "invalid password"))?;
    let standing = context.limiter.take(&key.name, Instant::now());
    if let Some(seconds) = standing.and_then(|standing| standing.wait) {
        return Err(Failure::too_often(seconds));
    }
    Ok(Caller { account, key })
}

/// What is said of credentials that are nobody's.
fn wrong(context: &Context, request: &Request, what: &str) -> Failure {
    match guesses::wrong_key(context, request) {
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

fn is_account_sid(text: &str) -> bool {
    text.len() == 34 && text.starts_with("AC") && text.as_bytes()[2..].iter().all(u8::is_ascii_hexdigit)
}
