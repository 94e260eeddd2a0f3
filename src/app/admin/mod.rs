//! What operators do: keys, services, the work that waits, and care of the data.

pub(in crate::app) mod care;
pub(in crate::app) mod error;
pub(in crate::app) mod keys;
pub(in crate::app) mod queue;
pub(in crate::app) mod services;

pub use self::care::{
    Exporting, ImportRules, InspectRules, census, compact, export, import, inspect, inspect_rules,
};
pub use self::error::AdminError;
pub use self::keys::{
    all_keys, create_key, create_key_in, key, key_holder, keys, note_guesses, revoke_key, revoke_key_in,
};
pub use self::queue::{Aside, Queue, Waiting, drop_job, name_of, queue, retry_job, set_aside};
pub use self::services::{change_service, create_service, delete_service, services, test_numbers};
pub use crate::store::transfer::ImportError;
