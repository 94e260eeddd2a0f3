//! A number has to be one.

use super::{OfRequest, Rule};
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;

pub(super) const RULE: OfRequest = Rule { name: "number", code: "invalid_number", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    let why = request.number.err().filter(|why| !why.is_refused_kind())?;
    Some(Finding::never(why.clone().into()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::model::phone::PhoneError;

    #[test]
    fn what_is_no_number_is_refused() {
        let case = Case::of(|_| ());
        assert_eq!(found((RULE.judge)(&case.request())), "");
        for why in [PhoneError::NotANumber, PhoneError::Extension, PhoneError::TooShort { country_code: 49 }]
        {
            let mut request = case.request();
            request.number = Err(&why);
            assert_eq!(found((RULE.judge)(&request)), why.to_string());
        }
    }
}
