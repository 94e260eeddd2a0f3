//! What Twilio Verify keeps with a service and our own settings have no place
//! for: its rate limits, webhooks, senders by country, and the settings of
//! factors that do not exist here, which are kept and told back.
//!
//! One record beside the service's own, so that a service of the configuration
//! can have one too. It refuses to know Twilio's JSON.

use crate::model::id::ServiceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is kept with one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compat {
    /// Which.
    pub service: ServiceId,
    /// Settings that are kept and told back.
    #[serde(default)]
    pub features: Features,
    /// Limits that applications count by.
    #[serde(default)]
    pub rate_limits: Vec<RateLimit>,
    /// Webhooks for events of factors and challenges.
    #[serde(default)]
    pub webhooks: Vec<Webhook>,
    /// Senders by country.
    #[serde(default)]
    pub senders: Vec<CountrySender>,
}

impl Compat {
    /// Most rate limits of a service. Each that a request names is a record
    /// more in its commit.
    pub const MOST_RATE_LIMITS: usize = 20;
    /// Most buckets of a rate limit.
    pub const MOST_BUCKETS: usize = 10;
    /// Most webhooks of a service.
    pub const MOST_WEBHOOKS: usize = 20;
    /// Most senders of a service: there are 249 countries, and `all`.
    pub const MOST_SENDERS: usize = 250;

    /// Nothing yet.
    pub fn new(service: ServiceId) -> Self {
        Self {
            service,
            features: Features::default(),
            rate_limits: Vec::new(),
            webhooks: Vec::new(),
            senders: Vec::new(),
        }
    }

    /// The messaging service for a country, else the one for all.
    pub fn sender_for(&self, region: Option<&str>) -> Option<&str> {
        let of = |country: &str| self.senders.iter().find(|sender| sender.country == country);
        region
            .and_then(of)
            .or_else(|| of(CountrySender::ALL))
            .map(|sender| sender.messaging_service_sid.as_str())
    }
}

/// Settings that nothing here goes by. Names as Twilio's parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Features {
    /// `LookupEnabled`
    pub lookup_enabled: bool,
    /// `VerifyEventSubscriptionEnabled`
    pub event_subscription_enabled: bool,
    /// `Push.IncludeDate`
    pub push_include_date: bool,
    /// `Push.ApnCredentialSid`
    pub push_apn_credential: Option<String>,
    /// `Push.FcmCredentialSid`
    pub push_fcm_credential: Option<String>,
    /// `Totp.Issuer`
    pub totp_issuer: Option<String>,
    /// `Totp.TimeStep`, seconds
    pub totp_time_step: Option<u32>,
    /// `Totp.CodeLength`
    pub totp_code_length: Option<u32>,
    /// `Totp.Skew`
    pub totp_skew: Option<u32>,
    /// `Whatsapp.MsgServiceSid`
    pub whatsapp_messaging_service: Option<String>,
    /// `Passkeys.RelyingParty.Id`
    pub passkeys_id: Option<String>,
    /// `Passkeys.RelyingParty.Name`
    pub passkeys_name: Option<String>,
    /// `Passkeys.RelyingParty.Origins`, separated by commas
    pub passkeys_origins: Option<String>,
    /// `Passkeys.AuthenticatorAttachment`
    pub passkeys_attachment: Option<String>,
    /// `Passkeys.DiscoverableCredentials`
    pub passkeys_discoverable: Option<String>,
    /// `Passkeys.UserVerification`
    pub passkeys_user_verification: Option<String>,
}

/// Something that requests are counted by, like the address of a person's device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// `RK` and 32 hexadecimal digits.
    pub sid: String,
    /// The name by which requests bring their value.
    pub unique_name: String,
    /// For people.
    pub description: String,
    /// How many, and in what time; none for no limit.
    pub buckets: Vec<Bucket>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// So many requests of one value in a span of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// `BL` and 32 hexadecimal digits.
    pub sid: String,
    /// How many.
    pub max: u32,
    /// In how many seconds.
    pub interval: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Bucket {
    /// The longest interval, in seconds: thirty days.
    pub const LONGEST: u32 = 30 * 86_400;
}

/// A webhook for events that do not happen here: kept, and told back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// `YW` and 32 hexadecimal digits.
    pub sid: String,
    /// For people.
    pub friendly_name: String,
    /// Which events.
    pub event_types: Vec<String>,
    /// Where to.
    pub url: String,
    /// Whether it is to be called.
    pub enabled: bool,
    /// `v1` or `v2`.
    pub version: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The messaging service that texts to a country go through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountrySender {
    /// ISO 3166, or [`CountrySender::ALL`].
    pub country: String,
    /// `MG` and 32 hexadecimal digits.
    pub messaging_service_sid: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl CountrySender {
    /// Every country that has none of its own.
    pub const ALL: &'static str = "all";
}
