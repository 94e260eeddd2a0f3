//! Attempts: the sends of verifications, one by one, as Twilio Verify lists
//! them. They are derived from the verifications and kept nowhere.

use crate::app::admission::{Admission, numbers};
use crate::app::fault::Fault;
use crate::app::listing::{self, LONGEST_PAGE, Steps};
use crate::app::services::Directory;
use crate::app::verification::{VerificationError, happen};
use crate::model::channel::Channel;
use crate::model::delivery::Delivery;
use crate::model::id::{ServiceId, VerificationId};
use crate::model::key::ServiceSet;
use crate::model::verification::{Send, Status, Verification};
use crate::store::records::Ahead;
use crate::store::{Index, Listed, Scan, records};
use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};

/// A send, with what became of it.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The service of its verification.
    pub service: ServiceId,
    /// The verification that it is an attempt of.
    pub verification: Verification,
    /// The message or call that it is.
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
/// What makes an id greater, and smaller than the next one.
const BEHIND_AN_ID: char = '~';
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
    let mut attempts = with_deliveries(directory, vec![(verification, send)]).await?;
    attempts.pop().ok_or(Fault::NotFound.into())
}

/// Lists attempts of these services. A page may be short, or even empty, while `next` says
/// that there is more.
///
/// # Errors
/// A number that is none, or the store's.
pub async fn attempts(
    admission: &Admission,
    services: &ServiceSet,
    filter: &AttemptFilter,
    after: Option<AttemptPlace>,
    limit: usize,
) -> Result<AttemptPage, VerificationError> {
    let (directory, begun) = (&admission.directory, Instant::now());
    let (mut found, mut next) = (Vec::new(), None);
    let mut walk = walk(admission, services, filter, after, Steps::for_page_of(limit))?;
    for read in 1.. {
        let Some((verification, sends)) = next_of(directory, &mut walk, filter).await? else { break };
        // One more than wanted says that there is a next page.
        let room = limit - found.len();
        let is_more = sends.len() > room;
        found.extend(sends.into_iter().take(room).map(|send| (verification.clone(), send)));
        if is_more {
            next = found.last().map(|(last, send): &(Verification, Send)| place(last, send.number));
            break;
        }
        if (read >= MOST_READ || begun.elapsed() >= LONGEST_PAGE) && (services.is_all() || walk.is_between())
        {
            // The last one read may be another service's, and its name is not to be
            // told: all of its millisecond was read.
            let least = || VerificationId::from_random([0; 15]);
            next = walk.place.map(|(at, id)| (at, if services.is_all() { id } else { least() }, 0));
            break;
        }
    }
    Ok(AttemptPage { attempts: with_deliveries(directory, found).await?, next })
}

/// Counts attempts of these services, for that long at most. It only reads, so whoever asks may
/// drop it.
///
/// # Errors
/// As [`verification::attempts`](crate::app::verification::attempts).
pub async fn count_attempts(
    admission: &Admission,
    services: &ServiceSet,
    filter: &AttemptFilter,
    longest: Duration,
) -> Result<AttemptCount, VerificationError> {
    let (mut count, mut walk) =
        (AttemptCount::default(), walk(admission, services, filter, None, Steps::through_all())?);
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

/// Sends with what is known of each from outside.
async fn with_deliveries(
    directory: &Directory,
    sends: Vec<(Verification, Send)>,
) -> Result<Vec<Attempt>, VerificationError> {
    let (store, mut ahead) = (directory.base.store(), Ahead::default());
    for sid in sends.iter().filter_map(|(_, send)| send.sid.as_ref()) {
        ahead.want::<Delivery>(sid.as_str());
    }
    ahead.read(store).await?;
    let default = &directory.services.default_service().id;
    let mut attempts = Vec::with_capacity(sends.len());
    for (verification, send) in sends {
        let delivery = match &send.sid {
            Some(sid) => ahead.get::<Delivery>(store, sid.as_str()).await?,
            None => None,
        };
        let service = verification.service.as_ref().unwrap_or(default).clone();
        let delivery = delivery.map(|delivery| delivery.record);
        attempts.push(Attempt { service, verification, send, delivery });
    }
    Ok(attempts)
}

fn walk(
    admission: &Admission,
    services: &ServiceSet,
    filter: &AttemptFilter,
    after: Option<AttemptPlace>,
    steps: Steps,
) -> Result<Walk, VerificationError> {
    let to = filter.to.as_deref().map(|to| numbers::number(admission, to)).transpose()?;
    let index = if to.is_some() { Index::VerificationsTo } else { Index::Verifications };
    let scopes = to.map_or(vec![String::new()], |(number, _)| number.person().spellings());
    let scan = Scan {
        index,
        scope: String::new(),
        since: filter.since.map(|since| since.checked_sub(LONGEST_LIFE).unwrap_or(Timestamp::MIN)),
        until: filter.until,
        after: after.as_ref().map(|(at, id, number)| match number {
            0 | 1 => (*at, id.to_string()),
            // Right before that verification, for the rest of its sends.
            _ => (*at, format!("{id}{BEHIND_AN_ID}")),
        }),
        limit: 0,
    };
    // One verification needs no walk through all.
    let (is_first, is_last) = (after.is_none(), filter.verification.is_some());
    let rest = after.filter(|place| place.2 > 1).map(|(_, id, number)| (id, number));
    let alone = filter.verification.clone().filter(|_| is_first || rest.is_some());
    let waiting = Vec::new();
    Ok(Walk { services: services.clone(), scan, scopes, steps, alone, rest, waiting, is_last, place: None })
}

/// The next verification with those of its sends that the filter takes, the
/// last one first.
async fn next_of(
    directory: &Directory,
    walk: &mut Walk,
    filter: &AttemptFilter,
) -> Result<Option<(Verification, Vec<Send>)>, VerificationError> {
    if let Some(id) = walk.alone.take()
        && let Some(found) = records::get::<Verification>(directory.base.store(), id.as_str()).await?
    {
        let sends = walk.sends_of(directory, &found.record, filter);
        return Ok(Some((found.record, sends)));
    }
    loop {
        if walk.waiting.is_empty() && !walk.is_last {
            walk.scan.limit = walk.steps.next();
            walk.waiting = listing::lines(&directory.base, &walk.scan, &walk.scopes).await?;
            walk.is_last = walk.waiting.len() < walk.scan.limit;
            let last = walk.waiting.last().map(|last| (last.entry.at, last.entry.id.clone()));
            walk.scan.after = last.or(walk.scan.after.take());
            walk.waiting.reverse();
        }
        let Some(line) = walk.waiting.pop() else { return Ok(None) };
        if let Some(found) = records::listed::<Verification>(&line)? {
            walk.place = Some((line.entry.at, found.record.id.clone()));
            let sends = walk.sends_of(directory, &found.record, filter);
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
    /// How many lines are read at once.
    steps: Steps,
    /// The one verification that is wanted.
    alone: Option<VerificationId>,
    /// Where the last page ended, when that was not at a verification's end.
    rest: Option<(VerificationId, u8)>,
    /// What was listed and not yet read, the next one last.
    waiting: Vec<Listed>,
    is_last: bool,
    /// The verification that was read last.
    place: Option<(Timestamp, VerificationId)>,
}

impl Walk {
    /// The sends that are wanted, and that no page has shown.
    fn sends_of(
        &self,
        directory: &Directory,
        verification: &Verification,
        filter: &AttemptFilter,
    ) -> Vec<Send> {
        let mut sends = taken(directory, &self.services, verification, filter);
        if let Some((_, number)) = self.rest.as_ref().filter(|(id, _)| *id == verification.id) {
            sends.retain(|send| send.number < *number);
        }
        sends
    }

    /// Whether what comes next is of another millisecond than what was read last.
    fn is_between(&self) -> bool {
        let next = self.waiting.last().map(|next| next.entry.at);
        next.is_some_and(|next| self.place.as_ref().is_some_and(|(last, _)| *last != next))
    }
}

fn place(verification: &Verification, number: u8) -> AttemptPlace {
    (verification.created_at, verification.id.clone(), number)
}

fn is_converted(verification: &Verification, send: &Send) -> bool {
    let is_last = verification.sends.last().is_some_and(|last| last.number == send.number);
    verification.status == Status::Approved && is_last
}
