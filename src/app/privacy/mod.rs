//! What goes away: by a person's wish, when its time is over, and when nobody needs it.

mod erase;
pub(in crate::app) mod retention;
mod tidy;

pub use self::erase::{EraseOptions, find_erasure};
pub use self::retention::{Retention, Swept};
