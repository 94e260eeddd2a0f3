//! Why an operator's wish was not done.

use crate::app::admission::AdmissionError;
use crate::app::fault::{Fault, failing};
use crate::app::services::ServiceError;
use crate::model::service::BadSetting;

/// Why an operator's wish was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdminError {
    /// A name or limit that is none.
    #[error("{0}")]
    Malformed(&'static str),
    /// A service that the configuration file sets.
    #[error("this service is set in the configuration file, under {key}, and is changed there")]
    ReadOnly {
        /// Its key there.
        key: String,
    },
    /// It may not be.
    #[error(transparent)]
    Admission(AdmissionError),
    /// What goes wrong with any record.
    #[error(transparent)]
    Fault(#[from] Fault),
}

failing!(AdminError, Admission(AdmissionError));

impl From<ServiceError> for AdminError {
    fn from(error: ServiceError) -> Self {
        AdmissionError::from(error).into()
    }
}

impl From<BadSetting> for AdminError {
    fn from(error: BadSetting) -> Self {
        AdmissionError::from(error).into()
    }
}
