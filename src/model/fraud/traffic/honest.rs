//! What honest people are like. It refuses to know who they are.

use super::fading::Mean;

/// What honest people are like: learned of those who verified.
#[derive(Debug, Clone, Default)]
pub struct Honest {
    /// How many other numbers of their block of a hundred, and of a thousand, were asked
    /// for within a day.
    pub crowding: [Mean; 2],
    /// Whether something about them was familiar already.
    pub familiar: Mean,
}
