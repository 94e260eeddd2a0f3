//! Parameters of a service: which are settings of ours, and which are kept and
//! told back.

use super::call::Call;
use super::failure::Failure;
pub use super::parameter::parameter;
use crate::http::context::Sets;
use crate::model::policy::Gate;
use crate::twilio::verify::Features;
use serde_json::{Map, Value, json};

/// Our settings that a request names, in our own words.
///
/// # Errors
/// 60200, which names the parameter.
pub fn ours(call: &Call, gate: Gate) -> Result<Map<String, Value>, Failure> {
    let mut settings = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            settings.insert(name.to_owned(), value);
        }
    };
    set("name", call.text("FriendlyName").map(|name| json!(name)));
    set("code_length", call.parsed::<u8>("CodeLength")?.map(|length| json!(length)));
    set("tts_name", call.given("TtsName").map(|name| json!(Some(name).filter(|name| !name.is_empty()))));
    set("skip_sms_to_landlines", call.flag("SkipSmsToLandlines")?.map(|flag| json!(flag)));
    set("psd2", call.flag("Psd2Enabled")?.map(|flag| json!(flag)));
    set("do_not_share", call.flag("DoNotShareWarningEnabled")?.map(|flag| json!(flag)));
    set("custom_code", call.flag("CustomCodeEnabled")?.map(|flag| json!(flag)));
    set("gate", call.flag("DtmfInputRequired")?.map(|needed| json!(gate_for(needed, gate))));
    set("whatsapp_from", call.given("Whatsapp.From").map(whatsapp_from));
    set("template", template(call)?);
    Ok(settings)
}

/// Whether a key must be pressed. A gate that names its key stays.
fn gate_for(needed: bool, gate: Gate) -> Gate {
    match (needed, gate) {
        (false, _) => Gate::None,
        (true, Gate::None) => Gate::AnyKey,
        (true, gate) => gate,
    }
}

fn whatsapp_from(from: &str) -> Value {
    let from = from.strip_prefix("whatsapp:").unwrap_or(from);
    json!(Some(from).filter(|from| !from.is_empty()))
}

fn template(call: &Call) -> Result<Option<Value>, Failure> {
    match call.given("DefaultTemplateSid") {
        None => Ok(None),
        Some("") => Ok(Some(Value::Null)),
        Some(sid) => set_of(&call.sets, sid).map(|name| Some(json!(name))),
    }
}

/// The name of a set of texts by Twilio's word for it.
///
/// # Errors
/// 60228.
pub fn set_of(sets: &Sets, sid: &str) -> Result<String, Failure> {
    let set = sets.iter().find(|set| set.sid() == sid);
    set.map(|set| set.name().to_owned()).ok_or_else(|| Failure::new(404, 60228, "Template was not found"))
}

/// A change of what is kept and told back.
///
/// # Errors
/// 60200, which names the parameter.
pub fn kept(call: &Call) -> Result<impl Fn(&mut Features) + Send + Sync + use<>, Failure> {
    let text = |name| call.given(name).map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()));
    let sid = |name: &'static str, prefix: &str| match call.text(name) {
        Some(sid) if !is_sid(sid, prefix) => Err(Failure::invalid(name)),
        _ => Ok(text(name)),
    };
    let number = |name: &'static str, least: u32, most: u32| match call.parsed::<u32>(name)? {
        Some(number) if !(least..=most).contains(&number) => Err(Failure::invalid(name)),
        number => Ok(number.map(Some)),
    };
    let word = |name: &'static str, words: &[&str]| call.word(name, words).map(|_| text(name));
    let needed = &["required", "preferred", "discouraged"];
    let lookup = call.flag("LookupEnabled")?;
    let events = call.flag("VerifyEventSubscriptionEnabled")?;
    let include_date = call.flag("Push.IncludeDate")?;
    let apn = sid("Push.ApnCredentialSid", "CR")?;
    let fcm = sid("Push.FcmCredentialSid", "CR")?;
    let issuer = text("Totp.Issuer");
    let time_step = number("Totp.TimeStep", 20, 60)?;
    let code_length = number("Totp.CodeLength", 3, 8)?;
    let skew = number("Totp.Skew", 0, 2)?;
    let whatsapp = sid("Whatsapp.MsgServiceSid", "MG")?;
    let (id, name) = (text("Passkeys.RelyingParty.Id"), text("Passkeys.RelyingParty.Name"));
    let origins = text("Passkeys.RelyingParty.Origins");
    let attachment = word("Passkeys.AuthenticatorAttachment", &["platform", "cross-platform", "any"])?;
    let discoverable = word("Passkeys.DiscoverableCredentials", needed)?;
    let user_verification = word("Passkeys.UserVerification", needed)?;
    Ok(move |features: &mut Features| {
        put(&mut features.lookup_enabled, lookup);
        put(&mut features.event_subscription_enabled, events);
        put(&mut features.push_include_date, include_date);
        put(&mut features.push_apn_credential, apn.clone());
        put(&mut features.push_fcm_credential, fcm.clone());
        put(&mut features.totp_issuer, issuer.clone());
        put(&mut features.totp_time_step, time_step);
        put(&mut features.totp_code_length, code_length);
        put(&mut features.totp_skew, skew);
        put(&mut features.whatsapp_messaging_service, whatsapp.clone());
        put(&mut features.passkeys_id, id.clone());
        put(&mut features.passkeys_name, name.clone());
        put(&mut features.passkeys_origins, origins.clone());
        put(&mut features.passkeys_attachment, attachment.clone());
        put(&mut features.passkeys_discoverable, discoverable.clone());
        put(&mut features.passkeys_user_verification, user_verification.clone());
    })
}

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Whether a text is one of Twilio's names: two letters and 32 hexadecimal digits.
pub fn is_sid(text: &str, prefix: &str) -> bool {
    text.len() == 34 && text.starts_with(prefix) && text.as_bytes()[2..].iter().all(u8::is_ascii_hexdigit)
}
