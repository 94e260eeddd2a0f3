//! Services, keys, opt-outs and test numbers.

use crate::http::api::words::ScopeWord;
use crate::http::api::{fields, settings::SETTINGS};
use crate::model::id::ServiceId;
use crate::model::key::ApiKey;
use crate::model::opt_out::OptOut;
use crate::model::service::{Origin, Service};
use crate::model::test_number::TestNumber;
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A service: a brand with its rules.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Service")]
pub struct ServiceView {
    /// Its id, `VA` and 32 hexadecimal digits.
    pub id: String,
    /// Whether it is the one for requests that name none.
    pub default: bool,
    /// Where in the configuration file it is set; null for one that was made
    /// here, which alone can be changed here.
    pub configured_at: Option<String>,
    /// When it was made; for one of the file, when the server started.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Everything that can be set.
    #[serde(flatten)]
    pub settings: Settings,
}

/// The settings of a service, all of them.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Settings(Map<String, Value>);

/// The same fields as in requests, and all there.
impl JsonSchema for Settings {
    fn schema_name() -> Cow<'static, str> {
        "Settings".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = fields::object(&SETTINGS);
        let names: Vec<&str> = SETTINGS.iter().map(|field| field.name).collect();
        if let Value::Object(schema) = &mut schema {
            schema.remove("additionalProperties");
            schema.insert("required".into(), names.into());
        }
        Schema::try_from(schema).unwrap_or_default()
    }
}

/// A page of services.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Services")]
pub struct ServiceList {
    /// The newest first, those of the configuration last.
    pub services: Vec<ServiceView>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

impl ServiceView {
    /// A service, and whether it is the default one.
    pub fn new(service: &Service, is_default: bool) -> Self {
        Self {
            id: service.id.to_string(),
            default: is_default,
            configured_at: configured_at(&service.origin),
            created_at: service.created_at,
            updated_at: service.updated_at,
            settings: Settings(service.settings.all()),
        }
    }
}

/// Where in the configuration a service is set.
pub fn configured_at(origin: &Origin) -> Option<String> {
    match origin {
        Origin::File { key: Some(key) } => Some(format!("services.{key}")),
        Origin::File { key: None } => Some("services.default".into()),
        Origin::Api => None,
    }
}

/// An API key, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Key {
    /// Its id: the 12 digits after `dbk_`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<ScopeWord>,
    /// The services that it is for; null for all.
    pub services: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A key that was just made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewKey {
    /// The key itself: this is the only time it is shown.
    pub key: String,
    /// What is kept of it.
    #[serde(flatten)]
    pub kept: Key,
}

/// A page of keys.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Keys {
    /// The newest first.
    pub keys: Vec<Key>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

impl From<&ApiKey> for Key {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            scopes: key.scopes.iter().copied().map(ScopeWord::from).collect(),
            services: key.services.bound().map(|all| all.iter().map(ServiceId::to_string).collect()),
            created_at: key.created_at,
        }
    }
}

/// What a number wants of a sender of ours.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OptOut")]
pub struct OptOutView {
    /// The number, as an address: `+…`, or `whatsapp:+…`.
    pub number: String,
    /// The sender: a number of ours, or a messaging service.
    pub sender: String,
    /// True while nothing may be sent; false for one that came back.
    pub opted_out: bool,
    /// When that was said.
    pub at: Timestamp,
}

/// What a number wants of all our senders.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OptOutsOf {
    /// The number that was asked about, as it stands in the lists.
    pub number: String,
    /// One for each sender it said something to.
    pub opt_outs: Vec<OptOutView>,
}

/// A page of opt-outs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OptOuts {
    /// The newest first.
    pub opt_outs: Vec<OptOutView>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

impl From<&OptOut> for OptOutView {
    fn from(wish: &OptOut) -> Self {
        let OptOut { number, sender, opted_out, at } = wish.clone();
        Self { number, sender, opted_out, at }
    }
}

/// Numbers with a fixed code that nothing is sent to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TestNumber")]
pub struct TestNumberView {
    /// The number, with `?` for any digit, or `*` at its end for any digits.
    pub number: String,
    /// From when on they are numbers like any other.
    pub until: Timestamp,
    /// Whether they are test numbers now.
    pub active: bool,
}

/// A page of test numbers. Their codes are in the configuration alone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TestNumbers {
    /// In the order of their patterns, from the end.
    pub test_numbers: Vec<TestNumberView>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

impl TestNumberView {
    /// A pattern as of now.
    pub fn new(test: &TestNumber, now: Timestamp) -> Self {
        Self { number: test.pattern.clone(), until: test.until, active: now < test.until }
    }
}
