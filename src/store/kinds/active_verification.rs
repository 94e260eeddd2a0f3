//! Which verification is pending for a service and a number, and perhaps a caller, under
//! all of them.

use super::super::Kind;
use super::super::records::Record;
use super::KEPT_AFTER_END;
use crate::model::active_verification::ActiveVerification;
use jiff::Timestamp;

impl Record for ActiveVerification {
    const KIND: Kind = Kind::ActiveVerification;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        ActiveVerification::key(&self.service, &self.number, self.caller.as_deref())
    }

    fn due(&self) -> Option<Timestamp> {
        Some(self.expires_at.checked_add(KEPT_AFTER_END).unwrap_or(Timestamp::MAX))
    }
}
