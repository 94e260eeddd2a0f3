//! What is known of traffic in this process: each request for a code is judged by it, and
//! what came of it is a line of a log that all processes read.
//!
//! [`Watch`] judges and keeps; `about` tells a request by names that are nobody's. A
//! signal is at most some seconds stale, and only ever tightens. This module refuses to
//! know what is asked by which face, and what follows from a signal.

pub(in crate::app) mod about;
pub(in crate::app) mod became;
pub(in crate::app) mod drafts;
pub(in crate::app) mod keep;
pub(in crate::app) mod lines;
pub(in crate::app) mod log;
pub(in crate::app) mod watch;

pub use self::keep::{close, keep};
pub use self::log::{Log, decision, lines_of, lines_of_verification};
pub use self::watch::Watch;
