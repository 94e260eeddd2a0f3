//! How much an account and its senders may do: profiles of limits, the queues that
//! they make, and who a trial account may reach.
//!
//! Times are the sandbox's clock's, and handed in. Without a profile nothing is
//! limited. It refuses to know messages and calls; it counts.

use super::address::is_short_code;
use super::numbering::available::Kind;
use super::recent::Recent;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The most senders of which a tester says what they are.
const KINDS: usize = 10_000;
/// The most numbers that a trial account may have verified.
const VERIFIED: usize = 10_000;
/// How long a request to the API counts as under way.
const REQUEST: SignedDuration = SignedDuration::from_millis(100);
/// How long a sender's queue may be, in seconds of its traffic, as Twilio has it.
const MESSAGES_WAIT: u32 = 36_000;
/// How long a call may wait to be made, in seconds, as Twilio has it.
const CALLS_WAIT: u32 = 86_400;
/// The most requests of an account that are under way at a time.
const CONCURRENCY: u32 = 100;

/// Which limits hold.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// None, except those that a tester sets one by one.
    #[default]
    Unlimited,
    /// Those of an account that pays: rates and queues by kind of sender.
    Paid,
    /// The same, only to verified numbers, and texts say that they are a trial's.
    Trial,
}

/// What a number is to the carriers, which decides how fast it sends.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SenderKind {
    /// Ten digits, or a number of another country.
    LongCode,
    /// A toll-free number.
    TollFree,
    /// Three to six digits.
    ShortCode,
    /// A name in place of a number: `Dialback`.
    Alphanumeric,
    /// A sender on WhatsApp.
    #[serde(rename = "whatsapp")]
    WhatsApp,
}

impl SenderKind {
    /// What a sender is by the numbering plan, and by how it is written where that has no
    /// word. Toll-free numbers of other countries send as their long codes.
    pub fn of(number: &str, whatsapp: bool) -> Self {
        match number {
            _ if whatsapp => Self::WhatsApp,
            _ if number.starts_with("+1") && Kind::of(number) == Kind::TollFree => Self::TollFree,
            _ if number.starts_with('+') => Self::LongCode,
            _ if is_short_code(number) => Self::ShortCode,
            _ => Self::Alphanumeric,
        }
    }

    /// How many segments leave in a second.
    fn usual(self) -> f64 {
        match self {
            Self::LongCode => 1.0,
            Self::TollFree => 3.0,
            Self::ShortCode => 100.0,
            Self::Alphanumeric => 10.0,
            Self::WhatsApp => 80.0,
        }
    }
}

/// What a tester says about limits.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wishes {
    /// Which limits hold.
    pub profile: Profile,
    /// Segments in a second by kind of sender, instead of the profile's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub message_rates: BTreeMap<SenderKind, f64>,
    /// Senders that are of another kind than they look.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kinds: BTreeMap<String, SenderKind>,
    /// How many seconds of its traffic a sender's queue may hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_queue_seconds: Option<u32>,
    /// How many calls an account makes in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_per_second: Option<f64>,
    /// How many seconds a call may wait to be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_queue_seconds: Option<u32>,
    /// How many requests of an account may be under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_concurrency: Option<u32>,
    /// Numbers that a trial account may reach, beside its verified caller ids.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub verified: BTreeSet<String>,
}

impl Wishes {
    /// What is out of range, in words.
    pub fn problem(&self) -> Option<&'static str> {
        let rate = |rate: &f64| rate.is_finite() && *rate > 0.0;
        match () {
            () if !self.message_rates.values().all(rate) => Some("a rate is above 0"),
            () if !self.calls_per_second.iter().all(rate) => Some("calls_per_second is above 0"),
            () if self.api_concurrency == Some(0) => Some("api_concurrency is 1 or more"),
            () if self.verified.len() > VERIFIED => Some("at most 10000 numbers are verified"),
            () if self.kinds.len() > KINDS => Some("at most 10000 senders have a kind"),
            () => None,
        }
    }
}

/// A place in a queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    /// It leaves then; now or earlier means at once.
    At(Timestamp),
    /// The queue is full.
    Full,
}

/// The limits that hold, and what has been used of them.
pub(super) struct Limits {
    /// What the tester says.
    pub wishes: Wishes,
    /// When a sender is free again.
    senders: Recent<String, Timestamp>,
    /// When an account may make its next call.
    calls: Recent<String, Timestamp>,
    /// When an account's requests that count came.
    requests: Recent<String, VecDeque<Timestamp>>,
}

impl Limits {
    /// Limits of a profile; the queues of `limit` senders and accounts are remembered.
    pub fn new(profile: Profile, limit: usize) -> Self {
        Self {
            wishes: Wishes { profile, ..Wishes::default() },
            senders: Recent::new(limit),
            calls: Recent::new(limit),
            requests: Recent::new(limit),
        }
    }

    /// The senders, the accounts that call and those that ask, that are remembered.
    #[cfg(test)]
    pub fn queues(&self) -> [Vec<String>; 3] {
        let keys = |of: &Recent<String, Timestamp>| of.keys().cloned().collect();
        [keys(&self.senders), keys(&self.calls), self.requests.keys().cloned().collect()]
    }

    fn limited<T>(&self, wished: Option<T>, usual: T) -> Option<T> {
        wished.or((self.wishes.profile != Profile::Unlimited).then_some(usual))
    }

    /// Whether texts and calls go to verified numbers only.
    pub fn is_trial(&self) -> bool {
        self.wishes.profile == Profile::Trial
    }

    /// Whether an account of this profile may reach a number, apart from its
    /// verified caller ids.
    pub fn reaches(&self, number: &str) -> bool {
        !self.is_trial() || self.wishes.verified.contains(number)
    }

    /// How many segments of a sender leave in a second, if that is limited.
    fn rate(&self, sender: &str, whatsapp: bool) -> Option<f64> {
        if self.wishes.profile == Profile::Unlimited && self.wishes.message_rates.is_empty() {
            return None;
        }
        let known = self.wishes.kinds.get(sender).copied();
        let kind = known.unwrap_or_else(|| SenderKind::of(sender, whatsapp));
        self.limited(self.wishes.message_rates.get(&kind).copied(), kind.usual())
    }

    /// When a message of a sender would leave.
    pub fn look(&self, sender: &str, whatsapp: bool, now: Timestamp) -> Turn {
        if self.rate(sender, whatsapp).is_none() {
            return Turn::At(now);
        }
        let wait = self.wishes.message_queue_seconds.unwrap_or(MESSAGES_WAIT);
        turn(self.senders.get(&queue(sender, whatsapp)), wait, now)
    }

    /// Takes a message's place behind those of its sender.
    pub fn take(&mut self, sender: &str, whatsapp: bool, segments: u32, now: Timestamp) -> Turn {
        let turn = self.look(sender, whatsapp, now);
        if let (Some(rate), Turn::At(at)) = (self.rate(sender, whatsapp), turn) {
            hold(&mut self.senders, queue(sender, whatsapp), at, f64::from(segments.max(1)) / rate);
        }
        turn
    }

    /// Takes a call's place behind those of its account.
    pub fn take_call(&mut self, account: &str, now: Timestamp) -> Turn {
        let Some(rate) = self.limited(self.wishes.calls_per_second, 1.0) else { return Turn::At(now) };
        let wait = self.wishes.call_queue_seconds.unwrap_or(CALLS_WAIT);
        let turn = turn(self.calls.get(account), wait, now);
        if let Turn::At(at) = turn {
            hold(&mut self.calls, account.to_owned(), at, 1.0 / rate);
        }
        turn
    }

    /// Takes in a request to the API; false when too many are under way. Each
    /// counts for a tenth of a second.
    pub fn take_request(&mut self, account: &str, now: Timestamp) -> bool {
        let Some(most) = self.limited(self.wishes.api_concurrency, CONCURRENCY) else { return true };
        let account = account.to_owned();
        if self.requests.get(&account).is_none() {
            self.requests.insert(account.clone(), VecDeque::new());
        }
        let Some(under_way) = self.requests.touch(&account) else { return true };
        while under_way.front().is_some_and(|at| now.duration_since(*at) >= REQUEST) {
            under_way.pop_front();
        }
        let room = under_way.len() < usize::try_from(most).unwrap_or(usize::MAX);
        if room {
            under_way.push_back(now);
        }
        room
    }
}

/// A sender's number has a queue on each channel.
fn queue(sender: &str, whatsapp: bool) -> String {
    if whatsapp { format!("whatsapp:{sender}") } else { sender.to_owned() }
}

fn turn(free: Option<&Timestamp>, wait: u32, now: Timestamp) -> Turn {
    let at = free.copied().unwrap_or(now).max(now);
    let full = at.duration_since(now) > SignedDuration::from_secs(i64::from(wait));
    if full { Turn::Full } else { Turn::At(at) }
}

/// Keeps whose turn it was busy for some seconds.
fn hold(queues: &mut Recent<String, Timestamp>, name: String, at: Timestamp, seconds: f64) {
    let span = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX);
    queues.insert(name, at.checked_add(span).unwrap_or(Timestamp::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: &str = "+14155550100";
    const TOLL_FREE: &str = "+18005550100";

    fn at(seconds: f64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs_f64(seconds)
    }

    #[test]
    fn a_sender_is_what_it_is_written_as() {
        for (number, whatsapp, kind) in [
            (US, false, SenderKind::LongCode),
            (TOLL_FREE, false, SenderKind::TollFree),
            ("+442071838750", false, SenderKind::LongCode),
            ("12345", false, SenderKind::ShortCode),
            ("Dialback", false, SenderKind::Alphanumeric),
            (US, true, SenderKind::WhatsApp),
        ] {
            assert_eq!(SenderKind::of(number, whatsapp), kind, "{number}");
        }
    }

    #[test]
    fn messages_leave_one_after_the_other_at_the_senders_rate() {
        let mut limits = Limits::new(Profile::Paid, 9);
        let mut take = |sender: &str, segments| limits.take(sender, false, segments, at(0.0));
        assert_eq!([1, 2, 1].map(|n| take(US, n)), [0.0, 1.0, 3.0].map(|s| Turn::At(at(s))));
        assert_eq!(take(TOLL_FREE, 3), Turn::At(at(0.0)));
        assert_eq!(take(TOLL_FREE, 1), Turn::At(at(1.0)));
        // Who has waited long enough waits no more.
        assert_eq!(limits.take(US, false, 1, at(100.0)), Turn::At(at(100.0)));
        let mut none = Limits::new(Profile::Unlimited, 9);
        assert_eq!([1, 1].map(|n| none.take(US, false, n, at(0.0))), [Turn::At(at(0.0)); 2]);
    }

    #[test]
    fn a_queue_is_full_at_ten_hours_of_traffic() {
        let mut limits = Limits::new(Profile::Paid, 9);
        assert_eq!(limits.take(US, false, 36_000, at(0.0)), Turn::At(at(0.0)));
        assert_eq!(limits.take(US, false, 1, at(0.0)), Turn::At(at(36_000.0)));
        assert_eq!(limits.take(US, false, 1, at(0.0)), Turn::Full);
        assert_eq!(limits.take(US, false, 1, at(1.0)), Turn::At(at(36_001.0)));
    }

    #[test]
    fn calls_of_an_account_wait_for_each_other() {
        let mut limits = Limits::new(Profile::Trial, 9);
        let mut take = |account: &str| limits.take_call(account, at(0.0));
        assert_eq!([take("AC1"), take("AC1"), take("AC2")], [0.0, 1.0, 0.0].map(|s| Turn::At(at(s))));
        limits.wishes.call_queue_seconds = Some(1);
        assert_eq!(limits.take_call("AC1", at(0.0)), Turn::Full);
    }

    #[test]
    fn requests_count_for_a_moment() {
        let mut limits = Limits::new(Profile::Unlimited, 9);
        limits.wishes.api_concurrency = Some(2);
        let taken = [0.0, 0.0, 0.05, 0.1].map(|seconds| limits.take_request("AC1", at(seconds)));
        assert_eq!(taken, [true, true, false, true]);
        assert!(limits.take_request("AC2", at(0.1)));
        assert!(Limits::new(Profile::Unlimited, 9).take_request("AC1", at(0.0)));
    }

    #[test]
    fn wishes_out_of_range_are_named() {
        let wishes = |text: &str| serde_json::from_str::<Wishes>(text).unwrap().problem();
        assert!(wishes(r#"{"message_rates":{"long-code":0}}"#).is_some());
        assert!(
            wishes(r#"{"calls_per_second":-1}"#).is_some() && wishes(r#"{"api_concurrency":0}"#).is_some()
        );
        assert!(wishes(r#"{"profile":"trial","kinds":{"+15005550006":"short-code"}}"#).is_none());
    }
}
