//! An idempotency key is for one request. The same request again never comes here: it is
//! answered as it was.

use super::{OfRequest, Rule};
use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;

pub(super) const RULE: OfRequest = Rule { name: "idempotency", code: "idempotency_key_reused", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    request.is_key_reused.then(|| Finding::never(AdmissionError::KeyReused))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;

    #[test]
    fn a_key_is_for_one_request() {
        for (is_key_reused, finds) in
            [(false, ""), (true, "this idempotency key was used for another request")]
        {
            let case = Case::of(|_| ());
            let mut request = case.request();
            request.is_key_reused = is_key_reused;
            assert_eq!(found((RULE.judge)(&request)), finds);
        }
    }
}
