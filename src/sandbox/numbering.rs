//! What the numbering plan says of numbers: whether one is valid and how it is
//! written, as Lookups tells it; and numbers that could be somebody's, made up for
//! those who look for one to own.
//!
//! It refuses to know who owns a number, and what is told of it beyond the plan.

#[cfg_attr(not(test), expect(dead_code, reason = "those who look for a number to own will"))]
pub(super) mod available;
pub(super) mod lookup;
#[cfg_attr(not(test), expect(dead_code, reason = "those who look for a number to own will"))]
pub(super) mod pattern;
