//! An entry as it is shown, whether it is one of the lists' own or a safe number. It refuses
//! to know how it is kept.

use super::effect::Effect;
use super::entry::ListEntry;
use super::target::Target;
use crate::model::audit::Actor;
use crate::model::id::ServiceId;
use crate::model::safe_number::SafeNumber;
use jiff::Timestamp;

/// A line of the lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListLine {
    /// By which it is looked at and taken away: an entry's id, or a safe number's name.
    pub id: String,
    /// What it does.
    pub effect: Effect,
    /// To whom it does that.
    pub target: Target,
    /// For codes of this service alone; nothing for all.
    pub service: Option<ServiceId>,
    /// Why, in the words of whoever made it.
    pub reason: Option<String>,
    /// When it stops; nothing where somebody has to take it away.
    pub ends_at: Option<Timestamp>,
    /// Who said so last; nothing for safe numbers of before that was written down.
    pub actor: Option<Actor>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl From<&ListEntry> for ListLine {
    fn from(entry: &ListEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            effect: entry.effect,
            target: entry.target.clone(),
            service: entry.service.clone(),
            reason: entry.reason.clone(),
            ends_at: entry.ends_at,
            actor: Some(entry.actor.clone()),
            created_at: entry.created_at,
        }
    }
}

impl From<&SafeNumber> for ListLine {
    fn from(safe: &SafeNumber) -> Self {
        Self {
            id: safe.sid.clone(),
            effect: Effect::Allow,
            target: Target::number(&safe.number),
            service: None,
            reason: safe.reason.clone(),
            ends_at: None,
            actor: safe.actor.clone(),
            created_at: safe.created_at,
        }
    }
}
