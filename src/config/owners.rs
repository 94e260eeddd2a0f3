//! Who owns what: an account cannot be there twice, nor a sender be two accounts'.

use super::accounts::KEY;
use super::file::{item, join};
use super::reader::Reader;
use super::whole::Config;
use std::collections::BTreeMap;

/// What accounts there cannot be, and what cannot be theirs.
pub(super) fn check(config: &Config, refused: &mut Reader<'_>) {
    let twilio = &config.twilio;
    let services = std::iter::once(&config.services.default).chain(config.services.others.values());
    let own = services.flat_map(|own| [&own.from, &own.messaging_service_sid, &own.whatsapp_from]);
    let own: Vec<&str> =
        own.chain([&twilio.from, &twilio.messaging_service_sid]).flatten().map(String::as_str).collect();
    let mut owners = BTreeMap::new();
    for (sid, account) in &twilio.accounts {
        let path = join(KEY, sid);
        if twilio.account_sid.as_ref() == Some(sid) {
            let mend = "write its further tokens in twilio.auth_tokens";
            refused.note(&path, "is twilio.account_sid", mend);
        }
        for (at, sender) in account.senders.iter().enumerate() {
            let path = item(&join(&path, "senders"), at);
            let number = sender.rsplit(':').next().unwrap_or(sender);
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
