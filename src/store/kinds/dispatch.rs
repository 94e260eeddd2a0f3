//! The sending of one event to one endpoint, under both.

use super::super::records::Record;
use super::super::{Entry, Index, Kind, Lane};
use crate::model::dispatch::{self, Dispatch};
use jiff::Timestamp;

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
