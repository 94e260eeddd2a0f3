//! What somebody put on a list. It refuses to know what it does to a request.

use super::effect::Effect;
use super::target::Target;
use crate::model::audit::Actor;
use crate::model::id::{ListEntryId, ServiceId};
use crate::model::pseudonym::Pseudonyms;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListEntry {
    /// What it is kept under: a keyed name of target, effect and service, so that the same
    /// thing said twice is one entry. It is a person's where the target is a number, and
    /// shown to nobody.
    pub key: String,
    /// Its id, which is drawn at random: `LE` and 32 hexadecimal digits.
    pub id: ListEntryId,
    /// What it does.
    pub effect: Effect,
    /// To whom it does that.
    pub target: Target,
    /// For codes of this service alone; nothing for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// Why, in the words of whoever made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it stops, to the second; nothing where somebody has to take it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Who said so last.
    pub actor: Actor,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ListEntry {
    /// The longest reason, in characters.
    pub const MAX_REASON: usize = 200;
    /// How many there may be, so that every process can hold all of them.
    pub const MOST: usize = 10_000;

    /// What an entry of these is kept under.
    pub fn key(names: &Pseudonyms, effect: Effect, target: &Target, service: Option<&ServiceId>) -> String {
        let channel = target.channel().map_or("", |channel| channel.as_str());
        let service = service.map_or("", ServiceId::as_str);
        let whom = match target {
            Target::ErasedNumber(name) => name.clone(),
            Target::Number(number) => Self::name_of(names, number.person().as_str()),
            target => target.in_full().unwrap_or_default(),
        };
        let parts = [effect.as_str(), target.sort(), &whom, channel, service];
        names.of("list entry", &parts.join("\0"))
    }

    /// The name of a person's number on a list, once it is erased.
    pub fn name_of(names: &Pseudonyms, person: &str) -> String {
        names.of("listed number", person)
    }

    /// Whether it has stopped.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }

    /// The same about a number that was erased.
    pub fn erased(&self, names: &Pseudonyms, person: &str) -> Self {
        Self { target: Target::ErasedNumber(Self::name_of(names, person)), ..self.clone() }
    }
}
