//! `twilio.senders`: who messages and calls may come from, where there is a choice.
//!
//! It refuses to know which account and which service there is.

use super::file::join;
use super::problem::one_of;
use super::reader::{Reader, shown};
use crate::model::channel::Channel;
use crate::model::region;
use crate::model::sender;
use crate::model::senders::{MOST_WEIGHT, can_take, usual_channels};
use toml::{Table, Value};

pub(super) const KEY: &str = "twilio.senders";
const MEND: &str = "write { sender = \"+15017122661\" }, with account_sid, channels, countries, services and weight as it needs them";

/// The most senders of a list.
const MOST: usize = 200;

/// A sender of the list, with its services by their names in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// A number, a short code, a name, a messaging service, or `whatsapp:` and a number.
    pub sender: String,
    /// The account whose it is; nothing for `twilio.account_sid`.
    pub account_sid: Option<String>,
    /// The channels that it takes.
    pub channels: Vec<Channel>,
    /// The countries of the numbers that it is for; empty for all.
    pub countries: Vec<String>,
    /// The services that it is for, by key or id; empty for all without a sender of their own.
    pub services: Vec<String>,
    /// How much falls to it of what equals share.
    pub weight: u32,
}

/// The senders of the list.
pub(super) fn read(r: &mut Reader<'_>) -> Vec<Sender> {
    let mut senders: Vec<Sender> = Vec::new();
    for (path, sender) in r.list(KEY, |r, path, item| Some((path.to_owned(), one(r, path, item)?))) {
        if senders.iter().any(|known| known.sender == sender.sender) {
            r.note(&join(&path, "sender"), "stands in the list already", "write each sender once");
        } else {
            senders.push(sender);
        }
    }
    if senders.len() > MOST {
        r.note(KEY, format_args!("has {} senders", senders.len()), format_args!("write {MOST} at most"));
        senders.truncate(MOST);
    }
    senders
}

fn one(r: &mut Reader<'_>, path: &str, value: &Value) -> Option<Sender> {
    let Some(table) = value.as_table() else {
        r.note(path, "is no table", MEND);
        return None;
    };
    r.only(path, table, &["sender", "account_sid", "channels", "countries", "services", "weight"]);
    let name = text(r, path, table, "sender")?;
    let is_of_other = name.contains(':') && !name.starts_with("whatsapp:");
    match sender::check_any(&name) {
        Ok(()) if !is_of_other => {}
        Ok(()) => {
            let mend = "write a number, a short code, a name, MG…, or whatsapp: and a number";
            r.note(&join(path, "sender"), "is of a channel that sends no codes", mend);
            return None;
        }
        Err(wrong) => {
            r.note(&join(path, "sender"), wrong.what, wrong.mend);
            return None;
        }
    }
    let account_sid = match table.get("account_sid") {
        None => None,
        Some(_) => {
            let sid = text(r, path, table, "account_sid")?;
            r.checked_sid(&join(path, "account_sid"), &sid, "AC").then_some(sid)
        }
    };
    Some(Sender {
        account_sid,
        channels: channels(r, path, table, &name),
        countries: countries(r, path, table),
        services: r.texts_in(path, table, "services", MEND).into_iter().map(|(_, text)| text).collect(),
        weight: weight(r, path, table),
        sender: name,
    })
}

fn text(r: &mut Reader<'_>, path: &str, table: &Table, name: &str) -> Option<String> {
    let path = join(path, name);
    match table.get(name) {
        Some(Value::String(text)) if !text.is_empty() => return Some(text.clone()),
        Some(Value::String(_)) | None => r.note(&path, "is missing", MEND),
        Some(_) => r.note(&path, "is no text", "write it in quotation marks"),
    }
    None
}

fn channels(r: &mut Reader<'_>, path: &str, table: &Table, sender: &str) -> Vec<Channel> {
    let known = Channel::ALL.map(Channel::as_str);
    let mut channels = Vec::new();
    for (path, word) in r.texts_in(path, table, "channels", MEND) {
        match Channel::ALL.into_iter().find(|channel| channel.as_str() == word) {
            Some(channel) if can_take(sender, channel) => channels.push(channel),
            Some(_) => {
                let able: Vec<Channel> =
                    Channel::ALL.into_iter().filter(|channel| can_take(sender, *channel)).collect();
                let mend = format!("it takes {}", words(&able));
                r.note(&path, format_args!("{word:?} is no channel of such a sender"), mend);
            }
            None => {
                let mend = one_of(&word, known.iter().copied());
                r.note(&path, format_args!("{word:?} does not fit here"), mend);
            }
        }
    }
    if channels.is_empty() { usual_channels(sender) } else { channels }
}

fn words(channels: &[Channel]) -> String {
    channels.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(" and ")
}

fn countries(r: &mut Reader<'_>, path: &str, table: &Table) -> Vec<String> {
    let mut countries = Vec::new();
    for (path, country) in r.texts_in(path, table, "countries", MEND) {
        match region::check(&country) {
            Ok(()) => countries.push(country),
            Err(mend) => {
                r.note(&path, format_args!("{country:?} is no country that has telephone numbers"), mend);
            }
        }
    }
    countries
}

fn weight(r: &mut Reader<'_>, path: &str, table: &Table) -> u32 {
    let Some(value) = table.get("weight") else { return 1 };
    let weight = value.as_integer().and_then(|weight| u32::try_from(weight).ok());
    weight.filter(|weight| (1..=MOST_WEIGHT).contains(weight)).unwrap_or_else(|| {
        let mend = format!("write a whole number from 1 to {MOST_WEIGHT}");
        r.note(&join(path, "weight"), format_args!("{} is no weight", shown(value)), mend);
        1
    })
}
