//! The integration tests: one binary, a file per theme.

mod api;
mod app;
mod beside;
mod calls;
mod cli;
mod crash;
mod drain;
mod endpoints;
mod events;
mod fixtures;
mod network;
mod output;
mod receiver;
mod sdk;
mod server_limits;
mod services;
mod store_contract;
mod store_crash;
mod store_model;
mod story;
mod support;
mod telephones;
mod verifications;
mod webhooks;
mod wire;
mod world;
