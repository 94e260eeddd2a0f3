//! When a number last wrote to a sender on WhatsApp, under both.

use super::super::Kind;
use super::super::records::Record;
use crate::model::session_window::SessionWindow;
use jiff::Timestamp;

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
