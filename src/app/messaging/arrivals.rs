//! How long messages take to arrive, by country and channel, as it was seen of late: so that
//! one of which nothing is heard for longer counts as lost where a service says so. It
//! refuses to know what follows then.

use crate::model::channel::Channel;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The shortest silence that counts, however fast a country is: a call costs more than a
/// text that is late by a moment.
pub const LEAST_SILENCE: Duration = Duration::from_secs(20);
/// The longest silence that is waited for: a person leaves sooner or later.
pub const MOST_SILENCE: Duration = Duration::from_secs(120);
/// The silence that counts where too little was seen yet.
pub const USUAL_SILENCE: Duration = Duration::from_secs(45);

/// How long is waited beyond that, in tenths of it: of a hundred, two or three are late
/// without being lost.
const SLACK: u32 = 15;
/// The share of messages that have arrived by then, in hundredths.
const SHARE: usize = 95;
/// Arrivals that are kept of a country and channel.
const KEPT: usize = 200;
/// From how many on they tell anything.
const ENOUGH: usize = 20;
/// Countries and channels that are known: there are 250 countries.
const MOST_KNOWN: usize = 800;

/// For how long news of a message are waited for, and by what.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// The country, ISO 3166; empty where a number is of none.
    pub region: String,
    /// The channel that the messages took; a call is never silent.
    pub channel: Channel,
    /// How many arrivals were seen of late, 200 at most.
    pub seen: usize,
    /// Within how long 95 of 100 of them came; nothing where too few were seen.
    pub arrived: Option<Duration>,
    /// After how long without news a message counts as lost.
    pub silence: Duration,
}

/// How long messages of late took to arrive.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// Whether any service goes by silence: else nobody reads a number's country for it.
    is_wanted: AtomicBool,
    seen: Mutex<BTreeMap<(String, Channel), VecDeque<Duration>>>,
}

impl Arrivals {
    /// Whether somebody has asked for a silence, so that arrivals are to be learned.
    pub(in crate::app) fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Relaxed)
    }

    /// Learns how long a message to a country took.
    pub(in crate::app) fn learn(&self, region: &str, channel: Channel, took: Duration) {
        let mut seen = self.seen();
        let key = (region.to_owned(), channel);
        if seen.len() >= MOST_KNOWN && !seen.contains_key(&key) {
            return;
        }
        let arrivals = seen.entry(key).or_default();
        if arrivals.len() >= KEPT {
            arrivals.pop_front();
        }
        arrivals.push_back(took);
    }

    /// After how long without news a message to a country counts as lost.
    pub(in crate::app) fn silence(&self, region: &str, channel: Channel) -> Duration {
        self.is_wanted.store(true, Ordering::Relaxed);
        let arrivals = self.seen().get(&(region.to_owned(), channel)).cloned().unwrap_or_default();
        silence_of(arrived(&arrivals))
    }

    /// What was learned so far, by country and channel.
    pub(in crate::app) fn silences(&self) -> Vec<Silence> {
        let seen = self.seen().clone();
        let told = |((region, channel), arrivals): ((String, Channel), VecDeque<Duration>)| {
            let arrived = arrived(&arrivals);
            Silence { region, channel, seen: arrivals.len(), arrived, silence: silence_of(arrived) }
        };
        seen.into_iter().map(told).collect()
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<(String, Channel), VecDeque<Duration>>> {
        // Nothing is ever half-changed under this lock.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Within how long nearly all came; nothing where too few were seen.
fn arrived(arrivals: &VecDeque<Duration>) -> Option<Duration> {
    let mut sorted: Vec<Duration> = arrivals.iter().copied().collect();
    sorted.sort_unstable();
    let at = (sorted.len() * SHARE / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().filter(|_| sorted.len() >= ENOUGH)
}

/// In whole milliseconds, rounded up: what falls due between two of them is listed as due
/// from the earlier one on, and until the later one there is nothing to do about it.
fn silence_of(arrived: Option<Duration>) -> Duration {
    let Some(arrived) = arrived else { return USUAL_SILENCE };
    let millis = (arrived * SLACK / 10).as_nanos().div_ceil(1_000_000);
    let whole = Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
    whole.clamp(LEAST_SILENCE, MOST_SILENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(seconds: impl Iterator<Item = u64>) -> Duration {
        let arrivals = Arrivals::default();
        seconds.for_each(|took| arrivals.learn("DE", Channel::Sms, Duration::from_secs(took)));
        arrivals.silence("DE", Channel::Sms)
    }

    #[test]
    fn silence_is_half_as_long_again_as_nearly_all_take() {
        assert_eq!(seen(0..0), USUAL_SILENCE);
        assert_eq!(seen(0..19), USUAL_SILENCE, "nineteen say nothing yet");
        assert_eq!(seen((0..100).map(|_| 3)), LEAST_SILENCE);
        assert_eq!(seen((0..100).map(|_| 40)), Duration::from_secs(60));
        assert_eq!(seen((0..100).map(|nth| if nth < 97 { 30 } else { 900 })), Duration::from_secs(45));
        assert_eq!(seen((0..100).map(|_| 900)), MOST_SILENCE);
        let arrivals = Arrivals::default();
        (0..100).for_each(|_| arrivals.learn("DE", Channel::Sms, Duration::from_millis(20_001)));
        assert_eq!(arrivals.silence("DE", Channel::Sms), Duration::from_millis(30_002));
        assert_eq!(
            seen((0..100).map(|_| 900).chain((0..200).map(|_| 40))),
            Duration::from_secs(60),
            "of late"
        );
    }

    #[test]
    fn what_was_learned_is_told_as_it_holds() {
        let arrivals = Arrivals::default();
        arrivals.learn("BR", Channel::Whatsapp, Duration::from_secs(3));
        (0..300).for_each(|_| arrivals.learn("DE", Channel::Sms, Duration::from_secs(40)));
        let told = arrivals.silences();
        let line = |one: &Silence| {
            (one.region.clone(), one.seen, one.arrived.map(|span| span.as_secs()), one.silence)
        };
        assert_eq!(
            told.iter().map(line).collect::<Vec<_>>(),
            [("BR".into(), 1, None, USUAL_SILENCE), ("DE".into(), 200, Some(40), Duration::from_secs(60))]
        );
        assert!(told.iter().all(|one| arrivals.silence(&one.region, one.channel) == one.silence));
    }

    #[test]
    fn nobody_learns_where_nobody_asks_and_only_so_much_is_kept() {
        let arrivals = Arrivals::default();
        assert!(!arrivals.is_wanted());
        assert_eq!(arrivals.silence("FR", Channel::Whatsapp), USUAL_SILENCE);
        assert!(arrivals.is_wanted());
        (0..MOST_KNOWN + 5).for_each(|n| arrivals.learn(&n.to_string(), Channel::Sms, Duration::ZERO));
        assert_eq!(arrivals.seen().len(), MOST_KNOWN);
    }
}
