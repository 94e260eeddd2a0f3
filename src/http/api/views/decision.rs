//! Decisions about requests for codes: names that are nobody's, no numbers.

use crate::app::decisions::{Followed, advice};
use crate::http::api::words::ChannelWord;
use crate::model::counter::Pseudonym;
use crate::model::fraud::{Action, Outcome, Reason, meaning};
use crate::model::lookup::LineType;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A page of decisions.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Decisions {
    /// The newest first.
    pub decisions: Vec<Decision>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

/// A decision about a request for a code. Numbers, addresses and devices are told by names
/// of 16 hexadecimal digits: the same one has the same name, and nobody can tell whose.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Decision {
    /// Its id: that of its page of the log, a hyphen, and its place there.
    pub id: String,
    /// When it was taken.
    pub at: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// The code of the rule that came first, where it was not taken; most are codes of problems, too.
    pub code: Option<String>,
    /// Until when that holds, where time changes it.
    pub retry_at: Option<Timestamp>,
    /// What each rule had to say that had something to say.
    pub reasons: Vec<DecisionReason>,
    /// The verification that it began or sent again.
    pub verification: Option<String>,
    /// The id of the service that was asked.
    pub service: String,
    /// The channel by which the code was to go.
    pub channel: ChannelWord,
    /// The face that was asked: `api`, `verify`, `pages`.
    pub face: String,
    /// The id of the API key, or a word for another caller.
    pub key: Option<String>,
    /// Whether it was a further send of a verification that stood open.
    pub resend: bool,
    /// The number's name.
    pub number: String,
    /// The range of the number, as its plan writes it.
    pub range: String,
    /// Its country, by its ISO 3166 code; `??` where no plan knows the number.
    pub country: String,
    /// Whether it is a number of internet telephony.
    pub voip: bool,
    /// What sort of telephone it leads to, by a look-up, in the words of Twilio Lookup.
    pub line_type: Option<LineType>,
    /// How many whole hours before the SIM had been changed, by a look-up.
    pub sim_swapped_hours: Option<u32>,
    /// How probable it was that texts to it are pumped, of a hundred, by a look-up.
    pub sms_pumping_risk: Option<u8>,
    /// The name of the person's address.
    pub address: Option<String>,
    /// The name of the network around it.
    pub subnet: Option<String>,
    /// The name of the person's device.
    pub device: Option<String>,
    /// Who it was to be sent from, where that was known before.
    pub sender: Option<String>,
    /// What it costs by the price table, in millionths of a US dollar.
    pub cost_micros: u64,
    /// When the number was proved, if it was within a day; told of one decision, and of
    /// those of a number or a verification.
    pub verified_at: Option<Timestamp>,
    /// When it was known that it had certainly never left; told likewise.
    pub never_left_at: Option<Timestamp>,
    /// The provider's code where it takes it for fraud, such as 30450; told likewise.
    pub provider_code: Option<u32>,
    /// What an operator can do about it, a sentence each.
    pub advice: Vec<String>,
}

/// What one rule had to say, with the counters as they were.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DecisionReason {
    /// The rule's name: `country`, `number_sends`, `block_burst`.
    pub rule: String,
    /// What the rule looks at, where it is a signal.
    pub meaning: Option<&'static str>,
    /// What it asks for, where it is a signal.
    pub action: Option<Action>,
    /// What there was, where it counts.
    pub value: Option<f64>,
    /// From what on it says something.
    pub threshold: Option<f64>,
    /// Of whom or what, where that is nobody's: `+4479`, `GB`.
    pub subject: Option<String>,
    /// Until when what it asks for holds.
    pub until: Option<Timestamp>,
}

impl From<&Followed> for Decision {
    fn from(followed: &Followed) -> Self {
        let decision = &followed.decision;
        let about = &decision.about;
        Self {
            id: decision.id.to_string(),
            at: decision.at,
            outcome: decision.outcome,
            code: decision.code.clone(),
            retry_at: decision.until,
            reasons: decision.reasons.iter().map(DecisionReason::from).collect(),
            verification: decision.verification.clone(),
            service: about.service.clone(),
            channel: ChannelWord(about.channel.as_str()),
            face: about.face.clone(),
            key: about.key.clone(),
            resend: about.is_resend,
            number: hex::encode(about.number.0),
            range: about.range.clone(),
            country: about.country.clone(),
            voip: about.is_voip,
            line_type: about.looked_up.and_then(|told| told.line_type),
            sim_swapped_hours: about.looked_up.and_then(|told| told.swapped_hours),
            sms_pumping_risk: about.looked_up.and_then(|told| told.risk),
            address: named(about.address),
            subnet: named(about.subnet),
            device: named(about.device),
            sender: about.sender.clone(),
            cost_micros: about.micros,
            verified_at: followed.verified_at,
            never_left_at: followed.never_left_at,
            provider_code: followed.provider_code,
            advice: advice(decision),
        }
    }
}

impl From<&Reason> for DecisionReason {
    fn from(reason: &Reason) -> Self {
        Self {
            rule: reason.rule.clone(),
            meaning: meaning(&reason.rule),
            action: reason.action,
            value: reason.value,
            threshold: reason.threshold,
            subject: reason.subject.clone(),
            until: reason.until,
        }
    }
}

fn named(name: Option<Pseudonym>) -> Option<String> {
    name.map(|name| hex::encode(name.0))
}
