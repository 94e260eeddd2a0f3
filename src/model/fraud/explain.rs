//! What a decision means, in words for operators. It refuses to know how it is shown.

use super::{Decision, Outcome, Reason, SIGNALS};

/// The codes under which signals keep a request back.
const CODES: [&str; 4] = ["fraud_suspected", "slow_down", "captcha_required", "shadow_blocked"];

/// Whether it was signals that kept a request back, and no list, limit or other rule.
pub fn is_by_signals(decision: &Decision) -> bool {
    let asks = |reason: &Reason| reason.action.map(Outcome::of) == Some(decision.outcome);
    let is_theirs = |code: &str| CODES.contains(&code);
    !decision.outcome.is_sent()
        && decision.code.as_deref().is_none_or(is_theirs)
        && decision.reasons.iter().any(asks)
}

/// What a rule looks at, in a sentence; nothing where its name says it.
pub fn meaning(rule: &str) -> Option<&'static str> {
    SIGNALS.iter().find(|spec| spec.name == rule).map(|spec| spec.about)
}

/// What became of a request, in a few words.
pub fn in_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Taken => "sent",
        Outcome::Flagged => "sent, and flagged",
        Outcome::Slowed => "not sent: to come again later",
        Outcome::CaptchaRequired => "not sent: a proof was asked for",
        Outcome::Refused => "refused",
        Outcome::ShadowBlocked => "shadow blocked: answered as usual, and not sent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fraud::Action;
    use crate::model::fraud::made::decision;

    #[test]
    fn who_kept_it_back_is_told_by_the_code_and_the_reasons() {
        let burst = ("block_burst", Some(Action::Refuse));
        let noted = ("block_burst", Some(Action::Record));
        let by_signals =
            |outcome, reasons: &[(&str, Option<Action>)]| is_by_signals(&decision(0, 1, outcome, reasons));
        assert!(by_signals(Outcome::Refused, &[burst]));
        assert!(by_signals(Outcome::ShadowBlocked, &[("range_burst", Some(Action::ShadowBlock))]));
        assert!(!by_signals(Outcome::Refused, &[("number_sends", None)]));
        assert!(!by_signals(Outcome::Refused, &[("country", None), noted]));
        assert!(!by_signals(Outcome::Flagged, &[noted]), "it was sent");
        let mut both = decision(0, 1, Outcome::Refused, &[("country", None), burst]);
        both.code = Some("country_not_offered".to_owned());
        assert!(!is_by_signals(&both), "a plain refusal wins");
    }
}
