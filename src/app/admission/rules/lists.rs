//! What stands on the block list gets no codes. The allow list is in the rules that it
//! passes: `fraud` and `country`.

use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::listed::Listed;
use crate::app::admission::request::Request;
use crate::app::admission::rule::{OfRequest, OfWay, Rule};
use crate::app::admission::way::Way;

pub(super) const RULE: OfRequest = Rule { name: "lists", code: "blocked", judge };

/// A country may be blocked for one channel: then another is taken.
pub(super) const OF_WAY: OfWay = Rule { name: "lists", code: "blocked", judge: judge_way };

fn judge_way(way: &Way<'_>) -> Option<Finding> {
    let until = way.block?;
    Some(Finding::Refuse { until, why: AdmissionError::Blocked { until } })
}

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
    use super::{OF_WAY, RULE};
    use crate::app::admission::listed::Listed;
    use crate::model::channel::Channel;

    #[test]
    fn what_is_blocked_is_refused_and_why_is_told_to_nobody() {
        let case = Case::of(|_| ());
        let blocked = Listed::Blocked { until: None };
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

    #[test]
    fn a_way_that_is_blocked_alone_is_not_taken() {
        let case = Case::of(|_| ());
        let mut way = case.way(Channel::Call);
        assert_eq!(found((OF_WAY.judge)(&way)), "");
        way.block = Some(None);
        assert!(found((OF_WAY.judge)(&way)).contains("block list"));
    }
}
