//! What stands on the block list gets no codes. The allow list is in the rules that it
//! passes: `fraud` and `country`.

use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::listed::Listed;
use crate::app::admission::request::Request;
use crate::app::admission::rule::{OfRequest, Rule};

pub(super) const RULE: OfRequest = Rule { name: "lists", code: "blocked", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    match &request.listed {
        Listed::Nothing | Listed::Allowed => None,
        Listed::Blocked { until, .. } => {
            Some(Finding::Refuse { until: *until, why: AdmissionError::Blocked { until: *until } })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::app::admission::listed::Listed;

    #[test]
    fn what_is_blocked_is_refused_and_why_is_told_to_nobody() {
        let case = Case::of(|_| ());
        let blocked = Listed::Blocked { reason: "a shop of SIM cards".into(), until: None };
        for (listed, finds) in [
            (Listed::Nothing, ""),
            (Listed::Allowed, ""),
            (blocked, "the request is on the block list of this installation"),
        ] {
            let mut request = case.request();
            request.listed = listed.clone();
            assert_eq!(found((RULE.judge)(&request)), finds, "{listed:?}");
        }
    }
}
