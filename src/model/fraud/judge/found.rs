//! What a rule finds, and the thresholds that it goes by.

use crate::model::fraud::SignalSpec;

/// What a rule finds in a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What there is.
    pub value: f64,
    /// From what on it says something.
    pub threshold: f64,
    /// Of what, where it is nobody's.
    pub subject: Option<String>,
    /// When what was found happened, where it holds from then on and not from now.
    pub since: Option<u32>,
}

impl Found {
    /// Something where there is as much as the threshold.
    pub fn at_least(value: f64, threshold: f64) -> Option<Self> {
        (value >= threshold).then(|| Self::new(value, threshold))
    }

    pub fn new(value: f64, threshold: f64) -> Self {
        Self { value, threshold, subject: None, since: None }
    }
}

/// The thresholds of a rule, by name.
pub struct Values<'a> {
    pub spec: &'static SignalSpec,
    pub values: &'a [f64],
}

impl Values<'_> {
    /// What stands for that name; nothing is ever as much as a name that there is not.
    pub fn get(&self, name: &str) -> f64 {
        let place = self.spec.parameters.iter().position(|parameter| parameter.name == name);
        debug_assert!(place.is_some(), "{} has no {name}", self.spec.name);
        place.and_then(|place| self.values.get(place)).copied().unwrap_or(f64::INFINITY)
    }
}
