//! What a number's first reading found of its plan, kept with the number so that nobody
//! reads it twice. It refuses to know what is made of it.

use super::kind::{Line, line_of};
use rlibphonenumber::PhoneNumber as Parsed;
use rlibphonenumber::enums::Region;
use std::sync::OnceLock;

/// What the library finds in a number, each thing once.
pub struct Plan {
    /// The library's view of it.
    pub parsed: Parsed,
    /// What is found when it is first asked for.
    line: OnceLock<Line>,
    region: OnceLock<Option<Region>>,
}

impl Plan {
    /// That of a number of the library's.
    pub fn of(parsed: Parsed) -> Self {
        Self { parsed, line: OnceLock::new(), region: OnceLock::new() }
    }

    /// What sort of telephone it leads to.
    pub fn line(&self) -> Line {
        *self.line.get_or_init(|| line_of(&self.parsed))
    }

    /// Whose plan it is of; `001` for a global service.
    pub fn region(&self) -> Option<Region> {
        *self.region.get_or_init(|| self.parsed.get_region_code())
    }

    /// The country, as an ISO 3166 code; none for a global service.
    pub fn country(&self) -> Option<String> {
        // 001 is the library's name for what belongs to no country.
        Some(self.region()?.to_string()).filter(|id| id.len() == 2)
    }

    /// Whether its plan has such a number. That is so where the plan tells of what sort it
    /// is, so nobody asks twice, but for those whose sort the calling code alone tells.
    pub fn is_valid(&self) -> bool {
        match self.line() {
            Line::Unknown => false,
            Line::Special(_) => self.parsed.is_valid(),
            Line::Mobile | Line::Landline | Line::Either => true,
        }
    }
}
