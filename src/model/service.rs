//! A service (`VA…`): the name that people read, the rules its verifications live
//! by, and the ways a code may take.
//!
//! Its settings come from the configuration file or through the API in the
//! same words, and are checked here for both.

mod content_sids;
mod elsewhere;
mod labels;
mod messages;
mod pending;
mod rules;
mod strength;
mod voip;

pub use self::content_sids::{ContentSids, MOST_TEMPLATES};
pub use self::elsewhere::MOST_ELSEWHERE;
pub use self::labels::{ChannelLabel, ChannelLabels, MOST_ICON, MOST_LABEL};
pub use self::messages::{
    MOST_MESSAGE_TEMPLATES, MOST_WORD, MessageTemplate, MessageType, Piece, USUAL_TYPE,
    is_word as is_message_word, pieces, usual_types,
};
pub use self::pending::Pending;
pub use self::rules::{Complaint, MOST_REMEDIES, check_name};
pub use self::strength::{GUESSABLE, LONGEST_LIFE};
pub use self::voip::OnVoip;

pub use crate::model::code::DIGITS;

use crate::model::channel::Channel;
use crate::model::fraud::FraudChanges;
use crate::model::id::ServiceId;
use crate::model::limits::LimitChanges;
use crate::model::phone::{Line, PhoneNumber};
use crate::model::policy::{Failover, Gate, Policy};
use crate::model::remedy::Remedy;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// A service as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its id: `VA` and 32 hexadecimal digits.
    pub id: ServiceId,
    /// Everything that may be set.
    #[serde(flatten)]
    pub settings: Settings,
    /// Where it comes from.
    pub origin: Origin,
    /// When it was made; for one of the file, when the process started.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Where a service comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The configuration: the API only shows it.
    File {
        /// Its key there: `services.shop`, or nothing for the top level.
        key: Option<String>,
    },
    /// The API, through which it may be changed.
    Api,
}

/// What may be set of a service. Spans are whole seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name in texts, calls and pages: 1 to 32 characters.
    pub name: String,
    /// Characters of a code, 4 to 10.
    pub code_length: u8,
    /// The characters a code is made of: ten digits, or 8 to 36 different
    /// digits and capital letters.
    pub code_alphabet: String,
    /// How long a verification lives: 60 to 86400 seconds.
    pub lifetime_seconds: u32,
    /// How many codes may be offered, 1 to 20.
    pub max_checks: u32,
    /// How many messages and calls may be sent, 1 to 20.
    pub max_sends: u8,
    /// How long to wait before the second send, the third, and so on; the last
    /// one repeats. 1 to 20 spans of at most 3600 seconds.
    pub resend_cooldown_seconds: Vec<u32>,
    /// Whether somebody has set that, though it be as it is for those who have not. It
    /// is no setting by itself: whoever names the other sets it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resend_cooldown_is_set: bool,
    /// Whether sending again makes a new code and kills the old one.
    pub new_code_on_resend: bool,
    /// The channels, the preferred one first.
    pub channels: Vec<Channel>,
    /// Which countries a channel reaches; a channel that is not named reaches all.
    #[serde(default)]
    pub countries: BTreeMap<Channel, Countries>,
    /// The set of message templates; nothing for the shipped one.
    #[serde(default)]
    pub template: Option<String>,
    /// The language where neither the request nor the number's country names one.
    #[serde(default)]
    pub locale: Option<String>,
    /// The number, short code or name that texts come from; nothing for the account's.
    #[serde(default)]
    pub from: Option<String>,
    /// The messaging service that texts go through, before `from`.
    #[serde(default)]
    pub messaging_service_sid: Option<String>,
    /// The number that WhatsApp messages come from, without `whatsapp:`.
    #[serde(default)]
    pub whatsapp_from: Option<String>,
    /// The approved authentication template, or one for each language.
    #[serde(default)]
    pub whatsapp_content_sid: Option<ContentSids>,
    /// Which of our variables fill which of the template's: `{"1": "code"}`.
    #[serde(default)]
    pub whatsapp_variables: BTreeMap<String, String>,
    /// The web site whose pages may fill the code in: `example.com`.
    #[serde(default)]
    pub domain: Option<String>,
    /// Whether messages say that the code is not to be shared.
    #[serde(default)]
    pub do_not_share: bool,
    /// When a code goes to the next channel by itself.
    #[serde(default, skip_serializing_if = "Failover::is_on_failure")]
    pub failover: Failover,
    /// Whether messages are emptied at the provider once their code is dead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redact: bool,
    /// What a call waits for before it says the code.
    pub gate: Gate,
    /// The name said in calls, where it is spoken otherwise than it is written.
    #[serde(default)]
    pub tts_name: Option<String>,
    /// Whether applications may bring their own codes.
    #[serde(default)]
    pub custom_code: bool,
    /// Whether a code is bound to an amount and a payee (PSD2).
    #[serde(default)]
    pub psd2: bool,
    /// Whether landlines are offered calls only.
    #[serde(default)]
    pub skip_sms_to_landlines: bool,
    /// The hosted pages.
    #[serde(default)]
    pub pages: Pages,
    /// Whether names, purposes, amounts and payees that applications give may
    /// hold links and addresses, as `Booking.com` is one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_links: bool,
    /// With `psd2`: for how long five wrong codes in a row block a number's payments, 60 to
    /// 86400 seconds.
    #[serde(default = "usual_block", skip_serializing_if = "is_usual_block")]
    pub psd2_block_seconds: u32,
    /// What a second start for a number is, by the same caller, while the first one waits
    /// for its code.
    #[serde(default, skip_serializing_if = "Pending::is_one")]
    pub pending: Pending,
    /// What becomes of a code for a number of internet telephony.
    #[serde(default, skip_serializing_if = "OnVoip::is_flag")]
    pub voip: OnVoip,
    /// The limits that are others than the configuration's `[limits]`, by name.
    #[serde(default, skip_serializing_if = "LimitChanges::is_empty")]
    pub limits: LimitChanges,
    /// The signals of fraud that are others than the configuration's `[fraud]`, by name.
    #[serde(default, skip_serializing_if = "FraudChanges::is_empty")]
    pub fraud: FraudChanges,
    /// What is done about codes of failures otherwise than their table says, by the code.
    /// The codes are texts, for a number is no name in the records that hold this.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remedies: BTreeMap<String, Remedy>,
    /// What channels are called and drawn as, where that is not as usual.
    #[serde(default, skip_serializing_if = "ChannelLabels::is_empty")]
    pub channel_labels: ChannelLabels,
    /// Whether messages of their own may be any text, and not only one of these templates.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub free_text: bool,
    /// The templates of messages of their own, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub message_templates: BTreeMap<String, MessageTemplate>,
    /// The types of such messages, by name, that are others than the usual ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub message_types: BTreeMap<String, MessageType>,
}

/// Which countries a channel reaches, as ISO 3166 codes: `DE`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Countries {
    /// These alone; empty for all.
    pub allow: Vec<String>,
    /// Refused, allowed or not; empty for none.
    pub refuse: Vec<String>,
    /// These too, and the log says so each time.
    pub watch: Vec<String>,
}

/// How the hosted pages look and where they lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pages {
    /// Where people may be sent back to: exact addresses, or ones that end in
    /// `/*` for everything below; `*.` before one's own domain is any one label.
    /// On one's own machine the port may be `*`. At most 20.
    pub return_urls: Vec<String>,
    /// The application's own page for people whose number is proved, where a
    /// session names no way back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_url: Option<String>,
    /// The accent colour: `#1a6f4e`.
    pub colour: Option<String>,
    /// The logo's address, on this server's origin or https.
    pub logo: Option<String>,
    /// Whether people may enter a number themselves, or another one.
    pub register: bool,
    /// Whether they may begin anew after a failure.
    pub retry: bool,
}

/// Whatever listens on one's own machine, at any port. Those who try something
/// out choose ports as they come, and nobody else hears what is sent there
/// (RFC 8252 §7.3).
pub const OWN_MACHINE: [&str; 2] = ["http://127.0.0.1:*/", "http://localhost:*/"];

impl Default for Pages {
    fn default() -> Self {
        Self {
            return_urls: Vec::new(),
            success_url: None,
            colour: None,
            logo: None,
            register: true,
            retry: true,
        }
    }
}

/// The setting of how long to wait before sending again.
pub const COOLDOWN: &str = "resend_cooldown_seconds";

/// The longest name, in characters: as long as the compatible API lets one be.
pub const MOST_NAME: usize = 32;

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct BadSetting {
    /// The setting, as the API and the file name it.
    pub field: String,
    /// What is wrong and what would be right; never the value.
    pub what: String,
}

/// What a channel may do for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It goes to the number.
    Yes,
    /// It goes there, and the operator wants to know of it.
    Watched,
    /// It does not go to the country.
    No,
}

impl Settings {
    /// These settings with some of them changed, checked.
    ///
    /// # Errors
    /// The first setting that does not exist or cannot be.
    pub fn with(&self, changes: Map<String, Value>) -> Result<Self, BadSetting> {
        let settings = self.set(changes)?;
        settings.check()?;
        Ok(settings)
    }

    /// These settings with some of them changed, as far as they can be read.
    ///
    /// # Errors
    /// The first setting that does not exist or is of another kind.
    pub fn set(&self, changes: Map<String, Value>) -> Result<Self, BadSetting> {
        let mut all = self.all();
        let is_set = self.resend_cooldown_is_set || changes.contains_key(COOLDOWN);
        for (name, value) in changes {
            if !all.contains_key(&name) {
                let known = all.keys().cloned().collect::<Vec<_>>().join(", ");
                return Err(bad(&name, format!("there is no such setting; there are {known}")));
            }
            // One at a time, so that the mistake has a name.
            let old = all.insert(name.clone(), value);
            if let Err(error) = serde_json::from_value::<Self>(Value::Object(all.clone())) {
                drop(old);
                return Err(bad(&name, kind_of_mistake(&error)));
            }
        }
        serde_json::from_value(Value::Object(all))
            .map(|settings| Self { resend_cooldown_is_set: is_set, ..settings })
            .map_err(|error| bad("settings", kind_of_mistake(&error)))
    }

    /// Every setting by its name, also those that are not kept where they are
    /// as usual.
    pub fn all(&self) -> Map<String, Value> {
        // Plain data with text keys: writing it cannot fail.
        let mut all = match serde_json::to_value(self) {
            Ok(Value::Object(all)) => all,
            _ => Map::new(),
        };
        all.remove("resend_cooldown_is_set");
        all.entry("allow_links").or_insert(Value::Bool(self.allow_links));
        all.entry("psd2_block_seconds").or_insert(self.psd2_block_seconds.into());
        all.entry("pending").or_insert(Value::from(self.pending.as_str()));
        all.entry("voip").or_insert(Value::from(self.voip.as_str()));
        all.entry("failover").or_insert(Value::from(self.failover.as_str()));
        all.entry("redact").or_insert(Value::Bool(self.redact));
        all.entry("limits").or_insert_with(|| Value::Object(Map::new()));
        all.entry("fraud").or_insert_with(|| Value::Object(Map::new()));
        all.entry("remedies").or_insert_with(|| Value::Object(Map::new()));
        all.entry("channel_labels").or_insert_with(|| Value::Object(Map::new()));
        all.entry("free_text").or_insert(Value::Bool(self.free_text));
        all.entry("message_templates").or_insert_with(|| Value::Object(Map::new()));
        all.entry("message_types").or_insert_with(|| Value::Object(Map::new()));
        if let Some(Value::Object(pages)) = all.get_mut("pages") {
            pages.entry("success_url").or_insert(Value::Null);
        }
        all
    }
}

impl Settings {
    /// The types of messages of their own: the service's, and the usual ones that it does not
    /// set otherwise.
    pub fn message_types(&self) -> BTreeMap<String, MessageType> {
        messages::with_usual(&self.message_types)
    }

    /// Whether somebody has set how long to wait before sending again. What was stored
    /// before that was kept shows it where it is not as usual.
    pub fn sets_cooldown(&self) -> bool {
        self.resend_cooldown_is_set || self.resend_cooldown_seconds != cooldown_of(&Policy::default())
    }
}

impl Service {
    /// The rules of its verifications; what it does not set is `base`'s.
    pub fn policy(&self, base: &Policy) -> Policy {
        let settings = &self.settings;
        let seconds = |span: &u32| Duration::from_secs(u64::from(*span));
        Policy {
            code_length: settings.code_length,
            lifetime: seconds(&settings.lifetime_seconds),
            max_checks: settings.max_checks,
            max_sends: settings.max_sends,
            cooldown: settings.resend_cooldown_seconds.iter().map(seconds).collect(),
            new_code_on_resend: settings.new_code_on_resend,
            channels: settings.channels.clone(),
            failover: settings.failover,
            redact: settings.redact,
            gate: settings.gate,
            ..base.clone()
        }
    }

    /// Whether a channel may be used for a number.
    pub fn reach(&self, channel: Channel, to: &PhoneNumber) -> Reach {
        let Some(countries) = self.settings.countries.get(&channel) else {
            return Reach::Yes;
        };
        // A number of no country is in no list.
        let region = to.region().unwrap_or_default();
        let named = |list: &[String]| list.contains(&region);
        if named(&countries.refuse) || !(countries.allow.is_empty() || named(&countries.allow)) {
            Reach::No
        } else if named(&countries.watch) {
            Reach::Watched
        } else {
            Reach::Yes
        }
    }

    /// The channels that may be used for a number, the preferred one first.
    pub fn channels_for(&self, to: &PhoneNumber) -> Vec<Channel> {
        let usable = |channel: &Channel| {
            self.reach(*channel, to) != Reach::No && !self.is_deaf(*channel, to, Line::Unknown)
        };
        self.settings.channels.iter().copied().filter(usable).collect()
    }

    /// Whether a number would not take a message: it is a landline, by its plan or
    /// by a look-up, and the service sends none to these.
    pub fn is_deaf(&self, channel: Channel, to: &PhoneNumber, line: Line) -> bool {
        // Its plan is read last: that takes long.
        self.settings.skip_sms_to_landlines
            && channel.is_message()
            && (line == Line::Landline || to.is_landline())
    }

    /// What is done about a code: what the service says, or else what the table of all
    /// codes says, which is handed in. A person's wish to hear no more stays one, whatever
    /// the service says.
    pub fn remedy(&self, code: u32, of_table: Remedy) -> Remedy {
        if of_table == Remedy::OptOut {
            return of_table;
        }
        self.settings.remedies.get(&code.to_string()).copied().unwrap_or(of_table)
    }

    /// The name as it is said aloud.
    pub fn spoken_name(&self) -> &str {
        self.settings.tts_name.as_deref().unwrap_or(&self.settings.name)
    }
}

fn cooldown_of(policy: &Policy) -> Vec<u32> {
    policy.cooldown.iter().map(whole_seconds).collect()
}

fn whole_seconds(span: &Duration) -> u32 {
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}

/// What serde says, without the value that it may repeat.
fn kind_of_mistake(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    match text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: ")) {
        Some(rest) => match rest.rsplit_once(", expected ") {
            Some((_, expected)) => format!("has to be {expected}"),
            None => "is of another kind".to_owned(),
        },
        None => text.to_owned(),
    }
}

fn bad(field: &str, what: impl Into<String>) -> BadSetting {
    BadSetting { field: field.to_owned(), what: what.into() }
}

impl Default for Settings {
    fn default() -> Self {
        Self::of_policy(&Policy::default())
    }
}

impl Settings {
    /// The settings by which a policy's verifications live.
    pub fn of_policy(policy: &Policy) -> Self {
        Self {
            name: "Dialback".into(),
            code_length: policy.code_length,
            code_alphabet: DIGITS.into(),
            lifetime_seconds: whole_seconds(&policy.lifetime),
            max_checks: policy.max_checks,
            max_sends: policy.max_sends,
            resend_cooldown_seconds: cooldown_of(policy),
            resend_cooldown_is_set: false,
            new_code_on_resend: policy.new_code_on_resend,
            channels: policy.channels.clone(),
            countries: BTreeMap::new(),
            template: None,
            locale: None,
            from: None,
            messaging_service_sid: None,
            whatsapp_from: None,
            whatsapp_content_sid: None,
            whatsapp_variables: BTreeMap::from([("1".into(), "code".into())]),
            domain: None,
            do_not_share: false,
            failover: policy.failover,
            redact: policy.redact,
            gate: policy.gate,
            tts_name: None,
            custom_code: false,
            psd2: false,
            skip_sms_to_landlines: false,
            pages: Pages::default(),
            allow_links: false,
            psd2_block_seconds: usual_block(),
            pending: Pending::One,
            voip: OnVoip::Flag,
            limits: LimitChanges::default(),
            fraud: FraudChanges::default(),
            remedies: BTreeMap::new(),
            channel_labels: ChannelLabels::default(),
            free_text: false,
            message_templates: BTreeMap::new(),
            message_types: BTreeMap::new(),
        }
    }
}

/// A quarter of an hour: RTS (EU) 2018/389 Art. 4(3)(b) asks for a block and leaves its
/// length to the risk.
fn usual_block() -> u32 {
    900
}

fn is_usual_block(seconds: &u32) -> bool {
    *seconds == usual_block()
}

#[cfg(test)]
mod tests;
