//! The Calls resource: validation, creation, reading, redirection.

use crate::sandbox::address::{Address, e164};
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::hook::{hook, recording_request};
use crate::sandbox::api::outcome::{Done, Outcome, befall, listed_until};
use crate::sandbox::api::paging::{Span, page};
use crate::sandbox::application::Application;
use crate::sandbox::call::{self, queued};
use crate::sandbox::calling;
use crate::sandbox::grounds;
use crate::sandbox::incoming::Form;
use crate::sandbox::limits::Turn;
use crate::sandbox::next::Next;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::{Call, CallOrder, CallStatus, Detection};
use crate::sandbox::world::{Control, World};
use jiff::Timestamp;

/// The longest inline TwiML, in characters.
const TWIML: usize = 4_000;
/// The longest a call may ring, in seconds.
const TIMEOUT: u32 = 600;
/// What can be told of a call.
const EVENTS: [&str; 4] = ["initiated", "ringing", "answered", "completed"];
/// How long a call may last when nobody said, in seconds.
const TIME_LIMIT: u32 = 14_400;

/// `POST Calls.json`: the new call as it is before it rings, `queued`.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let (world, form) = (ask.world, ask.form());
    let mut call = read(ask, &form)?;
    let number = call.to.clone();
    befall(world, &number, || {
        let now = world.clock.now();
        match world.with(|state| state.limits.take_call(ask.account, now)) {
            Turn::At(at) => call.order.leaves = (at > now).then_some(at),
            Turn::Full => return Err(grounds::too_much()),
        }
        let document = call.document();
        let sid = call.sid.clone();
        if !call::launch(world, call) {
            return Err(grounds::too_much());
        }
        warn(world, &sid, &form);
        Ok(Done::Created(document))
    })
}

/// What Twilio's debugger says of a call that was placed all the same.
fn warn(world: &World, sid: &str, form: &Form) {
    if form.get("Url").is_some() && form.get("Twiml").is_some() {
        world.alert(32019, sid, None, "Twiml and Voice URL are both set: using Voice URL");
    }
    let events = form.all("StatusCallbackEvent");
    if let Some(wrong) = events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
        world.alert(21626, sid, None, format!("Invalid 'StatusCallbackEvent': {wrong}"));
    }
}

/// `GET Calls.json`: the account's, youngest first, filtered by number, status, start and end.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let (world, query) = (ask.world, ask.query());
    let (start, end) = (Span::read(&query, "StartTime")?, Span::read(&query, "EndTime")?);
    let status = query.get("Status");
    if let Some(status) = status.filter(|status| CallStatus::ALL.iter().all(|known| known.word() != *status))
    {
        return Err(Refusal::bad(20001, format!("Invalid parameter value for Status: {status}")));
    }
    let same = |name, value: &str| query.get(name).is_none_or(|text| number(text) == value);
    let until = query.get("To").map_or(Timestamp::MAX, |to| listed_until(world, &number(to)));
    let wanted = |call: &&Call| {
        call.created <= until
            && same("To", &call.to)
            && same("From", &call.from)
            && status.is_none_or(|status| status == call.status.word())
            && query.get("ParentCallSid").is_none()
            && start.holds(call.start.or(Some(call.created)))
            && end.holds(call.end)
    };
    world.with(|state| {
        let rows: Vec<&Call> = state.calls.of(ask.account).filter(wanted).collect();
        page(ask.request, "calls", &rows, |row| row.sid.clone(), Call::document).map(Done::Found)
    })
}

fn number(text: &str) -> String {
    e164(text).unwrap_or_else(|| text.to_owned())
}

/// `GET Calls/{sid}.json`: one call of the account's, as it stands now.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let found = ask.world.with(|state| state.calls.its(ask.account, ask.sid()).map(Call::document));
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST Calls/{sid}.json`: `Status=canceled` before the answer,
/// `Status=completed` at any time, `Url` or `Twiml` to go on elsewhere.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let (world, sid, form) = (ask.world, ask.sid(), ask.form());
    let found = world.with(|state| state.calls.its(ask.account, sid).cloned());
    let call = found.ok_or_else(|| ask.missing())?;
    let refused = |why: &str| Err(Refusal::bad(21220, format!("Invalid call state: {why}")));
    let (status, next) = (form.get("Status"), next(&form)?);
    let control = match (status, next) {
        (Some("canceled" | "completed"), _) if call.status.is_over() => return fetch(ask),
        (Some("canceled"), _) if call.status == CallStatus::InProgress => {
            return refused("Call is in-progress. Cannot cancel.");
        }
        (Some("canceled" | "completed"), _) => Control::Complete,
        (Some(other), _) => {
            return Err(Refusal::bad(20001, format!("Invalid parameter value for Status: {other}")));
        }
        (None, Some(_)) if call.status != CallStatus::InProgress => {
            return refused("Call is not in-progress. Cannot redirect.");
        }
        (None, Some(next)) => Control::Redirect(next),
        (None, None) => return fetch(ask),
    };
    let ends = control == Control::Complete;
    if !call::control(world, sid, control) && !ends {
        // It ended, or was sent elsewhere too often, between the look and the word.
        return refused("Call is not in-progress. Cannot redirect.");
    }
    if ends {
        // Twilio's answer shows the status that was asked for at once.
        let shown =
            if call.status == CallStatus::InProgress { CallStatus::Completed } else { CallStatus::Canceled };
        let document = Call { status: shown, ..call }.document();
        return Ok(Done::Found(document));
    }
    fetch(ask)
}

fn next(form: &Form) -> Result<Option<Next>, Refusal> {
    if let Some(hook) = hook(form, "Url", "Method")? {
        return Ok(Some(Next::Fetch { hook, extra: Vec::new() }));
    }
    Ok(inline(form)?.map(Next::Inline))
}

/// `DELETE Calls/{sid}.json`, once the call is over.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let (world, sid) = (ask.world, ask.sid());
    let live =
        world.with(|state| state.calls.its(ask.account, sid).is_some_and(|call| !call.status.is_over()));
    if live {
        return Err(Refusal::bad(21220, "Invalid call state: the call is not over"));
    }
    let gone = world.change(|state| state.calls.remove_its(ask.account, sid));
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

fn read(ask: &Ask<'_>, form: &Form) -> Result<Call, Refusal> {
    let to = recipient(form)?;
    let from = sender(form)?;
    calling::judge(ask.world, ask.account, Some(&from), &to)?;
    let order = CallOrder { base: ask.request.base(), ..order(form, application(ask, form)?.as_ref())? };
    Ok(queued(ask.world, ask.account.to_owned(), to, from, "outbound-api", order))
}

fn recipient(form: &Form) -> Result<String, Refusal> {
    let text = form.get("To").ok_or_else(|| Refusal::bad(21201, "No to number is specified"))?;
    e164(text).ok_or_else(|| grounds::no_such_recipient(text))
}

fn sender(form: &Form) -> Result<String, Refusal> {
    let text = form.get("From").ok_or_else(|| Refusal::bad(21213, "Caller phone number is required"))?;
    let from = Address::to(text).filter(|from| !from.whatsapp && from.number != "+15005550001");
    let from = from
        .ok_or_else(|| Refusal::bad(21212, format!("The 'From' number {text} is not a valid phone number.")));
    from.map(|from| from.number)
}

/// The application that takes the call, instead of the URLs of the request.
fn application(ask: &Ask<'_>, form: &Form) -> Result<Option<Application>, Refusal> {
    let Some(sid) = form.get("ApplicationSid") else { return Ok(None) };
    let found = ask.world.with(|state| state.applications.its(ask.account, sid).cloned());
    found.map(Some).ok_or_else(|| Refusal::bad(21218, format!("Invalid ApplicationSid: {sid}")))
}

fn order(form: &Form, application: Option<&Application>) -> Result<CallOrder, Refusal> {
    let targets =
        |one: &Application| [one.voice[0].hook(None), one.voice[1].hook(None), one.status.hook(None)];
    let [url, fallback, callback] = match application {
        Some(one) => targets(one),
        None => [
            hook(form, "Url", "Method")?,
            hook(form, "FallbackUrl", "FallbackMethod")?,
            hook(form, "StatusCallback", "StatusCallbackMethod")?,
        ],
    };
    let twiml = inline(form)?;
    if url.is_none() && twiml.is_none() {
        return Err(Refusal::bad(21205, "Url parameter is required."));
    }
    let digits = form.get("SendDigits");
    if digits.is_some_and(|keys| keys.len() > 32 || !keys.chars().all(|key| "0123456789#*wW".contains(key))) {
        return Err(Refusal::bad(21206, "Invalid SendDigits"));
    }
    let timeout = match form.get("Timeout").map(str::parse) {
        None => 60,
        Some(Ok(seconds @ 1..=TIMEOUT)) => seconds,
        Some(_) => return Err(Refusal::bad(21208, "Invalid Timeout")),
    };
    Ok(CallOrder {
        url,
        twiml,
        fallback,
        callback,
        events: events(form),
        timeout,
        leaves: None,
        send_digits: digits.map(str::to_owned),
        detection: detection(form)?,
        record: Some(recording_request(form)?).filter(|_| form.is_true("Record")),
        time_limit: form.get("TimeLimit").and_then(|text| text.parse().ok()).unwrap_or(TIME_LIMIT),
        ..CallOrder::default()
    })
}

fn inline(form: &Form) -> Result<Option<String>, Refusal> {
    match form.get("Twiml") {
        Some(text) if text.chars().count() > TWIML => {
            Err(Refusal::bad(32018, "Twiml size exceeded maximum allowed value"))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

/// The events asked for: a repeated field; `completed` when none is known. Twilio places
/// a call whose events it does not know, and warns.
fn events(form: &Form) -> Vec<String> {
    let mut events = form.all("StatusCallbackEvent");
    events.retain(|event| EVENTS.contains(&event.as_str()));
    if events.is_empty() {
        events.push("completed".to_owned());
    }
    events
}

fn detection(form: &Form) -> Result<Option<Detection>, Refusal> {
    let message_end = match form.get("MachineDetection") {
        None => return Ok(None),
        Some(word) if word.eq_ignore_ascii_case("Enable") => false,
        Some(word) if word.eq_ignore_ascii_case("DetectMessageEnd") => true,
        Some(word) => {
            return Err(Refusal::bad(20001, format!("Invalid parameter value for MachineDetection: {word}")));
        }
    };
    let told = hook(form, "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod")?;
    Ok(Some(Detection { message_end, aside: form.is_true("AsyncAmd").then_some(told) }))
}
