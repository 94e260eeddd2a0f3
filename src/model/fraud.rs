//! Traffic that pays somebody else: what is known of requests for codes, and which signs
//! of fraud a policy finds in it.
//!
//! Requests are told by names that are nobody's ([`About`]). What happens to them stands
//! in a log, line by line ([`Entry`]). What is known at a moment is what the log comes to
//! ([`Traffic`]), so that live, replayed and made-up traffic are judged alike, by the one
//! [`FraudPolicy`]. Signals only ever tighten: what a limit refuses in the commit is no
//! matter of theirs.
//!
//! It refuses to know clocks, stores and faces.

mod about;
mod action;
mod changes;
mod entry;
mod explain;
mod judge;
#[cfg(test)]
pub(crate) mod made;
mod page;
mod policy;
mod replay;
mod report;
mod signal;
mod spec;
mod table;
#[cfg(test)]
mod tests;
mod traffic;
mod waiting;

pub use about::About;
pub use action::Action;
pub use changes::{FraudChanges, RuleChanges};
pub use entry::{Decision, DecisionId, Entry, Outcome, Reason};
pub use explain::{in_words, is_by_signals, meaning};
pub use page::Page;
pub use policy::{FraudPolicy, SignalRule};
pub use replay::{Policies, RUN_UP, Replay, Replayed};
pub use report::{Dimension, Report, Reporting};
pub use signal::Signal;
pub use spec::{Parameter, SignalSpec};
pub use table::SIGNALS;
pub use traffic::Traffic;
