//! What a request counts under the rate limits of its service.
//!
//! It says what is added to which counter, and under which limits. Whether there is
//! room is decided in the commit alone, where nobody comes between, so nobody is refused
//! for a race. It refuses to know what the request begins.

use crate::app::admission::AdmissionError;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::hash::hash;
use crate::model::compat::RateLimit;
use crate::model::counter::{Addition, Counter, Limit};
use crate::model::id::ServiceId;
use crate::model::phone::address_key;
use crate::store::records;
use crate::store::{CommitError, Counting, Limited};
use jiff::Timestamp;

/// What is counted: requests that begin a verification, or send it again.
const START: &str = "start";

/// What a request adds to counters, one for each rate limit that it brings a value for.
pub(in crate::app) struct Counts(Vec<(String, Counting)>);

/// The counts of the rate limits that a request names with their values, of those that
/// the service has.
///
/// # Errors
/// The store's.
pub(in crate::app) async fn counts(
    base: &Base,
    service: &ServiceId,
    known: &[RateLimit],
    limits: &[(String, String)],
) -> Result<Counts, Fault> {
    let mut counts = Vec::new();
    for (name, value) in limits {
        let limit = known.iter().find(|limit| limit.unique_name == *name);
        // Of one that the service does not have a rule has said so.
        if let Some(limit) = limit.filter(|limit| !limit.buckets.is_empty()) {
            let counter = counter_of(base, service, limit, value).await?;
            counts.push((name.clone(), counting(counter, limit, base.now())));
        }
    }
    Ok(Counts(counts))
}

impl Counts {
    /// What the commit adds.
    pub(in crate::app) fn additions(&self) -> Vec<Counting> {
        self.0.iter().map(|(_, counting)| counting.clone()).collect()
    }

    /// What a limit that refused the commit comes to for who asked.
    pub(in crate::app) fn reached(&self, limited: &Limited) -> AdmissionError {
        let found = self.0.iter().find(|(_, counting)| counting.counter == limited.counter);
        let name = found.map_or_else(|| limited.reached.limit.clone(), |(name, _)| name.clone());
        AdmissionError::Reached { name, seconds: found.map_or(1, |(_, counting)| seconds(counting, limited)) }
    }
}

/// How long until there is room, in whole seconds, at least one. Where there never is,
/// for the limit lets nothing through, as long as its window.
fn seconds(counting: &Counting, limited: &Limited) -> i64 {
    let reached = &limited.reached;
    let Some(passes_at) = reached.passes_at else {
        let limit = counting.limits.iter().find(|limit| limit.name == reached.limit);
        return limit.map_or(1, |limit| limit.seconds.max(1).into());
    };
    let millis = passes_at.as_millisecond().saturating_sub(counting.now.as_millisecond());
    (millis.saturating_add(999) / 1000).max(1)
}

fn counting(counter: String, limit: &RateLimit, now: Timestamp) -> Counting {
    let limits = limit.buckets.iter().map(|bucket| {
        let max = bucket.max.into();
        Limit::new(bucket.sid.clone(), START, bucket.interval, max)
    });
    // All of its limits are here: any other name is a bucket's that was deleted.
    let additions = vec![Addition::Amount { of: START.to_owned(), amount: 1 }, Addition::ForgetOthers];
    Counting { counter, now, additions, limits: limits.collect() }
}

/// The counter of a value. One that is somebody's number counts for the person, and
/// what an older version counted under the spelling goes on under the person's key.
async fn counter_of(
    base: &Base,
    service: &ServiceId,
    limit: &RateLimit,
    value: &str,
) -> Result<String, Fault> {
    let id_of = |value: &str| hash(&[service.as_str(), &limit.sid, value]);
    let key = address_key(value);
    if key != value {
        adopt(base, &id_of(&key), &id_of(value)).await?;
    }
    Ok(id_of(&key))
}

/// Makes a counter of what stands under another id, if there is none yet.
async fn adopt(base: &Base, id: &str, from: &str) -> Result<(), Fault> {
    let mut found = records::get_many::<Counter>(base.store(), [id, from]).await?.into_iter();
    let (None, Some(old)) = (found.next().flatten(), found.next().flatten()) else { return Ok(()) };
    if old.record.ends_at <= base.now() {
        return Ok(());
    }
    let new = Counter { id: id.to_owned(), ..old.record.clone() };
    match base.store().commit(vec![records::put(None, &new), records::delete(&old)]).await {
        // Somebody else did at this moment.
        Ok(()) | Err(CommitError::Conflict) => Ok(()),
        Err(CommitError::Store(error)) => Err(error.into()),
    }
}
