//! Lines of a log for tests.

use super::{About, Action, Decision, DecisionId, Entry, Outcome, Reason};
use crate::model::channel::Channel;
use crate::model::counter::Pseudonym;
use jiff::Timestamp;

/// So many seconds after some time.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A number of Britain, by its place among a thousand; each text costs four cents.
pub(crate) fn about(n: u8) -> About {
    About {
        number: Pseudonym([n; 8]),
        block100: Pseudonym([200; 8]),
        block1000: Pseudonym([201; 8]),
        range: "+4479".to_owned(),
        country: "GB".to_owned(),
        is_voip: false,
        looked_up: None,
        address: Some(Pseudonym([100 + n % 3; 8])),
        subnet: None,
        device: None,
        session: None,
        key: Some("operator".to_owned()),
        service: "shop".to_owned(),
        sender: None,
        channel: Channel::Sms,
        face: "api".to_owned(),
        is_resend: false,
        micros: 4 * 10_000,
    }
}

/// A request of a number that came to something, for a reason.
pub(crate) fn decision(
    seconds: i64,
    n: u8,
    outcome: Outcome,
    reasons: &[(&str, Option<Action>)],
) -> Decision {
    let reason = |(rule, action): &(&str, Option<Action>)| Reason {
        rule: (*rule).to_owned(),
        action: *action,
        value: Some(9.0),
        threshold: Some(8.0),
        subject: None,
        until: None,
    };
    let is_signals =
        reasons.iter().any(|(_, action)| action.is_some_and(|action| Outcome::of(action) == outcome));
    let code = if is_signals { "fraud_suspected" } else { "limit_reached" };
    Decision {
        id: DecisionId(format!("page-{seconds}")),
        at: at(seconds),
        about: about(n),
        outcome,
        code: (!outcome.is_sent()).then(|| code.to_owned()),
        until: None,
        reasons: reasons.iter().map(reason).collect(),
        verification: None,
    }
}

/// The same as a line.
pub(crate) fn line(seconds: i64, n: u8, outcome: Outcome, reasons: &[(&str, Option<Action>)]) -> Entry {
    Entry::Decision(Box::new(decision(seconds, n, outcome, reasons)))
}

/// The code of a request of then came back.
pub(crate) fn verified(seconds: i64, n: u8, asked: i64) -> Entry {
    Entry::Verified {
        at: at(seconds),
        asked_at: at(asked),
        sends: 1,
        decision: DecisionId(format!("page-{asked}")),
        about: Box::new(about(n)),
    }
}
