//! Decisions about requests for codes, read again: a list, one with what became of it, what
//! they come to over a stretch of time, and what another policy would have made of them.
//!
//! It reads the log that [`fraud`](crate::app::fraud) keeps, and refuses to know how one is taken.

mod advice;
mod followed;
mod history;
mod listed;

pub use self::advice::advice;
pub use self::followed::{DecisionQuery, Followed};
pub use self::history::{Stretch, replay, report};
pub use self::listed::{decision, decisions};
