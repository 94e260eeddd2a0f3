//! An answer kept for an `Idempotency-Key`, under what was made of that.

use super::super::Kind;
use super::super::records::Record;
use crate::model::idempotency::IdempotencyRecord;
use jiff::Timestamp;

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
