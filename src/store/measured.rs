//! A commit, counted and timed: what engines hand theirs through. It refuses to know
//! what is committed.

use super::{CommitError, CountedError, StoreError};
use crate::telemetry::metrics::{Meter, Outcome};

/// A commit of so many changes, from when it is handed in until its end is known.
pub(super) async fn measured(
    meter: &'static Meter,
    changes: usize,
    commit: impl Future<Output = Result<(), CountedError>>,
) -> Result<(), CountedError> {
    meter.observe(tracing::debug_span!("commit", changes), outcome, commit).await
}

fn outcome(result: &Result<(), CountedError>) -> Outcome {
    match result {
        Ok(()) => Outcome::Done,
        Err(CountedError::Limited(_)) => Outcome::Refused,
        Err(CountedError::Commit(
            CommitError::Conflict | CommitError::Store(StoreError::TooLarge { .. }),
        )) => Outcome::Refused,
        Err(CountedError::Commit(CommitError::Store(_))) => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::{Place, meter};

    #[tokio::test]
    async fn a_conflict_is_no_failure() {
        let meter = meter(Place::Commit, "of a test of outcomes");
        for end in [Ok(()), Err(CommitError::Conflict.into()), Err(StoreError::Closed.into())] {
            let told = measured(meter, 1, std::future::ready(end.clone())).await;
            assert_eq!(format!("{told:?}"), format!("{end:?}"));
        }
        assert_eq!(Outcome::ALL.map(|outcome| meter.ended(outcome)), [1, 1, 1, 0]);
    }
}
