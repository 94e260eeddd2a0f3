//! How long the long tests are. Each is short unless a variable says otherwise:
//! what a search finds by chance, it finds in many short runs as well.
//! `.ci/run` sets longer ones.
//!
//! - `DIALBACK_TEST_KILLS`: how often a server or an engine is killed in each
//!   test that kills
//! - `DIALBACK_TEST_CRASHES`: how often the database crashes
//! - `DIALBACK_TEST_TURNS`: how often each way to break a connection is met
//! - `DIALBACK_TEST_CUTS`: how many cuts of the power there are
//! - `DIALBACK_TEST_ORDERS`: every how many-th set of moves is made at once in
//!   files and in databases; 1 is all of them
//! - `DIALBACK_TEST_SEARCH`: for how many seconds schemathesis searches

/// What a variable says, or how long it is otherwise.
///
/// # Panics
///
/// When it says something that is no number from 1 on: a run that was meant to be
/// long must not be short in silence.
pub fn length(name: &str, otherwise: u64) -> u64 {
    let Ok(text) = std::env::var(name) else { return otherwise };
    let length = text.parse().ok().filter(|length| *length > 0);
    length.unwrap_or_else(|| panic!("{name} is {text:?} and no number from 1 on"))
}

/// How often it is killed.
pub fn kills(otherwise: u64) -> u64 {
    length("DIALBACK_TEST_KILLS", otherwise)
}
