//! All jobs there are, and which of them takes care of what.

use super::ask::Ask;
use super::bulk::Bulk;
use super::end::End;
use super::erase::Erase;
use super::expire::Expire;
use super::job::Job;
use super::redact::Redact;
use super::send::Send;
use super::webhook::Dispatch;
use crate::store::{Kind, Lane};

/// All jobs there are.
static JOBS: [&dyn Job; 8] = [&Send, &Dispatch, &End, &Expire, &Ask, &Erase, &Redact, &Bulk];

/// Who takes care of a record that is due in a lane.
pub(super) fn job_for(lane: Lane, kind: Kind) -> Option<&'static dyn Job> {
    JOBS.into_iter().find(|job| job.lane() == lane && job.kinds().contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NEVER_DUE;

    #[test]
    fn everything_that_can_be_due_has_one_job() {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.lanes() != NEVER_DUE) {
            for lane in kind.lanes() {
                let jobs = JOBS.iter().filter(|job| job.lane() == *lane && job.kinds().contains(&kind));
                assert_eq!(jobs.count(), 1, "{kind:?} in {lane:?}");
            }
        }
        for job in JOBS {
            assert!(job.kinds().iter().all(|kind| kind.lanes().contains(&job.lane())), "{}", job.name());
        }
    }
}
