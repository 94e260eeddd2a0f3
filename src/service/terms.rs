//! What a service demands of every verification before it begins or is sent
//! again, by whichever face it is asked for: the payment that its codes are
//! bound to, and that nobody brings a code where it takes none. This module
//! refuses to know who asks.

use super::ServiceError;
use crate::model::brand::Brand;
use crate::model::verification::Details;

/// Refuses a verification without the payment that the service's codes are
/// bound to (PSD2, RTS article 5: the payer knows amount and payee).
///
/// # Errors
/// [`ServiceError::PaymentMissing`].
pub(super) fn refuse_unpaid(brand: &Brand, details: &Details) -> Result<(), ServiceError> {
    let is_said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    let missing = [("amount", &details.amount), ("payee", &details.payee)];
    match missing.into_iter().find(|(_, text)| !is_said(text)) {
        Some((field, _)) if brand.settings.psd2 => Err(ServiceError::PaymentMissing { field }),
        _ => Ok(()),
    }
}

/// Refuses a code that the application chose where the service takes none.
///
/// # Errors
/// [`ServiceError::CustomCodeOff`].
pub(super) fn refuse_chosen(brand: &Brand, has_code: bool) -> Result<(), ServiceError> {
    match has_code && !brand.settings.custom_code {
        true => Err(ServiceError::CustomCodeOff),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::brand::Settings;
    use crate::service::Brands;
    use jiff::Timestamp;

    #[test]
    fn both_halves_of_a_payment_are_needed_where_codes_are_bound_to_it() {
        let brand = |psd2| {
            let settings = Settings { psd2, ..Settings::default() };
            Brands::of_file(None, settings, Timestamp::UNIX_EPOCH)
        };
        let details = |amount: &str, payee: &str| {
            let text = |text: &str| Some(text.to_owned()).filter(|text| text != "-");
            Details { amount: text(amount), payee: text(payee), ..Details::default() }
        };
        let missing = |amount, payee| match refuse_unpaid(&brand(true), &details(amount, payee)) {
            Err(ServiceError::PaymentMissing { field }) => field,
            other => other.map(|()| "").unwrap(),
        };
        assert_eq!(missing("39.99", "Acme"), "");
        assert_eq!(missing("39.99", "-"), "payee");
        assert_eq!(missing("39.99", " "), "payee");
        for amount in ["-", "", " "] {
            assert_eq!(missing(amount, "Acme"), "amount");
            assert!(refuse_unpaid(&brand(false), &details(amount, "-")).is_ok());
        }
    }
}
