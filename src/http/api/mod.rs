//! The application's API, version 1: JSON in, JSON or a problem document out.
//!
//! Each operation is a value ([`operation::Operation`]) beside its handler. It
//! lets requests in, reads them, and is their documentation.

pub mod audit;
pub mod blocks;
mod body;
pub mod channels;
pub mod checks;
mod content_sids;
pub mod decisions;
pub mod deliveries;
pub mod endpoints;
pub mod erasures;
pub mod events;
pub mod fields;
mod fraud_settings;
pub mod gate;
pub mod keys;
mod limit_settings;
pub mod limits;
mod message_settings;
pub mod messages;
pub mod operation;
pub mod opt_outs;
pub mod paging;
pub mod repeats;
pub mod search;
pub mod services;
pub mod sessions;
mod settings;
pub mod test_numbers;
pub mod verifications;
pub mod views;
mod words;

fn shortened(name: &str) -> String {
    name.chars().take(40).collect()
}
