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
mod judge;
mod page;
mod policy;
mod signal;
mod table;
mod traffic;

pub use about::About;
pub use action::Action;
pub use changes::{FraudChanges, RuleChanges};
pub use entry::{Decision, DecisionId, Entry, Outcome, Reason};
pub use page::Page;
pub use policy::{FraudPolicy, SignalRule};
pub use signal::Signal;
pub use table::{Parameter, SIGNALS, SignalSpec};
pub use traffic::Traffic;
