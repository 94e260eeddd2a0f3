//! An event that applications hear of, under its id.

use super::super::records::Record;
use super::super::{Entry, Index, Kind};
use crate::model::event::Event;
use jiff::Timestamp;

impl Record for Event {
    const KIND: Kind = Kind::Event;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }

    fn entries(&self) -> Vec<Entry> {
        // By the id's own time, so that the listing's order is that of the ids.
        let (at, id) = (self.id.at(), self.id.to_string());
        vec![Entry { index: Index::Events, scope: String::new(), at, id }]
    }
}
