//! A verification has so many sends.

use super::{OfRequest, Rule};
use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;
use crate::model::verification::Status;

pub(super) const RULE: OfRequest = Rule { name: "sends", code: "no_sends_left", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    let open = request.open?.verification;
    let is_used_up = open.status_at(request.now) == Status::Pending && open.sends_left(&request.policy) == 0;
    is_used_up.then(|| Finding::Refuse {
        until: Some(open.expires_at),
        why: AdmissionError::NoSendsLeft { seconds: request.seconds_until(open.expires_at) },
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::app::admission::request::Open;

    #[test]
    fn a_verification_has_so_many_sends() {
        let case = Case::of(|_| ());
        for (max_sends, after, is_refused) in [(1, 1, true), (2, 1, false), (1, 600, false)] {
            let verification = case.verification();
            let mut request = case.request_after(after);
            request.policy.max_sends = max_sends;
            request.open = Some(Open { verification: &verification, failed: None });
            assert_eq!(!found((RULE.judge)(&request)).is_empty(), is_refused, "{max_sends} {after}");
        }
    }
}
