//! Which type a kind's records have, and what the kind is called outside the
//! store: in one table, a line for each.
//!
//! For those who go through a store without knowing what they will meet: the
//! export, the import, the check. It refuses to know what records mean.

mod active_verification;
mod api_key;
mod audit;
mod compat;
mod counter;
mod delivery;
mod dispatch;
mod endpoint;
mod erasure;
mod event;
mod idempotency;
mod lease;
mod opt_out;
mod safe_number;
mod service;
mod session;
mod session_window;
mod verification;

use super::records::{self, Facts};
use super::{Key, Kind, StoreError};
use crate::model::active_verification::ActiveVerification;
use crate::model::audit::AuditEntry;
use crate::model::compat::Compat;
use crate::model::counter::Counter;
use crate::model::delivery::Delivery;
use crate::model::dispatch::Dispatch;
use crate::model::endpoint::Endpoint;
use crate::model::erasure::Erasure;
use crate::model::event::Event;
use crate::model::idempotency::IdempotencyRecord;
use crate::model::key::ApiKey;
use crate::model::lease::Lease;
use crate::model::opt_out::OptOut;
use crate::model::safe_number::SafeNumber;
use crate::model::service::Service;
use crate::model::session::Session;
use crate::model::session_window::SessionWindow;
use crate::model::verification::Verification;
use jiff::SignedDuration;

/// How long what has ended is kept before it is deleted. The next record of the
/// same id begins at version 1 again, and whoever read the old one must not
/// write over it: no request lasts as long as this.
const REST: SignedDuration = SignedDuration::from_mins(5);

macro_rules! kinds {
    ($($kind:ident $name:literal = $record:ty;)*) => {
        /// The kinds whose records can be read, in the order of an export.
        pub const ALL: &[Kind] = &[$(Kind::$kind),*];

        /// What a kind is called in an export; it never changes.
        pub fn name(kind: Kind) -> &'static str {
            match kind {
                $(Kind::$kind => $name,)*
            }
        }

        /// The facts of a stored record of whatever kind.
        ///
        /// # Errors
        /// [`StoreError::Damaged`] when the bytes are not a record of that kind,
        /// in a format that is known.
        pub fn facts(key: &Key, body: &[u8]) -> Result<Facts, StoreError> {
            match key.kind {
                $(Kind::$kind => records::facts::<$record>(key, body),)*
            }
        }
    };
}

kinds! {
    Service "service" = Service;
    Compat "service_compat" = Compat;
    ApiKey "api_key" = ApiKey;
    SafeNumber "safe_number" = SafeNumber;
    OptOut "opt_out" = OptOut;
    Endpoint "endpoint" = Endpoint;
    Verification "verification" = Verification;
    ActiveVerification "pending" = ActiveVerification;
    Delivery "delivery" = Delivery;
    IdempotencyRecord "answer" = IdempotencyRecord;
    Counter "tally" = Counter;
    Session "session" = Session;
    SessionWindow "contact" = SessionWindow;
    Event "event" = Event;
    Dispatch "dispatch" = Dispatch;
    Audit "audit" = AuditEntry;
    Erasure "erasure" = Erasure;
    Lease "lease" = Lease;
}

/// The kind of that name.
pub fn named(name: &str) -> Option<Kind> {
    ALL.iter().copied().find(|kind| self::name(*kind) == name)
}

/// Whether records of a kind belong to the data. A lease belongs to a process:
/// taken along, it would keep work from being done where it is taken.
pub fn is_exported(kind: Kind) -> bool {
    kind != Kind::Lease
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_line_and_its_name() {
        for (at, kind) in ALL.iter().enumerate() {
            assert_eq!(named(name(*kind)), Some(*kind));
            assert!(!ALL[..at].contains(kind), "{kind:?} twice");
        }
        let missing: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| !ALL.contains(kind)).collect();
        assert_eq!(missing, []);
    }
}
