//! The Recordings resource, of an account and of a call, and their sound.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::hook::recording_request;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::{Span, page};
use crate::sandbox::recorded;
use crate::sandbox::recording::Recording;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::{CallStatus, rfc2822};
use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// What stands for the recording of a call that is under way, in place of its SID.
const CURRENT: &str = "Twilio.CURRENT";
/// How a recording was begun that a request asked for.
const BY_REQUEST: &str = "StartCallRecordingAPI";

/// `GET Recordings.json`: the account's, youngest first; deleted ones only with `IncludeSoftDeleted`.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let call = ask.query().get("CallSid").map(str::to_owned);
    of(ask, call.as_deref(), document)
}

/// `GET Calls/{CallSid}/Recordings.json`: the recordings of one call, without deleted ones.
pub(super) fn of_call(ask: &Ask<'_>) -> Outcome {
    let call = ask.part("CallSid");
    if ask.world.with(|state| state.calls.its(ask.account, call).is_none()) {
        return Err(ask.missing());
    }
    of(ask, Some(call), document_of_call)
}

fn of(ask: &Ask<'_>, call: Option<&str>, document: impl Fn(&Recording) -> Value) -> Outcome {
    let (query, now) = (ask.query(), ask.world.clock.now());
    let created = Span::read(&query, "DateCreated")?;
    let deleted = ask.part("CallSid").is_empty() && query.is_true("IncludeSoftDeleted");
    // There are no conferences, and so no recording of one.
    let of_conference = query.get("ConferenceSid").is_some();
    ask.world.with(|state| {
        let wanted = |one: &&Recording| {
            call.is_none_or(|call| call == one.call)
                && !of_conference
                && one.is_shown(now, deleted)
                && created.holds(Some(one.start))
        };
        let rows: Vec<&Recording> = state.recordings.of(ask.account).filter(wanted).collect();
        page(ask.request, "recordings", &rows, |one| one.sid.clone(), document).map(Done::Found)
    })
}

/// `POST Calls/{CallSid}/Recordings.json`: begins one of a call in progress; where one was
/// begun so already, that one goes on.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let found = ask.world.with(|state| state.calls.its(ask.account, ask.part("CallSid")).cloned());
    let call = found.ok_or_else(|| ask.missing())?;
    let wish = recording_request(&ask.form())?;
    if call.status != CallStatus::InProgress {
        return Err(ineligible());
    }
    let begun = call.recording.iter().find_map(|one| {
        let recording = ask.world.with(|state| state.recordings.get(&one.sid).cloned());
        recording.filter(|recording| recording.source == BY_REQUEST)
    });
    if let Some(recording) = begun {
        return Ok(Done::Found(document_of_call(&recording)));
    }
    let now = ask.world.clock.now();
    let recording = recorded::begin(ask.world, &call, BY_REQUEST, wish, now);
    Ok(Done::Created(document_of_call(&recording)))
}

/// `POST Calls/{CallSid}/Recordings/{Sid}.json`: pauses, resumes or stops it.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let form = ask.form();
    let one = its(ask)?;
    let invalid = |name: &str, word: &str| {
        Err(Refusal::bad(20001, format!("Invalid parameter value for {name}: {word}")))
    };
    let skips = match form.get("PauseBehavior") {
        None | Some("silence") => false,
        Some("skip") => true,
        Some(word) => return invalid("PauseBehavior", word),
    };
    let status = match form.get("Status") {
        None => return Err(Refusal::bad(20001, "Missing required parameter Status in the post body")),
        Some(word @ ("in-progress" | "paused" | "stopped")) => word,
        Some(word) => return invalid("Status", word),
    };
    if !one.status.is_under_way() {
        return Err(ineligible());
    }
    let changed = match status {
        "stopped" => recorded::end(ask.world, &one.sid, Some(SignedDuration::MAX)),
        status => recorded::pause(ask.world, &one.sid, status == "paused", skips),
    };
    let mut document = document_of_call(&changed.ok_or_else(ineligible)?);
    if status == "stopped" {
        // The answer comes before the recording is there.
        (document["status"], document["duration"]) = (status.into(), Value::Null);
    }
    Ok(Done::Found(document))
}

/// Twilio's words for a call that cannot be recorded, and a recording that is over.
fn ineligible() -> Refusal {
    Refusal::bad(21220, "Requested resource is not eligible for recording")
}

/// `GET Recordings/{Sid}.json`: one recording, with the `media_url` of its sound.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    its(ask).map(|one| Done::Found(document(&one)))
}

/// `GET Calls/{CallSid}/Recordings/{Sid}.json`: the same with its `track`, and without `media_url`.
pub(super) fn fetch_of_call(ask: &Ask<'_>) -> Outcome {
    its(ask).map(|one| Done::Found(document_of_call(&one)))
}

/// `GET Recordings/{Sid}` and `GET Recordings/{Sid}.wav`: the sound.
pub(super) fn wav(ask: &Ask<'_>) -> Outcome {
    sound(ask, "audio/x-wav", its(ask)?.wav())
}

/// `GET Recordings/{Sid}.mp3`: the sound.
pub(super) fn mp3(ask: &Ask<'_>) -> Outcome {
    sound(ask, "audio/mpeg", its(ask)?.mp3())
}

fn sound(ask: &Ask<'_>, kind: &str, bytes: Option<Bytes>) -> Outcome {
    let bytes = bytes.filter(|_| its(ask).is_ok_and(|one| one.deleted.is_none()));
    bytes.map(|bytes| Done::Content { content_type: kind.to_owned(), bytes }).ok_or_else(|| ask.missing())
}

/// `DELETE Recordings/{Sid}.json`, and the same below a call; one that is under way is
/// stopped before.
pub(super) fn delete(ask: &Ask<'_>) -> Outcome {
    let (one, now) = (its(ask)?, ask.world.clock.now());
    if one.deleted.is_some() {
        return Err(ask.missing());
    }
    recorded::end(ask.world, &one.sid, Some(SignedDuration::MAX));
    ask.world.change(|state| {
        if let Some(one) = state.recordings.get_mut(&one.sid) {
            one.deleted = Some(now);
        }
    });
    Ok(Done::Gone)
}

fn its(ask: &Ask<'_>) -> Result<Recording, Refusal> {
    let (call, now) = (ask.part("CallSid"), ask.world.clock.now());
    let deleted = call.is_empty() && ask.query().is_true("IncludeSoftDeleted");
    let found = ask.world.with(|state| {
        let of_call = || state.calls.its(ask.account, call).and_then(|call| call.recording.last());
        let sid = match ask.sid() {
            CURRENT => of_call()?.sid.as_str(),
            sid => sid,
        };
        state.recordings.its(ask.account, sid).cloned()
    });
    let found = found.filter(|one| call.is_empty() || call == one.call);
    found.filter(|one| one.is_shown(now, deleted)).ok_or_else(|| ask.missing())
}

fn document_of_call(one: &Recording) -> Value {
    let account = &one.account;
    let status = if one.deleted.is_some() { "deleted" } else { one.status.word() };
    json!({
        "account_sid": account,
        "api_version": "2010-04-01",
        "call_sid": one.call,
        "conference_sid": null,
        "channels": one.wish.channels,
        "date_created": rfc2822(one.start),
        "date_updated": rfc2822(one.updated),
        "start_time": rfc2822(one.start),
        "duration": one.seconds().map(|seconds| seconds.to_string()),
        "encryption_details": null,
        "error_code": null,
        "price": null,
        "price_unit": "USD",
        "sid": one.sid,
        "source": one.source,
        "status": status,
        "track": one.wish.track,
        "uri": format!("/2010-04-01/Accounts/{account}/Calls/{}/Recordings/{}.json", one.call, one.sid),
    })
}

fn document(one: &Recording) -> Value {
    let uri = format!("/2010-04-01/Accounts/{}/Recordings/{}", one.account, one.sid);
    let mut document = document_of_call(one);
    document["media_url"] = one.url().into();
    document["uri"] = format!("{uri}.json").into();
    // Twilio names add-ons and transcriptions, which are not here.
    document["subresource_uris"] = json!({});
    if let Some(fields) = document.as_object_mut() {
        fields.remove("track");
    }
    document
}
