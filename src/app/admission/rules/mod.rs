//! The rules by which a request for a code is admitted, each in a file of its own with
//! its name and its stable code. They refuse to know faces, stores and each other.

mod channel;
mod cooldown;
mod country;
mod custom_code;
mod fraud;
mod idempotency;
mod kind;
mod landline;
mod language;
mod lists;
mod number;
mod one_per_number;
mod opt_out;
mod payment;
mod rate_limits;
mod sender;
mod sends;
#[cfg(test)]
pub(in crate::app) mod tests;
mod words;
mod wrong_codes;

use crate::app::admission::finding::Reason;
use crate::app::admission::request::Request;
use crate::app::admission::rule::{OfRequest, OfWay};
use crate::app::admission::way::Way;

/// What is asked before any way is looked for.
const FIRST: [&OfRequest; 4] = [&idempotency::RULE, &number::RULE, &kind::RULE, &lists::RULE];

/// What is asked of each way. The safe list is in `country`: it lets pass what that
/// refuses, and nothing else.
const WAYS: [&OfWay; 5] = [&channel::RULE, &landline::RULE, &country::RULE, &sender::RULE, &opt_out::RULE];

/// What is asked once the ways are known. What the limits have room for is no rule of
/// these: it is decided in the commit, where nobody comes between.
const LAST: [&OfRequest; 10] = [
    &words::RULE,
    &payment::RULE,
    &custom_code::RULE,
    &language::RULE,
    &wrong_codes::RULE,
    &one_per_number::RULE,
    &sends::RULE,
    &cooldown::RULE,
    &rate_limits::RULE,
    &fraud::RULE,
];

/// What the rules say that come before any way.
pub(in crate::app) fn first(request: &Request<'_>) -> Vec<Reason> {
    FIRST.iter().filter_map(|rule| rule.reason(request)).collect()
}

/// What the rules say of one way.
pub(in crate::app) fn of_way(way: &Way<'_>) -> Vec<Reason> {
    WAYS.iter().filter_map(|rule| rule.reason(way)).collect()
}

/// What the rules say that come after the ways.
pub(in crate::app) fn last(request: &Request<'_>) -> Vec<Reason> {
    LAST.iter().filter_map(|rule| rule.reason(request)).collect()
}

/// That no way is left, though no rule refused one: the only one would be a call in the
/// place of a text.
pub(in crate::app) fn no_way() -> Reason {
    channel::no_way()
}
