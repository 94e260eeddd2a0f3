//! `dialback signature`
mod vectors;
use super::Global;
use std::process::ExitCode;

/// Arguments of `dialback signature`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// What stopped it, in words for the person at the terminal.
pub async fn run(_global: &Global, _args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not built yet")
}
