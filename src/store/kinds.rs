//! What the records of each kind say of themselves, a file for each kind; and for those
//! who go through a store without knowing what they will meet (the export, the import,
//! the check) the [`facts`] of any.
//!
//! To add a kind: declare it in the table (`kind/table.rs`), write its file with what its
//! records say ([`Record`]), and name both here. It refuses to know what records mean.

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
mod list_entry;
mod message;
mod opt_out;
mod safe_number;
mod service;
mod session;
mod session_window;
mod traffic;
mod verification;

use super::records::{self, Facts, Record};
use super::{Key, Kind, StoreError};
use jiff::SignedDuration;

/// How long what has ended is kept before it is deleted. The next record of the
/// same id begins at version 1 again, and whoever read the old one must not
/// write over it: no request lasts as long as this.
const KEPT_AFTER_END: SignedDuration = SignedDuration::from_mins(5);

macro_rules! records {
    ($($kind:ident => $record:ty,)*) => {
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

        // Each record is of the kind that it stands for here.
        const _: () = {
            $(assert!(<$record as Record>::KIND as u8 == Kind::$kind as u8);)*
        };
    };
}

records! {
    Verification => crate::model::verification::Verification,
    Delivery => crate::model::delivery::Delivery,
    ApiKey => crate::model::key::ApiKey,
    IdempotencyRecord => crate::model::idempotency::IdempotencyRecord,
    OptOut => crate::model::opt_out::OptOut,
    Service => crate::model::service::Service,
    ActiveVerification => crate::model::active_verification::ActiveVerification,
    Counter => crate::model::counter::Counter,
    SafeNumber => crate::model::safe_number::SafeNumber,
    Compat => crate::model::compat::Compat,
    Session => crate::model::session::Session,
    Endpoint => crate::model::endpoint::Endpoint,
    Event => crate::model::event::Event,
    Dispatch => crate::model::dispatch::Dispatch,
    SessionWindow => crate::model::session_window::SessionWindow,
    Lease => crate::model::lease::Lease,
    Audit => crate::model::audit::AuditEntry,
    Erasure => crate::model::erasure::Erasure,
    Traffic => crate::model::fraud::Page,
    ListEntry => crate::model::lists::ListEntry,
    Message => crate::model::message::Message,
}
