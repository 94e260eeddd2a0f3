//! The signals as data: each with its name, whom it looks at, its windows and its
//! thresholds, with the reason for each. It refuses to know how any is found.

use super::Action;

/// What a signal is: all of it that is not found out of traffic.
#[derive(Debug, PartialEq)]
pub struct SignalSpec {
    /// What it is called in `[fraud.signals]`, in decisions and in reports; it never
    /// changes.
    pub name: &'static str,
    /// Whom or what it looks at: `range`, `address`.
    pub subject: &'static str,
    /// What it means, in a sentence for operators.
    pub about: &'static str,
    /// How long what follows holds, in seconds, where nobody says otherwise.
    pub seconds: u32,
    /// Its thresholds.
    pub parameters: &'static [Parameter],
    /// What follows where nobody says otherwise: `record` for what is new.
    pub action: Action,
}

/// A threshold of a signal, or another number that it goes by.
#[derive(Debug, PartialEq)]
pub struct Parameter {
    /// What it is called beside the signal's action.
    pub name: &'static str,
    /// What it is where nobody says otherwise.
    pub default: f64,
    /// The least that it may be.
    pub least: f64,
    /// The most.
    pub most: f64,
    /// What it does, in a sentence.
    pub about: &'static str,
}

/// Every signal there is.
pub const SIGNALS: &[SignalSpec] = &[SignalSpec {
    name: "block_burst",
    subject: "block of a thousand numbers",
    about: "many different numbers of a thousand consecutive ones that nobody has verified",
    seconds: 1_800,
    parameters: &[Parameter {
        name: "numbers",
        default: 8.0,
        least: 2.0,
        most: 1_000.0,
        about: "so many different numbers within an hour",
    }],
    action: Action::Record,
}];
