//! What is sent to one person: messages and calls by one channel after another, how each
//! try went, and what is to be done next.
//!
//! Whoever has something to say keeps the sends and their outbox in a record of its own, so
//! that what is written is what will be done; [`Sending`] is what becomes of them. This
//! module refuses to know what is said, and whether a rule lets it.

mod attempts;
mod outbox;
mod redaction;
pub mod retry;
mod send;
mod send_state;
mod sending;

pub use attempts::{Attempts, Failure, Failures, LastError};
pub use outbox::{Doubt, Effect, OutboxStep};
pub use redaction::REDACT_AFTER;
pub use retry::{Jitter, SEND_RETRY};
pub use send::Send;
pub use send_state::SendState;
pub use sending::{Life, Sending, Sent, is_replaced, look_up_since};
