//! The integration tests: one binary, a file per theme.

mod fixtures;
mod server_limits;
mod store_contract;
mod store_crash;
mod store_model;
mod support;
mod telephones;
mod verifications;
mod world;
