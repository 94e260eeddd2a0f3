//! Limits: whom a start, a resend and a check are counted for, how much of it there may
//! be, and what is used.
//!
//! What is counted is added in the commit of what it counts, and refused there; what was
//! read before decides nothing but marks. The module refuses to know who asks by which
//! face, and how a refusal is told.

mod addition;
pub(in crate::app) mod budgets;
pub(in crate::app) mod checks;
pub(in crate::app) mod counted;
pub(in crate::app) mod counters;
pub(in crate::app) mod flags;
mod parts;

pub use self::budgets::{BudgetOf, BudgetReached};
pub use self::parts::Limiting;
