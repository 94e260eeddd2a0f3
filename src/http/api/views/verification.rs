//! A verification, as its owner sees it: the number in full, never the code.

use super::delivery::{DeliveryError, Tries, last_error, standing, tries};
use crate::app::verification::View;
use crate::http::api::words::{ChannelWord, DeliveryStatus, StatusWord};
use crate::http::caller::Caller;
use crate::model;
use crate::model::channel::Channel;
use crate::model::delivery::Delivery;
use crate::model::key::Scope;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// One person proving one number.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Verification {
    /// Its id, `VE` and 32 hexadecimal digits.
    pub id: String,
    /// The service it belongs to.
    pub service: String,
    /// The number that is proved, in E.164.
    pub to: String,
    /// The channel of the latest message or call.
    pub channel: ChannelWord,
    /// The language that was asked for.
    pub locale: Option<String>,
    /// Where it stands.
    pub status: StatusWord,
    /// Whether it is a test number's: nothing is sent, and the code is fixed.
    pub test: bool,
    /// When it began.
    pub created_at: Timestamp,
    /// When it dies unless it is approved.
    pub expires_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Codes that may still be offered.
    pub checks_left: u32,
    /// Messages and calls that may still be sent.
    pub sends_left: u8,
    /// From when on the next one may be sent; null when none may.
    pub resend_at: Option<Timestamp>,
    /// The channels that are left for this number, the preferred one first.
    pub channels_left: Vec<ChannelWord>,
    /// Whether nothing follows by itself any more, for who waits wants nothing else; there
    /// where it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover_stopped: Option<bool>,
    /// The name in the texts, where it is not the service's.
    pub friendly_name: Option<String>,
    /// The message template, where it is not the service's.
    pub template: Option<String>,
    /// What is to be paid.
    pub amount: Option<String>,
    /// Who is to be paid.
    pub payee: Option<String>,
    /// What the code is for.
    pub purpose: Option<String>,
    /// The application's own name for the person.
    pub user: Option<String>,
    /// The session of the pages that it was begun in.
    pub session: Option<String>,
    /// The application's own marks.
    pub tags: BTreeMap<String, String>,
    /// The rules and signals that marked it and refused nobody, by name: for keys with the
    /// scope `admin`, where there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flags: Option<Vec<String>>,
    /// Its messages and calls, the first one first.
    pub deliveries: Vec<Sent>,
    /// Whether one of them was never sent, for a signal of fraud has the action
    /// `shadow_block`; there for the operator alone, and only where it is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow_blocked: Option<bool>,
}

/// A message or call of a verification.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Sent {
    /// Our name for it, `DL` and 32 hexadecimal digits.
    pub id: String,
    /// Twilio's name for it, once there is one.
    pub sid: Option<String>,
    /// The channel that it took.
    pub channel: ChannelWord,
    /// Who it leaves by, or has left by, where there was a choice (`twilio.senders`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Whether it reached its person: the handset took the message, or the call
    /// was read the code; null where nobody can say.
    pub delivered: Option<bool>,
    /// Whether a call lasted one whole reading of the code; null for messages.
    pub heard: Option<bool>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// What went wrong, also where it arrived after all.
    pub error: Option<DeliveryError>,
    /// How often sending it was begun.
    pub attempts: u32,
    /// The tries that did not succeed, in order: those in a row for one reason are
    /// one item.
    pub tries: Vec<Tries>,
    /// Why the last try did not succeed, while it is tried or looked up again.
    pub last_error: Option<DeliveryError>,
    /// The name of the one whose place it took by itself, for that did not arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows: Option<String>,
    /// Why nothing took its place though it did not arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_followed: Option<String>,
    /// Whether its text was emptied at Twilio, or is gone there; there where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<bool>,
    /// When it is sent by the next channel by itself, for it did not arrive or nothing may be
    /// heard of it until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails_over_at: Option<Timestamp>,
    /// When it is tried or looked up next; while that is under way, from when on
    /// another process may.
    pub next_attempt_at: Option<Timestamp>,
}

/// What came of a check, for a caller that may see verifications.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checked {
    /// Whether it was the code.
    pub valid: bool,
    /// The verification after it.
    #[serde(flatten)]
    pub verification: Verification,
}

/// What came of a check, for a caller that may check and nothing else. Wrong,
/// expired, used up and unknown look alike.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Verdict {
    /// Whether it was the code.
    pub valid: bool,
    /// The verification, as it was named.
    pub id: String,
    /// `approved`, or null.
    pub status: Option<StatusWord>,
    /// The number that was proved, or null.
    pub to: Option<String>,
    /// Whether the number that was proved is a test number: its code is fixed,
    /// and whoever knows it has no telephone; null where none was proved.
    pub test: Option<bool>,
}

/// What a check answers: which of the two depends on the key's scopes.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the two answers; each is written by itself")]
pub enum CheckAnswer {
    /// For keys with the scope `read`.
    Checked(Box<Checked>),
    /// For keys without it.
    Verdict(Verdict),
}

/// A page of verifications.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Verifications {
    /// The newest first.
    pub verifications: Vec<Verification>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

impl From<&View> for Verification {
    fn from(view: &View) -> Self {
        let record = &view.verification;
        let details = record.details.clone();
        let sent = |(send, delivery): &(model::verification::Send, Option<model::delivery::Delivery>)| {
            Sent::new(record, send, delivery.as_ref())
        };
        Self {
            flags: None,
            id: record.id.to_string(),
            service: view.service.id.to_string(),
            to: record.to.in_full().to_owned(),
            channel: record.channel().into(),
            locale: record.locale.clone(),
            status: view.status.into(),
            test: record.test,
            created_at: record.created_at,
            expires_at: record.expires_at,
            ended_at: record.ended_at,
            checks_left: view.checks_left,
            sends_left: view.sends_left,
            resend_at: view.resend_at,
            channels_left: view.channels_left.iter().copied().map(ChannelWord::from).collect(),
            failover_stopped: record.stays.then_some(true),
            friendly_name: details.friendly_name,
            template: details.template,
            amount: details.amount,
            payee: details.payee,
            purpose: details.purpose,
            user: details.user,
            session: record.session.as_ref().map(ToString::to_string),
            tags: details.tags,
            deliveries: view.deliveries.iter().map(sent).collect(),
            shadow_blocked: None,
        }
    }
}

impl Verification {
    /// A verification, as somebody may see it: what marked it is for who administers, and
    /// that nothing of it leaves for the operator.
    pub fn seen_by(caller: &Caller, view: &View) -> Self {
        let flags = view.verification.admitted.as_ref().map(|admitted| &admitted.flags);
        let flags = flags.filter(|flags| !flags.is_empty() && caller.may(Scope::Admin));
        let is_shadow = view.verification.sends.iter().any(|send| send.shadow);
        Self {
            flags: flags.cloned(),
            shadow_blocked: (is_shadow && caller.is_operator()).then_some(true),
            ..Self::from(view)
        }
    }
}

impl Sent {
    /// A send, and what became of it.
    pub fn new(
        verification: &model::verification::Verification,
        send: &model::verification::Send,
        delivery: Option<&model::delivery::Delivery>,
    ) -> Self {
        let (status, error) = standing(verification, send, delivery);
        let delivered = delivery.map_or(Some(false), Delivery::is_delivered);
        Self {
            id: verification.delivery_id(send.number).to_string(),
            sid: send.sid.as_ref().map(ToString::to_string),
            channel: send.channel.into(),
            sender: send.route.as_ref().map(|route| route.sender.clone()),
            status,
            delivered,
            heard: match delivery {
                Some(delivery) => delivery.is_heard(),
                None => (send.channel == Channel::Call).then_some(false),
            },
            created_at: send.asked_at,
            error,
            attempts: send.attempts.made,
            tries: tries(&send.attempts),
            last_error: last_error(send),
            follows: send.follows.map(|number| verification.delivery_id(number).to_string()),
            not_followed: send.not_followed.clone(),
            redacted: send.redacted.then_some(true),
            // What arrived is looked at once more then, and not followed.
            fails_over_at: verification.fails_over_at(send.number).filter(|_| delivered != Some(true)),
            next_attempt_at: verification.next_attempt_at(send.number),
        }
    }
}
