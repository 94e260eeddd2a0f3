//! What a signal is as data. It refuses to know which there are.

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
    /// Its thresholds, and the other numbers that it goes by.
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
    /// The most that it may be.
    pub most: f64,
    /// What it does, in a sentence.
    pub about: &'static str,
}

/// How sure it has to be that a request is of the attack under which something wide is.
pub(super) const SUSPICION: Parameter = Parameter {
    name: "suspicion",
    default: 0.85,
    least: 0.05,
    most: 1.0,
    about: "how probable it has to be, by all that is narrower, that the request is of the attack",
};

pub(super) const fn signal(
    name: &'static str,
    subject: &'static str,
    about: &'static str,
    seconds: u32,
    parameters: &'static [Parameter],
) -> SignalSpec {
    SignalSpec { name, subject, about, seconds, parameters, action: Action::Record }
}

pub(super) const fn conversion(name: &'static str, subject: &'static str, about: &'static str) -> SignalSpec {
    const PARAMETERS: &[Parameter] = &[
        count("least", 8.0, "so many whose time to verify is over, at least"),
        ratio("share", 0.8, "below this share of what is usual; 0.4 where little is known"),
        odds(100_000.0),
        SUSPICION,
    ];
    signal(name, subject, about, 3_600, PARAMETERS)
}

pub(super) const fn count(name: &'static str, default: f64, about: &'static str) -> Parameter {
    Parameter { name, default, least: 1.0, most: 1_000_000.0, about }
}

/// Of a hundred.
pub(super) const fn percent(name: &'static str, default: f64, about: &'static str) -> Parameter {
    Parameter { name, default, least: 1.0, most: 100.0, about }
}

/// Different numbers out of something narrow, of which only the last 24 are kept.
pub(super) const fn few(name: &'static str, default: f64, about: &'static str) -> Parameter {
    Parameter { name, default, least: 1.0, most: 20.0, about }
}

/// Sends of one number, of which only the last twelve are kept.
pub(super) const fn sends(name: &'static str, default: f64, about: &'static str) -> Parameter {
    Parameter { name, default, least: 1.0, most: 12.0, about }
}

pub(super) const fn ratio(name: &'static str, default: f64, about: &'static str) -> Parameter {
    Parameter { name, default, least: 0.0, most: 10.0, about }
}

pub(super) const fn odds(default: f64) -> Parameter {
    let about = "so improbable by chance: one in so many";
    Parameter { name: "odds", default, least: 2.0, most: 1e12, about }
}
