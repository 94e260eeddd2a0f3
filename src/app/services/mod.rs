//! The services there are, and what is kept with them.

mod compat;
pub(in crate::app) mod directory;
pub(in crate::app) mod names;

pub use self::directory::ServiceDirectory;
