//! Where a number sends what comes in: a URL of its own, nowhere, or nothing said, and
//! then where the sandbox was told to.

use super::fields::web_url;
use super::incoming::Form;
use super::refusal::Refusal;
use super::resource::Hook;
use reqwest::Url;
use serde_json::{Map, Value, json};

/// A URL that a number may have.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Wanted {
    /// Nothing was ever said.
    #[default]
    Unsaid,
    /// It was emptied.
    Nowhere,
    /// There; with the text as it was given, which a `Url` writes in its own way.
    At(Url, String),
}

/// A URL that a number may have, and how it is asked.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Target {
    /// The URL, or why there is none.
    pub url: Wanted,
    /// By GET; else by POST.
    pub get: bool,
}

/// What the parameters of a target are called, and its fields.
pub(super) struct Names {
    url: &'static str,
    method: &'static str,
    url_field: &'static str,
    method_field: &'static str,
}

/// Of texts, and of texts when that fails.
pub(super) const SMS: [Names; 2] = [
    names("SmsUrl", "SmsMethod", "sms_url", "sms_method"),
    names("SmsFallbackUrl", "SmsFallbackMethod", "sms_fallback_url", "sms_fallback_method"),
];
/// The same of calls.
pub(super) const VOICE: [Names; 2] = [
    names("VoiceUrl", "VoiceMethod", "voice_url", "voice_method"),
    names("VoiceFallbackUrl", "VoiceFallbackMethod", "voice_fallback_url", "voice_fallback_method"),
];
/// Of what is told when a call has ended, or a number was validated.
pub(super) const STATUS: Names =
    names("StatusCallback", "StatusCallbackMethod", "status_callback", "status_callback_method");

const fn names(
    url: &'static str,
    method: &'static str,
    url_field: &'static str,
    method_field: &'static str,
) -> Names {
    Names { url, method, url_field, method_field }
}

impl Target {
    /// What a request makes of it: what the request leaves out stays.
    ///
    /// # Errors
    /// 21402 for what is no URL, 21403 for what is no method.
    pub fn read(&self, form: &Form, names: &Names) -> Result<Self, Refusal> {
        let url = match form.raw(names.url) {
            None => self.url.clone(),
            Some("") => Wanted::Nowhere,
            Some(text) => match web_url(text) {
                Some(url) => Wanted::At(url, text.to_owned()),
                None => return Err(Refusal::bad(21402, format!("{} is not valid: {text}", names.url))),
            },
        };
        let get = match form.get(names.method) {
            None => self.get,
            Some(word) if word.eq_ignore_ascii_case("POST") => false,
            Some(word) if word.eq_ignore_ascii_case("GET") => true,
            Some(word) => return Err(Refusal::bad(21403, format!("{} is not valid: {word}", names.method))),
        };
        Ok(Self { url, get })
    }

    /// Where it leads; where nothing was said, to `usual`.
    pub fn hook(&self, usual: Option<&str>) -> Option<Hook> {
        let url = match &self.url {
            Wanted::At(url, _) => url.clone(),
            Wanted::Unsaid => web_url(usual?)?,
            Wanted::Nowhere => return None,
        };
        Some(Hook { url, get: self.get })
    }

    /// Whether something was said.
    pub fn is_said(&self) -> bool {
        self.url != Wanted::Unsaid
    }

    /// Writes its two fields into a document.
    pub fn show(&self, names: &Names, usual: Option<&str>, document: &mut Map<String, Value>) {
        let url = match &self.url {
            Wanted::At(_, text) => text,
            Wanted::Unsaid => usual.unwrap_or_default(),
            Wanted::Nowhere => "",
        };
        document.insert(names.url_field.to_owned(), json!(url));
        document.insert(names.method_field.to_owned(), json!(if self.get { "GET" } else { "POST" }));
    }
}
