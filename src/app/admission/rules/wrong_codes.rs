//! Where a face holds a number after wrong codes, it begins nothing anew until the
//! verification that they were offered to would have ended.

use super::{OfRequest, Rule};
use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;
use crate::model::verification::Status;

pub(super) const RULE: OfRequest = Rule { name: "wrong_codes", code: "max_checks", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    let last = request.open?.verification;
    let is_held = request.profile.holds_after_wrong_codes
        && last.status == Status::MaxAttemptsReached
        && request.now < last.expires_at;
    is_held.then(|| Finding::Refuse {
        until: Some(last.expires_at),
        why: AdmissionError::ChecksUsedUp { seconds: request.seconds_until(last.expires_at) },
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::app::admission::profile::Profile;
    use crate::app::admission::request::Open;
    use crate::model::verification::Status;

    #[test]
    fn wrong_codes_hold_a_number_for_verify_as_long_as_the_verification_would_have_lived() {
        for (profile, status, after, is_refused) in [
            (Profile::VERIFY, Status::MaxAttemptsReached, 599, true),
            (Profile::VERIFY, Status::MaxAttemptsReached, 600, false),
            (Profile::VERIFY, Status::Pending, 599, false),
            (Profile::API, Status::MaxAttemptsReached, 599, false),
            (Profile::PAGES, Status::MaxAttemptsReached, 599, false),
        ] {
            let case = Case::of(|_| ());
            let mut verification = case.verification();
            verification.status = status;
            let mut request = case.request_after(after);
            (request.profile, request.open) =
                (&profile, Some(Open { verification: &verification, failed: None }));
            assert_eq!(
                !found((RULE.judge)(&request)).is_empty(),
                is_refused,
                "{} {status} {after}",
                profile.name
            );
        }
    }
}
