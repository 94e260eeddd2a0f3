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

mod limit;
mod members;
mod quota_lease;
#[cfg(test)]
mod tests;
mod window;

pub use limit::{Addition, Limit, Pseudonym, Reached};
pub use members::Members;
pub use quota_lease::{End, QuotaLease, Ticket};
pub use window::WindowCount;

use jiff::Timestamp;
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
    /// When nothing of it counts any more.
    pub ends_at: Timestamp,
}

impl Counter {
    /// The most limits that have something counted under them at once: so a counter is
    /// always a record that can be stored.
    pub const MOST_COUNTED: usize = 64;

    /// Nothing counted yet.
    pub fn new(id: String) -> Self {
        Self { id, counts: BTreeMap::new(), members: BTreeMap::new(), ends_at: Timestamp::UNIX_EPOCH }
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
            for passes_at in [next.count(now, additions, limit), next.meet(now, additions, limit)] {
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
        }
        next.ends_at = next.end(now);
        Ok(next)
    }

    /// Counts the amounts of a limit. When there is no room for them: the time when
    /// there is.
    fn count(&mut self, now: i64, additions: &[Addition], limit: &Limit) -> Result<(), Option<i64>> {
        let (mut amount, mut given_back) = (None, Vec::new());
        for addition in additions {
            match addition {
                Addition::Amount { of, amount: more } if *of == limit.of => {
                    amount = Some(u128::from(*more).saturating_add(amount.unwrap_or(0)));
                }
                Addition::GiveBack { of, amount, added_at } if *of == limit.of => {
                    given_back.push((*amount, added_at.as_millisecond()));
                }
                _ => {}
            }
        }
        if amount.is_none() && given_back.is_empty() {
            return Ok(());
        }
        let mut window = Window::at(self.counts.get(&limit.name), limit.seconds, now);
        for (amount, added_at) in given_back {
            window.give_back(amount, added_at);
        }
        if let Some(amount) = amount {
            window.add(amount, limit.max)?;
        }
        match window.count() {
            Some(count) => drop(self.counts.insert(limit.name.clone(), count)),
            None => drop(self.counts.remove(&limit.name)),
        }
        Ok(())
    }

    /// Counts the members of a limit, as [`Counter::count`] does amounts.
    fn meet(&mut self, now: i64, additions: &[Addition], limit: &Limit) -> Result<(), Option<i64>> {
        let members: Vec<Pseudonym> = additions
            .iter()
            .filter_map(|addition| match addition {
                Addition::Member { of, member } if *of == limit.of => Some(*member),
                _ => None,
            })
            .collect();
        if members.is_empty() {
            return Ok(());
        }
        let met = Members::with(self.members.get(&limit.name), limit, &members, now)?;
        self.members.insert(limit.name.clone(), met);
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
        next
    }

    fn end(&self, now: i64) -> Timestamp {
        let before = self.ends_at.as_millisecond();
        let counts = self.counts.values().map(|count| count.end().unwrap_or(before));
        timestamp(counts.chain(self.members.values().map(Members::end)).max().unwrap_or(now))
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

/// The time of so many milliseconds, or the last there is.
fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
