//! What the lists say of one request. It refuses to know which entry says so.

use super::effect::Effect;
use crate::model::channel::Channel;
use jiff::Timestamp;
use std::sync::Arc;

/// What an entry says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Whether codes are refused, or pass what looks like fraud.
    pub effect: Effect,
    /// Why, in the words of whoever made it, for operators alone.
    pub reason: Option<Arc<str>>,
    /// When that ends; nothing where somebody has to end it.
    pub until: Option<Timestamp>,
}

impl Said {
    /// What two that count alike come to: a block before an allowance, and what holds longer
    /// before what ends.
    pub(super) fn of_both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(if other.rank() < one.rank() { other } else { one }),
            (one, other) => one.or(other),
        }
    }

    fn rank(&self) -> (Effect, std::cmp::Reverse<Timestamp>) {
        (self.effect, std::cmp::Reverse(self.until.unwrap_or(Timestamp::MAX)))
    }
}

/// What the lists say of a request, channel by channel: countries may be listed for one
/// alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed([Option<Said>; Channel::ALL.len()]);

impl Listed {
    /// What each channel has.
    pub(super) fn by_channel(says: impl Fn(Channel) -> Option<Said>) -> Self {
        Self(Channel::ALL.map(says))
    }

    /// The same for every channel.
    pub(super) fn everywhere(said: &Said) -> Self {
        Self::by_channel(|_| Some(said.clone()))
    }

    /// What they say of it by one channel.
    pub fn on(&self, channel: Channel) -> Option<&Said> {
        let place = Channel::ALL.iter().position(|one| *one == channel)?;
        self.0[place].as_ref()
    }

    /// The block of a channel, if it has one.
    pub fn block_on(&self, channel: Channel) -> Option<&Said> {
        self.on(channel).filter(|said| said.effect == Effect::Block)
    }

    /// Whether signals and rules about countries let it pass by this channel.
    pub fn is_allowed_on(&self, channel: Channel) -> bool {
        self.on(channel).is_some_and(|said| said.effect == Effect::Allow)
    }
}
