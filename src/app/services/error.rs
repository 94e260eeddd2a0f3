//! Why a service was not found.

use crate::app::fault::{Fault, failing};

/// Why a service was not found.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ServiceError {
    /// No such service.
    #[error("no service has this id or name; `GET /v1/services` lists them")]
    NoSuchService,
    /// A name that several have.
    #[error("service: several have this name; name the one by its id, VA…")]
    SeveralSoCalled,
    /// What goes wrong with any record.
    #[error(transparent)]
    Fault(#[from] Fault),
}

failing!(ServiceError);
