//! An application brings a code of its own only where the service takes one.

use super::{OfRequest, Rule};
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;
use crate::app::admission::terms::refuse_chosen;

pub(super) const RULE: OfRequest = Rule { name: "custom_code", code: "not_allowed", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    refuse_chosen(&request.service, request.has_code).err().map(Finding::never)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;

    #[test]
    fn a_code_is_brought_where_the_service_takes_one() {
        for (takes, has_code, is_refused) in
            [(false, false, false), (false, true, true), (true, true, false), (true, false, false)]
        {
            let case = Case::of(|settings| settings.custom_code = takes);
            let mut request = case.request();
            request.has_code = has_code;
            assert_eq!(!found((RULE.judge)(&request)).is_empty(), is_refused, "{takes} {has_code}");
        }
    }
}
