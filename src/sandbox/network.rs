//! The life of a message: from the queue over the carrier to the phone, and
//! what is told about it on the way.

use super::behaviour::{MessageFate, Outcome};
use super::callbacks::{Courier, of_message};
use super::phone::Text;
use super::resource::{Message, MessageStatus};
use super::views::message_view;
use super::world::World;
use crate::entropy::Entropy;
use crate::twilio::errors;
use std::sync::Arc;
use std::time::Duration;

/// One hop of the network, at pace 1.
const HOP: Duration = Duration::from_millis(150);
/// How long a carrier's receipt takes, at pace 1, when nobody wished otherwise.
const RECEIPT: Duration = Duration::from_millis(300);

/// Takes a message in and sends it on its way; false when too much is on its
/// way already, and then it was not taken.
pub(super) fn launch(world: &Arc<World>, message: Message) -> bool {
    let (sid, number) = (message.sid.clone(), message.to.number.clone());
    let behaviour = world.behaviour(&number);
    let view = message_view(&message);
    let chance = world.change(|state| {
        let sender = message.from.as_ref().map(|from| from.number.clone());
        let phone = state.phone(&number, world.settings.seed);
        phone.peer = sender.or_else(|| phone.peer.take());
        let chance = phone.fork();
        state.messages.push(message.sid.clone(), message);
        chance
    });
    world.tell("message", view);
    let courier = Courier::new(world, behaviour.callbacks, chance);
    let life = Life { world: world.clone(), sid: sid.clone(), fate: behaviour.message, courier };
    let taken = world.spawn(async move {
        life.live().await;
    });
    if !taken {
        world.change(|state| state.messages.remove(&sid));
    }
    taken
}

struct Life {
    world: Arc<World>,
    sid: String,
    fate: MessageFate,
    courier: Courier,
}

impl Life {
    /// Each step gives nothing when the message was canceled or deleted, and
    /// then its life ends.
    async fn live(self) -> Option<()> {
        let message = self.leave_the_service().await?;
        self.wait_in_the_queue(&message).await?;
        self.world.pace(HOP).await;
        self.step(MessageStatus::Sending, None)?;
        self.world.pace(HOP).await;
        let outcome = self.fate.outcome.unwrap_or_default();
        if outcome == Outcome::Failed {
            return self.fail(MessageStatus::Failed, if message.to.whatsapp { 63016 } else { 30008 });
        }
        let message = self.step(MessageStatus::Sent, None)?;
        if outcome != Outcome::Undelivered {
            self.arrive(&message);
        }
        match outcome {
            Outcome::SentOnly => return Some(()),
            _ => self.receipt().await,
        }
        if outcome == Outcome::Undelivered {
            return self.fail(MessageStatus::Undelivered, if message.to.whatsapp { 63024 } else { 30003 });
        }
        let message = self.step(MessageStatus::Delivered, None)?;
        if outcome == Outcome::Read && message.to.whatsapp {
            self.world.pace(RECEIPT).await;
            self.step(MessageStatus::Read, None)?;
        }
        Some(())
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
        self.step(MessageStatus::Queued, None)
    }

    async fn wait_in_the_queue(&self, message: &Message) -> Option<()> {
        let wait = Duration::from_millis(self.fate.queue_delay_ms.unwrap_or(0));
        let patience = Duration::from_secs(u64::from(message.validity));
        if !wait.is_zero() {
            self.world.clock.sleep(wait.min(patience)).await;
        }
        if wait > patience {
            self.step(MessageStatus::Failed, Some(30036))?;
            return None;
        }
        Some(())
    }

    async fn receipt(&self) {
        match self.fate.receipt_delay_ms {
            Some(ms) => self.world.clock.sleep(Duration::from_millis(ms)).await,
            None => self.world.pace(RECEIPT).await,
        }
    }

    fn fail(&self, status: MessageStatus, usual: u32) -> Option<()> {
        self.step(status, Some(self.fate.error_code.unwrap_or(usual))).map(|_| ())
    }

    /// Brings the message to its next status and tells whoever asked.
    fn step(&self, status: MessageStatus, error: Option<u32>) -> Option<Message> {
        let now = self.world.clock.now();
        let sender = self.world.settings.sender();
        let mut moved = false;
        let message = self.world.change_message(&self.sid, |message| {
            moved = message.status != MessageStatus::Canceled;
            if !moved {
                return;
            }
            message.status = status;
            message.error = error.map(|code| (code, errors::lookup(code).name.to_owned()));
            message.from.get_or_insert(sender);
            if matches!(status, MessageStatus::Sent | MessageStatus::Failed) {
                message.sent = Some(now);
            }
        })?;
        if !moved {
            return None;
        }
        if let Some(webhook) = of_message(&self.world, &message) {
            self.courier.post(webhook);
        }
        Some(message)
    }

    fn arrive(&self, message: &Message) {
        let text = Text {
            sid: message.sid.clone(),
            from: message.from.as_ref().map(|from| from.to_string()).unwrap_or_default(),
            to: message.to.to_string(),
            body: message.words.clone(),
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
    world.change(|state| state.phone(number, seed).show(text));
    world.tell("text", news);
}

/// Tells of a cancellation, which happens outside the message's life.
pub(super) fn tell_canceled(world: &Arc<World>, message: &Message) {
    if let Some(webhook) = of_message(world, message) {
        let faults = world.behaviour(&message.to.number).callbacks;
        Courier::new(world, faults, Entropy::seeded(world.settings.seed)).post(webhook);
    }
}
