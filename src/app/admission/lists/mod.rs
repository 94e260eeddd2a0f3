//! Who is allowed or blocked: what operators see and set of it, and what it says of a
//! request. In which order entries count is the model's; what follows is the rules'.

mod add;
mod look;
mod named;
mod remove;
mod said;

pub use add::{NewEntry, add_entry};
pub use look::{ListFilter, hold_lists, keep_lists, list_entries, list_entry};
pub use named::{NamedTarget, service_called};
pub use remove::{remove_entry, remove_entry_of};
pub(in crate::app) use said::{listed, said};
