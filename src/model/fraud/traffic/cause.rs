//! For whose sake a request was kept back, by what its decision says. It refuses to know
//! whom it was about.

use super::history::Event;
use super::kinds::Wide;
use crate::model::fraud::{Action, Reason};

/// For whose sake a request was kept back.
/// The narrowest is named where there are several; a block's says most of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// For that of its service, its sender or its key.
    Way,
    /// For that of its range or its country.
    Place,
    /// For its number's or its client's: that says nothing of others.
    Client,
    /// For its block's: whoever is of the same range may be of the same attack.
    Block,
}

impl Cause {
    /// Nothing where no signal asked for it: that a limit was reached says nothing.
    pub fn of(reasons: &[Reason]) -> Option<Self> {
        let asks = |reason: &&Reason| reason.action.is_some_and(|action| action > Action::Record);
        let mut cause = None;
        for reason in reasons.iter().filter(asks) {
            let (kind, _) = reason.rule.split_once('_').unwrap_or_default();
            cause = cause.max(Some(match kind {
                "service" | "sender" | "key" => Self::Way,
                "range" | "country" => Self::Place,
                "block" => Self::Block,
                _ => Self::Client,
            }));
        }
        cause
    }

    /// Whether it is for the sake of something narrow.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Block | Self::Client)
    }

    /// What it is to something wide.
    pub fn event(self, kind: Wide) -> Option<Event> {
        let is_way = matches!(kind, Wide::Service | Wide::Sender | Wide::Key);
        match self {
            Self::Client => None,
            Self::Block => (!is_way).then_some(Event::Refused),
            Self::Place => (!is_way).then_some(Event::Doubted),
            Self::Way => Some(Event::Doubted),
        }
    }
}
