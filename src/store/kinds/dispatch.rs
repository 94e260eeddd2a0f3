//! The sending of one event to one endpoint, under both.

use super::super::records::Record;
use super::super::{Entry, Index, Kind, Lane};
use super::{Declared, Kept};
use crate::model::dispatch::{self, Dispatch};
use jiff::Timestamp;

pub(super) const DECLARED: Declared = Declared {
    name: "dispatch",
    export_place: 15,
    is_exported: true,
    shows_id: true,
    // One that is still to be sent waits for a machine; one that is over is tidied away.
    lanes: &[Lane::Webhook, Lane::Chore],
    early_lane: Lane::Webhook,
    kept: Kept::UntilDue,
};

impl Record for Dispatch {
    const KIND: Kind = Kind::Dispatch;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        Self::id_of(&self.event, &self.endpoint)
    }

    fn due(&self) -> Option<Timestamp> {
        Some(Self::due(self))
    }

    fn lane(&self) -> Lane {
        if self.state == dispatch::State::Pending { Lane::Webhook } else { Lane::Chore }
    }

    fn entries(&self) -> Vec<Entry> {
        let (at, id) = (self.created_at, Record::id(self));
        vec![Entry { index: Index::Dispatches, scope: self.endpoint.to_string(), at, id }]
    }
}
