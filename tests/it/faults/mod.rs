//! What goes wrong in the world, done on purpose to the real binary: processes
//! that die, connections that break, clocks that jump. Whatever was
//! acknowledged is there afterwards, whatever was promised was done or says why
//! not, and nothing was done twice without cause.
//!
//! All of it is seeded, bounded and ends by itself. `DIALBACK_TEST_KILLS` says
//! how many kills a run has, `DIALBACK_TEST_CRASHES` how often the database
//! crashes; each run prints one line with its counts.

mod clients;
mod clock;
mod cluster;
mod database;
mod front;
mod kills;
mod ledger;
mod proxy;
mod races;
mod verdict;

use std::io::Write;

/// How many kills a run has.
fn kills() -> u64 {
    count("DIALBACK_TEST_KILLS", 25)
}

/// How often the database crashes.
fn crashes() -> u64 {
    count("DIALBACK_TEST_CRASHES", 5)
}

fn count(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Says what a run did, past the harness, which keeps what passing tests print
/// to itself.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
