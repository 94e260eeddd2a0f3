//! Somebody's way through the hosted pages, under its id.

use super::super::Kind;
use super::super::records::Record;
use crate::model::session::Session;
use jiff::Timestamp;

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
