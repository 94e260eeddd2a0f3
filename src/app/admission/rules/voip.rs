//! Numbers of internet telephony, by their country's plan, are marked, sent to, or refused
//! as the service says. Those that the configuration refuses for all come to `kind` before.

use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;
use crate::app::admission::rule::{OfRequest, Rule};
use crate::model::phone::{Kind, PhoneError};
use crate::model::service::OnVoip;

pub(super) const RULE: OfRequest = Rule { name: "voip", code: "invalid_number", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    if !request.is_voip || request.listed.is_allowed() {
        return None;
    }
    match request.service.settings.voip {
        OnVoip::Allow => None,
        OnVoip::Flag => Some(Finding::Flag("a number of internet telephony".to_owned())),
        OnVoip::Refuse => Some(Finding::never(PhoneError::RefusedKind(Kind::Voip).into())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::app::admission::listed::Listed;
    use crate::model::service::OnVoip;

    #[test]
    fn a_number_of_internet_telephony_is_what_the_service_says() {
        let refused = "internet telephony numbers";
        for (setting, is_voip, listed, finds) in [
            (OnVoip::Flag, false, Listed::Nothing, ""),
            (OnVoip::Flag, true, Listed::Nothing, "flag: a number of internet telephony"),
            (OnVoip::Flag, true, Listed::Allowed, ""),
            (OnVoip::Allow, true, Listed::Nothing, ""),
            (OnVoip::Refuse, true, Listed::Nothing, refused),
            (OnVoip::Refuse, true, Listed::Allowed, ""),
            (OnVoip::Refuse, false, Listed::Nothing, ""),
        ] {
            let case = Case::of(|settings| settings.voip = setting);
            let mut request = case.request();
            (request.is_voip, request.listed) = (is_voip, listed);
            let said = found((RULE.judge)(&request)).to_lowercase();
            assert!(said.contains(finds) && said.is_empty() == finds.is_empty(), "{setting:?}: {said}");
        }
    }
}
