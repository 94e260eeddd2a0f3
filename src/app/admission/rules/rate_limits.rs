//! A rate limit that a request names is one of the service's. Whether it has room is
//! decided in the commit.

use super::{OfRequest, Rule};
use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;

pub(super) const RULE: OfRequest = Rule { name: "rate_limits", code: "invalid_request", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    let is_known = |name: &str| request.known_limits.iter().any(|limit| limit.unique_name == name);
    let unknown = request.rate_limits.iter().find(|name| !is_known(name))?;
    Some(Finding::never(AdmissionError::NoSuchLimit { name: (*unknown).to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::model::compat::RateLimit;
    use jiff::Timestamp;

    #[test]
    fn a_rate_limit_is_one_of_the_services() {
        let case = Case::of(|_| ());
        let known = [RateLimit {
            sid: "RK1".into(),
            unique_name: "ip".into(),
            description: String::new(),
            buckets: Vec::new(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }];
        for (named, finds) in
            [(vec![], ""), (vec!["ip"], ""), (vec!["ip", "door"], "the service has no rate limit door")]
        {
            let mut request = case.request();
            (request.rate_limits, request.known_limits) = (named, &known);
            assert_eq!(found((RULE.judge)(&request)), finds);
        }
    }
}
