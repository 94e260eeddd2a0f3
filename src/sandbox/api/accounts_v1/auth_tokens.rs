//! The AuthTokens of an account: a second one is made, taken away, or becomes the
//! first. They are the caller's own account's.

use crate::sandbox::account::{Account, Token};
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::iso8601;
use crate::secret::Secret;
use serde_json::{Value, json};

/// `POST /v1/AuthTokens/Secondary`: makes a second token and shows it; 20001 when there is one.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let token = Token { secret: Secret::new(ask.world.entropy.hex::<16>()), made: ask.world.clock.now() };
    let document = document(ask, "secondary_auth_token", &token);
    ask.world.change(|state| {
        let account = own(ask, state.accounts.get_mut(ask.account))?;
        if account.secondary.is_some() {
            let why = "The account has a secondary auth token: promote it or delete it first";
            return Err(Refusal::bad(20001, why));
        }
        (account.updated, account.secondary) = (token.made, Some(token));
        Ok(Done::Created(document))
    })
}

/// `DELETE /v1/AuthTokens/Secondary`: takes the second token away; 20404 when there is none.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let now = ask.world.clock.now();
    ask.world.change(|state| {
        let account = own(ask, state.accounts.get_mut(ask.account))?;
        account.secondary.take().ok_or_else(|| ask.missing())?;
        account.updated = now;
        Ok(Done::Gone)
    })
}

/// `POST /v1/AuthTokens/Promote`: the second token becomes the first, and the
/// first opens nothing any more.
pub(super) fn promote(ask: &Ask<'_>) -> Outcome {
    let now = ask.world.clock.now();
    let token = ask.world.change(|state| {
        let account = own(ask, state.accounts.get_mut(ask.account))?;
        let token = account.secondary.take().ok_or_else(|| ask.missing())?;
        (account.token, account.updated) = (token.clone(), now);
        Ok(token)
    })?;
    if ask.account == ask.world.settings.account_sid {
        let why = "the main account's token was promoted: webhooks are signed with the new one from now on, and an \
                   application that is configured with the old one refuses them";
        ask.world.alert(57012, ask.account, None, why);
    }
    Ok(Done::Found(document(ask, "auth_token", &Token { made: now, ..token })))
}

fn own<'a>(ask: &Ask<'_>, account: Option<&'a mut Account>) -> Result<&'a mut Account, Refusal> {
    account.ok_or_else(|| ask.missing())
}

fn document(ask: &Ask<'_>, field: &str, token: &Token) -> Value {
    let mut document = json!({
        "account_sid": ask.account,
        "date_created": iso8601(token.made),
        "date_updated": iso8601(token.made),
        "url": ask.request.url(),
    });
    document[field] = json!(token.secret.expose());
    document
}
