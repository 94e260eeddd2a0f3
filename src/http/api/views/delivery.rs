//! A message or call, with everything that was reported of it.

use crate::app::messaging::Found;
use crate::http::api::words::{DeliveryChannelWord, DeliveryStatus, TwilioStatus, UnheardWord};
use crate::model::channel::{Channel, DeliveryChannel};
use crate::model::delivery as record;
use crate::model::id::DeliveryId;
use crate::model::price::dollars as in_units;
use crate::model::verification::{Attempts, Failures, Send, SendState, Verification};
use crate::twilio::errors::{self, Ending};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// One message or call.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Delivery {
    /// Twilio's name for it, once there is one.
    pub sid: Option<String>,
    /// Our name for it, when it is ours.
    pub id: Option<String>,
    /// The verification that it belongs to, when it is ours.
    pub verification: Option<String>,
    /// The message of its own that it belongs to, when it is one's.
    pub message: Option<String>,
    /// The channel, as its addresses say.
    pub channel: DeliveryChannelWord,
    /// Twilio's word for who began it: `inbound`, `outbound-api`, ….
    pub direction: Option<String>,
    /// Where it stands; null while only other things were reported.
    pub status: Option<DeliveryStatus>,
    /// Whether nothing more is to come, but `read` after `delivered` and
    /// `delivered` after `undelivered`.
    pub r#final: bool,
    /// The recipient's address.
    pub to: Option<String>,
    /// The sender's address.
    pub from: Option<String>,
    /// The account at Twilio.
    pub account_sid: Option<String>,
    /// The messaging service at Twilio.
    pub messaging_service_sid: Option<String>,
    /// How many segments a text message costs; null for everything else.
    pub segments: Option<u32>,
    /// The alphabet of a text message: `GSM-7` or `UCS-2`.
    pub encoding: Option<String>,
    /// What Twilio charges for it, once it has said so, which takes a day at most
    /// (`[reconcile]`).
    pub price: Option<PriceView>,
    /// Who or what answered a call: `human`, `machine_start`, ….
    pub answered_by: Option<String>,
    /// Whether it reached its person: the handset took the message, or the call
    /// was read the code. Null where nobody can say: what comes in, calls of
    /// others, calls from before readings were counted.
    pub delivered: Option<bool>,
    /// Whether a call of ours lasted one whole reading of the code; null for
    /// everything else.
    pub heard: Option<bool>,
    /// Why the code was not heard in a call of ours that has ended.
    pub unheard: Option<UnheardView>,
    /// What a call of ours has come to, once it has asked what to say.
    pub call: Option<CallView>,
    /// When we first heard of it, or asked for it.
    pub created_at: Timestamp,
    /// When we last heard of it.
    pub updated_at: Timestamp,
    /// What went wrong, also where it arrived after all.
    pub error: Option<DeliveryError>,
    /// True when nothing proves what was reported, which is kept only while
    /// `signature.mode` is `report-only`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unproved: bool,
    /// How often sending it was begun; null for what is not ours, and in lists
    /// once Twilio has it.
    pub attempts: Option<u32>,
    /// The tries that did not succeed, in order: those in a row for one reason are
    /// one item. Empty in lists once Twilio has it.
    pub tries: Vec<Tries>,
    /// Why the last try did not succeed, while it is tried or looked up again.
    pub last_error: Option<DeliveryError>,
    /// When it is tried or looked up next; while that is under way, from when on
    /// another process may.
    pub next_attempt_at: Option<Timestamp>,
    /// What was reported, in order.
    pub events: Vec<Event>,
    /// Whether it was never sent, and what is told of it is made up, for a signal of fraud
    /// has the action `shadow_block`; there for the operator alone, and only where it is so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow_blocked: bool,
}

/// Tries in a row that failed for one reason.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Tries {
    /// How many tries in a row failed for this reason, 1 or more.
    pub times: u32,
    /// When the first one was known to have failed.
    pub first_at: Timestamp,
    /// When the last one was.
    pub last_at: Timestamp,
    /// Why they failed.
    pub error: DeliveryError,
}

/// What went wrong with a message or call.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeliveryError {
    /// Twilio's error code, when it gave one.
    pub code: Option<u32>,
    /// Its name, or how it ended, or why it was not sent.
    pub name: String,
    /// What it means.
    pub meaning: Option<&'static str>,
    /// What to do.
    pub advice: Option<&'static str>,
    /// What exactly happened, where the name does not say it: how its tries went,
    /// or what Twilio said.
    pub detail: Option<String>,
    /// Twilio's page about it.
    pub docs: Option<String>,
}

/// What a message or call costs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PriceView {
    /// The amount, such as `0.0079`.
    pub amount: String,
    /// The currency's ISO 4217 code.
    pub currency: String,
}

/// Why the code was not heard in a call.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UnheardView {
    /// A word for it.
    pub reason: UnheardWord,
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub advice: &'static str,
}

/// What a call of ours has come to. Which keys were pressed is not kept.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallView {
    /// Keys that were pressed as it was asked for.
    pub right_keys: u8,
    /// Other keys that were pressed.
    pub wrong_keys: u8,
    /// Readings of the code that were begun.
    pub readings_begun: u8,
    /// Readings that were spoken to their end while the call lasted.
    pub readings_finished: u8,
}

/// Something that was reported of a delivery.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Event {
    /// When we first heard it.
    pub received_at: Timestamp,
    /// How: `status_callback`, `api`, `voice_request`, ….
    pub source: Source,
    /// The status that was reported.
    pub status: Option<TwilioStatus>,
    /// Twilio's own time of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_at: Option<Timestamp>,
    /// The carrier's clock, `YYMMDDhhmm`, in a zone that nobody states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_time: Option<String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<DeliveryError>,
    /// The order of a call's events, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
    /// Who or what answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// How a call's signalling ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_code: Option<u32>,
    /// How long a call lasted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
    /// How much of a call is billed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billed_minutes: Option<u32>,
    /// How long machine detection took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection_ms: Option<u32>,
    /// What a call of ours was then told: `gate`, `code`, `no_key`, `goodbye`,
    /// `ended`, or `nothing` for a machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<&'static str>,
    /// What it had come to with that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<CallView>,
    /// Everything else that was said, as it was said.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, String>,
}

/// How a fact came to us.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A status callback.
    StatusCallback,
    /// The answer to our request to send, or a later look.
    Api,
    /// Answering machine detection.
    AsyncAmd,
    /// Twilio asked what to say.
    VoiceRequest,
    /// An inbound message or call.
    Inbound,
    /// An event stream.
    EventStream,
    /// The callback about a recording.
    Recording,
    /// A look at the message or call, because nothing was reported.
    Reconciled,
}

impl From<record::Source> for Source {
    fn from(source: record::Source) -> Self {
        match source {
            record::Source::StatusCallback => Self::StatusCallback,
            record::Source::Api => Self::Api,
            record::Source::AsyncAmd => Self::AsyncAmd,
            record::Source::VoiceRequest => Self::VoiceRequest,
            record::Source::Inbound => Self::Inbound,
            record::Source::EventStream => Self::EventStream,
            record::Source::Recording => Self::Recording,
            record::Source::Reconciled => Self::Reconciled,
        }
    }
}

/// A page of deliveries.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deliveries {
    /// The newest first.
    pub deliveries: Vec<Delivery>,
    /// Where to go on; null at the end.
    pub next_cursor: Option<String>,
}

/// Where a send stands: Twilio's word for it once Twilio knows it, ours before.
pub fn standing(
    verification: &Verification,
    send: &Send,
    delivery: Option<&record::Delivery>,
) -> (DeliveryStatus, Option<DeliveryError>) {
    if let Some(delivery) = delivery
        && let Some(status) = delivery.status()
    {
        return (DeliveryStatus(status.as_str()), DeliveryError::of(delivery));
    }
    let error = match &send.state {
        SendState::Failed { code, reason } => Some(DeliveryError::because(*code, reason)),
        _ => verification.why_dropped(send.number).map(|why| DeliveryError {
            detail: Some(why.to_string()),
            ..DeliveryError::ended(Ending::NotSent)
        }),
    };
    (DeliveryStatus(send.state.as_str()), error)
}

/// Why the last try of a send did not succeed, while it is not settled.
pub fn last_error(send: &Send) -> Option<DeliveryError> {
    let is_open = matches!(send.state, SendState::Waiting | SendState::Sending);
    let last = send.attempts.last_error.as_ref().filter(|_| is_open)?;
    Some(DeliveryError::because(last.code, &last.reason))
}

/// The tries of a send that did not succeed.
pub fn tries(attempts: &Attempts) -> Vec<Tries> {
    let of = |failures: &Failures| Tries {
        times: failures.times,
        first_at: failures.first_at,
        last_at: failures.last_at,
        error: DeliveryError::because(failures.code, &failures.reason),
    };
    attempts.failures.iter().map(of).collect()
}

impl DeliveryError {
    /// What went wrong with a delivery: by Twilio's code, or by how it ended.
    fn of(delivery: &record::Delivery) -> Option<Self> {
        let coded = delivery.error_code().map(|code| Self::coded(code, delivery.error_text()));
        coded.or_else(|| Ending::of(delivery).map(Self::ended))
    }

    /// An error code with what it means and what to do, and what is known besides.
    fn coded(code: u32, detail: Option<&str>) -> Self {
        let meaning = errors::lookup(code);
        Self {
            code: Some(code),
            name: meaning.name.to_owned(),
            meaning: meaning.explanation(),
            advice: Some(meaning.advice()),
            detail: detail.filter(|detail| *detail != meaning.name).map(str::to_owned),
            docs: Some(errors::docs(code)),
        }
    }

    /// An ending without a code.
    fn ended(ending: Ending) -> Self {
        Self {
            code: None,
            name: ending.name(),
            meaning: Some(ending.explanation()),
            advice: Some(ending.advice()),
            detail: None,
            docs: None,
        }
    }

    /// A reason of ours, with Twilio's code where it gave one.
    pub fn because(code: Option<u32>, reason: &str) -> Self {
        let name = || Self {
            code: None,
            name: reason.to_owned(),
            meaning: None,
            advice: None,
            detail: None,
            docs: None,
        };
        code.map_or_else(name, |code| Self::coded(code, Some(reason)))
    }
}

impl From<record::Unheard> for UnheardView {
    fn from(why: record::Unheard) -> Self {
        let advice = Ending::Unheard(why).advice();
        Self { reason: UnheardWord(why.as_str()), meaning: why.to_string(), advice }
    }
}

impl From<record::Charge> for PriceView {
    fn from(charge: record::Charge) -> Self {
        Self { amount: in_units(charge.micros), currency: charge.currency }
    }
}

impl From<record::CallSoFar> for CallView {
    fn from(call: record::CallSoFar) -> Self {
        Self {
            right_keys: call.right_keys,
            wrong_keys: call.wrong_keys,
            readings_begun: call.readings,
            readings_finished: call.finished,
        }
    }
}

impl From<&Found> for Delivery {
    fn from(found: &Found) -> Self {
        let (verification, send) = match found {
            Found::Delivery(record, attempts) => {
                let (made, tries) = (attempts.as_ref().map(|own| own.made), attempts.as_deref().map(tries));
                return Self { attempts: made, tries: tries.unwrap_or_default(), ..(&**record).into() };
            }
            Found::Send(verification, send) => (verification, send),
        };
        let (status, error) = standing(verification, send, None);
        Self {
            sid: send.sid.as_ref().map(ToString::to_string),
            id: Some(verification.delivery_id(send.number).to_string()),
            verification: Some(verification.id.to_string()),
            message: None,
            channel: DeliveryChannel::from(send.channel).into(),
            direction: None,
            r#final: matches!(status.0, "failed" | "canceled" | "test"),
            status: Some(status),
            to: Some(verification.to.in_full().to_owned()),
            from: None,
            account_sid: None,
            messaging_service_sid: None,
            segments: None,
            encoding: None,
            price: None,
            answered_by: None,
            delivered: Some(false),
            heard: (send.channel == Channel::Call).then_some(false),
            unheard: None,
            call: None,
            created_at: send.asked_at,
            updated_at: send.asked_at,
            error,
            unproved: false,
            attempts: Some(send.attempts.made),
            tries: tries(&send.attempts),
            last_error: last_error(send),
            next_attempt_at: verification.next_attempt_at(send.number),
            events: Vec::new(),
            shadow_blocked: false,
        }
    }
}

impl From<&record::Delivery> for Delivery {
    fn from(record: &record::Delivery) -> Self {
        let about = record.about.clone();
        let id = record.id.as_ref();
        Self {
            sid: Some(record.sid.to_string()),
            id: id.map(ToString::to_string),
            verification: id.and_then(DeliveryId::of_verification).map(|(id, _)| id.to_string()),
            message: id.and_then(DeliveryId::of_message).map(|(id, _)| id.to_string()),
            channel: record.channel().into(),
            direction: about.direction,
            status: record.status().map(|status| DeliveryStatus(status.as_str())),
            r#final: record.status().is_some_and(|status| status.is_final()),
            to: about.to,
            from: about.from,
            account_sid: about.account_sid,
            segments: record.segments(),
            encoding: record.encoding().map(str::to_owned),
            messaging_service_sid: about.messaging_service_sid,
            price: about.charge.map(PriceView::from),
            answered_by: record.answered_by().map(str::to_owned),
            delivered: record.is_delivered(),
            heard: record.is_heard(),
            unheard: record.unheard().map(UnheardView::from),
            call: record.call().map(CallView::from),
            created_at: record.first_seen,
            updated_at: record.updated_at(),
            error: DeliveryError::of(record),
            unproved: record.unproved,
            attempts: None,
            tries: Vec::new(),
            last_error: None,
            next_attempt_at: None,
            events: record.history().into_iter().map(Event::from).collect(),
            shadow_blocked: false,
        }
    }
}

impl From<&record::Entry> for Event {
    fn from(event: &record::Entry) -> Self {
        let fact = event.fact.clone();
        Self {
            received_at: event.received_at,
            source: fact.source.into(),
            status: fact.status.map(TwilioStatus::from),
            carrier_at: fact.carrier_at,
            carrier_time: fact.carrier_time,
            error: fact.error_code.map(|code| DeliveryError::coded(code, event.fact.error_text())),
            sequence: fact.sequence,
            answered_by: fact.answered_by,
            sip_code: fact.sip_code,
            duration_seconds: fact.duration_seconds,
            billed_minutes: fact.billed_minutes,
            detection_ms: fact.detection_ms,
            told: fact.call.map(|call| call.told.as_str()),
            call: fact.call.map(CallView::from),
            other: fact.other,
        }
    }
}
