//! Who gets codes whatever looks like fraud, and who gets none: numbers, ranges, networks
//! and countries, each with a reason and an end.
//!
//! What somebody put on a list is a [`ListEntry`]. All of them together are a
//! [`Matcher`], which says of a request what the lists say ([`Listed`]). The order in
//! which entries count stands there. It refuses to know stores, faces and rules.

mod bad_target;
mod block;
mod effect;
mod entry;
mod line;
mod listed;
mod matcher;
mod nested;
mod network;
mod place;
mod range;
mod target;

pub use bad_target::BadTarget;
pub use effect::Effect;
pub use entry::ListEntry;
pub use line::ListLine;
pub use listed::{Listed, Said};
pub use matcher::{Asked, Matcher};
pub use network::Network;
pub use range::Range;
pub use target::Target;

#[cfg(test)]
mod tests;
