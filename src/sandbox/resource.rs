//! Messages and calls as resources, and as the JSON that Twilio makes of them.
//!
//! Field names, types and nullability follow Twilio's published schemas
//! `api.v2010.account.message` and `api.v2010.account.call`.

use super::address::{Address, formatted};
use super::geography::Locality;
use super::limits;
use super::money::{Money, dollars};
use super::prices::{Channel, Prices};
use super::shelf::Owned;
use super::templates::Filled;
use crate::twilio::segments::count;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use reqwest::Url;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Whose turn it is to tell of a resource: one courier holds it at a time.
pub(super) type Turn = Arc<Mutex<()>>;

/// A status of a message, in Twilio's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum MessageStatus {
    Accepted,
    Scheduled,
    Queued,
    Sending,
    Sent,
    Delivered,
    Undelivered,
    Failed,
    Read,
    Canceled,
    Received,
}

impl MessageStatus {
    /// The word that Twilio's documents and callbacks have for it: `queued`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Read => "read",
            Self::Canceled => "canceled",
            Self::Received => "received",
        }
    }

    /// True while the message can still be canceled.
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Accepted | Self::Scheduled | Self::Queued)
    }

    /// True until a carrier has it: as long it can be neither redacted nor deleted.
    pub fn is_in_flight(self) -> bool {
        self.is_waiting() || self == Self::Sending
    }
}

/// What a message or a call costs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Bill {
    /// Nothing that is known yet.
    #[default]
    Open,
    /// It is being worked out: Twilio says no price before some seconds are over.
    Pending,
    /// So much, in hundred-thousandths of a dollar.
    Paid(Money),
}

impl Bill {
    /// The price, once it is said.
    pub fn price(self) -> Option<Money> {
        match self {
            Self::Paid(price) => Some(price),
            Self::Open | Self::Pending => None,
        }
    }
}

/// The longest a message may wait in the queue, in seconds, and how long it does unless
/// something else is said.
pub(super) const VALIDITY: u32 = 36_000;

/// A message resource.
#[derive(Clone)]
pub(super) struct Message {
    /// `SM…`, or `MM…` with media.
    pub sid: String,
    /// The account it is of.
    pub account: String,
    /// Where it goes.
    pub to: Address,
    /// Where it comes from; none until a service has picked a sender.
    pub from: Option<Address>,
    /// The messaging service, `MG…`.
    pub service: Option<String>,
    /// The text; empty once redacted.
    pub body: String,
    /// The words on their way; redaction does not reach them.
    pub words: String,
    /// The content template it was made from.
    pub template: Option<Filled>,
    /// The text's length in segments; 1 on WhatsApp.
    pub segments: u32,
    /// The media's URLs.
    pub media: Vec<String>,
    /// `inbound`, `outbound-api`, `outbound-reply` or `outbound-call`.
    pub direction: &'static str,
    /// Where it stands.
    pub status: MessageStatus,
    /// Why it failed: the code and its meaning.
    pub error: Option<(u32, String)>,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// When it left.
    pub sent: Option<Timestamp>,
    /// Where its changes are told.
    pub callback: Option<Url>,
    /// How long it may wait in the queue, in seconds.
    pub validity: u32,
    /// When it shall leave, if it is scheduled.
    pub send_at: Option<Timestamp>,
    /// Who tells of it at the moment.
    pub turn: Turn,
    /// What it costs.
    pub bill: Bill,
    /// What becomes of it on the way.
    pub passage: Passage,
}

/// What limits and protections make of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passage {
    /// The pumping protection blocks it.
    pub blocked: bool,
    /// When its sender has come to it; taken when it gets a sender.
    pub turn: Option<limits::Turn>,
}

impl Message {
    /// A text of this moment, of which nothing but these is said: one that waits to be
    /// sent, as all that an account sends does at first.
    pub fn new(
        sid: String,
        account: String,
        (from, to): (Option<Address>, Address),
        body: String,
        now: Timestamp,
    ) -> Self {
        Self {
            sid,
            account,
            segments: segments(&to, &body),
            to,
            from,
            service: None,
            words: body.clone(),
            body,
            template: None,
            media: Vec::new(),
            direction: "outbound-api",
            status: MessageStatus::Queued,
            error: None,
            created: now,
            updated: now,
            sent: None,
            callback: None,
            validity: VALIDITY,
            send_at: None,
            turn: Turn::default(),
            bill: Bill::default(),
            passage: Passage::default(),
        }
    }

    /// The same, as somebody wrote it to a number: it is here already.
    pub fn received(self) -> Self {
        let sent = Some(self.created);
        Self { direction: "inbound", status: MessageStatus::Received, sent, validity: 0, ..self }
    }

    /// The resource's document.
    pub fn document(&self) -> Value {
        let base = format!("/2010-04-01/Accounts/{}/Messages/{}", self.account, self.sid);
        json!({
            "account_sid": self.account,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": rfc2822(self.created),
            "date_sent": self.sent.map(rfc2822),
            "date_updated": rfc2822(self.updated),
            "direction": self.direction,
            "error_code": self.error.as_ref().map(|(code, _)| code),
            "error_message": self.error.as_ref().map(|(_, text)| text),
            "from": self.from.as_ref().map(Address::to_string),
            "messaging_service_sid": self.service,
            "num_media": self.media.len().to_string(),
            "num_segments": self.shown_segments().to_string(),
            "price": self.bill.price().map(|price| format!("-{}", dollars(price))),
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status.word(),
            "subresource_uris": {
                "feedback": format!("{base}/Feedback.json"),
                "media": format!("{base}/Media.json"),
            },
            "to": self.to.to_string(),
            "uri": format!("{base}.json"),
        })
    }

    /// What it costs in the country of the telephone, once it has left or come in.
    pub fn cost(&self, prices: &Prices) -> Option<Money> {
        if self.status.is_in_flight() || self.status == MessageStatus::Canceled {
            return None;
        }
        let is_inbound = self.direction == "inbound";
        let phone = if is_inbound { self.from.as_ref() } else { Some(&self.to) };
        let country = phone.map(|phone| Locality::of(&phone.number).country).unwrap_or_default();
        let channel = match self.to.whatsapp {
            true => Channel::WhatsApp,
            false if !self.media.is_empty() => Channel::Mms,
            false => Channel::Sms { segments: self.segments },
        };
        Some(prices.of(&country).message(channel, is_inbound))
    }

    /// Unknown, and so 0, until a service has picked a sender.
    fn shown_segments(&self) -> u32 {
        if self.status == MessageStatus::Accepted { 0 } else { self.segments }
    }
}

impl Owned for Message {
    fn account(&self) -> &str {
        &self.account
    }
}

impl Owned for Call {
    fn account(&self) -> &str {
        &self.account
    }
}

/// How many segments a text takes; WhatsApp knows no segments and counts one.
pub(super) fn segments(to: &Address, body: &str) -> u32 {
    if to.whatsapp {
        return 1;
    }
    u32::try_from(count(body).segments).unwrap_or(u32::MAX)
}

/// A status of a call, in Twilio's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CallStatus {
    Queued,
    Ringing,
    InProgress,
    Completed,
    Busy,
    Failed,
    NoAnswer,
    Canceled,
}

impl CallStatus {
    /// Every status, by any of which calls can be filtered.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Ringing,
        Self::InProgress,
        Self::Completed,
        Self::Busy,
        Self::Failed,
        Self::NoAnswer,
        Self::Canceled,
    ];

    /// The word that Twilio's documents and callbacks have for it: `no-answer`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::NoAnswer => "no-answer",
            Self::Canceled => "canceled",
        }
    }

    /// True when nothing more will happen.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Ringing | Self::InProgress)
    }
}

/// An address to ask, and how.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Hook {
    /// The URL as it was given, with userinfo and fragment.
    pub url: Url,
    /// True for GET, false for POST.
    pub get: bool,
}

/// Something heard on the line.
#[derive(Clone)]
pub(super) struct Caption {
    /// The words; a sound is `[sound: URL]`, keys are `[keys: 12]`.
    pub text: String,
    /// The language they are spoken in.
    pub language: Option<String>,
    /// The voice, in Twilio's words.
    pub voice: Option<String>,
    /// When it was begun.
    pub at: Timestamp,
}

/// What is to be recorded of a call.
#[derive(Clone, Default)]
pub(super) struct RecordingRequest {
    /// Where the recording's fate is told.
    pub callback: Option<Hook>,
    /// What is told there: `in-progress`, `completed`, `absent`.
    pub events: Vec<String>,
    /// One or two.
    pub channels: u16,
    /// Whose voice: `inbound`, `outbound` or `both`.
    pub track: &'static str,
}

/// A recording of a call that is under way.
#[derive(Clone)]
pub(super) struct UnderWay {
    /// `RE…`, by which the recording itself is found.
    pub sid: String,
    /// Whether it is paused.
    pub paused: bool,
}

/// What a call was asked to do.
#[derive(Clone, Default)]
pub(super) struct CallOrder {
    /// Where the TwiML is.
    pub url: Option<Hook>,
    /// TwiML that came with the request.
    pub twiml: Option<String>,
    /// Where the TwiML is when that fails.
    pub fallback: Option<Hook>,
    /// Where progress is told.
    pub callback: Option<Hook>,
    /// Which events are told: `initiated`, `ringing`, `answered`, `completed`.
    pub events: Vec<String>,
    /// How long it rings, in seconds.
    pub timeout: u32,
    /// The keys to send once answered.
    pub send_digits: Option<String>,
    /// Whether and how a machine is looked for.
    pub detection: Option<Detection>,
    /// How long the call may last, in seconds.
    pub time_limit: u32,
    /// When its account may make it, if it has to wait.
    pub leaves: Option<Timestamp>,
    /// Whether it is recorded, and who is told.
    pub record: Option<RecordingRequest>,
    /// How long it waits before it goes out, in seconds.
    pub delay: u32,
    /// Whether Twilio itself asks for a code that proves the number.
    pub validates: bool,
    /// The beginning of this machine's URLs, as who asked for the call knows them.
    pub base: String,
}

/// How an answering machine is looked for.
#[derive(Clone)]
pub(super) struct Detection {
    /// Wait for the end of the greeting (`DetectMessageEnd`).
    pub message_end: bool,
    /// Do it beside the call, and tell it here.
    pub aside: Option<Option<Hook>>,
}

/// A call resource.
#[derive(Clone)]
pub(super) struct Call {
    /// `CA…`, by which its recordings and callbacks name it.
    pub sid: String,
    /// The account it is of.
    pub account: String,
    /// The account's number that it is made from or comes in at, if it has one.
    pub number_sid: Option<String>,
    /// Who is called.
    pub to: String,
    /// Who calls; of an inbound call the simulated telephone.
    pub from: String,
    /// `inbound` or `outbound-api`.
    pub direction: &'static str,
    /// Where it stands.
    pub status: CallStatus,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// When it was answered.
    pub start: Option<Timestamp>,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// What picked up, when that was looked for.
    pub answered_by: Option<&'static str>,
    /// What was said so far.
    pub captions: Vec<Caption>,
    /// How many of them were said through: digits of one code may follow the others.
    pub said_through: usize,
    /// The error that ended it early, if one did.
    pub error: Option<u32>,
    /// Its recordings that are under way.
    pub recording: Vec<UnderWay>,
    /// What it was asked to do.
    pub order: CallOrder,
    /// What it costs.
    pub bill: Bill,
}

impl Call {
    /// How long it lasted, in seconds, each begun one counted as on a bill;
    /// zero when it was never answered.
    pub fn seconds(&self) -> i64 {
        match (self.start, self.end) {
            (Some(start), Some(end)) => ((end.as_millisecond() - start.as_millisecond() + 999) / 1000).max(1),
            _ => 0,
        }
    }

    /// The begun minutes of it that are paid.
    pub fn minutes(&self) -> u64 {
        u64::try_from((self.seconds() + 59) / 60).unwrap_or(0).max(1)
    }

    /// What it costs in the country of the telephone, once it was answered and is over.
    pub fn cost(&self, prices: &Prices) -> Option<Money> {
        let is_paid = self.status.is_over() && self.start.is_some();
        is_paid.then(|| {
            let rates = prices.of(&Locality::of(self.phone()).country);
            rates.call(self.minutes(), self.direction == "inbound")
        })
    }

    /// How long it waits to be made, in milliseconds.
    fn queued_ms(&self) -> i64 {
        let wait = self.order.leaves.map(|at| at.as_millisecond() - self.created.as_millisecond());
        wait.unwrap_or(0).max(0)
    }

    /// The simulated telephone's number: the far end of the line.
    pub fn phone(&self) -> &str {
        if self.direction == "inbound" { &self.from } else { &self.to }
    }

    /// The resource's document.
    pub fn document(&self) -> Value {
        let base = format!("/2010-04-01/Accounts/{}/Calls/{}", self.account, self.sid);
        let ended = self.status.is_over();
        json!({
            "account_sid": self.account,
            "answered_by": self.answered_by,
            "api_version": "2010-04-01",
            "caller_name": if self.direction == "inbound" { json!("") } else { Value::Null },
            "date_created": rfc2822(self.created),
            "date_updated": rfc2822(self.updated),
            "direction": self.direction,
            "duration": ended.then(|| self.seconds().to_string()),
            "end_time": self.end.map(rfc2822),
            "forwarded_from": null,
            "from": self.from,
            "from_formatted": formatted(&self.from),
            "group_sid": null,
            "parent_call_sid": null,
            "phone_number_sid": self.number_sid,
            "price": self.bill.price().map(|price| format!("-{}", dollars(price))),
            "price_unit": "USD",
            "queue_time": self.queued_ms().to_string(),
            "sid": self.sid,
            "start_time": self.start.map(rfc2822),
            "status": self.status.word(),
            // Twilio names more; these are here.
            "subresource_uris": {
                "events": format!("{base}/Events.json"),
                "notifications": format!("{base}/Notifications.json"),
                "recordings": format!("{base}/Recordings.json"),
            },
            "to": self.to,
            "to_formatted": formatted(&self.to),
            "trunk_sid": null,
            "uri": format!("{base}.json"),
        })
    }
}

/// A time as the 2010 API writes it: `Thu, 24 Aug 2023 05:01:45 +0000`.
pub(super) fn rfc2822(at: Timestamp) -> String {
    // Only years beyond 9999 cannot be written. The form for HTTP differs only
    // in the zone's name and has the two-digit day that Twilio sends.
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default().replace("GMT", "+0000")
}

/// A time as the newer products write it: `2023-08-24T05:01:45Z`.
pub(super) fn iso8601(at: Timestamp) -> String {
    // Whole seconds of a time are a time.
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_twilio_writes_them() {
        let at: Timestamp = "2023-08-04T05:01:45.123Z".parse().unwrap();
        assert_eq!(rfc2822(at), "Fri, 04 Aug 2023 05:01:45 +0000");
        assert_eq!(iso8601(at), "2023-08-04T05:01:45Z");
    }
}
