//! Whether an account may call a number, whoever asks for the call: every ground against
//! one, in one order. It refuses to know what the call is about.

use super::grounds;
use super::number_rules;
use super::refusal::Refusal;
use super::world::{State, World};

/// Judges a call before it is made; `from` is none where Twilio itself calls, to validate
/// a number that is not verified yet.
///
/// # Errors
/// The first ground against it: Twilio's numbers for tests (21211, 21214, 21215, 21216);
/// 21210 for a number that the account may not call from; 21215 for the country; 21219 for
/// a trial; 21215 and 21214 for what the number may not do.
pub(super) fn judge(world: &World, account: &str, from: Option<&str>, to: &str) -> Result<(), Refusal> {
    recipient(to)?;
    if let Some(from) = from {
        owned(world, account, from)?;
    }
    let may = world.with(|state| {
        let owner = state.accounts.get(account).map_or(account, |account| account.owner.as_str());
        state.permissions.may_call(account, owner, to)
    });
    if !may {
        return Err(grounds::may_not_call(to));
    }
    let Some(from) = from else { return Ok(()) };
    if !world.reaches(account, to) {
        let why = "is unverified. Trial accounts may only make calls to verified numbers.";
        return Err(Refusal::bad(21219, format!("The number {to} {why}")));
    }
    world.with(|state: &mut State| number_rules::call(&state.numbers, from, to))
}

/// The numbers that Twilio has for tests:
/// <https://www.twilio.com/docs/iam/test-credentials#test-calls>.
fn recipient(to: &str) -> Result<(), Refusal> {
    match to {
        "+15005550001" => Err(grounds::no_such_recipient(to)),
        "+15005550002" => Err(grounds::not_reached_by_call(to)),
        "+15005550003" => Err(grounds::may_not_call(to)),
        "+15005550004" => Err(Refusal::bad(21216, format!("The 'To' number {to} is on Twilio's blocklist."))),
        _ => Ok(()),
    }
}

fn owned(world: &World, account: &str, from: &str) -> Result<(), Refusal> {
    if from != "+15005550007" && world.calls_from(account, from) {
        return Ok(());
    }
    let why =
        "is not verified for your account. You may only make calls from numbers you own or have verified.";
    Err(Refusal::bad(21210, format!("The source phone number provided, {from}, {why}")))
}
