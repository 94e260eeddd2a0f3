//! How fast senders send: a bucket of tokens for each, which fills by so many segments a
//! second.
//!
//! What a person waits for takes its tokens and waits for none, so a bucket may be overdrawn;
//! what can wait does until it has filled again. So live codes go before what is sent in
//! bulk, also within one sender's rate. It refuses to know who waits, and for what.

use super::id::given;
use jiff::{SignedDuration, Timestamp};

/// Seconds' worth of segments that leave at once: the provider holds hours of them in a queue
/// of its own, and what is in that is in front of whatever comes later.
const BURST: i64 = 10;
/// Parts of a segment that are reckoned with.
const PARTS: i64 = 1000;

/// The tokens of a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Thousandths of segments; below nothing where more was sent than the rate allows.
    parts: i64,
    at: Timestamp,
}

impl Bucket {
    /// A full one.
    pub fn full(per_second: u32, now: Timestamp) -> Self {
        Self { parts: most(per_second), at: now }
    }

    /// The same after so many segments, whether there were tokens for them or not.
    pub fn spent(self, per_second: u32, segments: u32, now: Timestamp) -> Self {
        let filled = self.filled(per_second, now);
        Self { parts: filled.parts.saturating_sub(i64::from(segments) * PARTS), ..filled }
    }

    /// How long until there is a token, rounded up to whole milliseconds; nothing where there
    /// is one.
    pub fn wait(self, per_second: u32, now: Timestamp) -> Option<SignedDuration> {
        let missing = PARTS - self.filled(per_second, now).parts;
        // A thousandth of a segment for each millisecond and segment a second.
        (missing > 0).then(|| {
            SignedDuration::from_millis((missing + rate(per_second) - 1).div_euclid(rate(per_second)))
        })
    }

    /// A clock that goes back fills nothing.
    fn filled(self, per_second: u32, now: Timestamp) -> Self {
        let millis = now.duration_since(self.at).as_millis().max(0);
        let millis = i64::try_from(millis).unwrap_or(i64::MAX);
        let parts = self.parts.saturating_add(millis.saturating_mul(rate(per_second)));
        Self { parts: parts.min(most(per_second)), at: self.at.max(now) }
    }
}

fn rate(per_second: u32) -> i64 {
    i64::from(per_second).max(1)
}

fn most(per_second: u32) -> i64 {
    rate(per_second) * BURST * PARTS
}

/// How many segments a second the provider takes of a sender, as far as its kind says so;
/// nothing for a set of senders, whose number nobody knows here.
/// <https://help.twilio.com/articles/115002943027>
pub fn usual_rate(sender: &str) -> Option<u32> {
    const TOLL_FREE: [&str; 7] = ["+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888"];
    if sender.starts_with("whatsapp:") {
        return Some(80);
    }
    if sender.starts_with(given::MESSAGING_SERVICE) {
        return None;
    }
    let is_of = |prefixes: &[&str]| prefixes.iter().any(|prefix| sender.starts_with(prefix));
    Some(match () {
        () if is_of(&TOLL_FREE) => 3,
        () if is_of(&["+1"]) => 1,
        // Numbers of other countries, short codes and names.
        () => 10,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn millis(wait: Option<SignedDuration>) -> Option<i128> {
        wait.map(|wait| wait.as_millis())
    }

    #[test]
    fn a_burst_leaves_at_once_and_the_rest_at_the_rate() {
        let mut bucket = Bucket::full(1, at(0));
        for _ in 0..10 {
            assert_eq!(bucket.wait(1, at(0)), None);
            bucket = bucket.spent(1, 1, at(0));
        }
        assert_eq!(millis(bucket.wait(1, at(0))), Some(1000));
        assert_eq!(bucket.wait(1, at(1000)), None);
        // A text of three segments takes three turns.
        let bucket = bucket.spent(1, 3, at(1000));
        assert_eq!(millis(bucket.wait(1, at(3000))), Some(1000));
        assert_eq!(bucket.wait(1, at(4000)), None);
        assert_eq!(Bucket::full(1, at(0)).wait(1, at(i64::from(u32::MAX))), None);
    }

    #[test]
    fn what_is_taken_without_waiting_is_waited_for_by_the_others() {
        let bucket = Bucket::full(3, at(0)).spent(3, 60, at(0));
        assert_eq!(millis(bucket.wait(3, at(0))), Some(10_334));
    }

    #[test]
    fn the_kind_of_a_sender_says_how_fast_it_is() {
        for (sender, rate) in [
            ("+15017122661", Some(1)),
            ("+18335550100", Some(3)),
            ("+4915123456789", Some(10)),
            ("12345", Some(10)),
            ("Acme", Some(10)),
            ("whatsapp:+15017122661", Some(80)),
            ("MG0123456789abcdef0123456789abcdef", None),
        ] {
            assert_eq!(usual_rate(sender), rate, "{sender}");
        }
    }

    proptest! {
        /// Whoever waits as long as it says finds a token, and within any time no more leave
        /// than the rate and one burst allow.
        #[test]
        fn nobody_waits_in_vain_and_no_more_leave_than_may(
            per_second in 1_u32..200,
            steps in proptest::collection::vec((0_i64..3000, 1_u32..10), 1..60),
        ) {
            let (mut bucket, mut now, mut sent) = (Bucket::full(per_second, at(0)), 0_i64, 0_i64);
            for (later, segments) in steps {
                now += later;
                if let Some(wait) = bucket.wait(per_second, at(now)) {
                    now += i64::try_from(wait.as_millis()).unwrap();
                }
                prop_assert_eq!(bucket.wait(per_second, at(now)), None);
                bucket = bucket.spent(per_second, segments, at(now));
                sent += i64::from(segments);
                // One text may be begun with the last token.
                let most = i64::from(per_second) * BURST + now * i64::from(per_second) / 1000 + 10;
                prop_assert!(sent <= most, "{sent} of {most} after {now} ms");
            }
        }
    }
}
