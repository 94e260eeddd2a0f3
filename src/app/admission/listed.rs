//! What the lists of this installation say of a request: that it passes, that it is
//! blocked, or nothing. It refuses to know what stands in them.

use crate::model::channel::Channel;
use crate::model::lists::{self, Said};
use jiff::Timestamp;

/// What the lists say of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::app) enum Listed {
    /// Nothing: the other rules judge it.
    #[default]
    Nothing,
    /// It passes what signals of fraud and the rules of countries say; limits, opt-outs
    /// and payments hold all the same.
    Allowed,
    /// It is blocked.
    Blocked {
        /// When that ends; nothing where somebody has to end it.
        until: Option<Timestamp>,
    },
}

impl Listed {
    /// Whether it passes.
    pub(in crate::app) fn is_allowed(&self) -> bool {
        *self == Self::Allowed
    }

    /// What the lists come to for a request by a channel; without one by the first of the
    /// service's that is not blocked, or, where all are, by the first.
    pub(in crate::app) fn of(listed: &lists::Listed, channel: Option<Channel>, channels: &[Channel]) -> Self {
        let open = channels.iter().find(|channel| listed.block_on(**channel).is_none());
        match channel.or(open.copied()).or(channels.first().copied()) {
            Some(channel) if listed.is_allowed_on(channel) => Self::Allowed,
            Some(channel) => listed.block_on(channel).map_or(Self::Nothing, Self::from),
            None => Self::Nothing,
        }
    }
}

impl From<&Said> for Listed {
    fn from(block: &Said) -> Self {
        Self::Blocked { until: block.until }
    }
}
