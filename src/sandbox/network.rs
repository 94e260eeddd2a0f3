//! The life of a message: from the queue over the carrier to the phone, and
//! what is told about it on the way.

use super::behaviour::{Behaviour, Outcome};
use super::callbacks::{Courier, of_message};
use super::limits::Turn;
use super::number_rules;
use super::phone::Text;
use super::resource::{Message, MessageStatus};
use super::sending::{self, Permit};
use super::shown::message_view;
use super::world::World;
use super::{media_fetch, streams, whatsapp};
use crate::entropy::Entropy;
use crate::twilio::errors;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// One hop of the network, at pace 1.
const HOP: Duration = Duration::from_millis(150);
/// How long a carrier's receipt takes, at pace 1, when nobody wished otherwise.
const RECEIPT: Duration = Duration::from_millis(300);

/// Messages that reach their phones one after the other.
#[derive(Default)]
pub(super) struct Procession(Option<oneshot::Receiver<()>>);

/// A place in a procession.
#[derive(Default)]
pub(super) struct Place {
    /// Ends once the one before has arrived, or never will.
    before: Option<oneshot::Receiver<()>>,
    /// Dropped once this one has.
    _held: Option<oneshot::Sender<()>>,
}

impl Procession {
    /// The place behind those that were given out.
    pub fn place(&mut self) -> Place {
        let (held, next) = oneshot::channel();
        Place { before: self.0.replace(next), _held: Some(held) }
    }
}

/// Takes a message in that may leave, and sends it on its way; false when too much is on
/// its way already, and then it was not taken.
pub(super) fn launch(world: &Arc<World>, mut message: Message, permit: &Permit, place: Place) -> bool {
    let (sid, number) = (message.sid.clone(), message.to.number.clone());
    message.passage.blocked = sending::is_blocked(world, &message, permit);
    let behaviour = world.behaviour(&number);
    if message.status == MessageStatus::Queued {
        // It queues behind those that came before it, whichever of them runs first.
        message.passage.turn = Some(take_turn(world, &message));
    }
    let (view, turn) = (message_view(&message), message.turn.clone());
    let chance = world.change(|state| {
        let sender = message.from.as_ref().map(|from| from.number.clone());
        let phone = state.phone(&number, world.settings.seed);
        phone.peer = sender.or_else(|| phone.peer.take());
        let chance = phone.fork();
        state.messages.push(message.sid.clone(), message);
        chance
    });
    world.tell("message", view);
    let courier = Courier::in_turn(world, behaviour.callbacks.clone(), chance, &turn);
    let life = Life { world: world.clone(), sid: sid.clone(), behaviour, courier, place };
    let taken = world.spawn(async move {
        life.live().await;
    });
    if !taken {
        world.change(|state| state.messages.remove(&sid));
    }
    taken
}

/// A message's place behind those of its sender.
fn take_turn(world: &World, message: &Message) -> Turn {
    let now = world.clock.now();
    let Some(from) = &message.from else { return Turn::At(now) };
    world.with(|state| state.limits.take(&from.number, message.to.whatsapp, message.segments, now))
}

struct Life {
    world: Arc<World>,
    sid: String,
    behaviour: Behaviour,
    courier: Courier,
    place: Place,
}

impl Life {
    /// Each step gives nothing when the message was canceled or deleted, and
    /// then its life ends.
    async fn live(mut self) -> Option<()> {
        let message = self.leave_the_service().await?;
        self.wait_in_the_queue(&message).await?;
        self.world.pace(HOP).await;
        if !message.to.whatsapp {
            self.step(MessageStatus::Sending, None)?;
            self.world.pace(HOP).await;
        }
        if message.passage.blocked {
            return self.step(MessageStatus::Failed, Some(30450)).map(|_| ());
        }
        let pictures = match media_fetch::collect(&self.world, &message).await {
            Ok(pictures) => pictures,
            Err(code) => return self.step(MessageStatus::Failed, Some(code)).map(|_| ()),
        };
        let (outcome, error) = self.outcome(&message);
        if outcome == Outcome::Failed {
            return self.step(MessageStatus::Failed, Some(error)).map(|_| ());
        }
        if let Some(before) = self.place.before.take() {
            // It ends by being dropped, and that is all it has to say.
            let _ = before.await;
        }
        let message = self.step(MessageStatus::Sent, None)?;
        if outcome != Outcome::Undelivered {
            self.arrive(&message, pictures);
        }
        self.place = Place::default();
        match outcome {
            Outcome::SentOnly => return Some(()),
            _ => self.receipt().await,
        }
        if outcome == Outcome::Undelivered {
            return self.step(MessageStatus::Undelivered, Some(error)).map(|_| ());
        }
        let message = self.step(MessageStatus::Delivered, None)?;
        if message.to.whatsapp {
            self.be_read(&message, outcome).await;
        }
        Some(())
    }

    /// How the message ends, and with which error if it fails. What the phone
    /// wishes to go wrong goes wrong before a carrier or WhatsApp looks at the message.
    fn outcome(&self, message: &Message) -> (Outcome, u32) {
        let fate = &self.behaviour.message;
        let outcome = fate.outcome.unwrap_or_default();
        let on_whatsapp = message.to.whatsapp;
        let usual = match outcome {
            Outcome::Failed if on_whatsapp => 63016,
            Outcome::Failed => 30008,
            _ if on_whatsapp => 63024,
            _ => 30003,
        };
        if matches!(outcome, Outcome::Failed | Outcome::Undelivered) {
            return (outcome, fate.error_code.unwrap_or(usual));
        }
        if !on_whatsapp {
            let refused = self.world.with(|state| number_rules::undelivered(&state.numbers, message));
            return refused.map_or((outcome, usual), |code| (Outcome::Undelivered, code));
        }
        let now = self.world.clock.now();
        let wishes = &self.behaviour.whatsapp;
        match self.world.with(|state| whatsapp::refusal(state, message, now)) {
            Some(code) => (Outcome::Failed, code),
            None if wishes.account == Some(false) => {
                (Outcome::Undelivered, wishes.error_code.unwrap_or(63024))
            }
            None => (outcome, usual),
        }
    }

    /// A person who reads everything opens the message after a moment; another
    /// may have opened it already, before the receipt of its delivery came.
    async fn be_read(&self, message: &Message, outcome: Outcome) {
        if outcome == Outcome::Read {
            self.world.pace(RECEIPT).await;
            whatsapp::mark(&self.world, &message.to.number, Some(&self.sid));
        }
        if self.world.with(|state| whatsapp::is_opened(state, message))
            && let Some(read) = whatsapp::receipt(&self.world, &self.sid)
        {
            self.tell(&read);
        }
    }

    /// Waits for the hour of a scheduled message, and for a service to pick a
    /// sender.
    async fn leave_the_service(&self) -> Option<Message> {
        let message = self.world.with(|state| state.messages.get(&self.sid).cloned())?;
        if message.status == MessageStatus::Queued {
            return Some(message);
        }
        match message.send_at {
            Some(at) => self.world.clock.sleep_until(at).await,
            None => self.world.pace(HOP).await,
        }
        match sending::release(&self.world, &message) {
            Ok(from) => self.world.change_message(&self.sid, |message| message.from = Some(from))?,
            // Something has changed since it was accepted.
            Err(code) => {
                self.step(MessageStatus::Failed, Some(code))?;
                return None;
            }
        };
        self.step(MessageStatus::Queued, None)
    }

    async fn wait_in_the_queue(&self, message: &Message) -> Option<()> {
        let wait = Duration::from_millis(self.behaviour.message.queue_delay_ms.unwrap_or(0));
        let patience = Duration::from_secs(u64::from(message.validity));
        if !wait.is_zero() {
            self.world.clock.sleep(wait.min(patience)).await;
        }
        if wait > patience {
            self.step(MessageStatus::Failed, Some(30036))?;
            return None;
        }
        self.wait_for_its_turn(message, patience).await
    }

    /// Waits until the sender has come to it.
    async fn wait_for_its_turn(&self, message: &Message, patience: Duration) -> Option<()> {
        let latest = message.created.checked_add(patience).unwrap_or(Timestamp::MAX);
        let code = match message.passage.turn.unwrap_or_else(|| take_turn(&self.world, message)) {
            Turn::At(at) if at <= latest.max(self.world.clock.now()) => {
                self.world.clock.sleep_until(at).await;
                return Some(());
            }
            Turn::At(_) => {
                self.world.clock.sleep_until(latest).await;
                30036
            }
            Turn::Full => 30001,
        };
        self.step(MessageStatus::Failed, Some(code))?;
        None
    }

    async fn receipt(&self) {
        match self.behaviour.message.receipt_delay_ms {
            Some(ms) => self.world.clock.sleep(Duration::from_millis(ms)).await,
            None => self.world.pace(RECEIPT).await,
        }
    }

    /// Brings the message to its next status and tells whoever asked.
    fn step(&self, status: MessageStatus, error: Option<u32>) -> Option<Message> {
        let now = self.world.clock.now();
        let mut moved = false;
        let message = self.world.change_message(&self.sid, |message| {
            moved = message.status != MessageStatus::Canceled;
            if !moved {
                return;
            }
            message.status = status;
            message.error = error.map(|code| (code, errors::lookup(code).name.to_owned()));
            let sender = || self.world.sender(&message.account, message.to.whatsapp);
            message.from.get_or_insert_with(sender);
            if matches!(status, MessageStatus::Sent | MessageStatus::Failed) {
                message.sent = Some(now);
            }
        })?;
        if !moved {
            return None;
        }
        self.tell(&message);
        Some(message)
    }

    fn tell(&self, message: &Message) {
        streams::of_message(&self.world, message);
        if let Some(webhook) = of_message(&self.world, message) {
            self.courier.post(webhook);
        }
    }

    fn arrive(&self, message: &Message, media: Vec<Value>) {
        let text = Text {
            sid: message.sid.clone(),
            from: message.from.as_ref().map(|from| from.to_string()).unwrap_or_default(),
            to: message.to.to_string(),
            body: message.words.clone(),
            media,
            copy_code: message.template.as_ref().and_then(|template| template.copy_code.clone()),
            opened: false,
            received: true,
            status: message.status,
            at: self.world.clock.now(),
        };
        show(&self.world, &message.to.number, text);
    }
}

/// Puts a text on a phone's screen and tells the page.
pub(super) fn show(world: &World, number: &str, text: Text) {
    let mut news = text.document();
    news["number"] = number.into();
    let seed = world.settings.seed;
    world.change(|state| state.show(number, seed, text));
    world.tell("text", news);
}

/// Tells of a cancellation, which happens outside the message's life.
pub(super) fn tell_canceled(world: &Arc<World>, message: &Message) {
    streams::of_message(world, message);
    if let Some(webhook) = of_message(world, message) {
        let faults = world.behaviour(&message.to.number).callbacks;
        Courier::new(world, faults, Entropy::seeded(world.settings.seed)).post(webhook);
    }
}
