//! The pages for people: one address for each session, which shows the step
//! that the session is at. A step is a form; its answer leads back to that
//! address, so that a reload, a prefetch or a way back sends nothing.
//!
//! This folder refuses to know how a step is decided, what a code is, and (see
//! `pages`) what a page looks like.

mod assets;
mod astray;
mod events;
mod guard;
mod locale;
mod note;
mod now;
mod page_request;
mod show;
mod steps;
mod values;
mod widget;

pub use assets::serve as asset;
pub use astray::{is_page, no_form, nowhere};
pub use events::stream as events;
pub use show::page;
pub use steps::{Action, take};
