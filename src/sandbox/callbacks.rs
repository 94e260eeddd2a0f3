//! Status callbacks: what they say, and the courier that carries them in order
//! or, when the phone wishes so, late, twice, shuffled or not at all.

use super::behaviour::{CallbackFaults, shuffle};
use super::cookies::Pair;
use super::exchanges::Exchange;
use super::geography::Locality;
use super::lasting::lasting_sid;
use super::outgoing::{bare, note, send};
use super::resource::{Call, Hook, Message, MessageStatus, Turn, rfc2822};
use super::webhook::Webhook;
use super::whatsapp;
use super::world::World;
use crate::entropy::Entropy;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Carries one resource's status callbacks, one after the other.
pub(super) struct Courier(mpsc::UnboundedSender<Webhook>);

impl Courier {
    /// A courier for one resource. It works beside whoever posts, and ends
    /// after the last post once it is dropped. Unbounded, because a life has
    /// at most a handful of events.
    pub fn new(world: &Arc<World>, faults: CallbackFaults, chance: Entropy) -> Self {
        let (post, bag) = mpsc::unbounded_channel();
        world.spawn(carry(world.clone(), faults, chance, bag));
        Self(post)
    }

    /// A courier that carries what it is given after the couriers that were
    /// there before it have ended.
    pub fn in_turn(world: &Arc<World>, faults: CallbackFaults, chance: Entropy, turn: &Turn) -> Self {
        let (post, bag) = mpsc::unbounded_channel();
        let (aside, turn) = (world.clone(), turn.clone());
        // Taken at once where it is free: who comes first goes first, whichever
        // task is run first.
        let first = turn.clone().try_lock_owned().ok();
        world.spawn(async move {
            let _held = match first {
                Some(held) => held,
                None => turn.lock_owned().await,
            };
            carry(aside, faults, chance, bag).await;
        });
        Self(post)
    }

    /// Hands over a callback.
    pub fn post(&self, webhook: Webhook) {
        // Without a courier (the sandbox is stopping) callbacks are lost.
        let _ = self.0.send(webhook);
    }
}

async fn carry(
    world: Arc<World>,
    faults: CallbackFaults,
    chance: Entropy,
    mut bag: mpsc::UnboundedReceiver<Webhook>,
) {
    let shuffled = faults.reorder.unwrap_or(false);
    let overtaking = faults.jitter_ms.unwrap_or(0) > 0;
    let mut held = Vec::new();
    while let Some(webhook) = bag.recv().await {
        let mishap = faults.draw(&chance);
        let webhook = webhook.with_faults(&faults);
        if mishap.lost {
            note_lost(&world, &webhook);
        } else if shuffled {
            held.extend((0..=mishap.again).map(|_| (webhook.clone(), mishap.late_ms)));
        } else if overtaking {
            let aside = world.clone();
            world.spawn(async move { deliver(&aside, &webhook, mishap.late_ms, mishap.again).await });
        } else {
            deliver(&world, &webhook, mishap.late_ms, mishap.again).await;
        }
    }
    shuffle(&mut held, &chance);
    for (webhook, late_ms) in held {
        deliver(&world, &webhook, late_ms, 0).await;
    }
}

async fn deliver(world: &World, webhook: &Webhook, late_ms: u64, again: u8) {
    if late_ms > 0 {
        world.clock.sleep(Duration::from_millis(late_ms)).await;
    }
    for _ in 0..=again {
        let (code, why) = match send(world, webhook).await {
            Ok(answer) if answer.status >= 400 => {
                let code = if webhook.voice { 15003 } else { 11200 };
                (code, format!("the status callback was answered with {}", answer.status))
            }
            Ok(_) => continue,
            Err(trouble) => (trouble.code(), format!("the status callback failed: {}", trouble.words())),
        };
        world.alert(code, &webhook.sid, Some(bare(&webhook.hook.url).as_str()), why);
    }
}

fn note_lost(world: &World, webhook: &Webhook) {
    let body = serde_urlencoded::to_string(&webhook.params).unwrap_or_default();
    let lost = Exchange {
        id: 0,
        kind: webhook.kind,
        sid: Some(webhook.sid.clone()),
        operation: None,
        at: world.clock.now(),
        ms: 0,
        method: if webhook.hook.get { "GET" } else { "POST" }.to_owned(),
        url: bare(&webhook.hook.url).to_string(),
        headers: Vec::new(),
        body,
        status: None,
        answer: String::new(),
        verdict: "lost on purpose".to_owned(),
        webhook: Some(webhook.clone()),
    };
    note(world, lost);
}

/// The status callback of a message, when it has somewhere to go. Names, order
/// and presence follow what Twilio sends for text messages and for WhatsApp.
pub(super) fn of_message(world: &World, message: &Message) -> Option<Webhook> {
    let hook = Hook { url: message.callback.clone()?, get: false };
    let mut params = Params::default();
    if message.to.whatsapp {
        on_whatsapp(message, world.settings.seed, &mut params);
    } else {
        by_text(message, &mut params);
    }
    Some(Webhook {
        kind: "status-callback",
        sid: message.sid.clone(),
        account: message.account.clone(),
        pair: Pair::new(sender(message), message.to.to_string()),
        hook,
        params: params.0,
        token: world.token(),
        voice: false,
        bad_signature: false,
        port: None,
    })
}

fn by_text(message: &Message, params: &mut Params) {
    let status = message.status.word();
    params.add("SmsSid", &message.sid).add("SmsStatus", status).add("MessageStatus", status);
    params.add("To", message.to.to_string());
    if let Some(service) = &message.service {
        params.add("MessagingServiceSid", service);
    }
    params.add("MessageSid", &message.sid).add("AccountSid", &message.account);
    params.add("From", sender(message)).add("ApiVersion", "2010-04-01");
    if let Some((code, _)) = &message.error {
        params.add("ErrorCode", code.to_string());
    }
    if matches!(message.status, MessageStatus::Delivered | MessageStatus::Undelivered) {
        params.add("RawDlrDoneDate", raw_done(message.updated));
    }
}

fn on_whatsapp(message: &Message, seed: u64, params: &mut Params) {
    let status = message.status.word();
    if let Some(event) = event_type(message) {
        params.add("EventType", event);
    }
    if let Some((code, _)) = &message.error {
        params.add("ErrorCode", code.to_string());
    }
    params.add("SmsSid", &message.sid).add("SmsStatus", status).add("MessageStatus", status);
    params.add("ChannelToAddress", masked(&message.to.number)).add("To", message.to.to_string());
    params.add("ChannelPrefix", "whatsapp");
    if let Some(service) = &message.service {
        params.add("MessagingServiceSid", service);
    }
    if let Some((code, _)) = &message.error {
        params.add("ChannelStatusMessage", whatsapp::words(*code));
    }
    params.add("MessageSid", &message.sid).add("AccountSid", &message.account);
    params.add("StructuredMessage", "false").add("From", sender(message)).add("ApiVersion", "2010-04-01");
    // One install per sender, under the SID that the list of senders has it by.
    let from = message.from.as_ref().map_or("", |from| from.number.as_str());
    params.add("ChannelInstallSid", lasting_sid("XE", seed, from));
}

fn sender(message: &Message) -> String {
    message.from.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn event_type(message: &Message) -> Option<&'static str> {
    match message.status {
        MessageStatus::Read => Some("READ"),
        MessageStatus::Delivered => Some("DELIVERED"),
        _ => None,
    }
}

fn masked(number: &str) -> String {
    let shown = number.len().saturating_sub(4);
    format!("{}XXXX", &number[..shown])
}

/// The carrier's time as receipts have it: `YYMMDDhhmm`.
fn raw_done(at: Timestamp) -> String {
    let text = at.to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.get(2..12).unwrap_or_default().to_owned()
}

/// What is told of a call's progress.
pub(super) fn progress(world: &World, call: &Call, event: CallEvent, number: u32) -> Params {
    let mut params = call_params(call, event.word(call));
    params.add("Timestamp", rfc2822(world.clock.now()));
    params.add("CallbackSource", "call-progress-events");
    params.add("SequenceNumber", number.to_string());
    if event == CallEvent::Completed {
        let seconds = call.seconds();
        params.add("CallDuration", seconds.to_string());
        params.add("Duration", if call.start.is_some() { (seconds + 59) / 60 } else { 0 }.to_string());
    }
    if let Some(sip) = event.sip(call) {
        params.add("SipResponseCode", sip.to_string());
    }
    params
}

/// A progress event of a call, when somebody asked for it.
pub(super) fn of_call(world: &World, call: &Call, hook: Option<&Hook>, told: Params) -> Option<Webhook> {
    Some(Webhook {
        kind: "status-callback",
        sid: call.sid.clone(),
        account: call.account.clone(),
        pair: Pair::new(&call.from, &call.to),
        hook: hook?.clone(),
        params: told.0,
        token: world.token(),
        voice: true,
        bad_signature: false,
        port: None,
    })
}

/// An event that a call's status callback can be about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CallEvent {
    Initiated,
    Ringing,
    Answered,
    Completed,
}

impl CallEvent {
    /// The name by which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Completed => "completed",
        }
    }

    /// The `CallStatus` it is sent with.
    fn word(self, call: &Call) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::Answered => "in-progress",
            Self::Completed => call.status.word(),
        }
    }

    /// The SIP code it ended with.
    fn sip(self, call: &Call) -> Option<u16> {
        use super::resource::CallStatus::{Busy, Canceled, Completed, Failed, NoAnswer};
        match call.status {
            _ if self != Self::Completed => None,
            Completed => Some(200),
            Busy => Some(486),
            Failed => Some(404),
            NoAnswer | Canceled => Some(487),
            _ => None,
        }
    }
}

/// The parameters that every request about a call carries, legacy duplicates
/// included, in the order on the wire.
pub(super) fn call_params(call: &Call, status: &str) -> Params {
    let (to, from) = (Locality::of(&call.to), Locality::of(&call.from));
    let mut params = Params::default();
    params.add("Called", &call.to).add("ToState", to.state).add("CallerCountry", &from.country);
    params.add("Direction", call.direction).add("CallerState", from.state).add("ToZip", to.zip);
    params.add("CallSid", &call.sid).add("To", &call.to).add("CallerZip", from.zip);
    params.add("ToCountry", &to.country).add("CalledZip", to.zip).add("ApiVersion", "2010-04-01");
    params.add("CalledCity", to.city).add("CallStatus", status).add("From", &call.from);
    params.add("AccountSid", &call.account).add("CalledCountry", &to.country);
    params.add("CallerCity", from.city).add("ToCity", to.city).add("FromCountry", &from.country);
    params.add("Caller", &call.from).add("FromCity", from.city).add("CalledState", to.state);
    params.add("FromZip", from.zip).add("FromState", from.state);
    if let Some(by) = call.answered_by {
        params.add("AnsweredBy", by);
    }
    params
}

/// Parameters in wire order.
#[derive(Clone, Default)]
pub(super) struct Params(pub Vec<(String, String)>);

impl Params {
    /// Adds a parameter at the end, even where its name is there already.
    pub fn add(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carriers_date_has_ten_digits() {
        assert_eq!(raw_done("2026-11-20T13:05:09Z".parse().unwrap()), "2611201305");
    }

    #[test]
    fn a_channel_address_is_masked() {
        assert_eq!(masked("+918489512345"), "+91848951XXXX");
    }
}
