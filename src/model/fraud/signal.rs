//! What a policy finds in a request.

use super::Action;
use jiff::Timestamp;

/// A sign of fraud that a rule found.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// The rule, as `[fraud.signals]` names it.
    pub name: &'static str,
    /// What it asks for.
    pub action: Action,
    /// What there is.
    pub value: f64,
    /// From what on it says something.
    pub threshold: f64,
    /// Of whom or what, where that is nobody's: a range, a country, a service, a sender.
    pub subject: Option<String>,
    /// Until when what follows holds, if nothing more happens.
    pub until: Timestamp,
}
