//! How a telephone behaves: who answers, what the carrier does, and what goes
//! wrong on the way back.
//!
//! Everything is optional: a phone's own wishes go before those for all
//! phones, and those before the defaults. This module refuses to know time and
//! transport; it says what shall happen and draws the dice.

use crate::entropy::Entropy;
use serde::{Deserialize, Serialize};

/// Wishes for one phone or for all.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Who takes a call; a person by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<Answers>,
    /// How long it rings before that, in milliseconds of the sandbox's clock. A
    /// person without it waits to be answered by a control or on the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_after_ms: Option<u64>,
    /// Keys pressed by themselves: one entry for each `<Gather>` that listens, and for
    /// each `<Record>`, once the phone has spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub press: Option<Vec<String>>,
    /// `instant` makes speech and pauses take no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speech: Option<Speech>,
    /// Milliseconds a spoken word takes, before the sandbox's pace; 60 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word_ms: Option<u64>,
    /// How long it speaks into a `<Record>`, in milliseconds of the sandbox's clock; a
    /// second by default. With 0 it says nothing, and the recording is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaks_ms: Option<u64>,
    /// What becomes of a message.
    pub message: MessageFate,
    /// What its owner does with WhatsApp.
    pub whatsapp: WhatsApp,
    /// What goes wrong with webhooks about this phone.
    pub callbacks: CallbackFaults,
    /// What the REST API answers when a message or call to this phone is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiFault>,
}

/// Who takes a call.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// A person, when told to.
    #[default]
    Person,
    /// An answering machine.
    Machine,
    /// The line is busy.
    Busy,
    /// It rings out.
    Nobody,
    /// The call is pushed away.
    Declines,
    /// The carrier cannot reach the number.
    Fails,
}

/// How fast is spoken.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Speech {
    /// By the word, at the sandbox's pace.
    #[default]
    Paced,
    /// In no time.
    Instant,
}

/// What becomes of a message to this phone.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MessageFate {
    /// How it ends; delivered by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The error code of an undelivered or failed message; 30003 and 30008 by
    /// default, 63024 and 63016 on WhatsApp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u32>,
    /// How long the carrier's receipt takes, in milliseconds of the sandbox's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_delay_ms: Option<u64>,
    /// How long it waits in the queue first, in milliseconds of the sandbox's
    /// clock; beyond its validity period it fails with 30036.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_delay_ms: Option<u64>,
}

/// What a phone's owner does with WhatsApp.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WhatsApp {
    /// Whether the number is on WhatsApp; it is by default. Without it a message
    /// there is undelivered, while texts arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<bool>,
    /// The error code of a message to a number that is not on WhatsApp; 63024
    /// by default, and 63003 is what Twilio says as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u32>,
    /// Whether opening a chat is told to who wrote; it is by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_receipts: Option<bool>,
}

/// How a message ends.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// On the phone, with a receipt.
    #[default]
    Delivered,
    /// The carrier gave it up.
    Undelivered,
    /// It never left.
    Failed,
    /// On the phone, but the carrier sends no receipts.
    SentOnly,
    /// Delivered, and then read (WhatsApp and RCS only).
    Read,
}

/// What goes wrong with webhooks.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackFaults {
    /// Each status callback leaves this much later, in milliseconds of the clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// And up to this much more, drawn for each; they may overtake each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<u64>,
    /// The chance that a status callback is never sent, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lose: Option<f64>,
    /// How often each status callback is sent again, 0 to 3 times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u8>,
    /// Status callbacks are held back until the last and sent shuffled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorder: Option<bool>,
    /// Every webhook is signed with a token that is not the account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad_signature: Option<bool>,
    /// Whether the signed URL names its port, whatever Twilio does by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<Port>,
}

/// Whether the signed URL names its port.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Port {
    /// It does, even where the scheme implies it.
    With,
    /// It does not, even where the URL needs it.
    Without,
}

/// What the REST API answers on create.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ApiFault {
    /// An error status: 429 (20429, not processed) or 500 to 599 (20500, not
    /// processed unless it is `accepted`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// With a status of 500 to 599: the message or call is made all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    /// How long after it was made a message or call to this phone is missing from
    /// the lists that are asked for it, in milliseconds of the sandbox's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_after_ms: Option<u64>,
    /// No answer before the client gives up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Timeout>,
    /// How long a time-out holds the answer back, in real milliseconds; 35 000 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ms: Option<u64>,
    /// How many requests it befalls; all of them by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

impl ApiFault {
    fn is_none(&self) -> bool {
        self.status.is_none() && self.timeout.is_none() && self.listed_after_ms.is_none()
    }
}

/// When the answer fails to come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Timeout {
    /// Before the message or call was accepted: it does not exist.
    Before,
    /// After it was accepted: it exists and goes its way.
    After,
}

impl Behaviour {
    /// These wishes, with `base` where they say nothing.
    pub fn over(&self, base: &Self) -> Self {
        let (own, all) = (&self.message, &base.message);
        let message = MessageFate {
            outcome: own.outcome.or(all.outcome),
            error_code: own.error_code.or(all.error_code),
            receipt_delay_ms: own.receipt_delay_ms.or(all.receipt_delay_ms),
            queue_delay_ms: own.queue_delay_ms.or(all.queue_delay_ms),
        };
        let (own, all) = (&self.whatsapp, &base.whatsapp);
        let whatsapp = WhatsApp {
            account: own.account.or(all.account),
            error_code: own.error_code.or(all.error_code),
            read_receipts: own.read_receipts.or(all.read_receipts),
        };
        let (own, all) = (&self.callbacks, &base.callbacks);
        let callbacks = CallbackFaults {
            delay_ms: own.delay_ms.or(all.delay_ms),
            jitter_ms: own.jitter_ms.or(all.jitter_ms),
            lose: own.lose.or(all.lose),
            repeat: own.repeat.or(all.repeat),
            reorder: own.reorder.or(all.reorder),
            bad_signature: own.bad_signature.or(all.bad_signature),
            port: own.port.or(all.port),
        };
        Self {
            answers: self.answers.or(base.answers),
            answer_after_ms: self.answer_after_ms.or(base.answer_after_ms),
            press: self.press.clone().or_else(|| base.press.clone()),
            speech: self.speech.or(base.speech),
            word_ms: self.word_ms.or(base.word_ms),
            speaks_ms: self.speaks_ms.or(base.speaks_ms),
            message,
            whatsapp,
            callbacks,
            api: self.api.clone().or_else(|| base.api.clone()),
        }
    }

    /// What is out of range, in words; `None` when nothing is.
    pub fn problem(&self) -> Option<&'static str> {
        let keys = self.press.iter().flatten().flat_map(|keys| keys.chars());
        let api = self.api.as_ref();
        if self.callbacks.lose.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
            Some("callbacks.lose is a chance from 0 to 1")
        } else if self.callbacks.repeat.is_some_and(|times| times > 3) {
            Some("callbacks.repeat is 0 to 3")
        } else if api.and_then(|api| api.status).is_some_and(|s| s != 429 && !(500..600).contains(&s)) {
            Some("api.status is 429 or 500 to 599")
        } else if api.is_some_and(ApiFault::is_none) {
            Some("api needs a status, a timeout (before or after) or listed_after_ms")
        } else if api.is_some_and(|api| api.accepted && api.status.is_none_or(|status| status == 429)) {
            Some("api.accepted goes with a status of 500 to 599")
        } else if keys.into_iter().any(|key| !is_key(key)) {
            Some("press holds keys: 0-9, * and #")
        } else {
            None
        }
    }
}

/// True for what a telephone's keypad can send.
pub(super) fn is_key(key: char) -> bool {
    key.is_ascii_digit() || key == '*' || key == '#'
}

/// What befalls one status callback.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Mishap {
    /// It is never sent.
    pub lost: bool,
    /// It leaves this much later, in milliseconds.
    pub late_ms: u64,
    /// It is sent this often again.
    pub again: u8,
}

impl CallbackFaults {
    /// Draws what befalls the next callback. Always draws the same number of
    /// dice, so that one wish does not change what another comes to.
    pub(super) fn draw(&self, chance: &Entropy) -> Mishap {
        let (lose, jitter) = (chance.below(1_000_000), chance.below(1_000_000));
        Mishap {
            lost: (lose as f64) < self.lose.unwrap_or(0.0) * 1_000_000.0,
            late_ms: self.delay_ms.unwrap_or(0)
                + self.jitter_ms.unwrap_or(0).saturating_mul(jitter) / 1_000_000,
            again: self.repeat.unwrap_or(0).min(3),
        }
    }
}

/// Shuffles in place so that the order differs whenever it can.
pub(super) fn shuffle<T>(items: &mut [T], chance: &Entropy) {
    let mut moved = false;
    for i in (1..items.len()).rev() {
        let j = chance.below(i as u64 + 1) as usize;
        moved |= i != j;
        items.swap(i, j);
    }
    if !moved && items.len() > 1 {
        items.swap(0, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(text: &str) -> Behaviour {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_phones_own_wish_goes_before_the_one_for_all() {
        let all = wishes(r#"{"answers":"busy","message":{"outcome":"failed","error_code":30005}}"#);
        let own = wishes(r#"{"message":{"outcome":"sent-only"},"callbacks":{"repeat":2}}"#);
        let both = own.over(&all);
        assert_eq!(both.answers, Some(Answers::Busy));
        assert_eq!(both.message.outcome, Some(Outcome::SentOnly));
        assert_eq!(both.message.error_code, Some(30005));
        assert_eq!(both.callbacks.repeat, Some(2));
    }

    #[test]
    fn the_same_seed_brings_the_same_mishaps() {
        let faults = wishes(r#"{"callbacks":{"lose":0.5,"jitter_ms":1000}}"#).callbacks;
        let draw = |seed| {
            let chance = Entropy::seeded(seed);
            (0..64).map(|_| faults.draw(&chance)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let lost = draw(1).iter().filter(|mishap| mishap.lost).count();
        assert!((16..48).contains(&lost), "half of 64, more or less: {lost}");
    }

    #[test]
    fn a_shuffle_changes_the_order_and_keeps_the_things() {
        for seed in 0..50 {
            let mut items = [1, 2, 3];
            shuffle(&mut items, &Entropy::seeded(seed));
            assert_ne!(items, [1, 2, 3]);
            items.sort_unstable();
            assert_eq!(items, [1, 2, 3]);
        }
    }

    #[test]
    fn wishes_out_of_range_are_named() {
        assert!(wishes(r#"{"callbacks":{"lose":1.5}}"#).problem().unwrap().contains("lose"));
        assert!(wishes(r#"{"api":{"status":404}}"#).problem().unwrap().contains("429"));
        assert!(wishes(r#"{"api":{}}"#).problem().unwrap().contains("listed_after_ms"));
        assert!(wishes(r#"{"api":{"status":429,"accepted":true}}"#).problem().unwrap().contains("accepted"));
        assert!(wishes(r#"{"api":{"listed_after_ms":5000}}"#).problem().is_none());
        assert!(wishes(r#"{"press":["1","x"]}"#).problem().unwrap().contains("keys"));
        assert!(wishes(r#"{"press":["12#"]}"#).problem().is_none());
        assert!(serde_json::from_str::<Behaviour>(r#"{"answer":"busy"}"#).is_err());
    }
}
