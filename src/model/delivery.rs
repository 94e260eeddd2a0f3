//! A delivery: one message or call, and everything that was reported of it.
//!
//! It changes only by [`Delivery::merge`], which is a join: any order and any
//! repetition of the same reports, on any machine, adds up to the same value.
//! So what is kept is the set of facts; the status is read off it, and nothing
//! is overwritten by whoever writes last.

use crate::model::channel::Channel;
use crate::model::id::{DeliveryId, ErasureId, Sid};
use crate::model::phone::mask;
use crate::model::status::Status;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One message or call at Twilio, ours or anybody's on the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Twilio's name for it.
    pub sid: Sid,
    /// Our name for it, when we sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<DeliveryId>,
    /// When we first heard of it.
    pub first_seen: Timestamp,
    /// Who and where; of contradicting values the greatest is kept.
    #[serde(default)]
    pub about: About,
    /// What was reported, the greatest status first, each fact once.
    pub events: Vec<Event>,
    /// True while nothing proves what was reported, which in report-only mode is
    /// kept nonetheless: the first proved report takes its place.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unproved: bool,
    /// That everything about it was erased. It then stays as it is, whatever is
    /// reported: a callback that comes late brings no number back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Erased>,
}

/// That a delivery was erased. Nothing of it is left but Twilio's name for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Erased {
    /// Whether Twilio was told, too.
    pub redacted: bool,
    /// When.
    pub at: Timestamp,
    /// By what.
    pub by: ErasureId,
}

/// Who and where a delivery is. Its `Debug` shows addresses masked.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The account, `AC…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_sid: Option<String>,
    /// The sender's address: a number, a short code, a name, `whatsapp:+…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The recipient's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The messaging service, `MG…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messaging_service_sid: Option<String>,
    /// Twilio's word for who began it: `inbound`, `outbound-api`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// The alphabet of a text message that we sent: `GSM-7`, `UCS-2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Its segments, as we counted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_segments: Option<u32>,
    /// A message's segments as Twilio says; it says 0 as long as it has not
    /// decided on a sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_segments: Option<u32>,
}

/// A fact and when we first heard it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Our time of the first report of it.
    pub received_at: Timestamp,
    /// What was reported.
    pub fact: Fact,
}

/// How a fact came to us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A status callback.
    #[default]
    StatusCallback,
    /// The answer to our request to send, or a later look at the resource.
    Api,
    /// The callback of asynchronous answering machine detection.
    AsyncAmd,
    /// Twilio asked what to say.
    VoiceRequest,
    /// An inbound message or call.
    Inbound,
    /// An event stream.
    EventStream,
    /// The callback about a recording.
    Recording,
}

/// What was reported, without our own time: two reports with equal facts are
/// one and the same event.
///
/// The order is that of [`Fact::cmp`]'s fields, the status first and greatest
/// first in a delivery's list. Its `Debug` leaves out what was said besides,
/// which may be a number, such as `ForwardedFrom`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fact {
    /// The status, when one was reported that we know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub source: Source,
    /// Twilio's error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u32>,
    /// The order of a call's events, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
    /// Twilio's own time of a call's event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_at: Option<Timestamp>,
    /// The carrier's time of a message's receipt, `YYMMDDhhmm`, in a zone that
    /// nobody states: kept as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_time: Option<String>,
    /// Who or what answered a call: `human`, `machine_start`, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// How a call's signalling ended: 200, 404, 486, 487, ….
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_code: Option<u32>,
    /// How long a call lasted, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
    /// How much of a call is billed, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_minutes: Option<u32>,
    /// How long machine detection took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection_ms: Option<u32>,
    /// Everything else that was said, as it was said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One report, as it reaches us: a fact about a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which message or call.
    pub sid: Sid,
    /// Our name for it, when the report carries it.
    pub id: Option<DeliveryId>,
    /// Who and where.
    pub about: About,
    /// What.
    pub fact: Fact,
}

impl Delivery {
    /// The most events that are kept of one delivery. Those with the greatest
    /// statuses stay, so that a flood cannot push out the truth; a bounded set
    /// of the greatest is still a join.
    pub const MAX_EVENTS: usize = 32;

    /// A delivery of which nothing is known but one report.
    pub fn new(report: Report, received_at: Timestamp) -> Self {
        Self {
            sid: report.sid,
            id: report.id,
            first_seen: received_at,
            about: report.about.bounded(),
            events: vec![Event { received_at, fact: report.fact.bounded() }],
            unproved: false,
            erased: None,
        }
    }

    /// The same of a report that nothing proves.
    pub fn unproved(report: Report, received_at: Timestamp) -> Self {
        Self { unproved: true, ..Self::new(report, received_at) }
    }

    /// What is left of a delivery of that name when it is erased.
    pub fn erased(sid: Sid, first_seen: Timestamp, erased: Erased) -> Self {
        Self {
            sid,
            id: None,
            first_seen,
            about: About::default(),
            events: Vec::new(),
            unproved: false,
            erased: Some(erased),
        }
    }

    /// This delivery and one report more. `None` when the report says nothing new.
    pub fn merge(&self, report: Report, received_at: Timestamp) -> Option<Self> {
        let merged = self.join(&Self::new(report, received_at));
        (merged != *self).then_some(merged)
    }

    /// The least delivery that knows all that either knows: associative,
    /// commutative, idempotent. Both must have the same SID.
    pub fn join(&self, other: &Self) -> Self {
        let first_seen = self.first_seen.min(other.first_seen);
        if let Some(erased) = self.erased.as_ref().max(other.erased.as_ref()) {
            // Nothing is greater: what is erased stays so.
            let first_seen = match (&self.erased, &other.erased) {
                (Some(_), None) => self.first_seen,
                (None, Some(_)) => other.first_seen,
                _ => first_seen,
            };
            return Self::erased(self.sid.clone(), first_seen, erased.clone());
        }
        // Whatever is proved is greater than all that is not.
        match (self.unproved, other.unproved) {
            (false, true) => return self.clone(),
            (true, false) => return other.clone(),
            _ => {}
        }
        let mut joined = Self {
            sid: self.sid.clone(),
            id: self.id.clone().max(other.id.clone()),
            first_seen,
            about: self.about.join(&other.about),
            events: Vec::with_capacity(self.events.len() + other.events.len()),
            unproved: self.unproved,
            erased: None,
        };
        let mut theirs = other.events.iter().peekable();
        for mine in &self.events {
            while let Some(before) = theirs.next_if(|event| event.fact > mine.fact) {
                joined.events.push(before.clone());
            }
            let same = theirs.next_if(|event| event.fact == mine.fact);
            let received_at = same.map_or(mine.received_at, |event| event.received_at.min(mine.received_at));
            joined.events.push(Event { received_at, fact: mine.fact.clone() });
        }
        joined.events.extend(theirs.cloned());
        joined.events.truncate(Self::MAX_EVENTS);
        joined
    }

    /// The greatest status reported, `None` while none was.
    pub fn status(&self) -> Option<Status> {
        self.events.first().and_then(|event| event.fact.status)
    }

    /// Why it failed: the code reported with the failure that holds. A later
    /// report of the same status without a code does not erase it.
    pub fn error_code(&self) -> Option<u32> {
        let status = self.status().filter(|status| status.is_failure())?;
        let codes = |only: Option<Status>| {
            self.events
                .iter()
                .filter(move |event| only.is_none() || event.fact.status == only)
                .find_map(|event| event.fact.error_code)
        };
        codes(Some(status)).or_else(|| codes(None))
    }

    /// Who answered, as far as anything said.
    pub fn answered_by(&self) -> Option<&str> {
        self.events.iter().find_map(|event| event.fact.answered_by.as_deref())
    }

    /// The channel it used.
    pub fn channel(&self) -> Channel {
        if self.sid.is_call() { Channel::Call } else { Channel::Sms }
    }

    /// When the status that holds was first reported.
    pub fn updated_at(&self) -> Timestamp {
        self.events.first().map_or(self.first_seen, |event| event.received_at)
    }

    /// The events as they happened, to be read by a person: by the order of
    /// statuses, and by our time where that says nothing.
    pub fn history(&self) -> Vec<&Event> {
        let mut history: Vec<&Event> = self.events.iter().collect();
        history.sort_by_key(|event| (event.received_at, event.fact.status, event.fact.sequence));
        history
    }
}

impl Fact {
    /// The most bytes that everything else that was said may take as JSON.
    /// With [`Delivery::MAX_EVENTS`] facts of that size a delivery still fits
    /// into a record.
    pub const MAX_OTHER: usize = 1200;

    /// The fact, cut to its size. What is cut depends on the fact alone, so
    /// that equal facts stay equal and merging stays a join: to bound all
    /// events together would forget what was cut, and let in what is less.
    fn bounded(mut self) -> Self {
        self.carrier_time = self.carrier_time.map(cut);
        self.answered_by = self.answered_by.map(cut);
        let size = |(name, value): (&String, &String)| 6 + escaped(name) + escaped(value);
        let mut left = self.other.iter().map(size).sum::<usize>();
        while left > Self::MAX_OTHER
            && let Some((name, value)) = self.other.pop_last()
        {
            left -= size((&name, &value));
        }
        self
    }
}

/// A text that is no longer than any name, address or date that Twilio has.
fn cut(mut text: String) -> String {
    const MOST: usize = 256;
    let end = (0..=text.len().min(MOST)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    // What escapes in JSON has no place in a name either.
    text.truncate(end);
    text.retain(|c| !c.is_control());
    text
}

/// How long a text is in JSON, without its quotation marks.
fn escaped(text: &str) -> usize {
    let length = |byte| match byte {
        0..0x20 => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    };
    text.bytes().map(length).sum()
}

impl fmt::Debug for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fact")
            .field("status", &self.status)
            .field("source", &self.source)
            .field("error_code", &self.error_code)
            .field("sequence", &self.sequence)
            .field("carrier_at", &self.carrier_at)
            .field("other", &self.other.keys())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("About")
            .field("from", &self.from.as_deref().map(mask))
            .field("to", &self.to.as_deref().map(mask))
            .field("direction", &self.direction)
            .finish_non_exhaustive()
    }
}

impl About {
    /// How many segments a message costs: Twilio's number where it has one, else
    /// as we counted them.
    pub fn segments(&self) -> Option<u32> {
        self.num_segments.filter(|segments| *segments > 0).or(self.counted_segments)
    }

    fn bounded(self) -> Self {
        Self {
            account_sid: self.account_sid.map(cut),
            from: self.from.map(cut),
            to: self.to.map(cut),
            messaging_service_sid: self.messaging_service_sid.map(cut),
            direction: self.direction.map(cut),
            encoding: self.encoding.map(cut),
            ..self
        }
    }

    fn join(&self, other: &Self) -> Self {
        let greatest = |a: &Option<String>, b: &Option<String>| a.as_ref().max(b.as_ref()).cloned();
        Self {
            account_sid: greatest(&self.account_sid, &other.account_sid),
            from: greatest(&self.from, &other.from),
            to: greatest(&self.to, &other.to),
            messaging_service_sid: greatest(&self.messaging_service_sid, &other.messaging_service_sid),
            direction: greatest(&self.direction, &other.direction),
            encoding: greatest(&self.encoding, &other.encoding),
            counted_segments: self.counted_segments.max(other.counted_segments),
            num_segments: self.num_segments.max(other.num_segments),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn report(status: Status, error_code: Option<u32>) -> Report {
        Report {
            sid: "SM0123456789abcdef0123456789abcdef".parse().unwrap(),
            id: None,
            about: About::default(),
            fact: Fact { status: Some(status), error_code, ..Fact::default() },
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn told(reports: &[(Report, i64)]) -> Delivery {
        let (first, rest) = reports.split_first().unwrap();
        rest.iter().fold(Delivery::new(first.0.clone(), at(first.1)), |delivery, (report, second)| {
            delivery.merge(report.clone(), at(*second)).unwrap_or(delivery)
        })
    }

    #[test]
    fn delivered_after_undelivered_holds_and_the_reverse_does_not() {
        use Status::*;
        let forth = told(&[(report(Undelivered, Some(30005)), 1), (report(Delivered, None), 2)]);
        let back = told(&[(report(Delivered, None), 2), (report(Undelivered, Some(30005)), 1)]);
        assert_eq!(forth, back);
        assert_eq!((forth.status(), forth.error_code()), (Some(Delivered), None));
        assert_eq!(forth.history().len(), 2);
    }

    #[test]
    fn a_later_report_without_a_code_does_not_erase_the_reason() {
        let delivery = told(&[(report(Status::Failed, Some(30008)), 1), (report(Status::Failed, None), 2)]);
        assert_eq!(delivery.error_code(), Some(30008));
    }

    #[test]
    fn a_repeated_report_changes_nothing_and_keeps_the_first_time() {
        let delivery = told(&[(report(Status::Sent, None), 5)]);
        assert_eq!(delivery.merge(report(Status::Sent, None), at(9)), None);
        let earlier = delivery.merge(report(Status::Sent, None), at(1)).unwrap();
        assert_eq!((earlier.events.len(), earlier.events[0].received_at), (1, at(1)));
    }

    #[test]
    fn what_is_proved_takes_the_place_of_what_is_not() {
        let heard = Delivery::unproved(report(Status::Delivered, None), at(1));
        let proved = Delivery::new(report(Status::Sent, None), at(5));
        assert_eq!(heard.join(&proved), proved);
        assert_eq!(proved.join(&heard), proved);
        assert_eq!(heard.merge(report(Status::Sent, None), at(5)), Some(proved));
        let more = heard.join(&Delivery::unproved(report(Status::Read, None), at(2)));
        assert!(more.unproved && more.events.len() == 2);
    }

    #[test]
    fn a_flood_of_facts_does_not_push_out_the_status() {
        let flood: Vec<_> = (0..200)
            .map(|n| {
                let mut report = report(Status::Queued, None);
                report.fact.sequence = Some(n);
                (report, i64::from(n))
            })
            .chain([(report(Status::Delivered, None), 300)])
            .collect();
        let delivery = told(&flood);
        assert_eq!(
            (delivery.events.len(), delivery.status()),
            (Delivery::MAX_EVENTS, Some(Status::Delivered))
        );
    }

    #[test]
    fn large_facts_do_not_grow_a_delivery_beyond_a_record_nor_push_out_the_status() {
        let long = || Some("\"\u{1}".repeat(9000));
        let large = |n: u32| {
            let mut report = report(Status::Queued, Some(n));
            report.about = About {
                account_sid: long(),
                from: long(),
                to: long(),
                messaging_service_sid: long(),
                direction: long(),
                encoding: long(),
                counted_segments: Some(n),
                num_segments: Some(n),
            };
            report.fact = Fact {
                carrier_time: long(),
                answered_by: long(),
                sequence: Some(u32::MAX),
                other: (0..n + 90).map(|n| (format!("Odd{n:05}"), "\u{1}".into())).collect(),
                ..report.fact
            };
            (report, i64::from(n))
        };
        let delivery =
            told(&(0..60).map(large).chain([(report(Status::Delivered, None), 99)]).collect::<Vec<_>>());
        let written = serde_json::to_string(&delivery).unwrap().len();
        assert!((40_000..60_000).contains(&written), "{written} bytes");
        assert_eq!(delivery.status(), Some(Status::Delivered));
    }

    #[test]
    fn twilio_s_count_of_segments_wins_once_it_has_one() {
        let about =
            |counted_segments, num_segments| About { counted_segments, num_segments, ..About::default() };
        let counts =
            [about(Some(1), None), about(Some(1), Some(0)), about(Some(1), Some(2)), about(None, None)];
        assert_eq!(counts.map(|about| about.segments()), [Some(1), Some(1), Some(2), None]);
        assert_eq!(about(Some(1), Some(0)).join(&about(None, Some(3))), about(Some(1), Some(3)));
    }

    #[test]
    fn a_delivery_shows_its_numbers_masked() {
        let mut report = report(Status::Sent, None);
        report.about.to = Some("whatsapp:+14155550123".into());
        report.about.from = Some("+15005550006".into());
        report.fact.other.insert("ForwardedFrom".into(), "+15005550006".into());
        let shown = format!("{report:?} {:?}", Delivery::new(report.clone(), at(1)));
        assert!(shown.contains("whatsapp:+14*******23") && shown.contains("+15*******06"), "{shown}");
        assert!(!shown.contains("4155550123") && !shown.contains("5005550006"), "{shown}");
    }

    /// Short or long, so that both limits of a delivery are met.
    fn any_value() -> impl Strategy<Value = String> {
        ("[pq]", proptest::sample::select(vec![1, 1, 2000])).prop_map(|(text, times)| text.repeat(times))
    }

    fn any_report() -> impl Strategy<Value = (Report, i64)> {
        let statuses: Vec<Status> = Status::all().collect();
        (
            proptest::option::of(proptest::sample::select(statuses)),
            proptest::option::of(30000u32..30008),
            proptest::option::of(0u32..4),
            proptest::option::of("[ab]"),
            proptest::collection::btree_map("[xy]", any_value(), 0..2),
            0i64..50,
        )
            .prop_map(|(status, error_code, sequence, from, other, second)| {
                let mut report = report(Status::Sent, error_code);
                report.about.from = from;
                report.fact = Fact { status, error_code, sequence, other, ..Fact::default() };
                (report, second)
            })
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_gives_the_same_delivery(
            reports in proptest::collection::vec(any_report(), 1..80),
            order in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
            seed in any::<u64>(),
        ) {
            let expected = told(&reports);
            let mut shuffled = reports.clone();
            shuffled.extend(order.iter().map(|index| index.get(&reports).clone()));
            let entropy = crate::entropy::Entropy::seeded(seed);
            for at in (1..shuffled.len()).rev() {
                shuffled.swap(at, usize::try_from(entropy.below(at as u64 + 1)).unwrap());
            }
            prop_assert_eq!(told(&shuffled), expected);
        }

        #[test]
        fn joining_is_associative_and_commutative(
            a in proptest::collection::vec(any_report(), 1..10),
            b in proptest::collection::vec(any_report(), 1..10),
            c in proptest::collection::vec(any_report(), 1..10),
            unproved in any::<[bool; 3]>(),
        ) {
            let heard = |reports: &[_], unproved| Delivery { unproved, ..told(reports) };
            let (a, b, c) = (heard(&a, unproved[0]), heard(&b, unproved[1]), heard(&c, unproved[2]));
            prop_assert_eq!(a.join(&b), b.join(&a));
            prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
            prop_assert_eq!(a.join(&a), a);
        }

        #[test]
        fn a_delivery_survives_being_written_down(reports in proptest::collection::vec(any_report(), 1..10)) {
            let delivery = told(&reports);
            let text = serde_json::to_string(&delivery).unwrap();
            prop_assert_eq!(serde_json::from_str::<Delivery>(&text).unwrap(), delivery);
        }
    }
}
