//! Verifications: begun, sent again, checked, ended, listed; and the ways of persons
//! through the pages, which lead to them.

mod attempts;
mod check;
mod happen;
mod listed;
mod pending;
mod repeats;
mod sessions;
pub(in crate::app) mod start;
mod verdict;
mod view;

pub use self::attempts::{Attempt, AttemptCount, AttemptFilter, AttemptPage, AttemptPlace};
pub use self::check::{Checked, Offer};
pub use self::listed::VerificationFilter;
pub use self::pending::{Ask, AskError, Turns};
pub use self::repeats::{Claim, Repeat};
pub use self::sessions::{LocaleHints, NewSession, SessionView};
pub use self::start::{Idempotency, StartRequest, Started};
pub use self::view::View;
