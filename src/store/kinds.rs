//! The kinds of records. Each is declared in one place: a file of its own in `kinds/`, and
//! its part of the table below, which makes [`Kind`] and [`Index`].
//!
//! To add a kind: write its file, with what it is ([`Declared`]) and what its records
//! say of themselves ([`Record`]), name the file here, and add a part to the end of the
//! table, with letters that are free. For those who go through a store without knowing
//! what they will meet (the export, the import, the check) there are [`facts`]. It refuses
//! to know what records mean.

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

use super::records::{self, Facts, Record};
use super::{Key, Lane, StoreError};
use jiff::SignedDuration;

/// What a kind is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// What it is called in exports and towards the operator; it never changes.
    pub name: &'static str,
    /// Its place in an export, behind the kinds of lower numbers; it never changes, for
    /// an export may be gone on with later.
    pub export_place: u8,
    /// Whether its records belong to the data, and so into an export.
    pub is_exported: bool,
    /// Whether its ids may be shown, in errors and logs and to the operator: no person's
    /// number is ever part of one.
    pub shows_id: bool,
    /// The lanes in which its records may be due, the usual one first.
    pub lanes: &'static [Lane],
    /// Where they were due when there were two lanes; of a newer kind its usual lane.
    pub early_lane: Lane,
    /// How long its records are kept.
    pub kept: Kept,
}

/// How long records are kept, if no person they are about is forgotten before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Until somebody deletes them.
    UntilDeleted,
    /// Until a time of their own, at which they are due as chores.
    UntilDue,
    /// For so long as the configuration says under this key.
    AsSet(&'static str),
}

/// The lanes of a kind that is never due. What is not due is in no lane, but the database
/// wants one of each record.
pub const NEVER_DUE: &[Lane] = &[Lane::Person];

/// How long what has ended is kept before it is deleted. The next record of the
/// same id begins at version 1 again, and whoever read the old one must not
/// write over it: no request lasts as long as this.
const REST: SignedDuration = SignedDuration::from_mins(5);

macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $kind:ident = $letter:literal, in $file:ident, of $record:ty {
            $($(#[$line_doc:meta])* $index:ident = $line_letter:literal,)*
        }
    )*) => {
        /// What kinds of records there are. The letter is the key's prefix at rest and
        /// never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$doc])* $kind = $letter,)*
        }

        /// The listings. The letter is the prefix at rest.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Index {
            $($($(#[$line_doc])* $index = $line_letter,)*)*
        }

        impl Kind {
            /// Every kind there is, in an order that never changes: an erasure that is
            /// under way goes on where it was.
            pub const ALL: [Self; [$(Self::$kind),*].len()] = [$(Self::$kind),*];

            /// What it is.
            pub const fn declared(self) -> &'static Declared {
                match self {
                    $(Self::$kind => &$file::DECLARED,)*
                }
            }
        }

        impl Index {
            /// Every listing there is.
            pub const ALL: [Self; [$($(Self::$index,)*)*].len()] = [$($(Self::$index,)*)*];

            /// What kind of records it lists.
            pub fn kind(self) -> Kind {
                match self {
                    $($(Self::$index => Kind::$kind,)*)*
                }
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

        // Each record is of the kind that it stands for here.
        const _: () = {
            $(assert!(<$record as Record>::KIND as u8 == $letter);)*
        };
    };
}

kinds! {
    /// `v`: a verification, under its id.
    Verification = b'v', in verification, of crate::model::verification::Verification {
        /// `v`: all verifications by the time they began; the scope is empty.
        Verifications = b'v',
        /// `u`: verifications of one number; the scope is the number.
        VerificationsTo = b'u',
        /// `q`: sends that have no name of Twilio's, by the time they were asked for,
        /// as the verifications that they belong to; the scope is empty.
        Sends = b'q',
        /// `r`: the same of one number; the scope is the number.
        SendsTo = b'r',
    }
    /// `d`: a delivery, under Twilio's SID.
    Delivery = b'd', in delivery, of crate::model::delivery::Delivery {
        /// `t`: all deliveries by the time first seen; the scope is empty.
        Deliveries = b't',
        /// `n`: deliveries of one number by time; the scope is the address, or, of
        /// what is left of an erased one, the erasure that still has to do with it.
        DeliveriesTo = b'n',
    }
    /// `k`: an API key, under its id.
    ApiKey = b'k', in api_key, of crate::model::key::ApiKey {
        /// `k`: API keys by the time they were made; the scope is empty.
        ApiKeys = b'k',
    }
    /// `a`: an answer kept for an `Idempotency-Key`.
    IdempotencyRecord = b'a', in idempotency, of crate::model::idempotency::IdempotencyRecord {}
    /// `o`: who opted out of which sender.
    OptOut = b'o', in opt_out, of crate::model::opt_out::OptOut {
        /// `o`: opt-outs by the time of the wish; the scope is empty, or the number.
        OptOuts = b'o',
    }
    /// `s`: a service that was made through the API, under its id.
    Service = b's', in service, of crate::model::service::Service {
        /// `s`: services by the time they were made; the scope is empty.
        Services = b's',
    }
    /// `p`: which verification is pending for a service and a number.
    ActiveVerification = b'p', in active_verification, of crate::model::active_verification::ActiveVerification {}
    /// `l`: how often something was done within a window of time.
    Counter = b'l', in counter, of crate::model::counter::Counter {}
    /// `f`: a number that fraud rules let pass.
    SafeNumber = b'f', in safe_number, of crate::model::safe_number::SafeNumber {}
    /// `c`: what Twilio Verify keeps with a service, under the service's id.
    Compat = b'c', in compat, of crate::model::compat::Compat {}
    /// `h`: somebody's way through the hosted pages.
    Session = b'h', in session, of crate::model::session::Session {}
    /// `n`: where events are sent to.
    Endpoint = b'n', in endpoint, of crate::model::endpoint::Endpoint {
        /// `p`: endpoints by the time they were made; the scope is empty.
        Endpoints = b'p',
    }
    /// `e`: an event that applications hear of.
    Event = b'e', in event, of crate::model::event::Event {
        /// `e`: events by the time they happened; the scope is empty.
        Events = b'e',
    }
    /// `w`: the sending of one event to one endpoint.
    Dispatch = b'w', in dispatch, of crate::model::dispatch::Dispatch {
        /// `w`: sendings to one endpoint; the scope is the endpoint's id.
        Dispatches = b'w',
    }
    /// `i`: when a number last wrote to a sender on WhatsApp.
    SessionWindow = b'i', in session_window, of crate::model::session_window::SessionWindow {}
    /// `j`: who does a job that one process does for all, and until when.
    Lease = b'j', in lease, of crate::model::lease::Lease {}
    /// `u`: what somebody did to keys, settings or a person's data.
    Audit = b'u', in audit, of crate::model::audit::AuditEntry {
        /// `a`: the audit log by time; the scope is empty, or what stands before
        /// the dot of an action.
        Audit = b'a',
    }
    /// `x`: the erasing of a person's data, and its receipt.
    Erasure = b'x', in erasure, of crate::model::erasure::Erasure {}
}

impl Kind {
    /// The prefix at rest.
    pub fn letter(self) -> u8 {
        self as u8
    }

    /// The kind with that prefix.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }

    /// Whether an id of this kind may be shown.
    pub fn shows_id(self) -> bool {
        self.declared().shows_id
    }

    /// The lanes in which records of this kind may be due, the usual one first.
    pub fn lanes(self) -> &'static [Lane] {
        self.declared().lanes
    }

    /// Where records of this kind were due when there were two lanes.
    pub fn early_lane(self) -> Lane {
        self.declared().early_lane
    }
}

impl Index {
    /// The prefix at rest.
    pub fn letter(self) -> u8 {
        self as u8
    }

    /// The listing with that prefix.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|index| index.letter() == letter)
    }
}

/// Every kind, in the order of an export.
pub const ALL: &[Kind] = &in_export_order();

const fn in_export_order() -> [Kind; Kind::ALL.len()] {
    let mut kinds = Kind::ALL;
    let mut sorted = 0;
    while sorted < kinds.len() {
        let mut at = sorted;
        while at > 0 && kinds[at].declared().export_place < kinds[at - 1].declared().export_place {
            kinds.swap(at, at - 1);
            at -= 1;
        }
        sorted += 1;
    }
    kinds
}

/// What a kind is called in an export; it never changes.
pub fn name(kind: Kind) -> &'static str {
    kind.declared().name
}

/// The kind of that name.
pub fn named(name: &str) -> Option<Kind> {
    ALL.iter().copied().find(|kind| self::name(*kind) == name)
}

/// Whether records of a kind belong to the data.
pub fn is_exported(kind: Kind) -> bool {
    kind.declared().is_exported
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// What stands at rest, in stores and exports out there, cannot be said otherwise.
    #[test]
    fn letters_names_and_places_are_those_of_what_is_stored() {
        let letters = |letters: &[u8]| String::from_utf8(letters.to_vec()).unwrap();
        assert!(letters(&Kind::ALL.map(Kind::letter)).starts_with("vdkaosplfchnewijux"));
        let mut of_listings = Index::ALL.map(Index::letter);
        of_listings.sort_unstable();
        assert_eq!(letters(&of_listings), "aeknopqrstuvw");
        let names: Vec<&str> = ALL.iter().map(|kind| name(*kind)).collect();
        let stored = "service service_compat api_key safe_number opt_out endpoint verification pending delivery \
            answer tally session contact event dispatch audit erasure lease";
        assert_eq!(names.join(" "), stored);
        assert!(ALL.iter().all(|kind| named(name(*kind)) == Some(*kind)));
    }

    #[test]
    fn no_two_kinds_have_a_letter_a_name_or_a_place_in_common() {
        let declared = Kind::ALL.map(Kind::declared);
        let letters: BTreeSet<u8> = Kind::ALL.map(Kind::letter).into();
        let names: BTreeSet<&str> = declared.iter().map(|declared| declared.name).collect();
        let places: BTreeSet<u8> = declared.iter().map(|declared| declared.export_place).collect();
        let listings: BTreeSet<u8> = Index::ALL.map(Index::letter).into();
        assert_eq!([letters.len(), names.len(), places.len()], [Kind::ALL.len(); 3]);
        assert_eq!(listings.len(), Index::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| Kind::from_letter(kind.letter()) == Some(*kind)));
        assert!(Index::ALL.iter().all(|index| Index::from_letter(index.letter()) == Some(*index)));
    }

    #[test]
    fn what_is_kept_until_it_is_due_is_tidied_away_and_nothing_else_is_never_due() {
        for kind in Kind::ALL {
            let Declared { lanes, kept, .. } = kind.declared();
            if *kept == Kept::UntilDue {
                assert!(lanes.contains(&Lane::Chore), "{kind:?} is kept until it is due, and no chore");
            }
            assert!(!lanes.is_empty() && !lanes.contains(&Lane::Aside), "{kind:?}");
        }
    }
}
