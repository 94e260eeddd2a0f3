//! What the lists of this installation say of a request: that it passes, that it is
//! blocked, or nothing. It refuses to know what stands in them.

use jiff::Timestamp;

/// What the lists say of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::app) enum Listed {
    /// Nothing: the other rules judge it.
    #[default]
    Nothing,
    /// It passes what signals of fraud and the rules of countries say; limits, opt-outs
    /// and payments hold all the same.
    Allowed,
    /// It is blocked.
    #[cfg_attr(not(test), expect(dead_code, reason = "the block list is not read yet"))]
    Blocked {
        /// Why, in the words of whoever blocked it, for the operator alone.
        reason: String,
        /// When that ends; nothing where somebody has to end it.
        until: Option<Timestamp>,
    },
}

impl Listed {
    /// Whether it passes.
    pub(in crate::app) fn is_allowed(&self) -> bool {
        *self == Self::Allowed
    }
}
