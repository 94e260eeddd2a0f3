//! Who is allowed or blocked, under a keyed name of whom and how.

use super::super::records::Record;
use super::super::{Entry, Index, Kind};
use super::KEPT_AFTER_END;
use crate::model::lists::ListEntry;
use jiff::Timestamp;

impl Record for ListEntry {
    const KIND: Kind = Kind::ListEntry;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.key.clone()
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.ends_at?.checked_add(KEPT_AFTER_END).unwrap_or(Timestamp::MAX))
    }

    fn entries(&self) -> Vec<Entry> {
        let (at, id) = (self.created_at, self.key.clone());
        vec![Entry { index: Index::ListEntries, scope: String::new(), at, id }]
    }
}
