//! What a wish for a code depends on, as one look sees it: read at once, as far as it is
//! known what to read. It refuses to judge any of it but words and language, whose findings
//! the rules pass on.

use crate::app::admission::limits::flags;
use crate::app::admission::profile::{One, Profile};
use crate::app::admission::request::seconds_between;
use crate::app::admission::way::Countries;
use crate::app::admission::ways::{self, Ways};
use crate::app::admission::{AdmissionError, lists, numbers, terms};
use crate::app::fault::Fault;
use crate::app::services::{Directory, compat, find};
use crate::app::verification::code_request::Target;
use crate::app::verification::kept::{Kept, Replay};
use crate::app::verification::pending::{self, Mark, Place};
use crate::app::verification::request::{StartRequest, Started};
use crate::app::verification::{VerificationError, Verifying, happen, view};
use crate::model::channel::Channel;
use crate::model::compat::{Compat, RateLimit};
use crate::model::delivery::Delivery;
use crate::model::id::{ServiceId, VerificationId};
use crate::model::limits::Admitted;
use crate::model::lists::Listed;
use crate::model::phone::{PhoneError, PhoneNumber};
use crate::model::service::{BadSetting, Pending, Service};
use crate::model::session::Session;
use crate::model::test_number::TestNumber;
use crate::model::verification::{Details, Status, Verification};
use crate::secret::Secret;
use crate::store::records::{self, Ahead, Versioned};
use futures_util::future::join;
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;

/// What a look sees.
pub(in crate::app) struct Seen<'w> {
    /// The service, as it sends to the number.
    pub(in crate::app) service: Arc<Service>,
    /// Which countries are reached this time.
    pub(in crate::app) countries: Countries,
    /// What the lists say of it, channel by channel; nothing of a test number.
    pub(in crate::app) lists: Listed,
    /// The number, and what it is to tests.
    pub(in crate::app) number: Result<(PhoneNumber, Option<&'w TestNumber>), PhoneError>,
    /// The channel that is asked for.
    pub(in crate::app) channel: Option<Channel>,
    /// The channels that may take the place of the send that did not arrive, the best
    /// first; nothing where somebody asks.
    pub(in crate::app) plan: Option<Vec<Channel>>,
    /// The channels whose senders the person has told to stop.
    pub(in crate::app) unwanted: Vec<Channel>,
    /// What is said about it, as people will see it.
    pub(in crate::app) details: Result<Details, AdmissionError>,
    /// What is wrong with the language.
    pub(in crate::app) language: Option<BadSetting>,
    /// The code that the application brings.
    pub(in crate::app) custom: Option<&'w Secret>,
    /// Where what leads to the verification stands; nothing where each start is one
    /// of its own.
    pub(in crate::app) place: Option<Place>,
    /// The verification that was begun last, or the one that is named.
    pub(in crate::app) last: Option<Versioned<Verification>>,
    /// Its last send's number, if what was reported of it is that it did not arrive.
    pub(in crate::app) failed: Option<u8>,
    /// Whether the idempotency key was used for something else.
    pub(in crate::app) is_key_reused: bool,
    /// The values to count by, with the names of their rate limits.
    pub(in crate::app) limits: &'w [(String, String)],
    /// What was read.
    pub(in crate::app) ahead: Ahead,
    compat: Option<Compat>,
}

/// What a look comes to.
pub(in crate::app) enum Sight<'w> {
    /// The request was answered before.
    Answered(Box<Started>),
    /// It was, so long ago that the answer counts no more, and is not gone yet.
    Outdated,
    /// It is new.
    Seen(Box<Seen<'w>>),
}

/// Looks at what a wish depends on.
///
/// # Errors
/// A service or verification that is not there, or the store's.
pub(in crate::app) async fn see<'w>(
    verifying: &'w Verifying,
    profile: &Profile,
    target: &'w Target<'w>,
    asker: &Admitted,
) -> Result<Sight<'w>, VerificationError> {
    match target {
        Target::Number { request, limits, passes_countries, kept } => {
            let asked = Asked { request, limits, passes_countries: *passes_countries };
            see_number(verifying, profile, asked, (kept.as_ref(), asker)).await
        }
        Target::Verification { id, again, is_own } => {
            let seen = see_verification(verifying, id, (again.channel, again.address), asker, is_own).await?;
            Ok(Sight::Seen(Box::new(seen)))
        }
        Target::Following { id, number } => {
            let seen = see_followed(verifying, id, *number, asker).await?;
            Ok(Sight::Seen(Box::new(seen)))
        }
    }
}

/// The same where what did not arrive is to be followed, and by which ways it may be. What
/// is not to be followed any more, for it was, arrived after all, or somebody asked for
/// another send, is not there.
async fn see_followed<'w>(
    verifying: &'w Verifying,
    id: &VerificationId,
    number: u8,
    asker: &Admitted,
) -> Result<Seen<'w>, VerificationError> {
    let seen = see_verification(verifying, id, (None, None), asker, &|_| true).await?;
    let store = verifying.base.store();
    let old = seen.last.as_ref().map(|last| &last.record).ok_or(Fault::NotFound)?;
    let policy = seen.service.policy(&verifying.directory.policy);
    let mut plan = old.ways_on(&policy, number);
    if let Some(session) = &old.session
        && let Some(session) = records::get::<Session>(store, session.as_str()).await?
    {
        plan = session.record.allowed(plan);
    }
    let sid = old.send(number).and_then(|send| send.sid.as_ref());
    let delivery = match sid {
        Some(sid) => seen.ahead.get::<Delivery>(store, sid.as_str()).await?,
        None => None,
    };
    if old.fails_over_at(number).is_none()
        || delivery.is_some_and(|found| found.record.is_delivered() == Some(true))
    {
        return Err(Fault::NotFound.into());
    }
    Ok(Seen { channel: None, plan: Some(plan), ..seen })
}

/// What is asked for a number.
#[derive(Clone, Copy)]
struct Asked<'w> {
    request: &'w StartRequest,
    limits: &'w [(String, String)],
    passes_countries: bool,
}

/// One round trip where the service is known and nothing stands open.
async fn see_number<'w>(
    verifying: &'w Verifying,
    profile: &Profile,
    asked: Asked<'w>,
    (kept, asker): (Option<&Kept>, &Admitted),
) -> Result<Sight<'w>, VerificationError> {
    let (directory, store, mut ahead) = (&verifying.directory, verifying.base.store(), Ahead::default());
    let number = numbers::read(&verifying.admission, &asked.request.to);
    if let Some(kept) = kept {
        kept.want(&mut ahead);
    }
    let limiting = &verifying.admission.limiting;
    flags::want(&limiting.seen, limiting.configured(), (asker, true), &mut ahead);
    let to = number.as_ref().ok().map(|(to, _)| to);
    let known = known_service(directory, asked.request.service.as_ref());
    match &known {
        Some(service) => want(verifying, profile, asked, (service, to), &mut ahead),
        None => find::want_service(directory, asked.request.service.as_ref(), &mut ahead),
    }
    // What the lists say is known, or read beside it.
    let lists = verifying.admission.lists.matcher(&verifying.base);
    let (read, lists) = join(ahead.read(store), lists).await;
    let (_, lists) = (read?, lists?);
    let is_key_reused = match kept {
        None => false,
        Some(kept) => match kept.replay(verifying, &ahead).await? {
            Replay::Nothing => false,
            Replay::Reused => true,
            Replay::Outdated => return Ok(Sight::Outdated),
            Replay::Answer(verification, is_same, until) => {
                return answered(directory, *verification, (is_same, until)).await;
            }
        },
    };
    let service = match known {
        Some(service) => service,
        None => {
            let service = find::service_from(directory, asked.request.service.as_ref(), &ahead).await?;
            want(verifying, profile, asked, (&service, to), &mut ahead);
            ahead.read(store).await?;
            service
        }
    };
    directory.services.refuse_unfit(&service)?;
    let (place, last) = match (to, one_of(profile, &service, asked.request)) {
        (Some(to), Some(one)) => {
            let found = pending::pointers(&verifying.base, &service, to, one.as_deref(), &ahead).await?;
            let last = pending::led_to(&verifying.base, &found, &mut ahead).await?;
            (Some(found.place), last)
        }
        _ => (None, None),
    };
    let mut failed = None;
    if let Some(last) = last.as_ref().filter(|last| is_pending(last, verifying.base.now())) {
        view::around_into(&verifying.admission, &[&last.record], &mut ahead).await?;
        failed = view::failed_send(&verifying.admission, &last.record, &ahead).await?;
    }
    let compat = match asked.limits {
        [] => None,
        _ => ahead.get::<Compat>(store, service.id.as_str()).await?.map(|found| found.record),
    };
    let ways = ways_to(verifying, service, to, asked.passes_countries, &ahead).await?;
    let lists = match number.as_ref() {
        Ok((to, None)) => {
            let by = (&ways.service.id, asked.request.address);
            lists::said(&verifying.admission, &lists, to, by)
        }
        _ => Listed::default(),
    };
    let unwanted = match to {
        Some(to) => ways::unwanted(&verifying.admission, &ways.service, to, &ahead).await?,
        None => Vec::new(),
    };
    let request = asked.request;
    Ok(Sight::Seen(Box::new(Seen {
        channel: request.channel,
        details: details(verifying, &ways.service, last.as_ref(), request),
        language: request.locale.as_deref().and_then(|locale| {
            let set = request.details.template.as_deref();
            terms::refuse_unspoken(directory, &ways.service, set, Some(locale)).err()
        }),
        custom: request.custom_code.as_ref(),
        plan: None,
        limits: asked.limits,
        service: ways.service,
        countries: ways.countries,
        lists,
        number,
        unwanted,
        place,
        last,
        failed,
        is_key_reused,
        compat,
        ahead,
    })))
}

/// Wants what is to be read once the service is known.
fn want(
    verifying: &Verifying,
    profile: &Profile,
    asked: Asked<'_>,
    (service, to): (&Arc<Service>, Option<&PhoneNumber>),
    ahead: &mut Ahead,
) {
    if let Some(to) = to {
        ways::want_ways(&verifying.admission, service.clone(), to, ahead);
        if let Some(one) = one_of(profile, service, asked.request) {
            pending::want_pointers(service, to, one.as_deref(), ahead);
        }
    }
    if !asked.limits.is_empty() {
        ahead.want::<Compat>(service.id.as_str());
    }
}

async fn ways_to(
    verifying: &Verifying,
    service: Arc<Service>,
    to: Option<&PhoneNumber>,
    passes_countries: bool,
    ahead: &Ahead,
) -> Result<Ways, VerificationError> {
    match to {
        None => Ok(Ways::of(service, Countries::AsSet, &verifying.admission.senders)),
        Some(to) if passes_countries => {
            let service = compat::sending_to(&verifying.directory, service, to, ahead).await?;
            Ok(Ways::of(service, Countries::All, &verifying.admission.senders))
        }
        Some(to) => Ok(ways::ways(&verifying.admission, service, to, ahead).await?),
    }
}

/// What is said, as people will see it. What the open verification says already was
/// judged when that began.
fn details(
    verifying: &Verifying,
    service: &Service,
    last: Option<&Versioned<Verification>>,
    request: &StartRequest,
) -> Result<Details, AdmissionError> {
    let open = last.filter(|last| is_pending(last, verifying.base.now()));
    match open.is_some_and(|open| open.record.details == request.details) {
        true => Ok(request.details.clone()),
        false => terms::worded(service, &request.details),
    }
}

/// Of whom there is one verification at a time: nothing where each start is one of its
/// own, `Some(None)` for all of the service.
fn one_of(profile: &Profile, service: &Service, request: &StartRequest) -> Option<Option<String>> {
    match profile.one {
        One::OfService => Some(None),
        One::OfCaller if service.settings.pending == Pending::Many => None,
        One::OfCaller => pending::caller_key(request.caller.as_deref(), request.session.as_ref()).map(Some),
    }
}

async fn answered<'w>(
    directory: &Directory,
    verification: Verification,
    (is_same, until): (bool, Option<Timestamp>),
) -> Result<Sight<'w>, VerificationError> {
    let service = find::service_of(directory, &verification).await?;
    let view = view::view_as_started(directory, service, verification);
    // What was said of the time is said as it is now.
    let now = directory.base.now();
    let wait = until.filter(|until| *until > now).map(|until| seconds_between(now, until));
    Ok(Sight::Answered(Box::new(Started { view, replayed: true, is_same, wait })))
}

/// Two round trips: the verification, and what stands around it.
async fn see_verification<'w>(
    verifying: &'w Verifying,
    id: &VerificationId,
    (channel, address): (Option<Channel>, Option<IpAddr>),
    asker: &Admitted,
    is_own: &(dyn Fn(&Verification) -> bool + Sync),
) -> Result<Seen<'w>, VerificationError> {
    let (admission, directory) = (&verifying.admission, &verifying.directory);
    let old = happen::verification(&verifying.base, id).await?;
    if !is_own(&old.record) {
        return Err(Fault::NotFound.into());
    }
    let mut ahead = Ahead::default();
    let limiting = &admission.limiting;
    flags::want(&limiting.seen, limiting.configured(), (asker, false), &mut ahead);
    let around = [&old.record];
    let around = view::around_into(admission, &around, &mut ahead);
    let (around, lists) = join(around, admission.lists.matcher(&verifying.base)).await;
    around?;
    let lists = lists?;
    let service = find::service_of_from(directory, &old.record, &ahead).await?;
    let to = &old.record.to;
    let ways = ways::ways(admission, service, to, &ahead).await?;
    let lists = match old.record.test {
        true => Listed::default(),
        false => lists::said(admission, &lists, to, (&ways.service.id, address)),
    };
    Ok(Seen {
        plan: None,
        lists,
        unwanted: ways::unwanted(admission, &ways.service, to, &ahead).await?,
        failed: view::failed_send(admission, &old.record, &ahead).await?,
        service: ways.service,
        countries: ways.countries,
        number: Ok((to.clone(), None)),
        channel: Some(channel.unwrap_or_else(|| old.record.channel())),
        details: Ok(old.record.details.clone()),
        language: None,
        custom: None,
        place: None,
        last: Some(old),
        is_key_reused: false,
        limits: &[],
        compat: None,
        ahead,
    })
}

fn known_service(directory: &Directory, id: Option<&ServiceId>) -> Option<Arc<Service>> {
    match id {
        None => Some(directory.services.default_service().clone()),
        Some(id) => directory.services.known(id).flatten(),
    }
}

fn is_pending(found: &Versioned<Verification>, now: Timestamp) -> bool {
    found.record.status_at(now) == Status::Pending
}

impl Seen<'_> {
    /// The rate limits that the service has.
    pub(in crate::app) fn known_limits(&self) -> &[RateLimit] {
        self.compat.as_ref().map_or(&[], |compat| &compat.rate_limits)
    }

    /// Whether a verification stands open, so that the wish goes on with it.
    pub(in crate::app) fn stands_open(&self, now: Timestamp) -> bool {
        self.last.as_ref().is_some_and(|last| is_pending(last, now))
    }

    /// What changes whenever somebody begins anew or sends again, and not when a job goes
    /// about its outbox steps.
    pub(in crate::app) fn mark(&self) -> Mark {
        self.last.as_ref().map(|last| (last.record.id.clone(), last.record.sends.len()))
    }
}
