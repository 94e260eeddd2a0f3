//! The services there are, and what is kept with them.

pub(in crate::app) mod among;
pub(in crate::app) mod compat;
pub(in crate::app) mod directory;
pub(in crate::app) mod error;
pub(in crate::app) mod find;
pub(in crate::app) mod names;

pub use self::compat::{change_compat, compat, compats, new_sid};
pub use self::directory::{Directory, ServiceDirectory};
pub use self::error::ServiceError;
pub use self::find::service;
pub use self::names::Names;
