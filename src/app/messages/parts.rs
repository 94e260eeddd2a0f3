//! What messages of their own stand on.

use crate::app::admission::Admission;
use crate::model::message::Keep;
use std::sync::Arc;

/// What takes messages of their own, and keeps them. Cheap to clone.
#[derive(Clone)]
pub struct Messages {
    /// By which rules they may be, for which services, and who is told.
    pub admission: Arc<Admission>,
    /// For how long they are kept that came to an end.
    pub keep: Keep,
    /// Whether the way out takes words at all, and not codes alone that it makes itself.
    pub has_words: bool,
}
