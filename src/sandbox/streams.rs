//! Event Streams on their way: what happens becomes an event of whoever subscribed. Each
//! sink has a pump of its own that sends what has come together as one batch of
//! CloudEvents, signed by the hash of its body, and again when it fails.

use super::exchanges::Exchange;
use super::outgoing::note;
use super::resource::{Call, Message};
use super::trouble::{Trouble, keeps_to_this_machine};
use super::world::World;
use crate::twilio::signature::{Algorithm, sign};
use reqwest::Url;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// How long events come together before they are sent, at pace 1.
const GATHER: Duration = Duration::from_millis(500);
/// How long a batch waits, by the clock, before it is sent again.
const AGAIN: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(16), Duration::from_secs(60)];
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Every type of event that is sent here.
pub(super) const TYPES: [&str; 13] = [
    "com.twilio.error-logs.error.logged",
    "com.twilio.messaging.inbound-message.received",
    "com.twilio.messaging.message.canceled",
    "com.twilio.messaging.message.delivered",
    "com.twilio.messaging.message.failed",
    "com.twilio.messaging.message.queued",
    "com.twilio.messaging.message.read",
    "com.twilio.messaging.message.sent",
    "com.twilio.messaging.message.undelivered",
    "com.twilio.voice.status-callback.call.answered",
    "com.twilio.voice.status-callback.call.completed",
    "com.twilio.voice.status-callback.call.initiated",
    "com.twilio.voice.status-callback.call.ringing",
];

/// The schema of the event that tests a sink.
pub(super) const TEST_SCHEMA: &str = "EventStreams.TestSink";

/// Sends a sink its test event, whatever its status.
pub(super) fn test(world: &World, sid: &str) {
    let word = world.entropy.hex::<16>();
    let event = event(world, "com.twilio.eventstreams.test-event", "Sink", json!({ "test_id": word }));
    let now = world.clock.now();
    world.change(|state| {
        if let Some(sink) = state.streams.sinks.get_mut(sid) {
            if sink.status != "active" {
                sink.status = "validating";
            }
            (sink.test, sink.updated) = (Some(word), now);
            sink.push(event);
        }
    });
}

fn event(world: &World, kind: &str, source: &str, data: Value) -> Value {
    json!({
        "specversion": "1.0",
        "type": kind,
        "source": source,
        "id": world.sid("EZ"),
        "dataschema": format!("https://events-schemas.twilio.com/{}/1", schema(kind)),
        "datacontenttype": "application/json",
        "time": world.clock.now().to_string(),
        "data": data,
    })
}

/// The schema of a type of event.
pub(super) fn schema(kind: &str) -> &'static str {
    match kind {
        kind if kind.starts_with("com.twilio.messaging.inbound") => "Messaging.InboundMessageV1",
        kind if kind.starts_with("com.twilio.messaging.") => "Messaging.MessageStatus",
        kind if kind.starts_with("com.twilio.voice.") => "Voice.StatusCallback",
        kind if kind.starts_with("com.twilio.error-logs.") => "ErrorLogs.Error",
        _ => TEST_SCHEMA,
    }
}

/// Whether anybody subscribed to anything: most sandboxes have nobody who did.
fn is_quiet(world: &World) -> bool {
    world.with(|state| state.streams.subscriptions.newest_first().next().is_none())
}

fn publish(world: &World, account: &str, kind: &str, source: &str, data: Value) {
    let event = event(world, kind, source, data);
    world.change(|state| state.streams.publish(account, &event));
}

/// Tells the streams of a message's status.
pub(super) fn of_message(world: &World, message: &Message) {
    if is_quiet(world) {
        return;
    }
    let is_inbound = message.direction == "inbound";
    let kind = match (is_inbound, message.status.word()) {
        (true, _) => "com.twilio.messaging.inbound-message.received".to_owned(),
        (false, word) => format!("com.twilio.messaging.message.{word}"),
    };
    let mut data = json!({
        "accountSid": message.account,
        "messageSid": message.sid,
        "from": message.from.as_ref().map(ToString::to_string),
        "to": message.to.to_string(),
        "numSegments": message.segments,
        "numMedia": message.media.len(),
        "timestamp": message.updated.to_string(),
        "eventName": kind,
    });
    if is_inbound {
        data["body"] = message.body.clone().into();
    } else {
        data["messageStatus"] = message.status.word().to_ascii_uppercase().into();
        data["messagingServiceSid"] = json!(message.service);
        if let Some((code, _)) = &message.error {
            data["errorCode"] = (*code).into();
        }
    }
    let source = format!("/2010-04-01/Accounts/{}/Messages/{}.json", message.account, message.sid);
    publish(world, &message.account, &kind, &source, data);
}

/// Tells the streams of a call's progress, with what its status callback says.
pub(super) fn of_call(world: &World, call: &Call, event: &str, params: &[(String, String)]) {
    if is_quiet(world) {
        return;
    }
    let params: Map<String, Value> =
        params.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let url = call.order.callback.as_ref().map(|hook| hook.url.to_string());
    let request = json!({ "method": "POST", "url": url, "parameters": params });
    let kind = format!("com.twilio.voice.status-callback.call.{event}");
    let source = format!("/2010-04-01/Accounts/{}/Calls/{}.json", call.account, call.sid);
    publish(world, &call.account, &kind, &source, json!({ "request": request, "response": {} }));
}

/// Tells the streams what Twilio's debugger shows. What befell a sink itself is not
/// told, or it would never end.
pub(super) fn of_alert(world: &World, account: &str, data: Value) {
    let is_sink = data["resource_sid"].as_str().is_some_and(|sid| sid.starts_with("DG"));
    if !is_sink && !is_quiet(world) {
        let source = format!("/Accounts/{account}");
        publish(world, account, "com.twilio.error-logs.error.logged", &source, data);
    }
}

/// Sends a sink what waits for it, as long as it is there.
pub(super) async fn pump(world: Arc<World>, sid: String) {
    loop {
        let waits = world.wait_for(Duration::from_secs(3_600), |state| {
            let waits = state.streams.sinks.get(&sid).map(|sink| sink.waits());
            (waits != Some(false), (waits, state.closing))
        });
        match waits.await {
            (None, _) | (_, true) => return,
            (Some(false), _) => continue,
            (Some(true), _) => {}
        }
        world.pace(GATHER).await;
        let taken = world.change(|state| {
            let sink = state.streams.sinks.get_mut(&sid)?;
            Some((sink.account.clone(), sink.url.clone(), sink.batch()))
        });
        let Some((account, url, batch)) = taken else { return };
        deliver(&world, &sid, &account, &url, &Value::Array(batch).to_string()).await;
    }
}

async fn deliver(world: &World, sid: &str, account: &str, url: &Url, body: &str) {
    for wait in AGAIN.into_iter().map(Some).chain([None]) {
        let why = match send(world, sid, account, url, body).await {
            Ok(status) if status < 300 => return,
            Ok(status) => format!("the sink answered with {status}"),
            Err(trouble) => format!("the sink could not be reached: {}", trouble.words()),
        };
        match wait {
            Some(wait) => world.clock.sleep(wait).await,
            None => world.alert(11200, sid, Some(url.as_str()), why),
        }
    }
}

async fn send(world: &World, sid: &str, account: &str, url: &Url, body: &str) -> Result<u16, Trouble> {
    let mut url = url.clone();
    let hash = hex::encode(Sha256::digest(body));
    url.query_pairs_mut().append_pair("bodySHA256", &hash);
    let token = world.token_of(account).unwrap_or_else(|| crate::secret::Secret::new(""));
    let none: [(String, String); 0] = [];
    let headers = vec![
        ("User-Agent".to_owned(), "TwilioProxy/1.1".to_owned()),
        ("Content-Type".to_owned(), "application/json".to_owned()),
        ("X-Twilio-Signature".to_owned(), sign(&token, Algorithm::HmacSha1, url.as_str(), &none)),
    ];
    let (at, begun) = (world.clock.now(), tokio::time::Instant::now());
    // The semaphore is never closed.
    let _room = world.outgoing.acquire().await;
    let outcome = if world.settings.allow_remote_callbacks || keeps_to_this_machine(&url) {
        let mut request = world.http.post(url.clone()).body(body.to_owned());
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        match tokio::time::timeout(PATIENCE, request.send()).await {
            Ok(Ok(answer)) => Ok(answer.status().as_u16()),
            Ok(Err(error)) => Err(Trouble::of(&error)),
            Err(_) => Err(Trouble::Timeout),
        }
    } else {
        Err(Trouble::Remote)
    };
    let verdict = match &outcome {
        Ok(status) if *status < 300 => "accepted",
        Ok(_) => "refused",
        Err(trouble) => trouble.words(),
    };
    let exchange = Exchange {
        id: 0,
        kind: "event-stream",
        sid: Some(sid.to_owned()),
        operation: None,
        at,
        ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        method: "POST".to_owned(),
        url: url.to_string(),
        headers,
        body: body.to_owned(),
        status: outcome.as_ref().ok().copied(),
        answer: String::new(),
        verdict: verdict.to_owned(),
        webhook: None,
    };
    note(world, exchange);
    outcome
}
