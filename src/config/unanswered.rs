//! What signals of fraud ask for, and cannot be: proofs that nobody gives, and payments
//! that are answered as if their code had been sent. It refuses to know how either is done.

use super::file::join;
use super::reader::Reader;
use super::services::Services;
use super::whole::Config;
use crate::model::fraud::{Action, FraudPolicy};
use crate::model::service::Settings;

/// Signals that ask for proofs which nobody gives, and that would shadow block payments.
pub(super) fn check(config: &Config, refused: &mut Reader<'_>) {
    let Services { default, others } = &config.services;
    let all =
        || std::iter::once(("default", default)).chain(others.iter().map(|(key, own)| (key.as_str(), own)));
    if config.captcha.is_none() {
        let (what, mend) = ("asks for proofs, and nobody gives them", "configure [captcha]");
        if has(&config.fraud, Action::Captcha) {
            let place = place_of(refused, Action::Captcha);
            refused.note(place, what, mend);
        }
        for (key, own) in all().filter(|(key, own)| *key == "default" || own.fraud != default.fraud) {
            for wrong in own.unanswerable() {
                let path =
                    wrong.wrong.field.split('.').fold(join("services", key), |path, name| join(&path, name));
                refused.note(&path, what, mend);
            }
        }
    }
    let pays =
        |(_, own): &(&str, &Settings)| own.psd2 && has(&config.fraud.with(&own.fraud), Action::ShadowBlock);
    if has(&config.fraud, Action::ShadowBlock)
        && let Some((key, _)) = all().find(pays)
    {
        let what = format!("is not for payments, and {} has psd2", join("services", key));
        let mend = "say another action, or another one in the fraud of that service";
        let place = place_of(refused, Action::ShadowBlock);
        refused.note(place, what, mend);
    }
}

fn has(policy: &FraudPolicy, action: Action) -> bool {
    policy.rules().iter().any(|rule| rule.action == action)
}

/// Where the file's policy sets an action: for all signals, or for some.
fn place_of(r: &mut Reader<'_>, action: Action) -> &'static str {
    if r.text("fraud.action").as_deref() == Some(action.as_str()) { "fraud.action" } else { "fraud.signals" }
}
