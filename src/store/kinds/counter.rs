//! How often something was done within a window of time, under what is counted.

use super::super::Kind;
use super::super::records::Record;
use super::KEPT_AFTER_END;
use crate::model::counter::Counter;
use jiff::Timestamp;

impl Record for Counter {
    const KIND: Kind = Kind::Counter;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.ends_at.checked_add(KEPT_AFTER_END).unwrap_or(Timestamp::MAX))
    }
}
