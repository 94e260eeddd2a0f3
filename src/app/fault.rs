//! Why nothing could be read or written, whatever it was about.

use crate::store::{Change, CommitError, StoreError};

/// What goes wrong with any record.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// No such verification, delivery or key.
    #[error("nothing has this name")]
    NotFound,
    /// Too many writes of the same record at once.
    #[error("too many requests for the same record at once")]
    Contended,
    /// What is kept together in one record would be too much for it.
    #[error(
        "what is kept together here would take {size} bytes, and {most} are possible: use fewer or shorter \
         settings, limits, lists or tags"
    )]
    TooLarge {
        /// How much it would be.
        size: usize,
        /// How much it may be.
        most: usize,
    },
    /// The store could not do it.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooLarge { size } => Self::TooLarge { size, most: Change::MAX_BODY },
            error => Self::Store(error),
        }
    }
}

impl From<CommitError> for Fault {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict => Self::Contended,
            CommitError::Store(error) => error.into(),
        }
    }
}

/// An error that may be a fault. Where one error holds another, a fault stands in the
/// outer one.
pub trait Failing: From<Fault> {
    /// The fault that it is.
    fn fault(&self) -> Option<&Fault>;

    /// Whether nothing has the name that was asked for.
    fn is_not_found(&self) -> bool {
        matches!(self.fault(), Some(Fault::NotFound))
    }
}

impl Failing for Fault {
    fn fault(&self) -> Option<&Fault> {
        Some(self)
    }
}

/// Makes an error of a folder one that may be a fault, and one that the errors of
/// lower folders become.
macro_rules! failing {
    ($error:ident $(, $variant:ident($inner:ident))*) => {
        impl $crate::app::fault::Failing for $error {
            fn fault(&self) -> Option<&$crate::app::fault::Fault> {
                if let Self::Fault(fault) = self { Some(fault) } else { None }
            }
        }

        impl From<$crate::store::StoreError> for $error {
            fn from(error: $crate::store::StoreError) -> Self {
                Self::Fault(error.into())
            }
        }

        impl From<$crate::store::CommitError> for $error {
            fn from(error: $crate::store::CommitError) -> Self {
                Self::Fault(error.into())
            }
        }

        $(
            impl From<$inner> for $error {
                fn from(error: $inner) -> Self {
                    match error {
                        $inner::Fault(fault) => Self::Fault(fault),
                        error => Self::$variant(error),
                    }
                }
            }
        )*
    };
}
pub(in crate::app) use failing;
