//! What a sandbox is made with.

use super::address::Address;
use super::behaviour::Behaviour;
use super::fields::is_sid;
use super::limits::Profile;
use crate::secret::Secret;
use crate::trust::Trust;
use serde::{Deserialize, Serialize};

/// The sender that messages have when no number of the account's is configured.
pub const SENDER: &str = "+15005550006";

/// Which senders and messaging services pass.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Senders {
    /// Every one that is well formed, unless some are configured.
    #[default]
    Any,
    /// The account's own, and names where a country takes them.
    Owned,
}

/// What the sandbox is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account's SID, `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// The account's token: for the REST API and for signing webhooks.
    pub auth_token: Secret,
    /// Sub-accounts that are there from the beginning, with the numbers that are theirs.
    pub others: Vec<OtherAccount>,
    /// An API key beside it, `SK…` and its secret.
    pub api_key: Option<(String, Secret)>,
    /// The senders that exist, in E.164; with none, every valid one does. The
    /// same of messaging services, `MG…`.
    pub own_numbers: Vec<String>,
    /// Whether others pass as well.
    pub senders: Senders,
    /// The limits that hold until a control says otherwise.
    pub profile: Profile,
    /// Where the dice start: the same seed brings the same mishaps.
    pub seed: u64,
    /// The service beside it, for the page's form.
    pub app: Option<DialbackApi>,
    /// Where inbound messages and calls are told.
    pub inbound: Inbound,
    /// How fast hops, speech and pauses go: 1 is real time, 0 is at once.
    pub pace: f64,
    /// How phones behave unless they wish otherwise.
    pub behaviour: Behaviour,
    /// Names other than loopback's by which the controls may be called.
    pub hosts: Vec<String>,
    /// Whether webhooks may go to other machines than this one.
    pub allow_remote_callbacks: bool,
    /// How much is kept.
    pub keep: Keep,
    /// Whose certificates are believed where webhooks go by https.
    pub trust: Trust,
}

impl Settings {
    /// Settings for an account, with everything else at its default: seed 0,
    /// pace 1, every sender valid, nothing inbound, nothing remote.
    pub fn new(account_sid: impl Into<String>, auth_token: Secret) -> Self {
        Self {
            account_sid: account_sid.into(),
            auth_token,
            others: Vec::new(),
            api_key: None,
            own_numbers: Vec::new(),
            senders: Senders::Any,
            profile: Profile::Unlimited,
            seed: 0,
            app: None,
            inbound: Inbound::default(),
            pace: 1.0,
            behaviour: Behaviour::default(),
            hosts: Vec::new(),
            allow_remote_callbacks: false,
            keep: Keep::default(),
            trust: Trust::compiled_in(),
        }
    }

    /// Whether no numbers were said to exist, so that every valid one does.
    pub(super) fn takes_all(&self) -> bool {
        self.senders == Senders::Any && self.own(false).next().is_none()
    }

    /// The same of messaging services.
    pub(super) fn takes_all_services(&self) -> bool {
        self.senders == Senders::Any && self.own(true).next().is_none()
    }

    /// Whether a sender with a name, which is no number, belongs to the main account.
    pub(super) fn has_name(&self, name: &str) -> bool {
        name.bytes().any(|byte| byte.is_ascii_alphabetic()) && self.own(false).any(|own| own == name)
    }

    /// Whether a messaging service belongs to the main account.
    pub(super) fn has_service(&self, sid: &str) -> bool {
        self.takes_all_services() || self.own(true).any(|own| own.eq_ignore_ascii_case(sid))
    }

    /// The services, or the numbers, that were said to exist.
    fn own(&self, services: bool) -> impl Iterator<Item = &str> {
        let senders = self.own_numbers.iter().map(String::as_str);
        senders.filter(move |own| is_sid(own, "MG") == services)
    }

    /// The sender that a messaging service picks on a channel.
    pub(super) fn sender(&self, whatsapp: bool) -> Address {
        let number = self.own(false).next().unwrap_or(SENDER).to_owned();
        Address { whatsapp, number }
    }
}

/// A sub-account that is there from the beginning.
#[derive(Clone, Debug)]
pub struct OtherAccount {
    /// Its SID, `AC` and 32 hexadecimal digits.
    pub sid: String,
    /// Its token: for the REST API and for signing its webhooks.
    pub token: Secret,
    /// The numbers that are its own, in E.164.
    pub numbers: Vec<String>,
}

/// How much the sandbox keeps; of each the oldest go first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Keep {
    /// Messages, calls, and texts on all telephones together: so many of each.
    pub messages: usize,
    /// Telephones, which are made when they are first spoken of.
    pub phones: usize,
    /// Requests and their answers, of at most 32 KiB each way.
    pub exchanges: usize,
    /// Of everything that accounts set up: so many numbers, short codes, caller ids, keys,
    /// sub-accounts, services, templates and so on of each, by all accounts together. Of
    /// alerts 500 at most, of sinks 100.
    pub resources: usize,
    /// Of what is remembered of numbers, prefixes, pairs and days (who has said STOP,
    /// queues, permissions, media): so many of each.
    pub marks: usize,
}

impl Keep {
    /// What texts of codes leave in memory at most, in bytes: 8 KiB for each message with
    /// its place on a telephone, 16 KiB for each telephone, and for each exchange what is
    /// kept of it both ways. Longer texts, calls and media take more.
    pub fn bytes(&self) -> u64 {
        let kib = self.messages * 8 + self.phones * 16 + self.exchanges * 64;
        u64::try_from(kib).unwrap_or(u64::MAX).saturating_mul(1024)
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self { messages: 10_000, phones: 2_000, exchanges: 1_000, resources: 1_000, marks: 10_000 }
    }
}

/// The service beside the sandbox.
#[derive(Clone, Debug)]
pub struct DialbackApi {
    /// Where it is, such as `http://127.0.0.1:8080`.
    pub base_url: String,
    /// A key for its API.
    pub api_key: Secret,
}

/// Where inbound messages and calls are told: absolute URLs.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inbound {
    /// A message comes in.
    pub sms_url: Option<String>,
    /// A call comes in.
    pub voice_url: Option<String>,
    /// An inbound call has ended.
    pub voice_status_url: Option<String>,
}
