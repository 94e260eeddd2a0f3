//! The integration tests: one binary, a file per theme.

mod api;
mod app;
mod calls;
mod crash;
mod drain;
mod fixtures;
mod network;
mod server_limits;
mod store_contract;
mod store_crash;
mod store_model;
mod story;
mod support;
mod telephones;
mod verifications;
mod webhooks;
mod world;
