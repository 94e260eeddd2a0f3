//! What goes away: by a person's wish, when its time is over, and when nobody needs it.

pub(in crate::app) mod erase;
pub(in crate::app) mod error;
pub(in crate::app) mod expire;
pub(in crate::app) mod kept;
pub(in crate::app) mod parts;
pub(in crate::app) mod retention;

pub use self::erase::{EraseOptions, erase, erase_page, erasure, find_erasure, tend_erasure};
pub use self::error::PrivacyError;
pub use self::expire::delete_expired;
pub use self::kept::Retention;
pub use self::parts::Privacy;
pub use self::retention::{Deleted, delete_old, has_retention, new_holder};
