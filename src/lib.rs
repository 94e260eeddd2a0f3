//! Dialback: phone verification that can be hosted by oneself, for teams on Twilio.
//!
//! The map, in reading order; `ARCHITECTURE.md` has the invariants, and
//! `tests/tidy` checks who may import whom.

// The pure core: what a verification and a delivery are.
pub mod model;
// Twilio's protocol as values: signatures, forms, TwiML, errors.
pub mod twilio;
// What is written to people, in their language.
pub mod texts;
// The ports and what stands behind them.
pub mod gateway;
pub mod store;
// Read, decide, write.
pub mod app;
// What falls due, and who does it.
pub mod jobs;
// The faces.
pub mod http;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod server;
// Putting it together.
pub mod cli;
pub mod config;
// The leaves.
pub mod clock;
pub mod entropy;
pub mod secret;
pub mod telemetry;
pub mod trust;
