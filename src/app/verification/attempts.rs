//! Attempts: the sends of verifications, one by one, as Twilio Verify lists
//! them. They are derived from the verifications and kept nowhere.

use crate::app::admission::{Admission, numbers};
use crate::app::fault::Fault;
use crate::app::listing::{self, LONGEST_PAGE};
use crate::app::services::Directory;
use crate::app::verification::{VerificationError, happen};
use crate::model::channel::Channel;
use crate::model::delivery::Delivery;
use crate::model::id::{ServiceId, VerificationId};
use crate::model::key::ServiceSet;
use crate::model::verification::{Send, Status, Verification};
use crate::store::{Entry, Index, Scan, records};
use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};

/// A send, with what became of it.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The service of its verification.
    pub service: ServiceId,
    /// Its verification.
    pub verification: Verification,
    /// The send.
    pub send: Send,
    /// What is known of it from outside.
    pub delivery: Option<Delivery>,
}

impl Attempt {
    /// Whether it brought the code that was right: the last one of a
    /// verification that was approved.
    pub fn is_converted(&self) -> bool {
        is_converted(&self.verification, &self.send)
    }
}

/// Which attempts to list.
#[derive(Debug, Clone, Default)]
pub struct AttemptFilter {
    /// Made at this time or later.
    pub since: Option<Timestamp>,
    /// Made before this time.
    pub until: Option<Timestamp>,
    /// To this number.
    pub to: Option<String>,
    /// To numbers that begin like this, with their plus.
    pub prefix: Option<String>,
    /// To numbers of this country, ISO 3166.
    pub country: Option<String>,
    /// By this channel.
    pub channel: Option<Channel>,
    /// Of this service.
    pub service: Option<ServiceId>,
    /// Of this verification.
    pub verification: Option<VerificationId>,
    /// Whether they brought the right code.
    pub converted: Option<bool>,
}

/// A place in the list: a verification's time and id, and the number of the
/// send after which to go on.
pub type AttemptPlace = (Timestamp, VerificationId, u8);

/// Attempts, those of the newest verification first, its last send first.
#[derive(Debug, Clone)]
pub struct AttemptPage {
    /// What was found.
    pub attempts: Vec<Attempt>,
    /// Where to go on; `None` at the end.
    pub next: Option<AttemptPlace>,
}

/// How many attempts there were, and how many of them brought the right code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptCount {
    /// All attempts, whatever became of them.
    pub total: u64,
    /// Those that did.
    pub converted: u64,
    /// Whether these are all: false when the time was over before, or there were
    /// more than are counted at once.
    pub is_whole: bool,
}

impl Default for AttemptCount {
    fn default() -> Self {
        Self { total: 0, converted: 0, is_whole: true }
    }
}

/// Verifications that one page reads at most, whatever the filter passes over.
const MOST_READ: usize = 5_000;
/// Verifications that a count reads at most, however fast.
const MOST_COUNTED: usize = 100_000;
/// Entries that are read at once.
const AT_ONCE: usize = 100;
/// No verification lives longer: a send is at most so much later than it.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// An attempt by its verification and number.
///
/// # Errors
/// Not found, or the store's.
pub async fn attempt(
    directory: &Directory,
    id: &VerificationId,
    number: u8,
) -> Result<Attempt, VerificationError> {
    let verification = happen::verification(&directory.base, id).await?.record;
    let send = verification.send(number).cloned().ok_or(Fault::NotFound)?;
    attempt_of(directory, verification, send).await
}

/// Lists attempts. A page may be short, or even empty, while `next` says
/// that there is more.
///
/// # Errors
/// A number that is none, or the store's.
pub async fn attempts(
    admission: &Admission,
    filter: &AttemptFilter,
    after: Option<AttemptPlace>,
    limit: usize,
) -> Result<AttemptPage, VerificationError> {
    attempts_among(admission, &ServiceSet::all(), filter, after, limit).await
}

/// The same, of these services.
pub(in crate::app) async fn attempts_among(
    admission: &Admission,
    services: &ServiceSet,
    filter: &AttemptFilter,
    after: Option<AttemptPlace>,
    limit: usize,
) -> Result<AttemptPage, VerificationError> {
    let mut page = AttemptPage { attempts: Vec::new(), next: None };
    let mut walk = walk(admission, services, filter, after)?;
    let begun = Instant::now();
    for read in 1.. {
        let Some((verification, sends)) = next_of(&admission.directory, &mut walk, filter).await? else {
            return Ok(page);
        };
        for send in sends {
            // One more than wanted says that there is a next page.
            if page.attempts.len() == limit {
                page.next = page.attempts.last().map(|last| place(&last.verification, last.send.number));
                return Ok(page);
            }
            page.attempts.push(attempt_of(&admission.directory, verification.clone(), send).await?);
        }
        if (read >= MOST_READ || begun.elapsed() >= LONGEST_PAGE) && (services.is_all() || walk.is_between())
        {
            break;
        }
    }
    // The last one read may be another service's, and its name is not to be
    // told: all of its millisecond was read.
    let least = || VerificationId::from_random([0; 15]);
    page.next = walk.place.map(|(at, id)| (at, if services.is_all() { id } else { least() }, 0));
    Ok(page)
}

/// Counts attempts, for that long at most. It only reads, so whoever asks may
/// drop it.
///
/// # Errors
/// As [`verification::attempts`](crate::app::verification::attempts).
pub async fn count_attempts(
    admission: &Admission,
    filter: &AttemptFilter,
    longest: Duration,
) -> Result<AttemptCount, VerificationError> {
    count_attempts_among(admission, &ServiceSet::all(), filter, longest).await
}

/// The same, of these services.
pub(in crate::app) async fn count_attempts_among(
    admission: &Admission,
    services: &ServiceSet,
    filter: &AttemptFilter,
    longest: Duration,
) -> Result<AttemptCount, VerificationError> {
    let (mut count, mut walk) = (AttemptCount::default(), walk(admission, services, filter, None)?);
    let begun = Instant::now();
    for _ in 0..MOST_COUNTED {
        let Some((verification, sends)) = next_of(&admission.directory, &mut walk, filter).await? else {
            return Ok(count);
        };
        for send in &sends {
            count.total += 1;
            count.converted += u64::from(is_converted(&verification, send));
        }
        if begun.elapsed() >= longest {
            break;
        }
    }
    let counted = count.total;
    tracing::info!(counted, "a summary of attempts was given up: there are too many for one request");
    Ok(AttemptCount { is_whole: false, ..count })
}

async fn attempt_of(
    directory: &Directory,
    verification: Verification,
    send: Send,
) -> Result<Attempt, VerificationError> {
    let delivery = match &send.sid {
        Some(sid) => records::get::<Delivery>(directory.base.store(), sid.as_str()).await?,
        None => None,
    };
    let default = &directory.services.default_service().id;
    Ok(Attempt {
        service: verification.service.as_ref().unwrap_or(default).clone(),
        verification,
        send,
        delivery: delivery.map(|delivery| delivery.record),
    })
}

fn walk(
    admission: &Admission,
    services: &ServiceSet,
    filter: &AttemptFilter,
    after: Option<AttemptPlace>,
) -> Result<Walk, VerificationError> {
    let to = filter.to.as_deref().map(|to| numbers::number(admission, to)).transpose()?;
    let index = if to.is_some() { Index::VerificationsTo } else { Index::Verifications };
    let scopes = to.map_or(vec![String::new()], |(number, _)| number.person().spellings());
    let scan = Scan {
        index,
        scope: String::new(),
        since: filter.since.map(|since| since.checked_sub(LONGEST_LIFE).unwrap_or(Timestamp::MIN)),
        until: filter.until,
        after: after.as_ref().filter(|place| place.2 <= 1).map(|place| (place.0, place.1.to_string())),
        limit: AT_ONCE,
    };
    // One verification needs no walk through all.
    let (waiting, is_last) = match &filter.verification {
        Some(id) if after.is_none() => (vec![entry_of(id)], true),
        Some(_) => (Vec::new(), true),
        None => (Vec::new(), false),
    };
    let rest = after.filter(|place| place.2 > 1);
    Ok(Walk { services: services.clone(), scan, scopes, rest, waiting, is_last, place: None })
}

/// The next verification with those of its sends that the filter takes, the
/// last one first.
async fn next_of(
    directory: &Directory,
    walk: &mut Walk,
    filter: &AttemptFilter,
) -> Result<Option<(Verification, Vec<Send>)>, VerificationError> {
    // A page ended in the midst of a verification.
    if let Some((at, id, number)) = walk.rest.take() {
        walk.scan.after = Some((at, id.to_string()));
        if let Some(found) = records::get::<Verification>(directory.base.store(), id.as_str()).await? {
            let mut sends = taken(directory, &walk.services, &found.record, filter);
            sends.retain(|send| send.number < number);
            return Ok(Some((found.record, sends)));
        }
    }
    loop {
        if walk.waiting.is_empty() && !walk.is_last {
            walk.waiting = listing::entries(&directory.base, &walk.scan, &walk.scopes).await?;
            walk.is_last = walk.waiting.len() < walk.scan.limit;
            walk.scan.after =
                walk.waiting.last().map(|last| (last.at, last.id.clone())).or(walk.scan.after.take());
            walk.waiting.reverse();
        }
        let Some(entry) = walk.waiting.pop() else { return Ok(None) };
        if let Some(found) = records::get::<Verification>(directory.base.store(), &entry.id).await? {
            walk.place = Some((entry.at, found.record.id.clone()));
            let sends = taken(directory, &walk.services, &found.record, filter);
            return Ok(Some((found.record, sends)));
        }
    }
}

fn taken(
    directory: &Directory,
    services: &ServiceSet,
    verification: &Verification,
    filter: &AttemptFilter,
) -> Vec<Send> {
    let default = &directory.services.default_service().id;
    let service = verification.service.as_ref().unwrap_or(default);
    let to = verification.to.in_full();
    let is_wanted = services.has(service)
        && filter.service.as_ref().is_none_or(|wanted| wanted == service)
        && filter.verification.as_ref().is_none_or(|wanted| *wanted == verification.id)
        && filter.prefix.as_ref().is_none_or(|prefix| to.starts_with(prefix.as_str()))
        && filter.country.as_ref().is_none_or(|country| verification.to.region().as_ref() == Some(country));
    let takes = |send: &&Send| {
        filter.channel.is_none_or(|channel| send.channel == channel)
            && filter.since.is_none_or(|since| send.asked_at >= since)
            && filter.until.is_none_or(|until| send.asked_at < until)
            && filter.converted.is_none_or(|wanted| wanted == is_converted(verification, send))
    };
    if !is_wanted {
        return Vec::new();
    }
    verification.sends.iter().rev().filter(takes).cloned().collect()
}

/// A way through the listing.
struct Walk {
    /// Whose attempts.
    services: ServiceSet,
    scan: Scan,
    /// The spellings of the number that is wanted, or the whole listing.
    scopes: Vec<String>,
    /// Where the last page ended, when that was not at a verification's end.
    rest: Option<AttemptPlace>,
    /// What was listed and not yet read, the next one last.
    waiting: Vec<Entry>,
    is_last: bool,
    /// The verification that was read last.
    place: Option<(Timestamp, VerificationId)>,
}

impl Walk {
    /// Whether what comes next is of another millisecond than what was read last.
    fn is_between(&self) -> bool {
        let next = self.waiting.last().map(|next| next.at);
        next.is_some_and(|next| self.place.as_ref().is_some_and(|(last, _)| *last != next))
    }
}

fn entry_of(id: &VerificationId) -> Entry {
    let (index, scope) = (Index::Verifications, String::new());
    Entry { index, scope, at: Timestamp::UNIX_EPOCH, id: id.to_string() }
}

fn place(verification: &Verification, number: u8) -> AttemptPlace {
    (verification.created_at, verification.id.clone(), number)
}

fn is_converted(verification: &Verification, send: &Send) -> bool {
    let is_last = verification.sends.last().is_some_and(|last| last.number == send.number);
    verification.status == Status::Approved && is_last
}
