//! What goes wrong in the world, done on purpose to the real binary: processes
//! that die, connections that break, clocks that jump. Whatever was
//! acknowledged is there afterwards, whatever was promised was done or says why
//! not, and nothing was done twice without cause.
//!
//! All of it is seeded, bounded and ends by itself. How long the runs are is
//! said in `lengths.rs`; each prints one line with its counts.

mod clients;
mod clock;
mod cluster;
mod database;
mod front;
mod kills;
mod ledger;
mod messages;
mod proxy;
mod races;
mod takeover;
mod verdict;

use crate::lengths::length;
use std::io::Write;

/// How many kills a run has.
fn kills() -> u64 {
    crate::lengths::kills(8)
}

/// How often the database crashes.
fn crashes() -> u64 {
    length("DIALBACK_TEST_CRASHES", 2)
}

/// How often each way to break a connection is met, where it is this often.
fn turns(otherwise: u64) -> u64 {
    length("DIALBACK_TEST_TURNS", otherwise)
}

/// Says what a run did, past the harness, which keeps what passing tests print
/// to itself.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
