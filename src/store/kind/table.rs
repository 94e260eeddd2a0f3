//! The table of all kinds of records and of their listings, which makes [`Kind`] and
//! [`Index`]. To add a kind, add a part to its end, with letters that are free.

use super::super::lane::Lane;
use super::declared::{Declared, Kept, NEVER_DUE};

/// What holds of most kinds: what differs stands with the kind.
const USUAL: Declared = Declared {
    name: "",
    export_place: 0,
    is_exported: true,
    shows_id: false,
    lanes: NEVER_DUE,
    early_lane: Lane::Person,
    kept: Kept::UntilDeleted,
};

macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $kind:ident = $letter:literal, $declared:expr, listed in {
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

            /// What is said of it here.
            pub const fn declared(self) -> &'static Declared {
                match self {
                    $(Self::$kind => const { &$declared },)*
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
    };
}

kinds! {
    /// `v`: a verification, under its id.
    Verification = b'v', Declared {
        name: "verification",
        export_place: 7,
        shows_id: true,
        // One that only has to end waits for nobody; what it said is taken away one by one.
        lanes: &[Lane::Person, Lane::Chore, Lane::Long],
        kept: Kept::AsSet("retention.verifications_days"),
        ..USUAL
    }, listed in {
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
    Delivery = b'd', Declared {
        name: "delivery",
        export_place: 9,
        shows_id: true,
        // One of ours that is silent is asked for; nobody waits for that.
        lanes: &[Lane::Chore],
        early_lane: Lane::Chore,
        kept: Kept::AsSet("retention.deliveries_days"),
        ..USUAL
    }, listed in {
        /// `t`: all deliveries by the time first seen; the scope is empty.
        Deliveries = b't',
        /// `n`: deliveries of one number by time; the scope is the address, or, of
        /// what is left of an erased one, the erasure that still has to do with it.
        DeliveriesTo = b'n',
    }
    /// `k`: an API key, under its id.
    ApiKey = b'k', Declared {
        name: "api_key",
        export_place: 3,
        shows_id: true,
        ..USUAL
    }, listed in {
        /// `k`: API keys by the time they were made; the scope is empty.
        ApiKeys = b'k',
    }
    /// `a`: an answer kept for an `Idempotency-Key`.
    IdempotencyRecord = b'a', Declared {
        name: "answer",
        export_place: 10,
        lanes: &[Lane::Chore],
        kept: Kept::UntilDue,
        ..USUAL
    }, listed in {}
    /// `o`: who opted out of which sender.
    OptOut = b'o', Declared {
        name: "opt_out",
        export_place: 5,
        ..USUAL
    }, listed in {
        /// `o`: opt-outs by the time of the wish; the scope is empty, or the number.
        OptOuts = b'o',
    }
    /// `s`: a service that was made through the API, under its id.
    Service = b's', Declared {
        name: "service",
        export_place: 1,
        shows_id: true,
        ..USUAL
    }, listed in {
        /// `s`: services by the time they were made; the scope is empty.
        Services = b's',
    }
    /// `p`: which verification is pending for a service and a number.
    ActiveVerification = b'p', Declared {
        name: "pending",
        export_place: 8,
        lanes: &[Lane::Chore],
        kept: Kept::UntilDue,
        ..USUAL
    }, listed in {}
    /// `l`: how often something was done within a window of time.
    Counter = b'l', Declared {
        name: "tally",
        export_place: 11,
        lanes: &[Lane::Chore],
        kept: Kept::UntilDue,
        ..USUAL
    }, listed in {}
    /// `f`: a number that fraud rules let pass.
    SafeNumber = b'f', Declared {
        name: "safe_number",
        export_place: 4,
        ..USUAL
    }, listed in {}
    /// `c`: what Twilio Verify keeps with a service, under the service's id.
    Compat = b'c', Declared {
        name: "service_compat",
        export_place: 2,
        shows_id: true,
        // It goes with its service.
        ..USUAL
    }, listed in {}
    /// `h`: somebody's way through the hosted pages.
    Session = b'h', Declared {
        name: "session",
        export_place: 12,
        lanes: &[Lane::Chore],
        kept: Kept::UntilDue,
        ..USUAL
    }, listed in {}
    /// `n`: where events are sent to.
    Endpoint = b'n', Declared {
        name: "endpoint",
        export_place: 6,
        shows_id: true,
        ..USUAL
    }, listed in {
        /// `p`: endpoints by the time they were made; the scope is empty.
        Endpoints = b'p',
    }
    /// `e`: an event that applications hear of.
    Event = b'e', Declared {
        name: "event",
        export_place: 14,
        shows_id: true,
        lanes: &[Lane::Chore],
        early_lane: Lane::Webhook,
        kept: Kept::UntilDue,
        ..USUAL
    }, listed in {
        /// `e`: events by the time they happened; the scope is empty.
        Events = b'e',
    }
    /// `w`: the sending of one event to one endpoint.
    Dispatch = b'w', Declared {
        name: "dispatch",
        export_place: 15,
        shows_id: true,
        // One that is still to be sent waits for a machine; one that is over expires.
        lanes: &[Lane::Webhook, Lane::Chore],
        early_lane: Lane::Webhook,
        kept: Kept::UntilDue,
        ..USUAL
    }, listed in {
        /// `w`: sendings to one endpoint; the scope is the endpoint's id.
        Dispatches = b'w',
    }
    /// `i`: when a number last wrote to a sender on WhatsApp.
    SessionWindow = b'i', Declared {
        name: "contact",
        export_place: 13,
        lanes: &[Lane::Chore],
        kept: Kept::UntilDue,
        ..USUAL
    }, listed in {}
    /// `j`: who does a job that one process does for all, and until when.
    Lease = b'j', Declared {
        name: "lease",
        export_place: 18,
        // It belongs to a process: taken along, it would keep work from being done where it
        // is taken.
        is_exported: false,
        shows_id: true,
        ..USUAL
    }, listed in {}
    /// `u`: what somebody did to keys, settings or a person's data.
    Audit = b'u', Declared {
        name: "audit",
        export_place: 16,
        shows_id: true,
        kept: Kept::AsSet("retention.audit_days"),
        ..USUAL
    }, listed in {
        /// `a`: the audit log by time; the scope is empty, or what stands before
        /// the dot of an action.
        Audit = b'a',
    }
    /// `x`: the erasing of a person's data, and its receipt.
    Erasure = b'x', Declared {
        name: "erasure",
        export_place: 17,
        shows_id: true,
        lanes: &[Lane::Long],
        early_lane: Lane::Webhook,
        kept: Kept::AsSet("retention.audit_days"),
        ..USUAL
    }, listed in {}
    /// `g`: a page of the log of what was decided about requests for codes.
    Traffic = b'g', Declared {
        name: "traffic",
        export_place: 20,
        shows_id: true,
        kept: Kept::AsSet("retention.decisions_days"),
        ..USUAL
    }, listed in {
        /// `g`: pages by the time they were written; the scope is empty.
        Traffic = b'g',
        /// `h`: pages with a line about a number; the scope is the number's pseudonym.
        TrafficOf = b'h',
    }
    /// `b`: who is allowed or blocked, under a keyed name of whom and how.
    ListEntry = b'b', Declared {
        name: "list_entry",
        export_place: 21,
        lanes: &[Lane::Chore],
        kept: Kept::UntilDue,
        ..USUAL
    }, listed in {
        /// `b`: entries by the time they were made; the scope is empty.
        ListEntries = b'b',
    }
    /// `m`: a message of its own, under its id.
    Message = b'm', Declared {
        name: "message",
        export_place: 22,
        shows_id: true,
        // One of high priority is waited for as a code is; one that is over expires.
        lanes: &[Lane::Bulk, Lane::Person, Lane::Chore],
        early_lane: Lane::Bulk,
        kept: Kept::UntilDue,
        ..USUAL
    }, listed in {
        /// `m`: messages by the time they were taken; the scope is empty.
        Messages = b'm',
        /// `c`: messages to one number; the scope is the number.
        MessagesTo = b'c',
    }
}
