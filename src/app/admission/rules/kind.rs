//! Numbers of some kinds cost somebody money or reach nobody: the configuration says
//! which are refused, by their plan or by a look-up.

use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;
use crate::app::admission::rule::{OfRequest, Rule};
use crate::model::phone::{Line, PhoneError};

pub(super) const RULE: OfRequest = Rule { name: "kind", code: "invalid_number", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    let by_plan = || request.number.err().filter(|why| why.is_refused_kind()).cloned();
    let by_look_up = || match request.line {
        // Whom a list allows is refused for nothing that is only told.
        _ if request.listed.is_allowed() => None,
        Line::Special(kind) if request.refused_kinds.contains(&kind) => Some(PhoneError::RefusedKind(kind)),
        _ => None,
    };
    Some(Finding::never(by_plan().or_else(by_look_up)?.into()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::app::admission::listed::Listed;
    use crate::model::phone::{Kind, Line, PhoneError};

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

    #[test]
    fn a_refused_kind_is_refused_by_a_look_up_too() {
        let case = Case::of(|_| ());
        let refused = [Kind::Premium].into();
        let (premium, toll_free) = (Line::Special(Kind::Premium), Line::Special(Kind::TollFree));
        for (line, is_refused) in
            [(premium, true), (toll_free, false), (Line::Mobile, false), (Line::Unknown, false)]
        {
            let mut request = case.request();
            (request.line, request.refused_kinds) = (line, &refused);
            assert_eq!(found((RULE.judge)(&request)).contains("premium"), is_refused, "{line}");
            request.listed = Listed::Allowed;
            assert!((RULE.judge)(&request).is_none(), "{line}");
        }
    }
}
