//! A message of its own, as its owner sees it.

use super::delivery::{DeliveryError, Tries, last_error, tries};
use crate::app::messages::{OfType, Statistics};
use crate::http::api::words::{ChannelWord, DeliveryStatus, MessageStatusWord, PriorityWord};
use crate::model::message as record;
use crate::model::message::{MessageStatus, Send, SendState};
use crate::model::price::dollars;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// One message to one person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Message {
    /// Its id, `OM` and 32 hexadecimal digits.
    pub id: String,
    /// The service it belongs to.
    pub service: String,
    /// The person's number, in E.164.
    pub to: String,
    /// Where it stands.
    pub status: MessageStatusWord,
    /// What sort of message it is.
    pub r#type: String,
    /// What it goes before.
    pub priority: PriorityWord,
    /// The template that it was made of.
    pub template: Option<String>,
    /// The whole text.
    pub text: String,
    /// The language that the text is in; null where nobody said.
    pub language: Option<String>,
    /// The channel of the latest send.
    pub channel: Option<ChannelWord>,
    /// The channels to try, the best first.
    pub plan: Vec<ChannelWord>,
    /// Whether it is a test number's: nothing is sent.
    pub test: bool,
    /// When it was taken.
    pub created_at: Timestamp,
    /// It leaves no sooner.
    pub send_at: Timestamp,
    /// It is worth nothing any more then.
    pub expires_at: Timestamp,
    /// When it came to an end.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<DeliveryError>,
    /// The application's own name for the person.
    pub user: Option<String>,
    /// The application's own marks.
    pub tags: BTreeMap<String, String>,
    /// Its sends, the first one first.
    pub deliveries: Vec<MessageSend>,
}

/// A send of a message.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageSend {
    /// Our name for it, `DM` and 32 hexadecimal digits.
    pub id: String,
    /// Twilio's name for it, once there is one: `GET /v1/deliveries/{sid}` has what was
    /// reported of it.
    pub sid: Option<String>,
    /// The channel that it took.
    pub channel: ChannelWord,
    /// Who it leaves by, or has left by, where there was a choice (`twilio.senders`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// How far it got with us.
    pub status: DeliveryStatus,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Why it was not taken, or did not arrive.
    pub error: Option<DeliveryError>,
    /// How often sending it was begun.
    pub attempts: u32,
    /// The tries that did not succeed, in order: those in a row for one reason are one item.
    pub tries: Vec<Tries>,
    /// Why the last try did not succeed, while it is tried or looked up again.
    pub last_error: Option<DeliveryError>,
    /// The name of the one whose place it took by itself, for that did not arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows: Option<String>,
    /// Why nothing took its place though it did not arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_followed: Option<String>,
    /// When it is tried or looked up next; while that is under way, from when on another
    /// process may.
    pub next_attempt_at: Option<Timestamp>,
}

/// A page of messages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Messages {
    /// The messages, newest first.
    pub messages: Vec<Message>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

/// What messages of each type came to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageStatistics {
    /// Whether all were counted; false where there are so many that the newest alone were.
    pub whole: bool,
    /// By type, in the order of their names.
    pub types: Vec<TypeStatistics>,
}

/// What messages of one type came to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TypeStatistics {
    /// Its name, as the service's `message_types` have it.
    pub r#type: String,
    /// All of them.
    pub taken: u64,
    /// Those that are to be sent, or are being sent.
    pub queued: u64,
    /// Those that the provider has, and of which nothing more is known.
    pub sent: u64,
    /// Those that arrived.
    pub delivered: u64,
    /// Those that did not, and have no way left.
    pub failed: u64,
    /// Those whose time ran out before they could leave.
    pub expired: u64,
    /// Those that were called off.
    pub canceled: u64,
    /// What their sends cost by the price table, in US dollars.
    pub cost: String,
}

impl From<&Statistics> for MessageStatistics {
    fn from(counted: &Statistics) -> Self {
        let of = |(name, one): (&String, &OfType)| TypeStatistics {
            r#type: name.clone(),
            taken: one.statuses.values().sum(),
            queued: one.of(MessageStatus::Queued),
            sent: one.of(MessageStatus::Sent),
            delivered: one.of(MessageStatus::Delivered),
            failed: one.of(MessageStatus::Failed),
            expired: one.of(MessageStatus::Expired),
            canceled: one.of(MessageStatus::Canceled),
            cost: dollars(one.micros),
        };
        Self { whole: counted.is_whole, types: counted.types.iter().map(of).collect() }
    }
}

impl Message {
    /// A message of a service, which has that id where the record names none.
    pub fn of(message: &record::Message, default: &str) -> Self {
        let content = &message.content;
        Self {
            id: message.id.to_string(),
            service: message.service.as_ref().map_or_else(|| default.to_owned(), ToString::to_string),
            to: message.to.in_full().to_owned(),
            status: MessageStatusWord(message.status.as_str()),
            r#type: message.message_type.clone(),
            priority: PriorityWord(message.priority.as_str()),
            template: content.template.clone(),
            text: content.text.clone(),
            language: content.language.clone(),
            channel: message.sends.last().map(|send| send.channel.into()),
            plan: message.plan.iter().copied().map(ChannelWord::from).collect(),
            test: message.test,
            created_at: message.created_at,
            send_at: message.send_at,
            expires_at: message.expires_at,
            ended_at: message.ended_at,
            error: message.failure.as_ref().map(|why| DeliveryError::because(why.code, &why.reason)),
            user: message.user.clone(),
            tags: message.tags.clone(),
            deliveries: message.sends.iter().map(|send| sent(message, send)).collect(),
        }
    }
}

fn sent(message: &record::Message, send: &Send) -> MessageSend {
    let name = |number: u8| message.delivery_id(number).to_string();
    let lost = message.failures.iter().find(|(number, _)| *number == send.number);
    let step = message.outbox.iter().find(|step| step.number() == send.number);
    MessageSend {
        id: name(send.number),
        sid: send.sid.as_ref().map(ToString::to_string),
        channel: send.channel.into(),
        sender: send.route.as_ref().map(|route| route.sender.clone()),
        status: DeliveryStatus(send.state.as_str()),
        created_at: send.asked_at,
        error: match (&send.state, lost) {
            (SendState::Failed { code, reason }, _) => Some(DeliveryError::because(*code, reason)),
            (_, Some((_, why))) => Some(DeliveryError::because(why.code, &why.reason)),
            _ => None,
        },
        attempts: send.attempts.made,
        tries: tries(&send.attempts),
        last_error: last_error(send),
        follows: send.follows.map(name),
        not_followed: send.not_followed.clone(),
        next_attempt_at: step.map(|step| step.due),
    }
}
