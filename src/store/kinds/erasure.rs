//! The erasing of a person's data, and its receipt, under its id.

use super::super::records::Record;
use super::super::{Kind, Lane};
use super::{Declared, Kept};
use crate::model::erasure::{self, Erasure};
use jiff::Timestamp;

pub(super) const DECLARED: Declared = Declared {
    name: "erasure",
    export_place: 17,
    is_exported: true,
    shows_id: true,
    lanes: &[Lane::Long],
    early_lane: Lane::Webhook,
    kept: Kept::AsSet("retention.audit_days"),
};

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
