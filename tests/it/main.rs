//! The integration tests: one binary, a file per theme.

mod api;
mod api_access;
mod api_lists;
mod api_things;
mod app;
mod beside;
mod calls;
mod cli;
mod crash;
mod drain;
mod fixtures;
mod network;
mod openapi;
mod output;
mod sdk;
mod server_limits;
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
