//! `GET /sandbox/expect`: waits, in real time, for a text or a call that a test
//! awaits, and says what came instead when it does not come.

mod wanted;

use super::code::code_in;
use super::incoming::{Request, complaint, json_reply};
use super::phone::Text;
use super::resource::{Call, Caption, Message};
use super::shown::call_view;
use super::telephones::LONGEST_POLL;
use super::world::{State, World};
use serde_json::{Value, json};
use std::time::Duration;
use wanted::{Wanted, in_one};
use warp::reply::Response;

/// How long is waited when nobody said.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most of what came instead that is shown.
const INSTEAD: usize = 10;

/// Answers with the newest that is as wanted, once there is one; 404 when none came.
pub(super) async fn answer(world: &World, request: &Request) -> Response {
    let hint = "see /sandbox for what it takes";
    let wanted = match Wanted::read(&request.query()) {
        Ok(wanted) => wanted,
        Err(wrong) => return complaint(400, &wrong, hint),
    };
    let within = match within(request) {
        Ok(within) => within,
        Err(wrong) => return complaint(400, &wrong, hint),
    };
    let found = world.wait_for(within, |state| {
        let found = find(state, &wanted);
        (found.is_some(), found)
    });
    match found.await {
        Some(found) => json_reply(200, &found),
        None => json_reply(404, &world.with(|state| nothing(state, &wanted, within))),
    }
}

fn within(request: &Request) -> Result<Duration, String> {
    let query = request.query();
    let Some(text) = query.get("within") else { return Ok(PATIENCE) };
    let seconds = text.trim_end_matches('s').parse::<f64>().ok();
    let longest = LONGEST_POLL.as_secs_f64();
    match seconds.filter(|seconds| (0.0..=longest).contains(seconds)) {
        Some(seconds) => Ok(Duration::from_secs_f64(seconds)),
        None => Err(format!("within={text}: it is a number of seconds from 0 to {longest}")),
    }
}

/// The newest text or call that is as wanted.
fn find(state: &State, wanted: &Wanted) -> Option<Value> {
    let texts = texts(state, wanted).filter(|text| wanted.faults_of_text(text).is_empty());
    let text = texts.max_by_key(|text| text.at);
    let call = calls(state, wanted).find(|call| wanted.faults_of_call(call).is_empty());
    match (text, call) {
        (Some(text), Some(call)) if call.created > text.at => Some(of_call(call, wanted)),
        (Some(text), _) => Some(of_text(text)),
        (None, Some(call)) => Some(of_call(call, wanted)),
        (None, None) => None,
    }
}

/// The texts on the telephones, newest last of each, after the one that was said.
fn texts<'s>(state: &'s State, wanted: &'s Wanted) -> impl Iterator<Item = &'s Text> {
    let phones = state.phones.values().filter(|phone| wanted.is_to(&phone.number));
    let all = phones.flat_map(|phone| {
        let since = phone.texts.iter().position(|text| wanted.is_since(&text.sid));
        phone.texts.iter().skip(since.map_or(0, |at| at + 1))
    });
    all.filter(|text| text.received)
}

/// The calls, newest first, down to the one that was said.
fn calls<'s>(state: &'s State, wanted: &'s Wanted) -> impl Iterator<Item = &'s Call> {
    state.calls.newest_first().take_while(|call| !wanted.is_since(&call.sid))
}

fn of_text(text: &Text) -> Value {
    let mut document = text.document();
    document["code"] = json!(text.copy_code.clone().or_else(|| code_in(&text.body)));
    document
}

fn of_call(call: &Call, wanted: &Wanted) -> Value {
    let mut document = call_view(call);
    document["channel"] = "call".into();
    let heard = heard(call);
    let mut said = heard.iter().filter(|said| !is_digits(&said.text) && wanted.is_said(&said.text));
    // Digits that are said one by one are captions of their own.
    let whole = in_one(heard);
    let code = said.find_map(|said| code_in(&said.text)).or_else(|| code_in(&whole));
    document["code"] = json!(code);
    document
}

/// What was said of a call but for the digits at its end, which others may follow.
fn heard(call: &Call) -> &[Caption] {
    if call.status.is_over() {
        return &call.captions;
    }
    let others = call.captions.iter().rposition(|said| !is_digits(&said.text)).map_or(0, |at| at + 1);
    &call.captions[..others.max(call.said_through)]
}

/// Whether digits were said and nothing else.
fn is_digits(text: &str) -> bool {
    !text.chars().any(char::is_alphabetic)
}

/// What came instead: what failed the fewest wishes first, and of those the newest.
fn nothing(state: &State, wanted: &Wanted, within: Duration) -> Value {
    let phones = state.phones.values().flat_map(|phone| phone.texts.iter()).filter(|text| text.received);
    let texts = phones.map(|text| {
        let mut why = wanted.faults_of_text(text);
        if why.is_empty() {
            why.push("it came before the one in since".to_owned());
        }
        (why, text.at, text_brief(text))
    });
    let calls = state.calls.newest_first().map(|call| {
        let mut why = wanted.faults_of_call(call);
        if why.is_empty() {
            why.push("it came before the one in since".to_owned());
        }
        (why, call.created, call_brief(call))
    });
    let lost = state.messages.newest_first().filter(|message| has_not_come(state, message)).map(|message| {
        let status = message.status.word();
        let error = message.error.as_ref().map(|(code, _)| format!(", error {code}")).unwrap_or_default();
        let mut why = vec![format!("it has not reached the telephone: {status}{error}")];
        why.extend(wanted.faults_of_message(message));
        (why, message.created, message_brief(message))
    });
    let mut all: Vec<_> = texts.chain(calls).chain(lost).collect();
    all.sort_by_key(|(why, at, _)| (why.len(), std::cmp::Reverse(*at)));
    let count = all.len();
    let near = all.into_iter().take(INSTEAD).map(|(why, _, mut brief)| {
        brief["why_not"] = json!(why);
        brief
    });
    json!({
        "error": format!("nothing as wanted came within {} s", within.as_secs_f64()),
        "hint": "near_misses says what came instead, nearest first, and why it is not what was wanted",
        "wanted": wanted.document(),
        "came": count,
        "near_misses": near.collect::<Vec<_>>(),
    })
}

/// Whether a message to a telephone is not on its screen.
fn has_not_come(state: &State, message: &Message) -> bool {
    let phone = state.phones.get(&message.to.number);
    message.direction != "inbound"
        && !phone.is_some_and(|phone| phone.texts.iter().any(|text| text.sid == message.sid))
}

fn text_brief(text: &Text) -> Value {
    json!({
        "sid": text.sid, "channel": text.channel(), "from": text.from, "to": text.to,
        "body": text.body, "at": text.at.to_string(),
    })
}

fn message_brief(message: &Message) -> Value {
    json!({
        "sid": message.sid,
        "channel": if message.to.whatsapp { "whatsapp" } else { "sms" },
        "from": message.from.as_ref().map(ToString::to_string),
        "to": message.to.to_string(),
        "body": message.words,
        "at": message.created.to_string(),
    })
}

fn call_brief(call: &Call) -> Value {
    json!({
        "sid": call.sid, "channel": "call", "from": call.from, "to": call.to,
        "status": call.status.word(),
        "said": call.captions.iter().map(|said| &said.text).collect::<Vec<_>>(),
        "at": call.created.to_string(),
    })
}
