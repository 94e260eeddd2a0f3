//! The account that sends. It refuses to know who else there is.

use crate::cli::local::Local;
use crate::config::Config;
use crate::secret::Secret;

/// The account that sends: the configured one, or the sandbox's.
pub(super) fn account_sid(config: &Config, local: &Local) -> String {
    config.twilio.account_sid.clone().unwrap_or_else(|| local.account_sid.clone())
}

/// The token of that account: the configured one, else the sandbox's own.
pub(super) fn auth_token(config: &Config, local: &Local) -> Secret {
    config.twilio.auth_token.clone().unwrap_or_else(|| local.auth_token.clone())
}
