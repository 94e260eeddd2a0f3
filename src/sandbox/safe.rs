//! A number of the Global Safe List, which pumping protection lets through.

use super::shelf::{Owned, Shelf};

/// The most numbers that are kept; the oldest go first.
pub(super) const SAFE: usize = 10_000;

/// A number that an account called safe, or the first digits of a thousand numbers.
pub(super) struct Safe {
    /// `GN…`.
    pub sid: String,
    /// The account.
    pub account: String,
    /// The number or the prefix, with a plus.
    pub number: String,
}

impl Owned for Safe {
    fn account(&self) -> &str {
        &self.account
    }
}

/// Whether an account called a number, or its thousand, safe.
pub(super) fn is_safe(list: &Shelf<Safe>, account: &str, number: &str) -> bool {
    let thousand = super::pumping::prefix(number);
    list.of(account).any(|safe| safe.number == number || safe.number == thousand)
}
