//! What an application may say about a verification beyond its number.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What messages, calls and answers say about this verification alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// The name in the texts, instead of the service's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub friendly_name: Option<String>,
    /// The set of message templates, instead of the service's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What is to be paid, as it is shown: the code dies if it changes (PSD2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// Who is to be paid: the code dies if it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payee: Option<String>,
    /// What the code is for, in the person's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The 11 characters by which an Android application is told of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_hash: Option<String>,
    /// Digits to dial once a call is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_digits: Option<String>,
    /// The address of the person's device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_ip: Option<String>,
    /// The application's own name for the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The application's own marks: at most ten.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl Details {
    /// What the code is bound to, or nothing.
    pub fn binding(&self) -> Option<(&str, &str)> {
        binding(&self.amount, &self.payee)
    }
}

/// An amount and a payee as something to be bound to; nothing where neither is
/// given.
pub fn binding<'d>(amount: &'d Option<String>, payee: &'d Option<String>) -> Option<(&'d str, &'d str)> {
    let is_bound = amount.is_some() || payee.is_some();
    is_bound.then(|| (amount.as_deref().unwrap_or_default(), payee.as_deref().unwrap_or_default()))
}
