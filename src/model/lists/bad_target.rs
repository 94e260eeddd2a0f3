//! Why a text names nobody. It refuses to know what would.

use crate::model::service::BadSetting;

/// Why a text names nobody that an entry could be about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadTarget(pub(super) String);

impl BadTarget {
    pub(super) fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl From<BadTarget> for BadSetting {
    fn from(bad: BadTarget) -> Self {
        // Each begins with the field.
        let (field, what) = bad.0.split_once(": ").unwrap_or(("target", &bad.0));
        Self { field: field.to_owned(), what: what.to_owned() }
    }
}
