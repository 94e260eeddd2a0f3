//! A service that binds its codes to payments is told of one, whole
//! (see [`terms`](crate::app::admission::terms)).

use super::{OfRequest, Rule};
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;
use crate::app::admission::terms::refuse_unpaid;

pub(super) const RULE: OfRequest = Rule { name: "payment", code: "payment_missing", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    let details = request.details.as_ref().ok()?;
    refuse_unpaid(&request.service, details).err().map(Finding::never)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::model::verification::Details;

    #[test]
    fn a_payment_is_whole_where_codes_are_bound_to_one() {
        for (psd2, amount, payee, is_refused) in [
            (true, Some("1 EUR"), Some("Acme"), false),
            (true, Some("1 EUR"), None, true),
            (true, None, None, true),
            (false, None, None, false),
            (false, None, Some("Acme"), true),
        ] {
            let case = Case::of(|settings| settings.psd2 = psd2);
            let text = |text: Option<&str>| text.map(str::to_owned);
            let details = Ok(Details { amount: text(amount), payee: text(payee), ..Details::default() });
            let mut request = case.request();
            request.details = &details;
            assert_eq!(!found((RULE.judge)(&request)).is_empty(), is_refused, "{psd2} {amount:?} {payee:?}");
        }
    }
}
