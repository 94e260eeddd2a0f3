//! What a model of fraud is asked and told, and those that there are.

use super::authgear::Authgear;
use super::ours::Ours;
use super::policy::Policy;
use dialback::model::fraud::{About, Entry, Outcome, Reason};
use jiff::Timestamp;

/// Those that there are.
pub const NAMES: &[&str] = &["dialback", "authgear", "none"];

/// A model of fraud: it lives through the stream with the consequences of its own.
pub trait Model {
    /// Decides about a request, and counts it.
    fn judge(&mut self, about: &About, now: Timestamp) -> Judged;
    /// Takes what was decided, or what became of it.
    fn record(&mut self, entry: Entry, now: Timestamp);
}

/// What a model decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub outcome: Outcome,
    /// The rule that came first, where it was not taken.
    pub code: Option<String>,
    /// Until when that holds, where it is known.
    pub until: Option<Timestamp>,
    pub reasons: Vec<Reason>,
}

impl Judged {
    /// Nothing speaks against it.
    pub fn taken() -> Self {
        Self { outcome: Outcome::Taken, code: None, until: None, reasons: Vec::new() }
    }
}

/// The name of a model, as it is written here.
pub fn name(text: &str) -> Result<&'static str, String> {
    let known = NAMES.iter().find(|name| **name == text);
    known.copied().ok_or_else(|| no_model(text))
}

/// The model of that name, which has seen nothing yet.
pub fn named(name: &str, policy: &Policy) -> Result<Box<dyn Model>, String> {
    match name {
        "dialback" => Ok(Box::new(Ours::new(policy))),
        "authgear" => Ok(Box::new(Authgear::default())),
        "none" => Ok(Box::new(Nothing)),
        other => Err(no_model(other)),
    }
}

fn no_model(text: &str) -> String {
    format!("{text} is no model: {}", NAMES.join(", "))
}

/// No model: whoever asks gets a code.
struct Nothing;

impl Model for Nothing {
    fn judge(&mut self, _: &About, _: Timestamp) -> Judged {
        Judged::taken()
    }

    fn record(&mut self, _: Entry, _: Timestamp) {}
}
