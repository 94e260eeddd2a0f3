//! What is known of traffic may speak against a request. What asks hardest follows; what
//! only is to be written down is a flag.

use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::request::{Proof, Request};
use crate::app::admission::rule::{OfRequest, Rule};
use crate::model::fraud::{Action, Signal};

pub(super) const RULE: OfRequest = Rule { name: "fraud", code: "fraud_suspected", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    if request.listed.is_allowed() {
        return None;
    }
    // Of several that ask for the same the first is told.
    let followed = |signal: &&Signal| followed(request, signal);
    let signal = request.signals.iter().rev().max_by_key(followed)?;
    let (rule, until) = (signal.name.to_owned(), signal.until);
    Some(match followed(&signal) {
        Action::Record => Finding::Flag(format!("the signal {rule}")),
        Action::Slow => {
            let seconds = request.seconds_until(until);
            Finding::Slow { until, why: AdmissionError::SlowDown { rule, retry_at: until, seconds } }
        }
        Action::Captcha => Finding::Captcha { why: AdmissionError::CaptchaRequired { rule, demand: None } },
        Action::Refuse => {
            let why = AdmissionError::FraudSuspected { rule, retry_at: Some(until) };
            Finding::Refuse { until: Some(until), why }
        }
        Action::ShadowBlock => Finding::Shadow { until },
    })
}

/// What follows from a signal here: its own action, but that a proof which is there is not
/// asked for again, and that what cannot be done is a refusal. A payment is never answered
/// as if its code had been sent.
fn followed(request: &Request<'_>, signal: &Signal) -> Action {
    match (signal.action, request.proof) {
        (Action::Captcha, Proof::Given) => Action::Record,
        (Action::Captcha, Proof::Unknown) => Action::Refuse,
        (Action::ShadowBlock, _) if request.service.settings.psd2 => Action::Refuse,
        (action, _) => action,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found, signal};
    use super::RULE;
    use crate::app::admission::listed::Listed;
    use crate::app::admission::request::Proof;
    use crate::model::fraud::{Action, Signal};

    #[test]
    fn what_asks_hardest_follows_unless_the_request_is_on_the_allow_list() {
        for (actions, listed, finds) in [
            (&[][..], Listed::Nothing, ""),
            (&[Action::Record], Listed::Nothing, "flag: the signal block_burst"),
            (
                &[Action::Record, Action::Slow],
                Listed::Nothing,
                "slow: what is known of traffic asks for a wait",
            ),
            (
                &[Action::Captcha, Action::Slow],
                Listed::Nothing,
                "captcha: what is known of traffic asks for a proof",
            ),
            (
                &[Action::Refuse, Action::Captcha],
                Listed::Nothing,
                "what is known of traffic looks like fraud",
            ),
            (&[Action::Refuse, Action::ShadowBlock], Listed::Nothing, "shadow"),
            (&[Action::Refuse, Action::ShadowBlock], Listed::Allowed, ""),
        ] {
            let case = Case::of(|_| ());
            let signals: Vec<Signal> = actions.iter().map(|action| signal(*action)).collect();
            let mut request = case.request();
            (request.signals, request.listed) = (&signals, listed);
            let said = found((RULE.judge)(&request));
            assert!(said.starts_with(finds) && said.is_empty() == finds.is_empty(), "{actions:?}: {said}");
        }
    }

    #[test]
    fn a_proof_lets_pass_what_asks_for_one_and_what_cannot_be_done_is_refused() {
        let (captcha, slow, shadow) = (Action::Captcha, Action::Slow, Action::ShadowBlock);
        for (actions, proof, psd2, finds) in [
            (&[captcha][..], Proof::Given, false, "flag"),
            (&[captcha, slow], Proof::Given, false, "slow"),
            (&[captcha, Action::Refuse], Proof::Given, false, "what is known of traffic looks like fraud"),
            (&[captcha, shadow], Proof::Given, false, "shadow"),
            (&[captcha, slow], Proof::Missing, false, "captcha"),
            (&[captcha], Proof::Unknown, false, "what is known of traffic looks like fraud"),
            (&[shadow], Proof::Missing, true, "what is known of traffic looks like fraud"),
            (&[shadow], Proof::Given, true, "what is known of traffic looks like fraud"),
        ] {
            let case = Case::of(|settings| settings.psd2 = psd2);
            let signals: Vec<Signal> = actions.iter().map(|action| signal(*action)).collect();
            let mut request = case.request();
            (request.signals, request.proof) = (&signals, proof);
            let said = found((RULE.judge)(&request));
            assert!(said.starts_with(finds), "{actions:?} {proof:?} {psd2}: {said}");
        }
    }
}
