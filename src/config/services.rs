//! The services, in the model's own words: what the API would refuse is refused
//! here. It refuses to know what a setting may be.

use super::gateway::{Gateway, GatewayKind};
use super::reader::Reader;
use super::sections::{Gate, Sandbox, Verification, Voice};
use super::settings::{plainly, with};
use super::twilio::Twilio;
use crate::model::channel::Channel;
use crate::model::policy;
use crate::model::service::{BadSetting, OWN_MACHINE, Pages, Settings};
use std::collections::BTreeMap;
use std::time::Duration;

/// The services of the configuration.
#[derive(Clone, Debug)]
pub struct Services {
    /// For requests that name none: the other sections, and `services.default`.
    pub default: Settings,
    /// The others by their keys; what they do not set is the default's.
    pub others: BTreeMap<String, Settings>,
}

const DEFAULT: &str = "default";

/// The parts of the configuration that a service starts from.
pub(super) struct Base<'a> {
    pub name: &'a str,
    pub twilio: &'a Twilio,
    pub gateway: &'a Gateway,
    pub sandbox: &'a Sandbox,
    pub verification: &'a Verification,
    pub voice: &'a Voice,
}

impl Services {
    pub(super) fn read(r: &mut Reader<'_>, base: &Base<'_>) -> Self {
        let mut tables = r.table("services");
        let base = base.sound(r);
        let default = with(r, DEFAULT, &base, tables.remove(DEFAULT));
        let mut others = BTreeMap::new();
        for (key, table) in tables {
            let settings = with(r, &key, &default, Some(table));
            others.insert(key, settings);
        }
        Self { default, others }
    }
}

impl Base<'_> {
    /// The settings, which could be a service's; what could not is noted under its
    /// own key, and not once more in each service.
    fn sound(&self, r: &mut Reader<'_>) -> Settings {
        let settings = self.settings();
        let Err(BadSetting { field, what }) = settings.check() else {
            return settings;
        };
        let key = match field.as_str() {
            "name" => "service_name".to_owned(),
            "gate" => "voice.gate".to_owned(),
            field => Some(format!("verification.{field}"))
                .filter(|key| r.has(key))
                .unwrap_or_else(|| "services".to_owned()),
        };
        r.note(&key, "does not fit here", format_args!("it {}", plainly(&what)));
        Settings { channels: settings.channels, pages: settings.pages, ..Settings::default() }
    }

    fn settings(&self) -> Settings {
        let (verification, voice) = (self.verification, self.voice);
        let seconds = |span: &Duration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
        Settings {
            name: self.name.to_owned(),
            code_length: verification.code_length,
            lifetime_seconds: seconds(&verification.lifetime),
            max_checks: verification.max_checks,
            max_sends: u8::try_from(verification.max_sends).unwrap_or(u8::MAX),
            resend_cooldown_seconds: verification.resend_cooldown.iter().map(seconds).collect(),
            resend_cooldown_is_set: verification.resend_cooldown_is_set,
            new_code_on_resend: verification.new_code_on_resend,
            channels: self.channels(),
            pages: self.pages(),
            gate: match voice.gate {
                Gate::AnyKey => policy::Gate::AnyKey,
                Gate::NamedKey => policy::Gate::NamedKey,
                Gate::None => policy::Gate::None,
            },
            ..Settings::default()
        }
    }

    /// With the sandbox, applications on the same machine may be returned to.
    fn pages(&self) -> Pages {
        let urls: &[&str] = if self.sandbox.enabled { &OWN_MACHINE } else { &[] };
        Pages { return_urls: urls.iter().map(|url| format!("{url}*")).collect(), ..Pages::default() }
    }

    /// A messaging service sends texts only; a call comes from a number. WhatsApp
    /// needs a sender that WhatsApp knows, as the sandbox's is.
    /// A service of the operator's own has what it says, and Verify sends as itself.
    fn channels(&self) -> Vec<Channel> {
        if let Some(carried) = self.gateway.carried().filter(|carried| !carried.is_empty()) {
            return carried.to_vec();
        }
        let is_printed = self.gateway.kind == GatewayKind::Console;
        let is_verify = self.gateway.kind == GatewayKind::Verify;
        let listed = |channel| self.twilio.senders.iter().any(|sender| sender.channels.contains(&channel));
        let has_number = self.twilio.from.is_some() || listed(Channel::Call);
        let calls = self.sandbox.enabled || has_number || is_printed || is_verify;
        let mut channels = vec![Channel::Sms];
        channels.extend(calls.then_some(Channel::Call));
        let whatsapp = self.sandbox.enabled || listed(Channel::Whatsapp);
        channels.extend(whatsapp.then_some(Channel::Whatsapp));
        channels
    }
}
