//! What a request says: which of its service's and the application's words go
//! into the message.

use super::{Carried, SendError, SendRequest};
use crate::model::channel::Channel;
use crate::model::message;
use crate::model::service::ContentSids;
use crate::model::verification::Details;
use crate::texts::{Catalog, Text, Wording, closest_tag, compose};
use crate::twilio::segments;
use std::collections::BTreeMap;
use std::time::Duration;

/// The message of a request by text or WhatsApp, in the language that was asked
/// for, or that of the number's country, or the service's.
pub fn text(messages: &Catalog, request: &SendRequest) -> Text {
    let SendRequest { service, .. } = request;
    let settings = &service.settings;
    let country = request.to.region();
    let (code, details) = match &request.content {
        Carried::Code { code, details } => (code, details),
        Carried::Words(words) => return words_of(words),
    };
    compose(
        messages,
        &Wording {
            set: details.template.as_deref().or(settings.template.as_deref()),
            is_whatsapp: request.channel == Channel::Whatsapp,
            service: name(request),
            code: code.expose(),
            seconds: seconds(request),
            payment: details.binding(),
            purpose: details.purpose.as_deref(),
            domain: settings.domain.as_deref(),
            app_hash: details.app_hash.as_deref(),
            do_not_share: settings.do_not_share,
            requested: request.locale.as_deref(),
            country: country.as_deref(),
            default_locale: settings.locale.as_deref(),
        },
    )
}

/// The words of a message of its own.
fn words_of(words: &message::Content) -> Text {
    let (body, locale) = (words.text.clone(), words.language.clone().unwrap_or_default());
    Text { segments: segments::count(&body), body, locale }
}

/// How many segments a text costs.
pub fn segments_of(text: &str) -> u32 {
    u32::try_from(segments::count(text).segments).unwrap_or(u32::MAX)
}

/// The template that WhatsApp approved, in the language that was asked for, or that of the
/// number's country, or the service's; else in English, else the first there is.
///
/// # Errors
/// [`SendError::Refused`] where there is none, which no setting allows.
pub(super) fn template<'a>(request: &SendRequest, sids: &'a ContentSids) -> Result<&'a str, SendError> {
    let sids = match sids {
        ContentSids::One(sid) => return Ok(sid),
        ContentSids::ByLanguage(sids) => sids,
    };
    let country = request.to.region();
    let (requested, own) = (request.locale.as_deref(), request.service.settings.locale.as_deref());
    let tag = closest_tag(sids.keys().map(String::as_str), (requested, country.as_deref(), own));
    tag.and_then(|tag| sids.get(tag)).map(String::as_str).ok_or_else(|| {
        let reason = "whatsapp_content_sid has no template in any language".to_owned();
        SendError::Refused { code: None, reason }
    })
}

/// The values of a template that WhatsApp approved, by the service's map of its
/// variables; the code is `1` where there is no map.
///
/// # Errors
/// [`SendError::Refused`] for a variable that does not exist, and for a payment
/// that the template does not tell of.
pub(super) fn variables(request: &SendRequest) -> Result<BTreeMap<String, String>, SendError> {
    let refused = |reason: String| SendError::Refused { code: None, reason };
    let map = &request.service.settings.whatsapp_variables;
    let binding = request.details().and_then(Details::binding);
    if let Some(code) = request.code()
        && map.is_empty()
        && binding.is_none()
    {
        return Ok([("1".to_owned(), code.expose().to_owned())].into());
    }
    let has = |name: &str| map.values().any(|known| known == name);
    if binding.is_some() && !(has("amount") && has("payee")) {
        let reason = "a payment's message says what is paid to whom: \
                      give amount and payee a place in whatsapp_variables";
        return Err(refused(reason.to_owned()));
    }
    map.iter()
        .map(|(name, variable)| match value(request, variable) {
            Some(value) => Ok((name.clone(), value)),
            None => Err(refused(format!("whatsapp_variables has {variable}, which is no variable"))),
        })
        .collect()
}

/// The value of a variable by its name, as a template at WhatsApp takes it: the
/// minutes are a bare number, because their word is in the template.
fn value(request: &SendRequest, variable: &str) -> Option<String> {
    let details = request.details()?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Some(match variable {
        "code" => request.code()?.expose().to_owned(),
        "service" => name(request).to_owned(),
        "minutes" => minutes(seconds(request)),
        "amount" => text(&details.amount),
        "payee" => text(&details.payee),
        "purpose" => text(&details.purpose),
        "domain" => text(&request.service.settings.domain),
        _ => return None,
    })
}

fn name(request: &SendRequest) -> &str {
    let own = request.details().and_then(|details| details.friendly_name.as_deref());
    own.unwrap_or(&request.service.settings.name)
}

/// How long the code is good when the message leaves, in seconds.
fn seconds(request: &SendRequest) -> u32 {
    let is_last_minute = request.valid_for < Duration::from_secs(60);
    let left = if is_last_minute { request.valid_for } else { request.valid_for + A_MOMENT };
    u32::try_from(left.as_secs()).unwrap_or(u32::MAX)
}

/// Whole minutes that there are: a person who is promised more comes too late.
fn minutes(seconds: u32) -> String {
    if seconds < 60 { "<1".to_owned() } else { (seconds / 60).to_string() }
}

/// What a code may have lost of a minute or an hour and still be said to have it,
/// but for its last one: the way from the store to the gateway takes a moment.
const A_MOMENT: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_alone_are_whole_ones_that_there_are() {
        assert_eq!([0, 59, 60, 119, 600].map(minutes), ["<1", "<1", "1", "1", "10"]);
    }
}
