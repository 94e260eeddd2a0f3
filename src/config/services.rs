//! The services and the test numbers, in the model's own words: what the API
//! would refuse is refused here.

use super::reader::Reader;
use super::sections::{Gate, GatewayKind, Sandbox, Twilio, Verification, Voice};
use crate::model::brand::{OWN_MACHINE, Pages, Settings};
use crate::model::channel::Channel;
use crate::model::policy;
use crate::model::test_number::TestNumber;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};
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
    pub gateway: GatewayKind,
    pub sandbox: &'a Sandbox,
    pub verification: &'a Verification,
    pub voice: &'a Voice,
}

impl Services {
    pub(super) fn read(r: &mut Reader<'_>, base: &Base<'_>) -> Self {
        let mut tables = r.table("services");
        let default = with(r, DEFAULT, &base.settings(), tables.remove(DEFAULT));
        let mut others = BTreeMap::new();
        for (key, table) in tables {
            let settings = with(r, &key, &default, Some(table));
            others.insert(key, settings);
        }
        Self { default, others }
    }
}

impl Base<'_> {
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
    fn channels(&self) -> Vec<Channel> {
        let calls =
            self.sandbox.enabled || self.twilio.from.is_some() || self.gateway == GatewayKind::Console;
        let mut channels = vec![Channel::Sms];
        channels.extend(calls.then_some(Channel::Call));
        channels.extend(self.sandbox.enabled.then_some(Channel::Whatsapp));
        channels
    }
}

fn with(r: &mut Reader<'_>, key: &str, base: &Settings, table: Option<toml::Value>) -> Settings {
    let mend = "see `services` in `dialback config default`";
    let changes = match table.map(serde_json::to_value) {
        None => Map::new(),
        Some(Ok(Value::Object(changes))) => changes,
        Some(_) => {
            r.note("services", format_args!("{key} is no table of settings"), mend);
            Map::new()
        }
    };
    base.with(changes).unwrap_or_else(|wrong| {
        r.note("services", format_args!("{key}.{wrong}"), mend);
        base.clone()
    })
}

/// `test_numbers`
pub(super) fn test_numbers(r: &mut Reader<'_>) -> Vec<TestNumber> {
    const KEY: &str = "test_numbers";
    const MEND: &str = "write { number = \"+15551230000\", code = \"123456\", until = \"2027-12-31\" }";
    r.list(KEY, |r, item| {
        let Some(table) = item.as_table() else {
            r.note(KEY, "has an item that is no table", MEND);
            return None;
        };
        r.only(KEY, table, &["number", "code", "until"]);
        let text = |name: &str| match table.get(name) {
            Some(toml::Value::String(text)) => text.clone(),
            Some(toml::Value::Datetime(time)) => time.to_string(),
            _ => String::new(),
        };
        let (pattern, code, until) = (text("number"), text("code"), time(&text("until")));
        let what = if !TestNumber::is_pattern(&pattern) {
            "has a number that is none: international form, ? for a digit, * at the end for any"
        } else if !(4..=10).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            "has a code that is none: 4 to 10 digits"
        } else if until.is_none() {
            "has an item without an end: a day or a time"
        } else {
            return until.map(|until| TestNumber { pattern, code, until });
        };
        r.note(KEY, what, MEND);
        None
    })
}

/// A time, or the first moment of a day in UTC.
fn time(text: &str) -> Option<Timestamp> {
    let day = || {
        let day: Date = text.parse().ok()?;
        day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    text.parse().ok().or_else(day)
}
