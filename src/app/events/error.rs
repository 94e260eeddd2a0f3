//! Why an endpoint is not as it was asked for, or nothing is told again.

use crate::app::fault::{Fault, failing};
use crate::model::service::BadSetting;

/// Why an endpoint is not as it was asked for, or nothing is told again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EventError {
    /// Something that the service's settings do not allow.
    #[error("{what}")]
    NotAllowed {
        /// What was asked for.
        field: &'static str,
        /// Why not, and which setting allows it.
        what: &'static str,
    },
    /// A setting of a service that cannot be.
    #[error(transparent)]
    Setting(#[from] BadSetting),
    /// What goes wrong with any record.
    #[error(transparent)]
    Fault(#[from] Fault),
}

failing!(EventError);
