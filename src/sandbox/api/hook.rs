//! What a request says of the addresses that shall be asked later, and of recordings. It
//! refuses to know which request it is.

use crate::sandbox::fields::web_url;
use crate::sandbox::incoming::Form;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::{Hook, RecordingRequest};
use crate::sandbox::verb::RECORDING_EVENTS;

/// An address and the method beside it, POST unless it is said.
pub(super) fn hook(form: &Form, name: &str, method: &str) -> Result<Option<Hook>, Refusal> {
    let Some(text) = form.get(name) else { return Ok(None) };
    let url =
        web_url(text).ok_or_else(|| Refusal::bad(21205, format!("{name} is not a valid URL: {text}")))?;
    let get = match form.get(method) {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("POST") => false,
        Some(word) if word.eq_ignore_ascii_case("GET") => true,
        Some(word) => return Err(Refusal::bad(21209, format!("{method} is not a valid method: {word}"))),
    };
    Ok(Some(Hook { url, get }))
}

/// How a call is recorded, and what is told of it.
pub(super) fn recording_request(form: &Form) -> Result<RecordingRequest, Refusal> {
    let invalid =
        |name: &str, word: &str| Refusal::bad(20001, format!("Invalid parameter value for {name}: {word}"));
    let channels = match form.get("RecordingChannels") {
        None | Some("mono") => 1,
        Some("dual") => 2,
        Some(word) => return Err(invalid("RecordingChannels", word)),
    };
    let track = match form.get("RecordingTrack") {
        None | Some("both") => "both",
        Some("inbound") => "inbound",
        Some("outbound") => "outbound",
        Some(word) => return Err(invalid("RecordingTrack", word)),
    };
    if let Some(word) = form.get("Trim").filter(|word| !["trim-silence", "do-not-trim"].contains(word)) {
        return Err(invalid("Trim", word));
    }
    let callback = hook(form, "RecordingStatusCallback", "RecordingStatusCallbackMethod")?;
    Ok(RecordingRequest { callback, events: events(form)?, channels, track })
}

/// The events asked for: a repeated field, or words with spaces between them;
/// `completed` when there is none.
fn events(form: &Form) -> Result<Vec<String>, Refusal> {
    let name = "RecordingStatusCallbackEvent";
    let fields = form.all(name);
    let events: Vec<&str> = fields.iter().flat_map(|field| field.split_whitespace()).collect();
    match events.iter().find(|event| !RECORDING_EVENTS.contains(event)) {
        Some(wrong) => Err(Refusal::bad(20001, format!("Invalid parameter value for {name}: {wrong}"))),
        None if events.is_empty() => Ok(vec!["completed".to_owned()]),
        None => Ok(events.into_iter().map(str::to_owned).collect()),
    }
}
