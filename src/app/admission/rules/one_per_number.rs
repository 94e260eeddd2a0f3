//! While a verification stands open, its person's next start by the same caller goes on
//! with it: it has to be for the same payment and purpose, or the face renews it.

use super::{OfRequest, Rule};
use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;
use crate::model::verification::Status;

pub(super) const RULE: OfRequest = Rule { name: "one_per_number", code: "verification_pending", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    let open = request.open?.verification;
    if request.profile.renews || open.status_at(request.now) != Status::Pending {
        return None;
    }
    let details = request.details.as_ref().ok()?;
    let is_same = (details.binding(), &details.purpose) == (open.details.binding(), &open.details.purpose);
    (!is_same).then_some(Finding::Refuse { until: Some(open.expires_at), why: AdmissionError::OtherPending })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::app::admission::profile::Profile;
    use crate::app::admission::request::Open;
    use crate::model::verification::Details;

    #[test]
    fn what_stands_open_is_for_one_payment_and_one_purpose() {
        let details = |amount: &str, purpose: Option<&str>| Details {
            amount: Some(amount.to_owned()),
            payee: Some("Acme".to_owned()),
            purpose: purpose.map(str::to_owned),
            ..Details::default()
        };
        for (profile, old, new, after, is_refused) in [
            (Profile::API, details("1", None), details("1", None), 1, false),
            (Profile::API, details("1", None), details("2", None), 1, true),
            (Profile::API, details("1", None), details("1", Some("to sign in")), 1, true),
            (Profile::API, details("1", None), details("2", None), 600, false),
            (Profile::PAGES, details("1", None), details("2", None), 1, true),
            (Profile::VERIFY, details("1", None), details("2", None), 1, false),
        ] {
            let case = Case::of(|_| ());
            let mut verification = case.verification();
            verification.details = old;
            let new = Ok(new);
            let mut request = case.request_after(after);
            (request.profile, request.details) = (&profile, &new);
            request.open = Some(Open { verification: &verification, failed: None });
            assert_eq!(
                !found((RULE.judge)(&request)).is_empty(),
                is_refused,
                "{} {new:?} {after}",
                profile.name
            );
        }
    }
}
