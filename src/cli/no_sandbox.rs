//! `dialback sandbox` of a build without one: says so, whatever its arguments are.

use super::Global;
use super::serve::Lacking;
use std::ffi::OsString;
use std::process::ExitCode;

/// Arguments of `dialback sandbox`, which mean nothing here.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    any: Vec<OsString>,
}

/// Runs nothing, whatever the arguments.
///
/// # Errors
/// That this build has no sandbox, and what to do.
pub async fn run(_: &Global, _: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("{}: build with `--features sandbox`", Lacking::SANDBOX.what)
}
