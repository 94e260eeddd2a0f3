//! Why an endpoint is not as it was asked for, or nothing is told again.

use crate::app::fault::{Fault, failing};

/// Why an endpoint is not as it was asked for, or nothing is told again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EventError {
    /// Something about an endpoint that is not allowed.
    #[error("{what}")]
    NotAllowed {
        /// What was asked for.
        field: &'static str,
        /// Why not, and which setting allows it.
        what: &'static str,
    },
    /// What goes wrong with any record.
    #[error(transparent)]
    Fault(#[from] Fault),
}

failing!(EventError);
