//! The simulated telephones: what each received, and how it behaves.

use super::behaviour::Behaviour;
use super::resource::MessageStatus;
use crate::entropy::Entropy;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// The most texts a phone keeps; the oldest go first.
const TEXTS: usize = 500;
/// The most calls a phone remembers.
const CALLS: usize = 200;

/// A telephone that somebody wrote to, called, or set up.
pub(super) struct Phone {
    /// Its number in E.164.
    pub number: String,
    /// Which of all phones it was to be made.
    pub place: u64,
    /// Its own wishes.
    pub behaviour: Behaviour,
    /// Its dice: each phone has its own, so that what befalls one does not
    /// depend on how busy the others are.
    pub chance: Entropy,
    /// How often the API fault befell it.
    pub api_faults: u32,
    /// Its conversation, oldest first.
    pub texts: VecDeque<Text>,
    /// The SIDs of its calls, oldest first.
    pub calls: VecDeque<String>,
    /// The account's sender that last wrote or called.
    pub peer: Option<String>,
}

/// A text on a phone's screen.
#[derive(Clone)]
pub(super) struct Text {
    /// The message's SID.
    pub sid: String,
    /// Who wrote it.
    pub from: String,
    /// To whom; with `whatsapp:` before the number on WhatsApp.
    pub to: String,
    /// The words; they stay when the resource is redacted, as on a real phone.
    pub body: String,
    /// The pictures with it, as the telephone shows them.
    pub media: Vec<Value>,
    /// True when it came in, false when it was written on this phone.
    pub received: bool,
    /// What its button copies.
    pub copy_code: Option<String>,
    /// True once its owner opened the chat that it is in.
    pub opened: bool,
    /// The message's status.
    pub status: MessageStatus,
    /// When it appeared on the screen.
    pub at: Timestamp,
}

impl Phone {
    /// A phone with nothing on it.
    pub fn new(number: &str, seed: u64) -> Self {
        let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(number).finalize();
        let mut own = [0u8; 8];
        own.copy_from_slice(&digest[..8]);
        Self {
            number: number.to_owned(),
            place: 0,
            behaviour: Behaviour::default(),
            chance: Entropy::seeded(u64::from_be_bytes(own)),
            api_faults: 0,
            texts: VecDeque::new(),
            calls: VecDeque::new(),
            peer: None,
        }
    }

    /// Dice for one message or call.
    pub fn fork(&self) -> Entropy {
        Entropy::seeded(u64::from_be_bytes(self.chance.bytes()))
    }

    /// Shows a text on the screen.
    pub fn show(&mut self, text: Text) {
        self.texts.push_back(text);
        while self.texts.len() > TEXTS {
            self.texts.pop_front();
        }
    }

    /// How many WhatsApp messages its owner has not opened.
    pub fn unread(&self) -> usize {
        self.texts.iter().filter(|text| text.is_unread()).count()
    }

    /// Remembers a call.
    pub fn ring(&mut self, sid: &str) {
        self.calls.push_back(sid.to_owned());
        while self.calls.len() > CALLS {
            self.calls.pop_front();
        }
    }
}

impl Text {
    /// `whatsapp` or `sms`.
    pub fn channel(&self) -> &'static str {
        if self.to.starts_with("whatsapp:") { "whatsapp" } else { "sms" }
    }

    /// Whether it waits to be opened. Only WhatsApp tells that it was.
    pub fn is_unread(&self) -> bool {
        self.received && !self.opened && self.channel() == "whatsapp"
    }

    /// The text as the controls show it.
    pub fn document(&self) -> Value {
        json!({
            "sid": self.sid,
            "channel": self.channel(),
            "from": self.from,
            "to": self.to,
            "body": self.body,
            "media": self.media,
            "copy_code": self.copy_code,
            "unread": self.is_unread(),
            "status": self.status.word(),
            "direction": if self.received { "received" } else { "sent" },
            "received_at": self.at.to_string(),
        })
    }
}
