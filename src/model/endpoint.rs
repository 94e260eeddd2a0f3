//! Where events are sent to: an address, what it wants, and the secrets that
//! prove to it who sends. It refuses to know how anything is sent.

use crate::model::event::{EventFilter, EventType};
use crate::model::id::EndpointId;
use crate::secret::Secret;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeSet;

/// Where an application wants to hear of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id: `EP` and 32 hexadecimal digits.
    pub id: EndpointId,
    /// The address that events are posted to.
    pub url: String,
    /// What people say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it wants to hear of; never empty.
    #[serde(rename = "wishes")]
    pub filters: BTreeSet<EventFilter>,
    /// Whether it is told numbers in full.
    #[serde(default)]
    pub full_numbers: bool,
    /// The secrets that sign, the current one first; never empty.
    pub keys: Vec<SigningKey>,
    /// Why it is not sent to, when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// Since when nothing but failures came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed by somebody.
    pub updated_at: Timestamp,
}

/// Since when an endpoint is not sent to, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Since when nothing is sent to it.
    pub at: Timestamp,
    /// Whether somebody did it, or it failed for too long.
    pub why: Why,
}

/// Why an endpoint is not sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DisabledReason")]
pub enum Why {
    /// Somebody asked for it.
    Asked,
    /// It answered 410.
    Gone,
    /// Nothing but failures came back for long.
    Failing,
}

/// A secret that signs, and until when it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// `whsec_` and 32 bytes in base64. It is at rest in clear, for whoever
    /// signs needs it; nothing shows it after it was made.
    #[serde(serialize_with = "expose")]
    pub secret: Secret,
    /// Until when it signs beside a newer one; nothing for the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

fn expose<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

impl Endpoint {
    /// The longest address, in bytes.
    pub const MAX_URL: usize = 2048;
    /// The longest description, in characters.
    pub const MAX_DESCRIPTION: usize = 200;
    /// How long the secret before the current one signs too.
    pub const OVERLAP: SignedDuration = SignedDuration::from_hours(24);
    /// The most secrets that sign at once: more would make the header long.
    pub const MAX_KEYS: usize = 4;

    /// Whether it is sent events of this type.
    pub fn takes(&self, event_type: EventType) -> bool {
        self.disabled.is_none() && self.filters.iter().any(|filter| filter.takes(event_type))
    }

    /// The secrets that sign now.
    pub fn secrets(&self, now: Timestamp) -> Vec<Secret> {
        let good = self.keys.iter().filter(|key| key.until.is_none_or(|until| now < until));
        good.map(|key| key.secret.clone()).collect()
    }

    /// Makes another secret the current one.
    pub fn rotate(&mut self, secret: Secret, now: Timestamp) {
        let until = now.checked_add(Self::OVERLAP).unwrap_or(Timestamp::MAX);
        for key in &mut self.keys {
            key.until.get_or_insert(until);
        }
        self.keys.insert(0, SigningKey { secret, until: None });
        self.keys.retain(|key| key.until.is_none_or(|until| now < until));
        self.keys.truncate(Self::MAX_KEYS);
        self.updated_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_secret_signs_for_a_day_beside_the_new_one() {
        let at = |hours: i64| Timestamp::from_second(hours * 3600).unwrap();
        let secret = |n: u32| Secret::new(format!("whsec_{n}"));
        let mut endpoint = Endpoint {
            id: EndpointId::from_random([1; 16]),
            url: "https://example.com/hook".into(),
            description: None,
            filters: BTreeSet::from(["verification.*".parse().unwrap()]),
            full_numbers: false,
            keys: vec![SigningKey { secret: secret(0), until: None }],
            disabled: None,
            failing_since: None,
            created_at: at(0),
            updated_at: at(0),
        };
        endpoint.rotate(secret(1), at(1));
        assert_eq!(endpoint.secrets(at(24)), [secret(1), secret(0)]);
        assert_eq!(endpoint.secrets(at(25)), [secret(1)]);
        (2..20).for_each(|n| endpoint.rotate(secret(n), at(2)));
        assert_eq!(endpoint.secrets(at(2)), [19, 18, 17, 16].map(secret));
        let text = serde_json::to_string(&endpoint).unwrap();
        assert_eq!(serde_json::from_str::<Endpoint>(&text).unwrap(), endpoint);
        assert!(!format!("{endpoint:?}").contains("whsec"));
        assert!(endpoint.takes(EventType::Sent) && !endpoint.takes(EventType::DeliveryUpdated));
    }
}
