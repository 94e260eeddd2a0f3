//! When a number last wrote to a sender on WhatsApp, under both.

use super::super::records::Record;
use super::super::{Kind, Lane};
use super::{Declared, Kept};
use crate::model::session_window::SessionWindow;
use jiff::Timestamp;

pub(super) const DECLARED: Declared = Declared {
    name: "contact",
    export_place: 13,
    is_exported: true,
    shows_id: false,
    lanes: &[Lane::Chore],
    early_lane: Lane::Person,
    kept: Kept::UntilDue,
};

impl Record for SessionWindow {
    const KIND: Kind = Kind::SessionWindow;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        SessionWindow::key(&self.number, &self.sender)
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.closes_at())
    }
}
