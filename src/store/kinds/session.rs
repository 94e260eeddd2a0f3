//! Somebody's way through the hosted pages, under its id.

use super::super::records::Record;
use super::super::{Kind, Lane};
use super::{Declared, Kept};
use crate::model::session::Session;
use jiff::Timestamp;

pub(super) const DECLARED: Declared = Declared {
    name: "session",
    export_place: 12,
    is_exported: true,
    shows_id: false,
    lanes: &[Lane::Chore],
    early_lane: Lane::Person,
    kept: Kept::UntilDue,
};

impl Record for Session {
    const KIND: Kind = Kind::Session;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
