//! What the numbering plan says of numbers: whether one is valid and how it is
//! written, as Lookups tells it; and numbers that could be somebody's, made up for
//! those who look for one to own.
//!
//! It refuses to know who owns a number, and what is told of it beyond the plan.

pub(super) mod available;
pub(super) mod lookup;
pub(super) mod pattern;
