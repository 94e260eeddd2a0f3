//! The Recordings resource, of an account and of a call, and their sound.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::{Span, page};
use crate::sandbox::recording::Recording;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::rfc2822;
use serde_json::{Value, json};

/// `GET Recordings.json`
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let call = ask.query().get("CallSid").map(str::to_owned);
    of(ask, call.as_deref(), document)
}

/// `GET Calls/{CallSid}/Recordings.json`
pub(super) fn of_call(ask: &Ask<'_>) -> Outcome {
    let call = ask.part("CallSid");
    if ask.world.with(|state| state.calls.its(ask.account, call).is_none()) {
        return Err(ask.missing());
    }
    of(ask, Some(call), document_of_call)
}

fn of(ask: &Ask<'_>, call: Option<&str>, document: impl Fn(&Recording) -> Value) -> Outcome {
    let created = Span::read(&ask.query(), "DateCreated")?;
    ask.world.with(|state| {
        let wanted =
            |one: &&Recording| call.is_none_or(|call| call == one.call) && created.holds(Some(one.created));
        let rows: Vec<&Recording> = state.recordings.of(ask.account).filter(wanted).collect();
        page(ask.request, "recordings", &rows, |one| one.sid.clone(), document).map(Done::Found)
    })
}

/// `GET Recordings/{Sid}.json`
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    its(ask).map(|one| Done::Found(document(&one)))
}

/// `GET Calls/{CallSid}/Recordings/{Sid}.json`
pub(super) fn fetch_of_call(ask: &Ask<'_>) -> Outcome {
    its(ask).map(|one| Done::Found(document_of_call(&one)))
}

/// `GET Recordings/{Sid}` and `GET Recordings/{Sid}.wav`: the sound.
pub(super) fn sound(ask: &Ask<'_>) -> Outcome {
    its(ask).map(|one| Done::Content { content_type: "audio/x-wav".to_owned(), bytes: one.wav() })
}

/// `DELETE Recordings/{Sid}.json`, and the same below a call
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let one = its(ask)?;
    ask.world.change(|state| state.recordings.remove(&one.sid));
    Ok(Done::Gone)
}

fn its(ask: &Ask<'_>) -> Result<Recording, Refusal> {
    let call = ask.part("CallSid");
    let found = ask.world.with(|state| state.recordings.its(ask.account, ask.sid()).cloned());
    found.filter(|one| call.is_empty() || call == one.call).ok_or_else(|| ask.missing())
}

fn document_of_call(one: &Recording) -> Value {
    let account = &one.account;
    json!({
        "account_sid": account,
        "api_version": "2010-04-01",
        "call_sid": one.call,
        "conference_sid": null,
        "channels": one.channels,
        "date_created": rfc2822(one.created),
        "date_updated": rfc2822(one.created),
        "start_time": rfc2822(one.start),
        "duration": one.seconds.to_string(),
        "encryption_details": null,
        "error_code": null,
        "price": null,
        "price_unit": "USD",
        "sid": one.sid,
        "source": "OutboundAPI",
        "status": "completed",
        "track": "both",
        "uri": format!("/2010-04-01/Accounts/{account}/Calls/{}/Recordings/{}.json", one.call, one.sid),
    })
}

fn document(one: &Recording) -> Value {
    let uri = format!("/2010-04-01/Accounts/{}/Recordings/{}", one.account, one.sid);
    let mut document = document_of_call(one);
    document["media_url"] = format!("https://api.twilio.com{uri}").into();
    document["uri"] = format!("{uri}.json").into();
    // Twilio names add-ons and transcriptions, which are not here.
    document["subresource_uris"] = json!({});
    if let Some(fields) = document.as_object_mut() {
        fields.remove("track");
    }
    document
}
