//! What a number's first reading found of its plan, kept with the number so that nobody
//! reads it twice. It refuses to know what is made of it.

use super::kind::{Line, line_of};
use rlibphonenumber::PhoneNumber as Parsed;

/// What the library found in a number, and what sort of telephone it leads to.
pub struct Plan {
    /// The library's view of it.
    pub parsed: Parsed,
    /// What sort of telephone it leads to.
    pub line: Line,
}

impl Plan {
    /// That of a number of the library's.
    pub fn of(parsed: Parsed) -> Self {
        Self { line: line_of(&parsed), parsed }
    }
}
