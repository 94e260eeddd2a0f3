//! How often something was done within a window of time, under what is counted.

use super::super::records::Record;
use super::super::{Kind, Lane};
use super::{Declared, Kept, REST};
use crate::model::counter::Counter;
use jiff::Timestamp;

pub(super) const DECLARED: Declared = Declared {
    name: "tally",
    export_place: 11,
    is_exported: true,
    shows_id: false,
    lanes: &[Lane::Chore],
    early_lane: Lane::Person,
    kept: Kept::UntilDue,
};

impl Record for Counter {
    const KIND: Kind = Kind::Counter;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.ends_at.checked_add(REST).unwrap_or(Timestamp::MAX))
    }
}
