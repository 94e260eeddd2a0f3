//! What Twilio Verify has and nothing here goes by: settings of factors and webhooks
//! for their events, which are kept with a service and told back.
//!
//! They stand in the model's record as fields that only this folder reads; the names
//! of the fields are theirs at rest. It refuses to know how they are asked for and
//! shown.

mod features;
mod webhook;

pub use features::{Features, fill};
pub use webhook::Webhook;
