//! Which limits that refuse nobody are full: read beside, and remembered for a moment.
//!
//! What was read may be outdated by ten seconds. It marks, and never lets through what a
//! commit refuses.

use super::addition::addition_of;
use super::counters::{CountedFor, counter_id, number_counter};
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::model::counter::{Addition, Counter};
use crate::model::limits::{Action, Admitted, Counted, LimitRule, Limits, Subject};
use crate::model::phone::PhoneNumber;
use crate::model::pseudonym::Pseudonyms;
use crate::store::records::{self, Ahead};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long it is remembered what was read of a counter.
const REMEMBERED: Duration = Duration::from_secs(10);
/// Of so many counters it is remembered.
const MOST: usize = 10_000;

/// What was read of counters lately.
#[derive(Default)]
pub(in crate::app) struct Seen(Mutex<HashMap<String, Read>>);

/// When a counter was read, and what there was of it.
type Read = (Instant, Option<Arc<Counter>>);

/// A rule that refuses nobody and of which a window is full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::app) struct Full {
    pub(in crate::app) rule: &'static str,
    /// Whether what it came to is to say so, too.
    pub(in crate::app) is_flag: bool,
}

/// Whether a rule refuses nobody and is asked of a send: of a further one, too, or of the
/// first of a verification alone.
fn is_watched(rule: &LimitRule, is_first: bool) -> bool {
    let is_of_sends = match rule.counted {
        Counted::Unverified | Counted::Countries => is_first,
        Counted::Sends | Counted::UnaskedCalls | Counted::FailoverCalls | Counted::Money => true,
        Counted::WrongCodes => false,
    };
    rule.action != Action::Refuse && !rule.windows.is_empty() && is_of_sends
}

/// Wants the counters of who asks, as far as the rules of the configuration watch them: so
/// that they are read with all that a start reads. What a service watches beside is read
/// when it is asked for.
pub(in crate::app) fn want(
    seen: &Seen,
    limits: &Limits,
    (asker, is_first): (&Admitted, bool),
    ahead: &mut Ahead,
) {
    let mut ids: Vec<String> = Vec::new();
    for rule in limits.rules().iter().filter(|rule| is_watched(rule, is_first)) {
        let name = match rule.subject {
            Subject::Address => asker.address.as_deref(),
            Subject::Subnet => asker.subnet.as_deref(),
            Subject::Device => asker.device.as_deref(),
            _ => None,
        };
        ids.extend(name.map(|name| counter_id(rule.subject, name)));
    }
    let known: Vec<&str> = ids.iter().map(String::as_str).collect();
    if seen.known(&known).is_none() {
        ids.into_iter().for_each(|id| ahead.want::<Counter>(id));
    }
}

/// The rules that refuse nobody and have no room for what the last send counts.
pub(in crate::app) async fn full(
    base: &Base,
    (seen, ahead): (&Seen, &Ahead),
    limits: &Limits,
    who: &CountedFor<'_>,
    now: Timestamp,
) -> Result<Vec<Full>, Fault> {
    let is_first = who.sends.len() == 1;
    let watched: Vec<_> = limits
        .rules()
        .iter()
        .filter(|rule| is_watched(rule, is_first))
        .filter_map(|rule| {
            let place = who.counter(rule.subject)?;
            // A rule that does not count this has nothing to say of it.
            let addition = addition_of(rule, who, rule.word(&place.part))?;
            Some((rule, place, addition))
        })
        .collect();
    if watched.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = watched.iter().map(|(_, place, _)| place.counter.as_str()).collect();
    let counters = seen.read((base, ahead), &ids).await?;
    let mut full = Vec::new();
    for ((rule, place, addition), counter) in watched.into_iter().zip(counters) {
        let Some(counter) = counter else { continue };
        if counter.add(now, &[addition], &rule.refusing(&place.part)).is_err() {
            full.push(Full { rule: rule.name, is_flag: rule.action == Action::Flag });
        }
    }
    Ok(full)
}

/// The rules of wrong codes that refuse nobody and have no room for one more of a number's:
/// they are asked once the code has been compared, for they hold nobody up.
pub(in crate::app) async fn full_of_wrong_codes(
    base: &Base,
    names: &Pseudonyms,
    limits: &Limits,
    to: &PhoneNumber,
) -> Result<Vec<&'static str>, Fault> {
    let is_watched = |rule: &&LimitRule| {
        rule.counted == Counted::WrongCodes && rule.action != Action::Refuse && !rule.windows.is_empty()
    };
    let watched: Vec<_> = limits.rules().iter().filter(is_watched).collect();
    if watched.is_empty() {
        return Ok(Vec::new());
    }
    let id = number_counter(names, to);
    let Some(counter) = records::get::<Counter>(base.store(), &id).await? else { return Ok(Vec::new()) };
    let is_full = |rule: &&LimitRule| {
        let room = Addition::Room { of: rule.word("") };
        counter.record.add(base.now(), &[room], &rule.refusing("")).is_err()
    };
    Ok(watched.into_iter().filter(is_full).map(|rule| rule.name).collect())
}

impl Seen {
    /// Forgets all that was read.
    pub(in crate::app) fn forget_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Forgets what was read of these.
    pub(in crate::app) fn forget<'i>(&self, ids: impl Iterator<Item = &'i str>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.for_each(|id| drop(seen.remove(id)));
    }

    /// The counters of these ids, in their order.
    async fn read(
        &self,
        (base, ahead): (&Base, &Ahead),
        ids: &[&str],
    ) -> Result<Vec<Option<Arc<Counter>>>, Fault> {
        if let Some(known) = self.known(ids) {
            return Ok(known);
        }
        let wanted: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let found = ahead.get_many::<Counter>(base.store(), &wanted).await?;
        let found: Vec<_> =
            found.into_iter().map(|found| found.map(|found| Arc::new(found.record))).collect();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.clear();
        }
        let now = Instant::now();
        seen.extend(
            ids.iter().map(|id| (*id).to_owned()).zip(found.iter().map(|found| (now, found.clone()))),
        );
        Ok(found)
    }

    /// What is remembered of them, if it is of all.
    fn known(&self, ids: &[&str]) -> Option<Vec<Option<Arc<Counter>>>> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |id: &&str| seen.get(*id).filter(|(at, _)| at.elapsed() < REMEMBERED);
        ids.iter().map(|id| known(id).map(|(_, found)| found.clone())).collect()
    }
}
