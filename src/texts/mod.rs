//! Words in writing: message templates in every language, and the message that
//! is made of one.
//!
//! This module refuses to know sockets, stores, HTTP, and what a message is
//! sent with. What is spoken on the telephone is in `twilio::words`.

mod catalog;
mod clean;
mod compose;
mod file;
mod language;
mod locale;
mod spoken;
mod template;
mod validity;

pub use catalog::{Catalog, DEFAULT_SET, LoadError, Set, Translation};
pub use compose::{Text, Wording, compose, is_app_hash};
pub use file::Mistake;
pub use language::{Language, closest, closest_tag, of_country};
pub use spoken::spoken;
pub use template::{Kind, TEMPLATE_MAX};
