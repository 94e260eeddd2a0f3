//! What was left out of this build by cargo's features, and what to do for whoever
//! configures it all the same. It refuses to know what was left out.

use crate::config::{Config, StoreUrl};

/// What is configured and not there.
pub struct Lacking {
    /// The key, with its sections.
    pub key: [&'static str; 2],
    /// What is not there.
    pub what: &'static str,
    /// What to do.
    pub mend: &'static str,
}

impl Lacking {
    /// Said where the sandbox is enabled and was not built.
    pub const SANDBOX: Self = Self {
        key: ["sandbox", "enabled"],
        what: "this build has no sandbox",
        mend: "set it to false and name an account in [twilio], or build with `--features sandbox`",
    };
    /// Said where a database is named and its engine was not built.
    pub const POSTGRES: Self = Self {
        key: ["store", "url"],
        what: "this build has no PostgreSQL",
        mend: "write \"sled:DIRECTORY\", or build with `--features postgres`",
    };

    /// What a configuration wants and this build has not.
    pub fn of(config: &Config) -> impl Iterator<Item = Self> {
        let sandbox = !cfg!(feature = "sandbox") && config.sandbox.enabled;
        let postgres = !cfg!(feature = "postgres") && matches!(config.store.url, StoreUrl::Postgres(_));
        sandbox.then_some(Self::SANDBOX).into_iter().chain(postgres.then_some(Self::POSTGRES))
    }
}

impl std::fmt::Display for Lacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.key.join("."), self.what, self.mend)
    }
}
