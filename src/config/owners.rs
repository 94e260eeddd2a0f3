//! Who owns what: an account cannot be there twice, nor a sender be two accounts'; and what a
//! sender is said to be for has to be there.

use super::accounts::KEY;
use super::file::{item, join};
use super::problem::one_of;
use super::reader::Reader;
use super::senders;
use super::whole::Config;
use crate::model::id::ServiceId;
use crate::model::senders::bare;
use std::collections::BTreeMap;

/// What accounts there cannot be, and what cannot be theirs.
pub(super) fn check(config: &Config, refused: &mut Reader<'_>) {
    let twilio = &config.twilio;
    let services = std::iter::once(&config.services.default).chain(config.services.others.values());
    let own = services.flat_map(|own| [&own.from, &own.messaging_service_sid, &own.whatsapp_from]);
    let own = own.flatten().map(String::as_str);
    let usual = [&twilio.from, &twilio.messaging_service_sid].into_iter().flatten().map(String::as_str);
    let is_main = |sid: &Option<String>| sid.is_none() || *sid == twilio.account_sid;
    let listed = twilio.senders.iter();
    let of_main =
        listed.clone().filter(|sender| is_main(&sender.account_sid)).map(|sender| bare(&sender.sender));
    // A sender of a service may stand in the list with the account whose it is.
    let of_others: Vec<&str> =
        listed.filter(|sender| !is_main(&sender.account_sid)).map(|sender| bare(&sender.sender)).collect();
    let own: Vec<&str> = own.filter(|own| !of_others.contains(own)).chain(usual).chain(of_main).collect();
    of_list(config, &own, refused);
    let mut owners = BTreeMap::new();
    for (sid, account) in &twilio.accounts {
        let path = join(KEY, sid);
        if twilio.account_sid.as_ref() == Some(sid) {
            let mend = "write its further tokens in twilio.auth_tokens";
            refused.note(&path, "is twilio.account_sid", mend);
        }
        for (at, sender) in account.senders.iter().enumerate() {
            let path = item(&join(&path, "senders"), at);
            let number = bare(sender);
            if own.contains(&number) {
                let what = "is a sender which twilio.account_sid sends from";
                refused.note(&path, what, "a sender belongs to one account");
            }
            if owners.insert(number, sid).is_some_and(|other| other != sid) {
                let what = "is a sender of more than one account";
                refused.note(&path, what, "a sender belongs to one account");
            }
        }
    }
}

/// What the list of senders names that is not there, and whose two accounts would have.
fn of_list(config: &Config, own: &[&str], refused: &mut Reader<'_>) {
    let (twilio, services) = (&config.twilio, &config.services);
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (at, sender) in twilio.senders.iter().enumerate() {
        let path = item(senders::KEY, at);
        let other = sender.account_sid.as_ref().filter(|sid| twilio.account_sid.as_ref() != Some(*sid));
        if let Some(sid) = other {
            if !twilio.accounts.contains_key(sid) {
                let mend = format!("write [{KEY}.{sid}] with its auth_token");
                refused.note(&join(&path, "account_sid"), "is no account of twilio.accounts", mend);
            }
            let number = bare(&sender.sender);
            let is_two = own.contains(&number)
                || owners.insert(number, sid).is_some_and(|before| before != sid)
                || twilio.accounts.iter().any(|(of, account)| {
                    of != sid && account.senders.iter().any(|sender| bare(sender) == number)
                });
            if is_two {
                let what = "is a sender of more than one account";
                refused.note(&join(&path, "sender"), what, "a sender belongs to one account");
            }
        }
        for (at, name) in sender.services.iter().enumerate() {
            let is_there =
                name == "default" || services.others.contains_key(name) || name.parse::<ServiceId>().is_ok();
            if !is_there {
                let known = std::iter::once("default").chain(services.others.keys().map(String::as_str));
                let what = format!("there is no service {name:?}");
                refused.note(&item(&join(&path, "services"), at), what, one_of(name, known));
            }
        }
    }
}
