//! Who calls: Basic authentication with an account's SID and, as its token, a
//! key of Dialback's.

use super::failure::Failure;
use crate::http::context::{Context, Operator};
use crate::http::request::Request;
use crate::model::key::Scope;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;

/// Who it is.
pub struct Caller {
    /// The account, as they named it.
    pub account: String,
    scopes: BTreeSet<Scope>,
}

impl Caller {
    /// Refuses who may not do what `scope` names. An `admin` may do all: it
    /// could make itself a key for it.
    ///
    /// # Errors
    /// 20003, with 403.
    pub fn must(&self, scope: Scope) -> Result<(), Failure> {
        match self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin) {
            true => Ok(()),
            false => Err(Failure::scope_missing(scope)),
        }
    }
}

/// The caller of a request.
///
/// # Errors
/// 20003 with 401: nobody is named, the account is another one, or the token
/// is nobody's; or the store's.
pub async fn caller(context: &Context, request: &Request) -> Result<Caller, Failure> {
    let (account, token) = basic(request).ok_or_else(Failure::nobody)?;
    let is_theirs = match &context.settings.account_sid {
        Some(own) => *own == account,
        None => is_account_sid(&account),
    };
    if !is_theirs {
        return Err(Failure::wrong_credentials("invalid username"));
    }
    let scopes = scopes(context, &token).await?;
    let scopes = scopes.ok_or_else(|| Failure::wrong_credentials("invalid password"))?;
    Ok(Caller { account, scopes })
}

/// What the holder of a key may do. The keys of the environment and of the
/// sandbox are the operator's own, as an account's token is at Twilio: all.
async fn scopes(context: &Context, token: &Secret) -> Result<Option<BTreeSet<Scope>>, Failure> {
    let settings = &context.settings;
    let is_operator = |Operator(key): &Operator| !key.is_empty() && key == token;
    if settings.operator.as_ref().is_some_and(is_operator)
        || settings.keys.iter().any(|key| !key.is_empty() && key == token)
    {
        return Ok(Some(Scope::ALL.into()));
    }
    Ok(context.service.key_scopes(token.expose()).await?)
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
