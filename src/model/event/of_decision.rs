//! What there is to tell of a decision about a request for a code: that it was not sent,
//! which sign of fraud was found, which budget is spent.
//!
//! The first is told each time; the others are told once, until they are over. It refuses to
//! know who listens, and what was told already.

use super::{Decided, EventBody, EventType};
use crate::model::counter::Pseudonym;
use crate::model::fraud::{About, Decision, Outcome, Reason, SIGNALS, is_by_signals};
use jiff::Timestamp;

/// Something to tell once, until it is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Once {
    /// What tells it apart from others: the rule, and of whom or what.
    pub name: String,
    /// Until when it is not told again.
    pub until: Timestamp,
    /// What is told.
    pub body: EventBody,
}

/// That a request was not sent; nothing where it was. `to` is its number in full.
pub fn of_refusal(decision: &Decision, to: &str) -> Option<EventBody> {
    (!decision.outcome.is_sent()).then(|| {
        let first = first_reason(decision);
        let decided = Decided {
            outcome: Some(decision.outcome),
            code: decision.code.clone(),
            until: decision.until,
            ..of_reason(decision, first)
        };
        EventBody {
            to: Some(to.to_owned()),
            verification: decision.verification.as_deref().and_then(|id| id.parse().ok()),
            service: decision.about.service.parse().ok(),
            channel: Some(decision.about.channel.into()),
            admission: Some(Box::new(decided)),
            ..EventBody::new(EventType::AdmissionRefused, decision.at)
        }
    })
}

/// Which signs of fraud a decision names.
pub fn of_findings(decision: &Decision) -> Vec<Once> {
    let find = |reason: &Reason| {
        let spec = SIGNALS.iter().find(|spec| spec.name == reason.rule)?;
        let until = reason.until.or(decision.until).filter(|until| *until > decision.at);
        let until = until.or_else(|| after(decision.at, spec.seconds))?;
        let decided = Decided { until: Some(until), ..of_reason(decision, Some(reason)) };
        let admission = Some(Box::new(decided));
        let body = EventBody { admission, ..EventBody::new(EventType::FraudDetected, decision.at) };
        Some(Once { name: name_of(reason, &decision.about), until, body })
    };
    decision.reasons.iter().filter_map(find).collect()
}

/// That a budget is spent: which rule's, of which country or service, and until when.
pub fn of_budget(rule: &str, subject: Option<String>, until: Timestamp, now: Timestamp) -> EventBody {
    let decided = Decided { rule: Some(rule.to_owned()), subject, until: Some(until), ..Decided::default() };
    EventBody { admission: Some(Box::new(decided)), ..EventBody::new(EventType::BudgetReached, now) }
}

fn after(at: Timestamp, seconds: u32) -> Option<Timestamp> {
    at.checked_add(jiff::SignedDuration::from_secs(i64::from(seconds))).ok()
}

/// The reason that decided: of signals the first that asks for what it came to; of other
/// rules the first of those.
fn first_reason(decision: &Decision) -> Option<&Reason> {
    let asks = |reason: &&Reason| reason.action.map(Outcome::of) == Some(decision.outcome);
    let is_others = |reason: &&Reason| reason.action.is_none();
    let reasons = || decision.reasons.iter();
    match is_by_signals(decision) {
        true => reasons().find(asks),
        false => reasons().find(is_others).or_else(|| reasons().next()),
    }
}

fn of_reason(decision: &Decision, reason: Option<&Reason>) -> Decided {
    let about = &decision.about;
    let decided = Decided {
        decision: Some(decision.id.to_string()),
        range: Some(about.range.clone()),
        country: Some(about.country.clone()),
        ..Decided::default()
    };
    match reason.cloned() {
        None => decided,
        Some(Reason { rule, action, value, threshold, subject, .. }) => {
            Decided { rule: Some(rule), action, value, threshold, subject, ..decided }
        }
    }
}

/// A rule and whom or what it is about. Where that is somebody's, by the name that is nobody's.
fn name_of(reason: &Reason, about: &About) -> String {
    let subject = reason.subject.clone().or_else(|| somebody(&reason.rule, about)).unwrap_or_default();
    format!("{}:{subject}", reason.rule)
}

/// Of whom a signal is that names nobody.
fn somebody(rule: &str, about: &About) -> Option<String> {
    let whose = SIGNALS.iter().find(|spec| spec.name == rule)?.subject;
    let of = |name: Pseudonym| hex::encode(name.0);
    let known = [
        ("thousand", Some(of(about.block1000))),
        ("range", Some(about.range.clone())),
        ("address", about.address.map(of)),
        ("network", about.subnet.map(of)),
        ("device", about.device.map(of)),
        ("session", about.session.map(of)),
        ("key", about.key.clone()),
        ("country", Some(about.country.clone())),
        ("service", Some(about.service.clone())),
        ("sender", about.sender.clone()),
        ("number", Some(of(about.number))),
    ];
    known.into_iter().filter(|(word, _)| whose.contains(word)).find_map(|(_, name)| name)
}
