//! The call that proves whose a number is: it asks for a code, and whoever types it
//! gives the account a number to call from.

use super::callbacks::call_params;
use super::cookies::Pair;
use super::execute::Execution;
use super::number::friendly;
use super::number_views::tell_numbers;
use super::numbers::CallerId;
use super::resource::Call;
use super::verb::{Gather, Say, Verb};
use super::webhook::Webhook;
use super::world::{State, World};
use jiff::Timestamp;

/// How often a wrong code may be typed.
const TRIES: usize = 3;
/// How many digits a code has.
pub(super) const DIGITS: usize = 6;
/// How long the call waits for the next digit, in seconds.
const PATIENCE: u64 = 10;

/// Asks for the code until it is right, or was wrong too often.
pub(super) async fn converse(world: &World, execution: &mut Execution, call: &str) {
    let mut words = "You have a validation request. Please enter your six digit code.";
    for _ in 0..TRIES {
        let Ok((typed, _)) = execution.keys(&question(words)).await else { return };
        if accept(world, call, Some(&typed)).is_some() {
            execution.line.caption("Thank you. This number is validated. Goodbye.", None, None);
            return;
        }
        words = "This code is not right. Please enter your six digit code.";
    }
    execution.line.caption("This number is not validated. Goodbye.", None, None);
}

fn question(words: &str) -> Gather {
    let say = Say { text: words.to_owned(), loops: 1, ..Say::default() };
    Gather {
        action: None,
        get: false,
        num_digits: Some(DIGITS),
        timeout: PATIENCE,
        finish_on: Some('#'),
        on_empty: true,
        keys: true,
        prompts: vec![Verb::Say(say)],
    }
}

/// Takes a code, or the word of whoever needs none; gives the caller id's SID when that
/// is right.
pub(super) fn accept(world: &World, call: &str, typed: Option<&str>) -> Option<String> {
    let (sid, now) = (world.sid("PN"), world.clock.now());
    let done = world.change(|state| {
        let validation = state.numbers.validations.get_mut(call)?;
        if typed.is_some_and(|typed| typed != validation.code) {
            return None;
        }
        if let Some(done) = &validation.verified {
            return Some(done.clone());
        }
        let (account, number, name) =
            (validation.account.clone(), validation.number.clone(), validation.name.clone());
        let known = verify(state, sid, account, number, Some(name), now);
        state.numbers.validations.get_mut(call)?.verified = Some(known.clone());
        Some(known)
    });
    if done.is_some() {
        tell_numbers(world);
    }
    done
}

/// Lets an account call from a number. Gives the caller id's SID: its old one where it
/// has one.
pub(super) fn verify(
    state: &mut State,
    sid: String,
    account: String,
    number: String,
    name: Option<String>,
    now: Timestamp,
) -> String {
    if let Some(known) = state.numbers.caller(&account, &number) {
        return known.sid.clone();
    }
    let name = name.unwrap_or_else(|| friendly(&number));
    let caller = CallerId { sid: sid.clone(), account, number, name, created: now, updated: now };
    state.numbers.callers.push(caller);
    sid
}

/// Ends a validation with its call. Gives what is to be told of it.
pub(super) fn end(world: &World, call: &Call) -> Option<Webhook> {
    let validation = world.change(|state| state.numbers.validations.remove(&call.sid))?;
    let mut params = call_params(call, call.status.word());
    params.add("VerificationStatus", if validation.verified.is_some() { "success" } else { "failed" });
    if let Some(sid) = validation.verified {
        params.add("OutgoingCallerIdSid", sid);
    }
    Some(Webhook {
        kind: "status-callback",
        sid: call.sid.clone(),
        account: call.account.clone(),
        pair: Pair::new(&call.from, &call.to),
        hook: validation.callback?,
        params: params.0,
        token: world.token(),
        voice: true,
        bad_signature: false,
        port: None,
    })
}
