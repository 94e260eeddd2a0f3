//! Data on its way from one store to another: a file of lines, each JSON.
//!
//! ```text
//! {"dialback_export":1,"at":"2026-11-21T12:00:00Z","version":"0.1.0"}
//! {"kind":"verification","id":"VE…","body":{"format":1,"record":{…}}}
//! …
//! {"records":{"verification":1},"sha256":"…"}
//! ```
//!
//! Records come kind by kind in the order of
//! [`Kind::IN_EXPORT_ORDER`](super::Kind::IN_EXPORT_ORDER), and in each kind in
//! the order of their ids, so a file that was cut off can be gone on with. The
//! last line has the number of records of each kind, and the SHA-256 of all
//! bytes before it: a file that lost its end or was altered is noticed.
//!
//! *What an export of a running store is.* Each record is whole. Whatever was
//! written before it began is in it; a record that is changed while it runs is
//! there as it was before or as it was after, and two records that were changed
//! by one commit may be there on either side of it. What is taken in again is
//! derived anew: entries and due dates are not in the file.
//!
//! Leases are left out (see [`Kind::is_exported`](super::Kind::is_exported)). Answers kept
//! for an `Idempotency-Key` are in it: without them a request that is repeated after a
//! restore would be done twice.
//!
//! It refuses to know files, sockets and who asks.

mod export;
mod import;
mod ledger;

pub use export::{Export, Page, Place};
pub use import::{ImportError, Imported, Rules, facts, import};
pub use ledger::{BadFile, Ledger, Line, header, lines, record};

/// The number of the file's format.
pub const FORMAT: u32 = 1;

/// The longest line, in bytes: the largest record with room for its key, and for
/// the blanks that an engine may put between its parts.
pub const MAX_LINE: usize = 256 * 1024;
