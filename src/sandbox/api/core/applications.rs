//! The Applications resource: TwiML applications, which numbers, calls and messages
//! name instead of URLs of their own.

use super::accounts::name;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::page;
use crate::sandbox::application::Application;
use crate::sandbox::fields::web_url;
use crate::sandbox::incoming::Form;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::rfc2822;
use crate::sandbox::target::{SMS, STATUS, Target, VOICE, Wanted};
use serde_json::{Value, json};

/// `GET Applications.json`: the account's, youngest first, all or those of one `FriendlyName`.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let wanted =
        |one: &&Application| query.get("FriendlyName").is_none_or(|name| one.name.as_deref() == Some(name));
    ask.world.with(|state| {
        let rows: Vec<&Application> = state.applications.of(ask.account).filter(wanted).collect();
        page(ask.request, "applications", &rows, |row| row.sid.clone(), document).map(Done::Found)
    })
}

/// `POST Applications.json`: a new application, `AP…`; every field may be left out.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let (world, form) = (ask.world, ask.form());
    let mut one = Application::new(world.sid("AP"), ask.account.to_owned(), world.clock.now());
    tell(&mut one, &form)?;
    let shown = document(&one);
    world.change(|state| state.applications.push(one.sid.clone(), one));
    Ok(Done::Created(shown))
}

/// `GET Applications/{sid}.json`: one application; URLs that it does not have are null.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let found = ask.world.with(|state| state.applications.its(ask.account, ask.sid()).map(document));
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST Applications/{sid}.json`: what the request names.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let (form, now) = (ask.form(), ask.world.clock.now());
    ask.world.change(|state| {
        let place = state.applications.its_mut(ask.account, ask.sid()).ok_or_else(|| ask.missing())?;
        // What is refused in a part changes nothing.
        let mut one = place.clone();
        tell(&mut one, &form)?;
        one.updated = now;
        place.clone_from(&one);
        Ok(Done::Found(document(&one)))
    })
}

/// `DELETE Applications/{sid}.json`: what pointed at it goes its own way again.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let gone = ask.world.change(|state| state.applications.remove_its(ask.account, ask.sid()));
    gone.map(|_| Done::Gone).ok_or_else(|| ask.missing())
}

/// Changes what a request names.
fn tell(one: &mut Application, form: &Form) -> Result<(), Refusal> {
    one.name = name(form)?.or_else(|| one.name.take());
    for (targets, names) in [(&mut one.sms, &SMS), (&mut one.voice, &VOICE)] {
        for (target, names) in targets.iter_mut().zip(names) {
            *target = target.read(form, names)?;
        }
    }
    one.status = one.status.read(form, &STATUS)?;
    // Two names of one field; the older one goes second.
    let told = form.raw("MessageStatusCallback").or_else(|| form.raw("SmsStatusCallback"));
    if let Some(text) = told {
        one.message_status = (!text.is_empty()).then(|| text.to_owned());
    }
    if let Some(text) = one.message_status.as_deref().filter(|text| web_url(text).is_none()) {
        return Err(Refusal::bad(21402, format!("MessageStatusCallback is not valid: {text}")));
    }
    for (place, parameter) in [
        (&mut one.looks_up_callers, "VoiceCallerIdLookup"),
        (&mut one.is_public, "PublicApplicationConnectEnabled"),
    ] {
        if form.get(parameter).is_some() {
            *place = form.is_true(parameter);
        }
    }
    Ok(())
}

fn document(one: &Application) -> Value {
    let ([sms, sms_fallback], [voice, voice_fallback]) = (&one.sms, &one.voice);
    json!({
        "account_sid": one.account,
        "api_version": "2010-04-01",
        "date_created": rfc2822(one.created),
        "date_updated": rfc2822(one.updated),
        "friendly_name": one.name,
        "message_status_callback": one.message_status,
        "public_application_connect_enabled": one.is_public,
        "sid": one.sid,
        "sms_fallback_method": method(sms_fallback),
        "sms_fallback_url": url(sms_fallback),
        "sms_method": method(sms),
        "sms_status_callback": one.message_status,
        "sms_url": url(sms),
        "status_callback": url(&one.status),
        "status_callback_method": method(&one.status),
        "uri": format!("/2010-04-01/Accounts/{}/Applications/{}.json", one.account, one.sid),
        "voice_caller_id_lookup": one.looks_up_callers,
        "voice_fallback_method": method(voice_fallback),
        "voice_fallback_url": url(voice_fallback),
        "voice_method": method(voice),
        "voice_url": url(voice),
    })
}

/// A URL as it was given; null where a number would have an empty text.
fn url(target: &Target) -> Option<&str> {
    match &target.url {
        Wanted::At(_, text) => Some(text),
        Wanted::Unsaid | Wanted::Nowhere => None,
    }
}

fn method(target: &Target) -> &'static str {
    if target.get { "GET" } else { "POST" }
}
