//! The OutgoingCallerIds resource: numbers of others that an account may call from,
//! once whoever answers there has typed a code.

use super::accounts::name;
use super::incoming_phone_numbers::contains;
use crate::sandbox::address::e164;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome, befall};
use crate::sandbox::api::paging::page;
use crate::sandbox::call::{self, queued};
use crate::sandbox::calling;
use crate::sandbox::grounds;
use crate::sandbox::incoming::Form;
use crate::sandbox::number::friendly;
use crate::sandbox::number_views::tell_numbers;
use crate::sandbox::numbers::{CallerId, Validation};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::{CallOrder, rfc2822};
use crate::sandbox::target::{STATUS, Target};
use serde_json::{Value, json};

/// The number that Twilio calls from to validate.
const CALLER: &str = "+14157234000";
/// How long the call rings, in seconds.
const TIMEOUT: u32 = 60;
/// How long the call may last, in seconds.
const TIME_LIMIT: u32 = 600;
/// The longest that the call may wait, in seconds.
const DELAY: u32 = 60;
/// The most keys of an extension.
const EXTENSION: usize = 32;

/// `POST OutgoingCallerIds.json`: calls the number, and tells what has to be typed there.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let (world, form) = (ask.world, ask.form());
    let number = number(ask, &form)?;
    let callback = Target::default().read(&form, &STATUS)?.hook(None);
    let order = CallOrder {
        timeout: TIMEOUT,
        time_limit: TIME_LIMIT,
        delay: delay(&form)?,
        send_digits: extension(&form)?,
        validates: true,
        ..CallOrder::default()
    };
    let call =
        queued(world, ask.account.to_owned(), number.clone(), CALLER.to_owned(), "outbound-api", order);
    let validation = Validation {
        call: call.sid.clone(),
        account: ask.account.to_owned(),
        name: name(&form)?.unwrap_or_else(|| friendly(&number)),
        number: number.clone(),
        code: (100_000 + world.entropy.below(900_000)).to_string(),
        callback,
        verified: None,
    };
    let document = json!({
        "account_sid": validation.account,
        "call_sid": validation.call,
        "friendly_name": validation.name,
        "phone_number": validation.number,
        "validation_code": validation.code,
    });
    befall(world, &number, || {
        let sid = call.sid.clone();
        world.change(|state| state.numbers.validations.push(sid.clone(), validation));
        if !call::launch(world, call) {
            world.change(|state| state.numbers.validations.remove(&sid));
            return Err(grounds::too_much());
        }
        tell_numbers(world);
        Ok(Done::Found(document))
    })
}

/// The number, which nobody has validated for this account yet.
fn number(ask: &Ask<'_>, form: &Form) -> Result<String, Refusal> {
    let text = form.get("PhoneNumber").ok_or_else(|| Refusal::bad(21401, "PhoneNumber is required"))?;
    let number = e164(text).ok_or_else(|| Refusal::bad(21401, format!("Invalid Phone Number: {text}")))?;
    if ask.world.with(|state| state.numbers.sid_of(ask.account, &number).is_some()) {
        return Err(Refusal::bad(21450, "Phone number already validated on your account"));
    }
    calling::judge(ask.world, ask.account, None, &number)?;
    Ok(number)
}

fn delay(form: &Form) -> Result<u32, Refusal> {
    match form.get("CallDelay").map(str::parse) {
        None => Ok(0),
        Some(Ok(seconds @ 0..=DELAY)) => Ok(seconds),
        Some(_) => Err(Refusal::bad(20001, "Parameter 'CallDelay' is 0 to 60 seconds")),
    }
}

fn extension(form: &Form) -> Result<Option<String>, Refusal> {
    let keys = form.get("Extension");
    if keys
        .is_some_and(|keys| keys.len() > EXTENSION || !keys.chars().all(|key| "0123456789#*wW".contains(key)))
    {
        return Err(Refusal::bad(20001, "Invalid parameter value for Extension"));
    }
    Ok(keys.map(str::to_owned))
}

/// `GET OutgoingCallerIds.json`: the numbers that the account validated, youngest first.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let number = query.get("PhoneNumber");
    let wanted = |caller: &&CallerId| {
        number.is_none_or(|text| contains(&caller.number, text))
            && query.get("FriendlyName").is_none_or(|name| caller.name == name)
    };
    ask.world.with(|state| {
        let rows: Vec<&CallerId> = state.numbers.callers.of(ask.account).filter(wanted).collect();
        page(ask.request, "outgoing_caller_ids", &rows, |row| row.sid.clone(), document).map(Done::Found)
    })
}

/// `GET OutgoingCallerIds/{sid}.json`: one validated number, by its `PN…`.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let found = ask.world.with(|state| state.numbers.callers.its(ask.account, ask.sid()).map(document));
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST OutgoingCallerIds/{sid}.json`: a new `FriendlyName`.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let (name, now) = (name(&ask.form())?, ask.world.clock.now());
    let changed = ask.world.change(|state| {
        let caller = state.numbers.callers.its_mut(ask.account, ask.sid())?;
        if let Some(name) = name {
            (caller.name, caller.updated) = (name, now);
        }
        Some(Done::Found(document(caller)))
    });
    changed.ok_or_else(|| ask.missing())
}

/// `DELETE OutgoingCallerIds/{sid}.json`: nobody calls from it any more.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let gone = ask.world.change(|state| state.numbers.callers.remove_its(ask.account, ask.sid()));
    gone.ok_or_else(|| ask.missing())?;
    tell_numbers(ask.world);
    Ok(Done::Gone)
}

fn document(caller: &CallerId) -> Value {
    json!({
        "sid": caller.sid,
        "account_sid": caller.account,
        "friendly_name": caller.name,
        "phone_number": caller.number,
        "date_created": rfc2822(caller.created),
        "date_updated": rfc2822(caller.updated),
        "uri": format!("/2010-04-01/Accounts/{}/OutgoingCallerIds/{}.json", caller.account, caller.sid),
    })
}
