//! Sends webhooks: events to endpoints, again and again by the retry schedule
//! (`model::webhook_retry`) until they are taken or given up.
//!
//! A dispatch is claimed by a write before it is sent, so that two processes do
//! not both send it; one that dies after sending lets it be sent again. So a
//! receiver may hear of an event more than once, under the same id, and of two
//! events in any order.

use crate::app::base::Base;
use crate::app::events::endpoints::{self, endpoints};
use crate::app::events::telling::{Turn, after};
use crate::app::events::{EventError, Telling, feed, told};
use crate::app::fault::Fault;
use crate::app::listing::{self, LONGEST_PAGE, Page, Place, Window, scan_of};
use crate::app::once;
use crate::clock::Clock;
use crate::gateway::webhook::{Parcel, PostError, Receipt};
use crate::model::dispatch::{Dispatch, State, Try, Verdict};
use crate::model::endpoint::{Disabled, Endpoint, Why};
use crate::model::event::Event;
use crate::model::id::{EndpointId, EventId};
use crate::store::records::{self, Ahead, Versioned};
use crate::store::{Change, Index, Key, Listed, Scan};
use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};

/// How long a dispatch is deferred whose endpoint has its share of requests already.
const TURN: Duration = Duration::from_millis(250);
/// How long one that is claimed waits for its turn, of its lease.
const LONGEST_TURN: Duration = Duration::from_secs(10);
/// Dispatches that are under way for each request: its claim, and what came of it, are
/// writes that take longer than the request itself.
const STEPS: usize = 4;
/// How long a dispatch waits for its turn before it is deferred, and how far
/// those that are deferred are spread.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);
const SPREAD: Duration = Duration::from_secs(30);
/// Entries that one step of a redrive looks at, so that it ends within a request's
/// time; the next one goes on behind it.
const MOST_LOOKED_AT: usize = 2_000;
/// Changes in one commit of a redrive.
const GROUP: usize = 32;

/// How many dispatches are done at once: of each the claim and what came of it are
/// written, too, and meanwhile others may have its place among the requests.
pub fn most_dispatches(telling: &Telling) -> usize {
    telling.events.settings.max_in_flight * STEPS
}

/// How many of them to one endpoint.
pub fn most_dispatches_to_one(telling: &Telling) -> usize {
    telling.events.share() * STEPS
}

/// Sends what is due, or forgets it; answers for how long it is deferred first.
///
/// # Errors
/// Not found, or the store's.
pub async fn tend_dispatch(telling: &Telling, id: &str) -> Result<Option<Duration>, EventError> {
    let old = records::get::<Dispatch>(telling.base.store(), id).await?.ok_or(Fault::NotFound)?;
    let now = telling.base.now();
    if old.record.due() > now {
        return Ok(None);
    }
    if old.record.state != State::Pending {
        once::commits(&telling.base, vec![records::delete(&old)]).await?;
        return Ok(None);
    }
    let (store, mut ahead) = (telling.base.store(), Ahead::default());
    ahead.want::<Endpoint>(old.record.endpoint.as_str());
    ahead.want::<Event>(old.record.event.as_str());
    ahead.read(store).await?;
    let Some(endpoint) = ahead.get::<Endpoint>(store, old.record.endpoint.as_str()).await? else {
        once::commits(&telling.base, vec![records::delete(&old)]).await?;
        return Ok(None);
    };
    let endpoint = endpoint.record;
    let event = ahead.get::<Event>(store, old.record.event.as_str()).await?;
    let vain = match (&endpoint.disabled, &event) {
        (Some(_), _) => Some("the endpoint is disabled"),
        (None, None) => Some("the event is forgotten"),
        (None, Some(_)) => None,
    };
    let (Some(event), None) = (event, vain) else {
        let given_up = old.record.given_up(vain.unwrap_or_default(), now);
        once::commits(&telling.base, vec![records::put(Some(&old), &given_up)]).await?;
        return Ok(None);
    };
    let timeout = SignedDuration::try_from(telling.events.settings.timeout).unwrap_or(SignedDuration::MAX);
    let claimed = old.record.claimed(now, timeout.saturating_mul(2) + SignedDuration::from_secs(15));
    if !once::commits(&telling.base, vec![records::put(Some(&old), &claimed)]).await? {
        return Ok(None);
    }
    let claimed = Versioned { version: old.version + 1, record: claimed };
    let Some(turn) = telling.events.turn_in(&endpoint.id, LONGEST_TURN).await else {
        // It was not tried, and waits on.
        let waits = old.record.defer(telling.base.now());
        once::commits(&telling.base, vec![records::put(Some(&claimed), &waits)]).await?;
        return Ok(Some(TURN));
    };
    send(telling, claimed, &endpoint, &event.record, turn).await?;
    Ok(None)
}

/// Defers some of those that have waited long for their endpoints, at most
/// [`Change::MAX_COMMIT`] in one commit: the most overdue, all of slow endpoints,
/// would hide what is due for the others.
///
/// # Errors
/// The store's.
pub async fn defer(base: &Base, dispatches: &[Key]) -> Result<(), EventError> {
    let (now, mut changes) = (base.now(), Vec::with_capacity(dispatches.len()));
    let ids = dispatches.iter().map(|key| key.id.as_str());
    for old in records::get_many::<Dispatch>(base.store(), ids).await?.into_iter().flatten() {
        if old.record.state != State::Pending || now.duration_since(old.record.due()) < PATIENCE {
            continue;
        }
        let millis = i64::try_from(base.entropy.below(SPREAD.as_millis() as u64)).unwrap_or(0);
        let until = after(now, PATIENCE + SignedDuration::from_millis(millis));
        changes.push(records::put(Some(&old), &old.record.defer(until)));
    }
    // Whoever was at one of them has moved it; the rest is deferred the next time.
    if !changes.is_empty() {
        once::commits(base, changes).await?;
    }
    Ok(())
}

async fn send(
    telling: &Telling,
    claimed: Versioned<Dispatch>,
    endpoint: &Endpoint,
    event: &Event,
    turn: Turn<'_>,
) -> Result<(), EventError> {
    let at = telling.base.now();
    let parcel = Parcel {
        url: endpoint.url.clone(),
        id: event.id.clone(),
        // Receivers refuse what their own clocks call old, or not yet there.
        at: Clock::system(),
        body: Parcel::body(event, endpoint.full_numbers),
        secrets: endpoint.secrets(at),
    };
    let began = Instant::now();
    let outcome = telling.events.courier.post(&parcel).await;
    drop(turn);
    let millis = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
    let (status, error) = match &outcome {
        Ok(receipt) => (Some(receipt.status), rejection(receipt.status)),
        Err(error) => (None, Some(error.to_string())),
    };
    let verdict = verdict(&outcome);
    let (id, attempts) = (&endpoint.id, claimed.record.attempts);
    match verdict {
        Verdict::Taken => {
            tracing::debug!(endpoint = %id, event = %event.id, attempts, "event delivered")
        }
        _ => {
            tracing::warn!(endpoint = %id, event = %event.id, attempts, status, error, "event not taken")
        }
    }
    let settled = claimed.record.settled(Try { at, status, error, millis }, verdict, telling.base.now());
    // Somebody may have asked for it again meanwhile: then that holds.
    once::commits(&telling.base, vec![records::put(Some(&claimed), &settled)]).await?;
    note_health(telling, endpoint, verdict).await
}

/// Remembers since when an endpoint fails, and gives it up after long.
async fn note_health(telling: &Telling, endpoint: &Endpoint, verdict: Verdict) -> Result<(), EventError> {
    let (now, most) = (telling.base.now(), telling.events.settings.disable_after);
    let is_news = match verdict {
        Verdict::Taken => endpoint.failing_since.is_some(),
        Verdict::Gone => true,
        Verdict::Again(_) => endpoint.failing_since.is_none_or(|since| now.duration_since(since) >= most),
    };
    if !is_news {
        return Ok(());
    }
    let note = |endpoint: &mut Endpoint| {
        let why = match verdict {
            Verdict::Taken => {
                endpoint.failing_since = None;
                return Ok(());
            }
            Verdict::Gone => Why::Gone,
            Verdict::Again(_) => {
                let since = *endpoint.failing_since.get_or_insert(now);
                if now.duration_since(since) < most {
                    return Ok(());
                }
                Why::Failing
            }
        };
        endpoint.disabled.get_or_insert(Disabled { at: now, why });
        Ok(())
    };
    // Nobody did this: the event tells of it.
    let noted = endpoints::with_endpoint(telling, &endpoint.id, note, |_, _| None).await;
    match noted {
        Ok(after) if after.disabled.is_some() && endpoint.disabled.is_none() => {
            tracing::error!(endpoint = %after.id, why = ?after.disabled.map(|disabled| disabled.why), "endpoint disabled: nothing more is sent to it until it is enabled again");
            Ok(())
        }
        // It was removed meanwhile.
        Ok(_) | Err(EventError::Fault(Fault::NotFound)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Lists dispatches to an endpoint, of one state or all, the newest first.
///
/// # Errors
/// Not found, or the store's.
pub async fn dispatches(
    base: &Base,
    endpoint: &EndpointId,
    state: Option<State>,
    window: &Window,
) -> Result<Page<Dispatch>, EventError> {
    endpoints::read_endpoint(base, endpoint).await?;
    let takes = |one: &Dispatch| state.is_none_or(|state| one.state == state);
    Ok(listing::page(base, to(endpoint), window, takes).await?)
}

/// Asks again for what an endpoint did not take: all that was given up, or,
/// with a time, also every event since then that it wants and was never
/// sent, because it was disabled. One step of it, the newest first, from behind
/// a place: answers how many, and where to go on, as far back as records are kept.
///
/// # Errors
/// Not found, disabled, or the store's.
pub async fn redrive_endpoint(
    base: &Base,
    id: &EndpointId,
    since: Option<Timestamp>,
    after: Option<Place>,
) -> Result<(usize, Option<Place>), EventError> {
    let endpoint = endpoints::endpoint(base, id).await?;
    refuse_disabled(&endpoint)?;
    let mut changes = Vec::new();
    let mut scan = Scan { since, after, ..to(id) };
    if since.is_some() {
        (scan.index, scan.scope) = (Index::Events, String::new());
    }
    let (mut looked_at, begun) = (0, Instant::now());
    while looked_at < MOST_LOOKED_AT && begun.elapsed() < LONGEST_PAGE {
        let lines = records::stretch(base.store(), &scan).await?;
        let is_last = lines.len() < scan.limit;
        looked_at += lines.len();
        changes.extend(match since {
            None => once_more(base, &lines)?,
            Some(_) => {
                let events = lines.iter().map(records::listed::<Event>).collect::<Result<Vec<_>, _>>()?;
                let told = events.iter().flatten().map(|event| (&event.record, &endpoint));
                events_once_more(base, told.collect(), false).await?
            }
        });
        scan.after = lines.last().map(|line| line.entry.place()).or(scan.after);
        if is_last {
            return Ok((redriven(base, changes).await?, None));
        }
    }
    Ok((redriven(base, changes).await?, scan.after))
}

/// Asks again for an event, at every endpoint that wants it, or at one,
/// whether it was taken before or not. Answers at how many.
///
/// # Errors
/// Not found, disabled, or the store's.
pub async fn redrive_event(
    base: &Base,
    id: &EventId,
    only: Option<&EndpointId>,
) -> Result<usize, EventError> {
    let event = feed::event(base, id).await?;
    let endpoints = match only {
        None => endpoints(base).await?,
        Some(only) => vec![endpoints::endpoint(base, only).await?],
    };
    if only.is_some() {
        endpoints.iter().try_for_each(refuse_disabled)?;
    }
    let told = endpoints.iter().map(|endpoint| (&event, endpoint)).collect();
    redriven(base, events_once_more(base, told, true).await?).await
}

/// What was given up, of these dispatches.
fn once_more(base: &Base, lines: &[Listed]) -> Result<Vec<Change>, EventError> {
    let mut changes = Vec::new();
    for line in lines {
        let old = records::listed::<Dispatch>(line)?;
        let failed = old.filter(|old| old.record.state == State::Failed);
        changes.extend(failed.map(|old| records::put(Some(&old), &old.record.again(base.now()))));
    }
    Ok(changes)
}

/// Events for endpoints that want them: those that were never sent there, or given up;
/// or also those that were taken.
async fn events_once_more(
    base: &Base,
    mut told: Vec<(&Event, &Endpoint)>,
    also_delivered: bool,
) -> Result<Vec<Change>, EventError> {
    told.retain(|(event, endpoint)| endpoint.takes(event.body.event_type));
    let ids = told.iter().map(|(event, endpoint)| Dispatch::id_of(&event.id, &endpoint.id));
    let olds = records::get_many::<Dispatch>(base.store(), ids).await?;
    let change = |((event, endpoint), old): ((&Event, &Endpoint), Option<Versioned<Dispatch>>)| match old {
        None => Some(records::put(None, &told::dispatch(base, event, endpoint))),
        Some(old) if old.record.state == State::Failed || also_delivered => {
            Some(records::put(Some(&old), &old.record.again(base.now())))
        }
        Some(_) => None,
    };
    Ok(told.into_iter().zip(olds).filter_map(change).collect())
}

/// Commits a redrive's changes in groups. One that lost a race is one that
/// somebody else is at.
async fn redriven(base: &Base, mut changes: Vec<Change>) -> Result<usize, EventError> {
    let mut count = 0;
    while !changes.is_empty() {
        let group: Vec<Change> = changes.split_off(changes.len().saturating_sub(GROUP));
        count += once::commits_each(base, group).await?;
    }
    Ok(count)
}

fn refuse_disabled(endpoint: &Endpoint) -> Result<(), EventError> {
    let what = "the endpoint is disabled: enable it first";
    match endpoint.disabled {
        Some(_) => Err(EventError::NotAllowed { field: "endpoint", what }),
        None => Ok(()),
    }
}

fn to(endpoint: &EndpointId) -> Scan {
    scan_of(Index::Dispatches, endpoint.as_str())
}

/// What an answer means (Standard Webhooks, «Delivery»): 2xx is taken, 410 is
/// the end, anything else is tried again.
fn verdict(outcome: &Result<Receipt, PostError>) -> Verdict {
    match outcome {
        Ok(Receipt { status: 200..=299, .. }) => Verdict::Taken,
        Ok(Receipt { status: 410, .. }) => Verdict::Gone,
        Ok(Receipt { wait: Some(wait), .. }) => {
            Verdict::Again(SignedDuration::try_from(*wait).unwrap_or(SignedDuration::MAX))
        }
        Ok(_) | Err(_) => Verdict::Again(SignedDuration::ZERO),
    }
}

fn rejection(status: u16) -> Option<String> {
    match status {
        200..=299 => None,
        300..=399 => Some("the endpoint redirects, which is not followed".into()),
        410 => Some("the endpoint is gone".into()),
        _ => Some("the endpoint did not take it".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_means() {
        let of =
            |status, wait: Option<u64>| verdict(&Ok(Receipt { status, wait: wait.map(Duration::from_secs) }));
        let again = |seconds| Verdict::Again(SignedDuration::from_secs(seconds));
        assert_eq!(
            (of(200, None), of(204, None), of(410, None)),
            (Verdict::Taken, Verdict::Taken, Verdict::Gone)
        );
        for status in [199, 302, 400, 401, 404, 500, 503] {
            assert_eq!(of(status, None), again(0), "{status}");
        }
        assert_eq!(of(429, Some(90)), again(90));
        assert_eq!(verdict(&Err(PostError::Broken(String::new()))), again(0));
    }
}
