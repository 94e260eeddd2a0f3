//! How often something may happen to whom: rules by name, each with the windows in
//! which it counts and what it does where one is full.
//!
//! A rule says whom it counts ([`Subject`]), what ([`Counted`]), how much of it within
//! which times ([`Allowance`]), and what follows ([`Action`]). The rules that hold where
//! nobody says anything stand in one table, each with its reason; a configuration and a
//! service change them by name ([`LimitChanges`]). This module refuses to know where
//! counts are kept, under which ids, and who asks.

mod allowance;
mod asker;
mod changes;
mod defaults;
mod network;
mod rule;
mod subject;
mod used;

pub use allowance::{Allowance, BadAllowance};
pub use asker::{Admitted, Asker};
pub use changes::LimitChanges;
pub use network::{address_of, subnet_of};
pub use rule::{Action, LimitRule, Limits};
pub use subject::{Counted, Subject};
pub use used::{Dollars, Used};

#[cfg(test)]
mod tests;
