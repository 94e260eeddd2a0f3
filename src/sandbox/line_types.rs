//! The types of lines that accounts know better than look-ups: an account's word goes
//! before the tester's and the plan's. It refuses to know what a look-up tells else.

use super::recent::Recent;
use jiff::Timestamp;

/// The types that there are, as Twilio names them.
pub(super) const LINE_TYPES: [&str; 12] = [
    "mobile",
    "landline",
    "tollFree",
    "fixedVoip",
    "nonFixedVoip",
    "personal",
    "premium",
    "voicemail",
    "sharedCost",
    "uan",
    "pager",
    "unknown",
];

/// What an account says that a line is.
#[derive(Clone)]
pub(super) struct Override {
    /// What look-ups said.
    pub original: String,
    /// What it is.
    pub line_type: &'static str,
    /// Why, in the account's words.
    pub reason: String,
    /// When the account said so last.
    pub at: Timestamp,
}

/// All overrides, within their bound: by account and number.
pub(super) struct Overrides(Recent<(String, String), Override>);

impl Overrides {
    /// Nothing yet, of `limit` numbers at most; what was said longest ago goes first.
    pub fn new(limit: usize) -> Self {
        Self(Recent::new(limit))
    }

    /// Accounts and numbers of which something was said, longest ago first.
    #[cfg(test)]
    pub fn numbers(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.keys()
    }

    /// What an account says of a number's line.
    pub fn get(&self, account: &str, number: &str) -> Option<&Override> {
        self.0.get(&(account.to_owned(), number.to_owned()))
    }

    /// Says something of a number's line instead of what was said before.
    pub fn set(&mut self, account: &str, number: &str, said: Override) {
        self.0.insert((account.to_owned(), number.to_owned()), said);
    }

    /// Takes it back; nothing when nothing was said.
    pub fn remove(&mut self, account: &str, number: &str) -> Option<Override> {
        self.0.forget(&(account.to_owned(), number.to_owned()))
    }
}
