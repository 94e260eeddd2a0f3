//! What a service demands of every verification before it begins or is sent
//! again, by whichever face it is asked for: words that say no more than they
//! should in the brand's name, the payment that its codes are bound to, and that
//! nobody brings a code where it takes none. This module refuses to know who asks.

use crate::app::admission::AdmissionError;
use crate::app::services::Directory;
use crate::model::channel::Channel;
use crate::model::service::{self, BadSetting, Service, Settings};
use crate::model::verification::Details;
use crate::model::wording;

/// What an application says, as people are to see it: without the marks that
/// show nothing. What only they are is not said.
///
/// # Errors
/// [`AdmissionError::Link`] where the service takes no links, and
/// [`AdmissionError::Setting`] for a name that could be no service's.
pub(in crate::app) fn worded(service: &Service, details: &Details) -> Result<Details, AdmissionError> {
    let text = |field, said: &Option<String>| {
        let shown = said.as_deref().map(wording::shown).filter(|text| !text.is_empty());
        match &shown {
            Some(text) if !service.settings.allow_links && leads_away(text) => {
                Err(AdmissionError::Link { field })
            }
            _ => Ok(shown),
        }
    };
    let friendly_name = text("friendly_name", &details.friendly_name)?;
    if let Some(name) = &friendly_name {
        let named = |wrong| BadSetting { field: "friendly_name".to_owned(), ..wrong };
        service::check_name(name).map_err(named)?;
    }
    Ok(Details {
        friendly_name,
        amount: text("amount", &details.amount)?,
        payee: text("payee", &details.payee)?,
        purpose: text("purpose", &details.purpose)?,
        ..details.clone()
    })
}

/// Whether people could follow a text to somebody: by a link, an address or a
/// telephone number, which no amount looks like.
fn leads_away(text: &str) -> bool {
    wording::has_link(text) || wording::has_telephone(text)
}

/// Refuses to call a service, or a channel of it, by a link through the API. What the
/// configuration says is the operator's own.
///
/// # Errors
/// [`AdmissionError::Setting`].
pub(in crate::app) fn refuse_link_as_name(old: &Settings, new: &Settings) -> Result<(), AdmissionError> {
    let spoken = |settings: &Settings| settings.tts_name.clone().unwrap_or_default();
    let called = |settings: &Settings, channel| {
        settings.channel_labels.label_of(channel).unwrap_or_default().to_owned()
    };
    let own = [
        ("name".to_owned(), new.name.clone(), old.name.clone()),
        ("tts_name".to_owned(), spoken(new), spoken(old)),
    ];
    let labels = Channel::ALL.map(|channel| {
        (format!("channel_labels.{channel}.label"), called(new, channel), called(old, channel))
    });
    let mut names = own.iter().chain(&labels);
    let is_refused =
        |(_, name, was): &&(String, String, String)| !new.allow_links && was != name && leads_away(name);
    match names.find(is_refused) {
        Some((field, ..)) => Err(BadSetting {
            field: field.clone(),
            what: "has a link, an address or a telephone number in it, which people would follow; \
                   allow_links = true, set with it, allows it"
                .to_owned(),
        }
        .into()),
        None => Ok(()),
    }
}

/// Refuses a verification without the payment that the service's codes are
/// bound to (PSD2, RTS article 5: the payer knows amount and payee), and half of
/// one everywhere: a text that names an amount and nobody who gets it is broken.
///
/// # Errors
/// [`AdmissionError::PaymentMissing`], or [`AdmissionError::NotAllowed`] for half of a
/// payment where none is needed.
pub(in crate::app) fn refuse_unpaid(service: &Service, details: &Details) -> Result<(), AdmissionError> {
    let is_said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    let (amount, payee) = (is_said(&details.amount), is_said(&details.payee));
    let field = match (amount, payee) {
        (true, true) => return Ok(()),
        (false, false) if !service.settings.psd2 => return Ok(()),
        (true, false) => "payee",
        (false, _) => "amount",
    };
    Err(match service.settings.psd2 {
        true => AdmissionError::PaymentMissing { field },
        false => AdmissionError::NotAllowed {
            field,
            what: "amount and payee go together, and one of them is missing: give both, or neither",
        },
    })
}

/// Refuses a language that there are no texts in, for the set that is named or the
/// service's own.
///
/// # Errors
/// What is wrong with it.
pub(in crate::app) fn refuse_unspoken(
    directory: &Directory,
    service: &Service,
    set: Option<&str>,
    locale: Option<&str>,
) -> Result<(), BadSetting> {
    locale.map_or(Ok(()), |locale| directory.services.judge_locale(service, set, locale))
}

/// Refuses a code that the application chose where the service takes none.
///
/// # Errors
/// [`AdmissionError::CustomCodeOff`].
pub(in crate::app) fn refuse_chosen(service: &Service, has_code: bool) -> Result<(), AdmissionError> {
    match has_code && !service.settings.custom_code {
        true => Err(AdmissionError::CustomCodeOff),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::ServiceDirectory;
    use jiff::Timestamp;

    #[test]
    fn both_halves_of_a_payment_are_needed_where_codes_are_bound_to_it() {
        let service = |psd2| {
            let settings = Settings { psd2, ..Settings::default() };
            ServiceDirectory::of_file(None, settings, Timestamp::UNIX_EPOCH)
        };
        let details = |amount: &str, payee: &str| {
            let text = |text: &str| Some(text.to_owned()).filter(|text| text != "-");
            Details { amount: text(amount), payee: text(payee), ..Details::default() }
        };
        let missing = |amount, payee| match refuse_unpaid(&service(true), &details(amount, payee)) {
            Err(AdmissionError::PaymentMissing { field }) => field,
            other => other.map(|()| "").unwrap(),
        };
        assert_eq!(missing("39.99", "Acme"), "");
        assert_eq!(missing("39.99", "-"), "payee");
        assert_eq!(missing("39.99", " "), "payee");
        for amount in ["-", "", " "] {
            assert_eq!(missing(amount, "Acme"), "amount");
            assert!(refuse_unpaid(&service(false), &details(amount, "-")).is_ok());
        }
        // Nobody is told half of a payment, whatever the service binds.
        let half = |amount, payee| match refuse_unpaid(&service(false), &details(amount, payee)) {
            Err(AdmissionError::NotAllowed { field, .. }) => field,
            other => other.map(|()| "").unwrap(),
        };
        assert_eq!(half("39.99", "Acme"), "");
        for nothing in ["-", "", " "] {
            assert_eq!(half("39.99", nothing), "payee");
            assert_eq!(half(nothing, "Acme"), "amount");
        }
    }

    #[test]
    fn words_are_shown_plainly_and_lead_nowhere() {
        let service = |allow_links| {
            let settings = Settings { allow_links, ..Settings::default() };
            ServiceDirectory::of_file(None, settings, Timestamp::UNIX_EPOCH)
        };
        let all = |text: &str| Details {
            friendly_name: Some(text.to_owned()),
            purpose: Some(text.to_owned()),
            amount: Some(text.to_owned()),
            payee: Some(text.to_owned()),
            ..Details::default()
        };
        let said = worded(&service(false), &all("\u{202e}St. \u{200b}Gallen ")).unwrap();
        assert_eq!(said, all("St. Gallen"));
        assert_eq!(worded(&service(false), &all("\u{200b}\u{200e}")).unwrap(), Details::default());
        assert_eq!(worded(&service(true), &all("Booking.com")).unwrap(), all("Booking.com"));
        for field in ["friendly_name", "purpose", "amount", "payee"] {
            let mut details = serde_json::to_value(all("fine")).unwrap();
            details[field] = "ev\u{200b}il\u{3002}com".into();
            let refused = worded(&service(false), &serde_json::from_value(details).unwrap()).unwrap_err();
            assert!(matches!(refused, AdmissionError::Link { field: named } if named == field), "{refused}");
        }
        for amount in [
            "39.99 €",
            "+1.234,56 €",
            "1 234 567.89 EUR",
            "1'234'567 CHF",
            "0.12345678 BTC",
            "12 345 678 901 IDR",
        ] {
            let said =
                Details { amount: Some(amount.to_owned()), payee: Some("Acme".into()), ..Details::default() };
            assert!(worded(&service(false), &said).is_ok(), "{amount}");
        }
        for field in ["friendly_name", "purpose", "amount", "payee"] {
            let mut details = serde_json::to_value(all("fine")).unwrap();
            details[field] = "0800 123 4567".into();
            let refused = worded(&service(false), &serde_json::from_value(details).unwrap()).unwrap_err();
            assert!(refused.to_string().contains("allow_links"), "{refused}");
        }
        let told = worded(&service(false), &all("Code 123456")).unwrap_err().to_string();
        assert!(told.starts_with("friendly_name: has no more than 4 digits in a row"), "{told}");
    }

    #[test]
    fn a_payment_of_nothing_that_is_seen_is_missing() {
        let settings = Settings { psd2: true, ..Settings::default() };
        let service = ServiceDirectory::of_file(None, settings, Timestamp::UNIX_EPOCH);
        let details = Details {
            amount: Some("\u{2060}\u{200b}".to_owned()),
            payee: Some("Acme".to_owned()),
            ..Details::default()
        };
        let refused = worded(&service, &details).and_then(|said| refuse_unpaid(&service, &said));
        assert!(matches!(refused, Err(AdmissionError::PaymentMissing { field: "amount" })));
    }
}
