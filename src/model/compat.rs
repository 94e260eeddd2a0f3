//! What the compatible API keeps with a service and our own settings have no place
//! for: rate limits and senders by country; and what nothing here goes by, which is
//! kept and told back.
//!
//! One record beside the service's own, so that a service of the configuration
//! can have one too. It refuses to know what is told back, and in which form.

mod opaque;

pub use opaque::OpaqueFields;

use crate::model::id::ServiceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is kept with one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compat {
    /// The service; there is one record for each.
    pub service: ServiceId,
    /// Settings that are kept and told back.
    #[serde(default)]
    pub features: OpaqueFields,
    /// Limits that applications count by.
    #[serde(default)]
    pub rate_limits: Vec<RateLimit>,
    /// Webhooks for events that do not happen here, kept and told back.
    #[serde(default)]
    pub webhooks: Vec<OpaqueFields>,
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
    /// Most senders of a service: there are 249 countries, and `all`.
    pub const MOST_SENDERS: usize = 250;

    /// A service's, with which nothing is kept yet.
    pub fn new(service: ServiceId) -> Self {
        Self {
            service,
            features: OpaqueFields::default(),
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

/// Something that requests are counted by, like the address of a person's device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Its SID: `RK` and 32 hexadecimal digits.
    pub sid: String,
    /// The name by which requests bring their value.
    pub unique_name: String,
    /// What people say about it; often empty.
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
    /// Its SID: `BL` and 32 hexadecimal digits.
    pub sid: String,
    /// How many requests the window lets through, 1 or more.
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

/// The messaging service that texts to a country go through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountrySender {
    /// ISO 3166, or [`CountrySender::ALL`].
    pub country: String,
    /// The messaging service.
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
