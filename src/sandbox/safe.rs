//! A number of the Global Safe List, which pumping protection lets through.

use super::directory::{Directory, Named};
use super::shelf::Owned;

/// A number that an account called safe, or the first digits of a thousand numbers.
pub(super) struct Safe {
    /// `GN…`, which is only shown: Twilio finds it by the number.
    pub sid: String,
    /// The account whose list it is on.
    pub account: String,
    /// The number or the prefix, with a plus.
    pub number: String,
}

impl Owned for Safe {
    fn account(&self) -> &str {
        &self.account
    }
}

impl Named for Safe {
    fn sid(&self) -> &str {
        &self.sid
    }

    fn name(&self) -> String {
        safe_name(&self.account, &self.number)
    }
}

/// Each account has a list of its own.
fn safe_name(account: &str, number: &str) -> String {
    format!("{account} {number}")
}

/// What an account called safe, by the number or the prefix itself.
pub(super) fn find<'a>(list: &'a Directory<Safe>, account: &str, number: &str) -> Option<&'a Safe> {
    list.find(&safe_name(account, number))
}

/// Takes a number off an account's list.
pub(super) fn remove(list: &mut Directory<Safe>, account: &str, number: &str) -> Option<Safe> {
    list.remove_named(&safe_name(account, number))
}

/// Whether an account called a number, or its thousand, safe.
pub(super) fn is_safe(list: &Directory<Safe>, account: &str, number: &str) -> bool {
    let thousand = super::pumping::prefix(number);
    [number, thousand].iter().any(|one| find(list, account, one).is_some())
}
