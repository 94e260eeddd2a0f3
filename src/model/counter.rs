//! How often something happened to one subject within windows of time, changed
//! only by bounded addition.
//!
//! A window slides. Its record has two buckets, which begin at whole multiples of
//! the window's length since 1970: the current one, and the one before, which
//! counts by the share of it that is still inside the window. What is weighed so
//! never exceeds the limit by one. Against a log of every single event that is off
//! by at most what the bucket before has of the share that is told wrongly: within
//! any one window there are fewer than twice the limit, and that many only where
//! they crowd around the border of two buckets (`tests.rs` has both by property).
//!
//! Where the limit is small and somebody counts on it, each is kept by its time instead
//! ([`Form::Exact`]), and no window has more than the limit. What holds until a certain time
//! is counted so, too, and its window stays as it was begun ([`Form::Lasting`]).
//!
//! Failures in a row ([`Form::Streak`]) are not within a window: they count until a success,
//! and make who asks for room wait, longer with each.
//!
//! Distinct members (the countries of an address) are kept one by one, at most
//! [`Members::MOST`], as pseudonyms whose key is elsewhere; they are counted
//! exactly.
//!
//! Times may go backwards: several processes add by clocks of their own. What comes
//! from before the current bucket counts as of its beginning, so a clock that is
//! behind finds a limit no wider. A bucket that begins further ahead of now than its
//! own length and [`CLOCK_SLACK`](crate::model::lease::CLOCK_SLACK) was made by a clock that was wrong, and is
//! forgotten: it would hold its limit until that time comes.
//!
//! Whatever the numbers are, there is an answer. This module refuses to know what is
//! counted, and who adds when.

mod asked;
mod limit;
mod members;
mod quota_lease;
mod streak;
#[cfg(test)]
mod tests;
mod times;
mod window;

pub use limit::{Addition, Backoff, Form, Limit, Pseudonym, Reached};
pub use members::Members;
pub use quota_lease::{End, QuotaLease, Ticket};
pub use streak::Streak;
pub use times::Times;
pub use window::WindowCount;

use asked::Asked;
use jiff::Timestamp;
use limit::timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use window::Window;

/// The counts of one subject: a number, an address, a prefix, a value under one
/// rate limit of Verify.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// A hash of what is counted: a value may be an address or a number.
    pub id: String,
    /// A count for each window, by its limit's name (the SID of a bucket).
    pub counts: BTreeMap<String, WindowCount>,
    /// Distinct members for each window, by its limit's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, Members>,
    /// What is kept one by one for each window, by its limit's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub times: BTreeMap<String, Times>,
    /// Failures in a row, by their limit's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streaks: BTreeMap<String, Streak>,
    /// When nothing of it counts any more.
    pub ends_at: Timestamp,
}

impl Counter {
    /// The most limits that have something counted under them at once: so a counter is
    /// always a record that can be stored.
    pub const MOST_COUNTED: usize = 64;

    /// Nothing counted yet.
    pub fn new(id: String) -> Self {
        Self {
            id,
            counts: BTreeMap::new(),
            members: BTreeMap::new(),
            times: BTreeMap::new(),
            streaks: BTreeMap::new(),
            ends_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// How many limits have something counted, of the form that has most.
    pub fn counted(&self) -> usize {
        let windows = self.counts.len().max(self.members.len());
        windows.max(self.times.len()).max(self.streaks.len())
    }

    /// The counter with all of the additions, if every limit that counts one of them
    /// has room. A limit of which only something is given back is not asked.
    ///
    /// # Errors
    /// [`Reached`]; nothing was counted then.
    pub fn add(&self, now: Timestamp, additions: &[Addition], limits: &[Limit]) -> Result<Self, Reached> {
        let now = now.as_millisecond();
        let mut next = self.without_outlived(now);
        let mut refused: Option<(Option<i64>, &Limit)> = None;
        for limit in limits {
            let asked = Asked::of(additions, limit);
            for passes_at in [next.count(now, &asked, limit), next.meet(now, &asked, limit)] {
                let Err(passes_at) = passes_at else { continue };
                // Never is later than any time.
                let later = |at: Option<i64>| at.unwrap_or(i64::MAX);
                if refused.is_none_or(|(longest, _)| later(passes_at) > later(longest)) {
                    refused = Some((passes_at, limit));
                }
            }
        }
        if let Some((passes_at, limit)) = refused {
            return Err(Reached { limit: limit.name.clone(), passes_at: passes_at.map(timestamp) });
        }
        if additions.contains(&Addition::ForgetOthers) {
            forget_others(&mut next.counts, limits, |count| count.end().unwrap_or(i64::MIN));
            forget_others(&mut next.members, limits, Members::end);
            forget_others(&mut next.times, limits, Times::end);
            forget_others(&mut next.streaks, limits, Streak::end);
        }
        next.ends_at = next.end(now);
        Ok(next)
    }

    /// Counts what is asked of a limit but members. When there is no room for it: the time
    /// when there is.
    fn count(&mut self, now: i64, asked: &Asked, limit: &Limit) -> Result<(), Option<i64>> {
        match limit.counted() {
            Form::Weighed => self.weigh(now, asked, limit),
            Form::Exact | Form::Lasting => self.keep(now, asked, limit),
            Form::Streak(backoff) => self.follow(now, asked, (limit, backoff)),
        }
    }

    fn weigh(&mut self, now: i64, asked: &Asked, limit: &Limit) -> Result<(), Option<i64>> {
        if !asked.is_of_amounts() {
            return Ok(());
        }
        let mut window = Window::at(self.counts.get(&limit.name), limit.seconds, now);
        for (amount, added_at) in &asked.given_back {
            window.give_back(*amount, *added_at);
        }
        if let Some(amount) = asked.wanted().filter(|_| !limit.track) {
            window.room(amount, limit.max)?;
        }
        if !asked.changes_amounts() {
            return Ok(());
        }
        window.add(asked.amount.unwrap_or(0));
        put(&mut self.counts, &limit.name, window.count());
        Ok(())
    }

    fn keep(&mut self, now: i64, asked: &Asked, limit: &Limit) -> Result<(), Option<i64>> {
        if !asked.is_of_amounts() {
            return Ok(());
        }
        let stored = self.times.get(&limit.name);
        let mut times = match limit.counted() {
            Form::Lasting => Times::lasting(stored, limit.seconds, now),
            _ => Times::at(stored, limit.seconds, now),
        };
        for (amount, added_at) in &asked.given_back {
            times.give_back(*amount, *added_at, now);
        }
        if let Some(amount) = asked.wanted().filter(|_| !limit.track) {
            times.room(amount, limit.max)?;
        }
        if !asked.changes_amounts() {
            return Ok(());
        }
        times.add(asked.amount.unwrap_or(0), now);
        put(&mut self.times, &limit.name, Some(times).filter(|times| !times.at.is_empty()));
        Ok(())
    }

    fn follow(
        &mut self,
        now: i64,
        asked: &Asked,
        (limit, backoff): (&Limit, Backoff),
    ) -> Result<(), Option<i64>> {
        let mut streak = self.streaks.get(&limit.name).copied();
        let waits_until = streak.and_then(|streak| streak.waits_until(limit, backoff, now));
        if let Some(until) = waits_until.filter(|_| asked.room && !limit.track) {
            return Err(Some(until));
        }
        for is_failure in &asked.tries {
            streak = is_failure.then(|| Streak::failed(streak, limit, backoff, now));
        }
        put(&mut self.streaks, &limit.name, streak);
        Ok(())
    }

    /// Counts the members of a limit, as [`Counter::count`] does the rest.
    fn meet(&mut self, now: i64, asked: &Asked, limit: &Limit) -> Result<(), Option<i64>> {
        let stored = self.members.get(&limit.name);
        if asked.members.is_empty() && (stored.is_none() || !asked.room) {
            return Ok(());
        }
        let met = Members::with(stored, limit, asked, now)?;
        put(&mut self.members, &limit.name, Some(met).filter(|members| !members.met.is_empty()));
        Ok(())
    }

    /// What still counts for somebody.
    fn without_outlived(&self, now: i64) -> Self {
        let mut next = self.clone();
        // How long the window of a count is that was written before lengths were
        // kept is not known; the whole record's end is.
        let is_over = self.ends_at.as_millisecond() <= now;
        next.counts.retain(|_, count| count.end().map_or(!is_over, |end| end > now));
        next.members.retain(|_, members| members.end() > now);
        next.times.retain(|_, times| times.end() > now);
        next.streaks.retain(|_, streak| streak.end() > now);
        next
    }

    fn end(&self, now: i64) -> Timestamp {
        let before = self.ends_at.as_millisecond();
        let counts = self.counts.values().map(|count| count.end().unwrap_or(before));
        let members = self.members.values().map(Members::end);
        let times = self.times.values().map(Times::end);
        let streaks = self.streaks.values().map(Streak::end);
        timestamp(counts.chain(members).chain(times).chain(streaks).max().unwrap_or(now))
    }
}

/// Keeps what there is, and nothing where there is nothing.
fn put<T>(kept: &mut BTreeMap<String, T>, name: &str, value: Option<T>) {
    match value {
        Some(value) => drop(kept.insert(name.to_owned(), value)),
        None => drop(kept.remove(name)),
    }
}

/// Makes room for [`Counter::MOST_COUNTED`] among what these limits do not count, first
/// where it ends first.
fn forget_others<T>(kept: &mut BTreeMap<String, T>, limits: &[Limit], end: impl Fn(&T) -> i64) {
    let too_many = kept.len().saturating_sub(Counter::MOST_COUNTED);
    if too_many == 0 {
        return;
    }
    let is_other = |name: &String| limits.iter().all(|limit| limit.name != *name);
    let others = kept.iter().filter(|(name, _)| is_other(name));
    let mut others: Vec<(i64, String)> = others.map(|(name, kept)| (end(kept), name.clone())).collect();
    others.sort_unstable();
    for (_, name) in others.into_iter().take(too_many) {
        kept.remove(&name);
    }
}
