//! The erasing of a person's data, and its receipt, under its id.

use super::super::Kind;
use super::super::records::Record;
use crate::model::erasure::{self, Erasure};
use jiff::Timestamp;

impl Record for Erasure {
    const KIND: Kind = Kind::Erasure;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn due(&self) -> Option<Timestamp> {
        self.next_at.filter(|_| self.state == erasure::State::Running)
    }
}
