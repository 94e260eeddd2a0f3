//! What a verification and a delivery are: pure values and pure decisions.
//!
//! This folder refuses to know the time (it is told), randomness (it is
//! given), waiting, logging, Twilio's words and bytes at rest.

pub mod account;
pub mod active_verification;
pub mod address;
pub mod audit;
pub mod captcha;
pub mod channel;
pub mod code;
pub mod compat;
pub mod counter;
pub mod delivery;
pub mod dispatch;
pub mod endpoint;
pub mod erasure;
pub mod event;
pub mod fraud;
pub mod id;
pub mod idempotency;
pub mod key;
pub mod lease;
pub mod limits;
pub mod lists;
pub mod lookup;
pub mod message;
pub mod opt_out;
pub mod owner;
pub mod pacing;
pub mod phone;
mod plain;
pub mod policy;
pub mod price;
pub mod pseudonym;
pub mod region;
pub mod remedy;
pub mod return_url;
pub mod safe_number;
pub mod sender;
pub mod senders;
pub mod service;
pub mod session;
pub mod session_window;
pub mod status;
pub mod test_number;
pub mod typed;
pub mod verification;
pub mod webhook_retry;
pub mod wording;
