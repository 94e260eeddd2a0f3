//! What is known of traffic may speak against a request. What asks hardest follows; what
//! only is to be written down is a flag.

use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;
use crate::app::admission::rule::{OfRequest, Rule};
use crate::model::fraud::Action;

pub(super) const RULE: OfRequest = Rule { name: "fraud", code: "fraud_suspected", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    if request.listed.is_allowed() {
        return None;
    }
    // Of several that ask for the same the first is told.
    let signal = request.signals.iter().rev().max_by_key(|signal| signal.action)?;
    let (rule, until) = (signal.name.to_owned(), signal.until);
    Some(match signal.action {
        Action::Record => Finding::Flag(format!("the signal {rule}")),
        Action::Slow => {
            let seconds = request.seconds_until(until);
            Finding::Slow { until, why: AdmissionError::SlowDown { rule, retry_at: until, seconds } }
        }
        Action::Captcha => Finding::Captcha { why: AdmissionError::CaptchaRequired { rule } },
        Action::Refuse => {
            let why = AdmissionError::FraudSuspected { rule, retry_at: Some(until) };
            Finding::Refuse { until: Some(until), why }
        }
        Action::ShadowBlock => Finding::Shadow { until },
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found, signal};
    use super::RULE;
    use crate::app::admission::listed::Listed;
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
}
