//! `[twilio]`: the account, its tokens, and who texts come from.
//!
//! It refuses to know whether all that is needed is there.

use super::accounts::{self, Account};
use super::file::join;
use super::reader::Reader;
use super::senders::{self, Sender};
use crate::model::id::is_messaging_service;
use crate::model::sender;
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::time::Duration;

/// The account at Twilio.
#[derive(Clone, Debug)]
pub struct Twilio {
    /// The SID of the account, `AC…`; nothing for the environment's, or the sandbox's.
    pub account_sid: Option<String>,
    /// Signs webhooks, and requests where there is no API key.
    pub auth_token: Option<Secret>,
    /// Further tokens whose signatures are accepted.
    pub auth_tokens: Vec<AcceptedToken>,
    /// Other accounts, by their SIDs.
    pub accounts: BTreeMap<String, Account>,
    /// "SK…"; there with its secret or not at all.
    pub api_key_sid: Option<String>,
    /// The API key's secret.
    pub api_key_secret: Option<Secret>,
    /// The number, short code or name that texts come from.
    pub from: Option<String>,
    /// A messaging service, `MG…`, that texts go through; nothing to send from `from`.
    pub messaging_service_sid: Option<String>,
    /// Who else messages and calls may come from, where there is a choice.
    pub senders: Vec<Sender>,
    /// Without a slash at its end; `None`: the sandbox, else Twilio.
    pub base_url: Option<String>,
    /// What Twilio asks for TwiML where it gets none from us; `None`: nobody, and it ends the
    /// call.
    pub voice_fallback_url: Option<String>,
    /// To connect to Twilio.
    pub connect_timeout: Duration,
    /// For a whole request to Twilio.
    pub request_timeout: Duration,
    /// Requests to Twilio at once.
    pub max_in_flight: usize,
    /// Segments a second by sender, where that is not as usual.
    pub segments_per_second: BTreeMap<String, u32>,
}

/// A token whose signatures are accepted beside the account's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedToken {
    /// The account that signs with it; `None`: `twilio.account_sid`.
    pub account_sid: Option<String>,
    /// The auth token that signs its webhooks.
    pub token: Secret,
}

impl Twilio {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            account_sid: r.sid("twilio.account_sid", "AC"),
            auth_token: r.token("twilio.auth_token"),
            auth_tokens: r.list("twilio.auth_tokens", AcceptedToken::read),
            accounts: accounts::read(r),
            api_key_sid: r.sid("twilio.api_key_sid", "SK"),
            api_key_secret: r.secret("twilio.api_key_secret"),
            from: sender(r),
            messaging_service_sid: r.sid("twilio.messaging_service_sid", "MG"),
            senders: senders::read(r),
            base_url: r.text("twilio.base_url").map(|url| url.trim_end_matches('/').to_owned()),
            voice_fallback_url: r.text("twilio.voice_fallback_url"),
            connect_timeout: r.seconds("twilio.connect_timeout_seconds", 1..=60),
            request_timeout: r.seconds("twilio.request_timeout_seconds", 1..=120),
            max_in_flight: r.number("twilio.max_in_flight", 1..=1000),
            segments_per_second: rates(r),
        }
    }
}

impl Twilio {
    /// The account of a sender of the list where it is not `account_sid`.
    pub fn other_account<'c>(&self, sender: &'c Sender) -> Option<&'c str> {
        sender.account_sid.as_deref().filter(|sid| self.account_sid.as_deref() != Some(*sid))
    }
}

/// `twilio.segments_per_second`
fn rates(r: &mut Reader<'_>) -> BTreeMap<String, u32> {
    const KEY: &str = "twilio.segments_per_second";
    let mut rates = BTreeMap::new();
    for (sender, rate) in r.table(KEY) {
        let path = join(KEY, &sender);
        let bare = sender.strip_prefix("whatsapp:").unwrap_or(&sender);
        if !is_messaging_service(bare)
            && let Err(wrong) = sender::check(bare)
        {
            r.note_key(&path, wrong.what, wrong.mend);
        }
        match rate
            .as_integer()
            .and_then(|rate| u32::try_from(rate).ok())
            .filter(|rate| (1..=1000).contains(rate))
        {
            Some(rate) => drop(rates.insert(sender, rate)),
            None => r.note(&path, "is no rate", "write segments a second, from 1 to 1000"),
        }
    }
    rates
}

/// `twilio.from`
fn sender(r: &mut Reader<'_>) -> Option<String> {
    const KEY: &str = "twilio.from";
    let from = r.text(KEY)?;
    match sender::check(&from) {
        Ok(()) => Some(from),
        Err(wrong) => {
            r.note(KEY, wrong.what, wrong.mend);
            None
        }
    }
}

impl AcceptedToken {
    fn read(r: &mut Reader<'_>, path: &str, item: &toml::Value) -> Option<Self> {
        if let Some(token) = item.as_str() {
            return Some(Self { account_sid: None, token: r.checked_token(path, token.to_owned())? });
        }
        let Some(table) = item.as_table() else {
            r.note(path, "is no token", "write \"TOKEN\" or { account_sid = \"AC…\", token = \"…\" }");
            return None;
        };
        r.only(path, table, &["account_sid", "token", "token_file"]);
        let account_sid = match table.get("account_sid") {
            None => None,
            Some(sid) => {
                let sid = sid.as_str().unwrap_or_default();
                if !sid.is_empty() {
                    r.checked_sid(&join(path, "account_sid"), sid, "AC");
                }
                Some(sid.to_owned()).filter(|sid| !sid.is_empty())
            }
        };
        let (of, token) = r.secret_in(path, table, "token")?;
        Some(Self { account_sid, token: r.checked_token(&of, token)? })
    }
}
