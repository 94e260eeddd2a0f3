//! The Balance resource: what is left of the main account's money, from which its
//! sub-accounts pay too.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::money::{Money, dollars};
use serde_json::json;

/// What the account begins with: 100 dollars.
const BEGINNING: Money = 100 * 100_000;

/// `GET Balance.json`: what the main account has left, as a text in US dollars; below zero with a minus.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let spent = ask.world.with(|state| state.ledger.spent());
    let balance = if spent > BEGINNING {
        format!("-{}", dollars(spent - BEGINNING))
    } else {
        dollars(BEGINNING - spent)
    };
    Ok(Done::Found(json!({ "account_sid": ask.account, "balance": balance, "currency": "USD" })))
}
