//! How the loops that read, decide and write went, counted and timed. It refuses to
//! know what they write.

use super::AppError;
use crate::telemetry::metrics::{Meter, Outcome, Place, meter};
use std::sync::LazyLock;

/// Events that happened to verifications.
pub(super) static VERIFICATIONS: LazyLock<&Meter> = LazyLock::new(|| meter(Place::Transact, "verification"));

/// What the end of a loop counts as: a no of the rules is an end like others; the
/// store fails, and who has lost every race was in an overload.
pub(super) fn outcome<T>(result: &Result<T, AppError>) -> Outcome {
    match result {
        Ok(_) => Outcome::Done,
        Err(AppError::Store(_) | AppError::Contended) => Outcome::Failed,
        Err(_) => Outcome::Refused,
    }
}
