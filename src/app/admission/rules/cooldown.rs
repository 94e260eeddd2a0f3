//! Between two sends of a verification lies a wait, unless the last one did not arrive
//! and another way is asked for. How long, `Policy::cooldown_after` says; here it becomes an
//! answer with all other reasons beside it, and `decide` holds the same in the write.

use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;
use crate::app::admission::rule::{OfRequest, Rule};
use crate::model::verification::Status;

pub(super) const RULE: OfRequest = Rule { name: "cooldown", code: "resend_too_soon", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    let open = request.open?;
    // What did not arrive is no reason to wait.
    if request.plan.is_some() {
        return None;
    }
    if open.verification.status_at(request.now) != Status::Pending {
        return None;
    }
    let at = open.verification.resend_at(&request.policy).filter(|at| request.now < *at)?;
    let is_way_out = |channel| open.verification.is_way_out(channel, open.failed);
    if request.channel.is_some_and(is_way_out) {
        return None;
    }
    let why = AdmissionError::TooSoon { at, seconds: request.seconds_until(at) };
    Some(Finding::Slow { until: at, why })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::app::admission::request::Open;
    use crate::model::channel::Channel;

    #[test]
    fn the_next_send_waits_unless_the_last_one_did_not_arrive() {
        let case = Case::of(|_| ());
        for (channel, failed, after, finds) in [
            (None, None, 0, "slow"),
            (None, None, 29, "slow"),
            (None, None, 30, ""),
            (Some(Channel::Call), None, 29, "slow"),
            (Some(Channel::Call), Some(1), 29, ""),
            (Some(Channel::Sms), Some(1), 29, "slow"),
            (None, None, 600, ""),
        ] {
            let verification = case.verification();
            let mut request = case.request_after(after);
            request.channel = channel;
            request.open = Some(Open { verification: &verification, failed });
            let said = found((RULE.judge)(&request));
            assert_eq!(said.split(':').next(), Some(finds), "{channel:?} {failed:?} {after}: {said}");
        }
    }
}
