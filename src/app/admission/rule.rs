//! What a rule is: a name, a stable code, and what it finds. It refuses to know any rule.

use crate::app::admission::finding::{Finding, Reason};
use crate::app::admission::request::Request;
use crate::app::admission::way::Way;

/// A rule, with the names that it is told by.
pub(in crate::app) struct Rule<J> {
    /// Its name in logs and tables of tests, such as `country`.
    pub(in crate::app) name: &'static str,
    /// The word by which the log tells a refusal of it.
    pub(in crate::app) code: &'static str,
    /// What it finds.
    pub(in crate::app) judge: J,
}

/// A rule about a request as a whole.
pub(in crate::app) type OfRequest = Rule<fn(&Request<'_>) -> Option<Finding>>;
/// A rule about one way to a number.
pub(in crate::app) type OfWay = Rule<fn(&Way<'_>) -> Option<Finding>>;

impl OfRequest {
    /// What it has to say, if anything.
    pub(in crate::app) fn reason(&self, request: &Request<'_>) -> Option<Reason> {
        let finding = (self.judge)(request)?;
        Some(Reason { rule: self.name, code: self.code, channel: None, finding })
    }
}

impl OfWay {
    /// What it has to say, if anything.
    pub(in crate::app) fn reason(&self, way: &Way<'_>) -> Option<Reason> {
        let finding = (self.judge)(way)?;
        Some(Reason { rule: self.name, code: self.code, channel: Some(way.channel), finding })
    }
}
