//! What the lists say of one request. It refuses to know which entry says so.

use super::effect::Effect;
use crate::model::channel::Channel;

/// What the lists say of a request, channel by channel: countries may be listed for one
/// alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listed {
    channels: [Option<Effect>; Channel::ALL.len()],
}

impl Listed {
    /// The lists say nothing of it.
    pub const NOTHING: Self = Self { channels: [None; Channel::ALL.len()] };

    /// What each channel has.
    pub fn by_channel(says: impl Fn(Channel) -> Option<Effect>) -> Self {
        Self { channels: Channel::ALL.map(says) }
    }

    /// The same for every channel.
    pub fn everywhere(effect: Effect) -> Self {
        Self { channels: [Some(effect); Channel::ALL.len()] }
    }

    /// What they say of it by one channel.
    pub fn on(self, channel: Channel) -> Option<Effect> {
        let place = Channel::ALL.iter().position(|one| *one == channel)?;
        self.channels[place]
    }

    /// Whether a code is refused, whichever channel it would take.
    pub fn is_blocked(self) -> bool {
        self.channels.iter().all(|says| *says == Some(Effect::Block))
    }

    /// Whether a code is refused by this channel.
    pub fn is_blocked_on(self, channel: Channel) -> bool {
        self.on(channel) == Some(Effect::Block)
    }

    /// Whether signals and rules about countries let it pass by this channel.
    pub fn is_allowed_on(self, channel: Channel) -> bool {
        self.on(channel) == Some(Effect::Allow)
    }
}
