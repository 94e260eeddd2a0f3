//! A page of the log of decisions with a line of each kind, the first with everything that
//! it can have.

use super::{at, id, some};
use dialback::model::channel::Channel;
use dialback::model::counter::Pseudonym;
use dialback::model::fraud::{self, Decision, DecisionId, Outcome, Page};

pub fn page() -> Page {
    let name = |n: u8| Pseudonym([n; 8]);
    let about = fraud::About {
        number: name(1),
        block100: name(2),
        block1000: name(3),
        range: "+4479".to_owned(),
        country: "GB".to_owned(),
        is_voip: true,
        looked_up: None,
        address: Some(name(4)),
        subnet: Some(name(5)),
        device: Some(name(6)),
        session: Some(name(7)),
        key: some("0123456789ab"),
        service: id("VA", 1),
        sender: some("+15005550006"),
        channel: Channel::Sms,
        face: "api".to_owned(),
        is_resend: true,
        micros: 41_500,
    };
    let page = "019a1f82f1e0123456789ab".to_owned();
    let decision = DecisionId(format!("{page}-1"));
    let reason = fraud::Reason {
        rule: "range_burst".to_owned(),
        action: Some(fraud::Action::Refuse),
        value: Some(40.5),
        threshold: Some(25.0),
        subject: some("+4479"),
        until: None,
    };
    let decided = Decision {
        id: decision.clone(),
        at: at(-30),
        about: about.clone(),
        outcome: Outcome::Refused,
        code: some("fraud_suspected"),
        until: Some(at(1770)),
        reasons: vec![reason],
        verification: Some(id("VE", 1)),
    };
    let about = Box::new(about);
    let lines = vec![
        fraud::Entry::Decision(Box::new(decided)),
        fraud::Entry::Verified { at: at(-20), asked_at: at(-30), sends: 2, decision, about: about.clone() },
        fraud::Entry::Unsent { at: at(-19), asked_at: at(-30), about: about.clone() },
        fraud::Entry::Verdict { at: at(-18), code: 30450, about },
    ];
    Page { id: page, at: at(-17), lines }
}
