//! What operators do: keys, services, the work that waits, and care of the data.

mod care;
mod keys;
mod queue;
mod services;

pub use self::care::{Exporting, ImportRules, InspectRules, inspect_rules};
pub use self::keys::{all_keys, create_key, revoke_key};
pub use self::queue::{Aside, Queue, Waiting};
pub use crate::app::board::Trouble;
pub use crate::store::transfer::ImportError;
