//! An answer kept for an `Idempotency-Key`, under what was made of that.

use super::super::records::Record;
use super::super::{Kind, Lane};
use super::{Declared, Kept};
use crate::model::idempotency::IdempotencyRecord;
use jiff::Timestamp;

pub(super) const DECLARED: Declared = Declared {
    name: "answer",
    export_place: 10,
    is_exported: true,
    shows_id: false,
    lanes: &[Lane::Chore],
    early_lane: Lane::Person,
    kept: Kept::UntilDue,
};

impl Record for IdempotencyRecord {
    const KIND: Kind = Kind::IdempotencyRecord;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
