//! What is said to every command alike.

use std::path::PathBuf;

/// What every command knows.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// The configuration file [default: config.toml if there is one, else the embedded one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}
