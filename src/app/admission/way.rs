//! One way to a number, with all that its rules look at.

use crate::model::channel::Channel;
use crate::model::phone::{Line, PhoneNumber};
use crate::model::senders::Senders;
use crate::model::service::Service;
use jiff::Timestamp;

/// One way to a number.
#[derive(Debug, Clone, Copy)]
pub(in crate::app) struct Way<'w> {
    /// The service, as it sends to the number.
    pub(in crate::app) service: &'w Service,
    /// The number that it leads to.
    pub(in crate::app) to: &'w PhoneNumber,
    /// The channel that it takes.
    pub(in crate::app) channel: Channel,
    /// Which countries it reaches this time.
    pub(in crate::app) countries: Countries,
    /// Whether the lists block it by this channel, and when that ends where it does.
    pub(in crate::app) block: Option<Option<Timestamp>>,
    /// Whether the person has told the sender to stop.
    pub(in crate::app) is_unwanted: bool,
    /// What sort of telephone the number leads to by a look-up.
    pub(in crate::app) line: Line,
    /// Who it may come from.
    pub(in crate::app) senders: &'w Senders,
}

/// Which countries a channel reaches this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Countries {
    /// Those of the service's settings.
    AsSet,
    /// All: the number is on the safe list, or the application says so.
    All,
}

/// A number's country, ISO 3166, or `??` where none is known.
pub(in crate::app) fn region_of(to: &PhoneNumber) -> String {
    to.region().unwrap_or_else(|| "??".to_owned())
}
