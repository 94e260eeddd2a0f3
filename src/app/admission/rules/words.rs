//! What is said to people in a service's name is what its terms let be said
//! (see [`terms`](crate::app::admission::terms)).

use super::{OfRequest, Rule};
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;

pub(super) const RULE: OfRequest = Rule { name: "words", code: "not_allowed", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    request.details.as_ref().err().map(|why| Finding::never(why.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::app::admission::AdmissionError;
    use crate::model::verification::Details;

    #[test]
    fn words_are_those_that_the_terms_let_through() {
        let case = Case::of(|_| ());
        for (details, is_refused) in
            [(Ok(Details::default()), false), (Err(AdmissionError::Link { field: "purpose" }), true)]
        {
            let mut request = case.request();
            request.details = &details;
            assert_eq!(found((RULE.judge)(&request)).contains("purpose has a link"), is_refused);
        }
    }
}
