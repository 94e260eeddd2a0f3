//! Where what belongs to this machine is kept.

use crate::config::Config;
use std::path::Path;

/// The directory for what belongs to this machine, when something is kept.
pub fn store_dir(config: &Config) -> Option<&Path> {
    config.store.dir()
}

/// Why nothing is found where the store is in memory. A server may run all the same.
pub const IN_MEMORY: &str = "store.url = \"memory:\" is in the server's memory alone, and leaves no word of where \
                             the server is: name it with --url and --api-key";
