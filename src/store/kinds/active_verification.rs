//! Which verification is pending for a service and a number, under both.

use super::super::records::Record;
use super::super::{Kind, Lane};
use super::{Declared, Kept, REST};
use crate::model::active_verification::ActiveVerification;
use jiff::Timestamp;

pub(super) const DECLARED: Declared = Declared {
    name: "pending",
    export_place: 8,
    is_exported: true,
    shows_id: false,
    lanes: &[Lane::Chore],
    early_lane: Lane::Person,
    kept: Kept::UntilDue,
};

impl Record for ActiveVerification {
    const KIND: Kind = Kind::ActiveVerification;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        ActiveVerification::key(&self.service, &self.number)
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.expires_at.checked_add(REST).unwrap_or(Timestamp::MAX))
    }
}
