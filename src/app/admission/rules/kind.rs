//! Numbers of some kinds cost somebody money or reach nobody: the configuration says
//! which are refused.

use super::{OfRequest, Rule};
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;

pub(super) const RULE: OfRequest = Rule { name: "kind", code: "invalid_number", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    let why = request.number.err().filter(|why| why.is_refused_kind())?;
    Some(Finding::never(why.clone().into()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::model::phone::{Kind, PhoneError};

    #[test]
    fn a_refused_kind_is_refused_whatever_it_was_read_by() {
        let case = Case::of(|_| ());
        let premium = PhoneError::RefusedKind(Kind::Premium);
        let read = PhoneError::ReadBy { region: "DE".into(), error: Box::new(premium.clone()) };
        for (why, is_refused) in [(premium, true), (read, true), (PhoneError::NotANumber, false)] {
            let mut request = case.request();
            request.number = Err(&why);
            assert_eq!(!found((RULE.judge)(&request)).is_empty(), is_refused, "{why}");
        }
    }
}
