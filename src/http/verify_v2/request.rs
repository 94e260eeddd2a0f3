//! What a request to begin a verification says, read and checked.

use super::call::Call;
use super::failure::Failure;
use super::settings::set_of;
use crate::app::verification::{Ask, CaptchaOffer, StartRequest};
use crate::model::channel::Channel;
use crate::model::compat::Compat;
use crate::model::service::{Service, check_name};
use crate::model::typed;
use crate::model::verification::Details;
use crate::secret::Secret;
use crate::texts::{DEFAULT_SET, is_app_hash};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Channels of Twilio's that are not built.
const MISSING_CHANNELS: [&str; 5] = ["email", "sna", "rcs", "rbm", "silent_device_approval"];
/// Most tags of a verification, and the most characters of a key or a value.
const MOST_TAGS: usize = 10;
const LONGEST_TAG: usize = 128;
/// Most characters of an amount, a payee, a purpose.
const LONGEST_TEXT: usize = 100;
/// The person's device, as the application names it: a parameter that Twilio does not have,
/// under a name that it will not give to another.
const DEVICE: &str = "DialbackDeviceId";
/// Most characters of that.
const LONGEST_DEVICE: usize = 128;
/// Most templates that a request names.
const MOST_TEMPLATES: usize = 10;
/// The longest language tag, in bytes.
const LONGEST_LOCALE: usize = 35;

/// Reads the form.
///
/// # Errors
/// What is missing, what cannot be, or what the service does not have.
pub fn ask(call: &Call, service: &Service) -> Result<Ask, Failure> {
    let to = call.needed("To")?;
    // First the channel: an address of one that is not ours is no number.
    let channel = channel(call.needed("Channel")?)?;
    let to = call.context.app.number_of_form(to)?.in_full().to_owned();
    let (amount, payee) = payment(call, service)?;
    let channel = match channel {
        Some(Channel::Call) if service.settings.psd2 => {
            return Err(Failure::new(400, 60214, "Call channel is not supported when using PSD2"));
        }
        // An amount is shown, not said.
        None if service.settings.psd2 => {
            service.settings.channels.iter().copied().find(|channel| channel.is_message())
        }
        channel => channel,
    };
    let (template, purpose) = template(call)?;
    if call.text("ChannelConfiguration").is_some() {
        // It is about e-mail alone.
        object(call, "ChannelConfiguration")?;
    }
    call.flag("EnableSnaClientToken")?;
    let address = call.parsed::<IpAddr>("DeviceIp")?;
    let device = checked(call, DEVICE, |text| is_line(text, LONGEST_DEVICE))?;
    let details = Details {
        friendly_name: friendly_name(call)?,
        amount,
        payee,
        purpose,
        app_hash: checked(call, "AppHash", is_app_hash)?,
        send_digits: checked(call, "SendDigits", is_digits)?,
        device_ip: address.map(|ip| ip.to_string()),
        user: None,
        tags: tags(call)?,
        template,
    };
    Ok(Ask {
        request: StartRequest {
            channel,
            locale: locale(call, service, details.template.as_deref())?,
            service: Some(service.id.clone()),
            address,
            device,
            custom_code: custom_code(call)?,
            captcha: call
                .text("CaptchaToken")
                .map(|token| CaptchaOffer { token: Secret::new(token), made_for: None }),
            details,
            ..StartRequest::to(to)
        },
        limits: limits(call)?,
        skip_risk_check: call.word("RiskCheck", &["enable", "disable"])? == Some("disable"),
    })
}

/// The channel, `None` for the service's best.
fn channel(text: &str) -> Result<Option<Channel>, Failure> {
    match text {
        "auto" => Ok(None),
        missing if MISSING_CHANNELS.contains(&missing) => Err(Failure::channel_disabled(missing)),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| Failure::invalid_because("Channel", "sms, call, whatsapp or auto")),
    }
}

/// What is to be paid and to whom, as far as it is said; the service refuses to
/// begin without.
///
/// # Errors
/// 60204 when the service does not want to know.
pub fn payment(call: &Call, service: &Service) -> Result<(Option<String>, Option<String>), Failure> {
    let text = |name| checked(call, name, |text| is_line(text, LONGEST_TEXT));
    match (service.settings.psd2, text("Amount")?, text("Payee")?) {
        (false, None, None) => Ok((None, None)),
        (false, _, _) => Err(Failure::unsupported()),
        (true, amount, payee) => Ok((amount, payee)),
    }
}

/// A code that the application chose; whether the service takes one is for the
/// service to say.
fn custom_code(call: &Call) -> Result<Option<Secret>, Failure> {
    let Some(code) = call.text("CustomCode") else { return Ok(None) };
    // Written as people write codes: digits of any script, in groups.
    let code = typed::code(code);
    if !(4..=10).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Failure::invalid_because("CustomCode", "4 to 10 letters and digits"));
    }
    Ok(Some(Secret::new(code)))
}

/// The name for this verification alone, by the rules of a service's.
fn friendly_name(call: &Call) -> Result<Option<String>, Failure> {
    let Some(name) = call.text("CustomFriendlyName") else { return Ok(None) };
    check_name(name)
        .map(|()| Some(name.to_owned()))
        .map_err(|bad| Failure::invalid_because("CustomFriendlyName", bad.what))
}

/// The set of texts, and what the code is for.
fn template(call: &Call) -> Result<(Option<String>, Option<String>), Failure> {
    if call.text("Templates").is_some() {
        return templates(call);
    }
    let set = call.text("TemplateSid").map(|sid| set_of(&call.sets, sid)).transpose()?;
    let substitutions = match call.text("TemplateCustomSubstitutions") {
        Some(_) => object(call, "TemplateCustomSubstitutions")?,
        None => Map::new(),
    };
    Ok((set, purpose(&substitutions, "TemplateCustomSubstitutions")?))
}

/// The first template of a list that there is.
fn templates(call: &Call) -> Result<(Option<String>, Option<String>), Failure> {
    const NAME: &str = "Templates";
    let list = call.text(NAME).and_then(|text| serde_json::from_str::<Vec<Map<String, Value>>>(text).ok());
    let list = list.filter(|list| (1..=MOST_TEMPLATES).contains(&list.len()));
    let list = list.ok_or_else(|| Failure::invalid_because(NAME, "a JSON array of 1 to 10 objects"))?;
    let found = list.iter().find_map(|entry| {
        let set = set_of(&call.sets, entry.get("sid")?.as_str()?).ok()?;
        Some((set, entry.get("substitutions").and_then(Value::as_object).cloned().unwrap_or_default()))
    });
    let (set, substitutions) = found.ok_or_else(|| Failure::new(404, 60228, "Template was not found"))?;
    Ok((Some(set), purpose(&substitutions, NAME)?))
}

/// The one substitution that texts have a place for.
fn purpose(substitutions: &Map<String, Value>, name: &str) -> Result<Option<String>, Failure> {
    match substitutions.get("purpose") {
        None => Ok(None),
        Some(Value::String(text)) if is_line(text, LONGEST_TEXT) => Ok(Some(text.clone())),
        Some(_) => Err(Failure::invalid_because(name, "purpose is a line of at most 100 characters")),
    }
}

fn locale(call: &Call, service: &Service, set: Option<&str>) -> Result<Option<String>, Failure> {
    let is_tag = |text: &str| {
        text.len() <= LONGEST_LOCALE
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let Some(locale) = checked(call, "Locale", is_tag)? else { return Ok(None) };
    let set = set.or(service.settings.template.as_deref()).unwrap_or(DEFAULT_SET);
    match call.context.settings.messages.judge_locale(Some(set), &locale) {
        Ok(()) => Ok(Some(locale)),
        Err(why) => Err(Failure::new(404, 60229, format!("Template translation was not found: {why}"))),
    }
}

fn tags(call: &Call) -> Result<BTreeMap<String, String>, Failure> {
    if call.text("Tags").is_none() {
        return Ok(BTreeMap::new());
    }
    let wrong =
        || Failure::invalid_because("Tags", "a JSON map of at most 10 texts of at most 128 characters");
    let map = object(call, "Tags")?;
    if map.len() > MOST_TAGS {
        return Err(wrong());
    }
    let tag = |(key, value): (String, Value)| match value {
        Value::String(value) if is_line(&key, LONGEST_TAG) && value.chars().count() <= LONGEST_TAG => {
            Ok((key, value))
        }
        _ => Err(wrong()),
    };
    map.into_iter().map(tag).collect()
}

/// The values to count by.
fn limits(call: &Call) -> Result<Vec<(String, String)>, Failure> {
    const NAME: &str = "RateLimits";
    if call.text(NAME).is_none() {
        return Ok(Vec::new());
    }
    let map = object(call, NAME)?;
    if map.len() > Compat::MOST_RATE_LIMITS {
        return Err(Failure::invalid_because(NAME, format!("at most {}", Compat::MOST_RATE_LIMITS)));
    }
    let limit = |(name, value): (String, Value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(number) => Ok((name, number.to_string())),
        _ => Err(Failure::invalid_because(NAME, "values are texts")),
    };
    map.into_iter().map(limit).collect()
}

/// A parameter that is a JSON object, as text.
fn object(call: &Call, name: &'static str) -> Result<Map<String, Value>, Failure> {
    let parsed = call.text(name).and_then(|text| serde_json::from_str(text).ok());
    parsed.ok_or_else(|| Failure::invalid_because(name, "a JSON object, as text"))
}

fn checked(
    call: &Call,
    name: &'static str,
    is_right: impl Fn(&str) -> bool,
) -> Result<Option<String>, Failure> {
    match call.text(name) {
        Some(text) if !is_right(text) => Err(Failure::invalid(name)),
        text => Ok(text.map(str::to_owned)),
    }
}

fn is_line(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
}

/// Digits to dial, with pauses.
fn is_digits(text: &str) -> bool {
    text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_digit() || b"#*wW".contains(&byte))
}
