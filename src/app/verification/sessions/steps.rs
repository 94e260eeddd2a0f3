//! The steps that a person takes in a session.
//!
//! Each is decided on the record that it is written to. What a step knows of the
//! session's verification it reads anew with every try and hands to the model by
//! name; whatever was seen before that decides nothing.

use super::{LocaleHints, SessionView, Visitor, Who};
use crate::app::admission::profile::Profile;
use crate::app::admission::ways::ways;
use crate::app::admission::{Admission, AdmissionError, terms};
use crate::app::base::Base;
use crate::app::events::told;
use crate::app::fault::Fault;
use crate::app::services::Directory;
use crate::app::transact::{self, Draft, TRIES, transact};
use crate::app::verification::check::{self, check};
use crate::app::verification::start::{resend, start_as};
use crate::app::verification::{
    Again, Checked, Idempotency, Offer, SessionError, StartRequest, VerificationError, Verifying, happen,
    sessions,
};
use crate::model::channel::Channel;
use crate::model::id::SessionId;
use crate::model::phone::PhoneNumber;
use crate::model::service::Service;
use crate::model::session::{self, End, Input, Outcome, Session, Standing, Step, decide};
use crate::model::typed::Found;
use crate::model::verification::Status;
use crate::secret::Secret;
use crate::store::records::{self, Ahead};
use std::time::Duration;

/// Whose idempotency keys those of the pages are; no API key has this name.
const CALLER: &str = "pages";

/// How long a step waits for one that was taken at the same time and chose
/// otherwise, and how often before it goes its own way.
const SHORTLY: Duration = Duration::from_millis(30);
const WAITS: usize = 10;

/// What a step must know of the session's verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing of it: the step does not depend on it.
    Aside,
    /// Where it stands.
    Now,
    /// Where it stands once it was called off, if the step happens then.
    CalledOff,
}

/// The first step: the session belongs to this browser from here on. Where
/// nothing is left to choose, the code is sent.
///
/// # Errors
/// As [`verification::session`](crate::app::verification::session), and as [`verification::session_start`](crate::app::verification::session_start).
pub async fn session_begin(
    verifying: &Verifying,
    id: &SessionId,
    browser: &Secret,
    visitor: Visitor<'_>,
) -> Result<SessionView, SessionError> {
    let session = session_bound(&verifying.admission, id, browser).await?;
    session_advance(verifying, session, browser, visitor).await
}

/// The session, as this browser's.
async fn session_bound(
    admission: &Admission,
    id: &SessionId,
    browser: &Secret,
) -> Result<Session, SessionError> {
    let begin = Input::Begin(session::hash(browser.expose()));
    move_session(admission, id, Who::Browser(browser), Look::Aside, |_| Some(begin.clone())).await
}

/// A number was entered, perhaps in the writing of a region, and perhaps as
/// the first step. Where nothing is left to choose, the code is sent.
///
/// # Errors
/// A number that is none or that no channel reaches, too many numbers, and
/// as [`verification::session_start`](crate::app::verification::session_start).
pub async fn session_number(
    verifying: &Verifying,
    id: &SessionId,
    browser: &Secret,
    text: &str,
    region: Option<&str>,
    visitor: Visitor<'_>,
) -> Result<SessionView, SessionError> {
    let number = sessions::number_in(&verifying.admission, text, region)?;
    let session = sessions::own_session(&verifying.base, id, Some(browser)).await?.record;
    let service = sessions::service_of_session(&verifying.directory, &session).await?;
    let ways = ways(&verifying.admission, service.clone(), &number, &Ahead::default()).await?;
    if session.allowed(ways.channels(&number)).is_empty() {
        let channel = service.settings.channels.first().copied().unwrap_or(Channel::Sms);
        let region = number.region().unwrap_or_else(|| "??".to_owned());
        return Err(AdmissionError::CountryOff { channel, region }.into());
    }
    if session.browser.is_none() {
        session_bound(&verifying.admission, id, browser).await?;
    }
    let entered = |_| Some(Input::Number(number.clone()));
    let session = move_session(&verifying.admission, id, Who::Browser(browser), Look::Aside, entered).await?;
    session_advance(verifying, session, browser, visitor).await
}

/// Another number is wanted: the code that is on its way is called off
/// first. If it was right at that very moment, the number stays.
///
/// # Errors
/// As [`verification::session`](crate::app::verification::session), too many numbers, or not from here.
pub async fn session_change(
    admission: &Admission,
    id: &SessionId,
    browser: &Secret,
) -> Result<SessionView, SessionError> {
    let forget = |standing| Some(Input::ForgetNumber(standing));
    let session = move_session(admission, id, Who::Browser(browser), Look::CalledOff, forget).await?;
    sessions::session_view(admission, session).await
}

/// Sends the first code by a channel. Twice the same step sends one.
///
/// # Errors
/// A channel that may not be used, too many starts, as [`verification::session`](crate::app::verification::session),
/// and as [`verification::start`](crate::app::verification::start).
pub async fn session_start(
    verifying: &Verifying,
    id: &SessionId,
    browser: &Secret,
    channel: Channel,
    visitor: Visitor<'_>,
) -> Result<SessionView, SessionError> {
    session_start_for(verifying, id, browser, channel, visitor, None).await
}

/// The same, if the session's number is still the one that is meant.
async fn session_start_for(
    verifying: &Verifying,
    id: &SessionId,
    browser: &Secret,
    channel: Channel,
    visitor: Visitor<'_>,
    meant: Option<&PhoneNumber>,
) -> Result<SessionView, SessionError> {
    for attempt in 0..TRIES {
        let session = sessions::own_session(&verifying.base, id, Some(browser)).await?.record;
        let (Some(number), None, None) = (&session.number, &session.verification, session.end) else {
            return sessions::session_view(&verifying.admission, session).await;
        };
        if meant.is_some_and(|meant| meant != number) {
            return sessions::session_view(&verifying.admission, session).await;
        }
        if session.starts >= session::MOST_STARTS {
            return Err(SessionError::NoStartsLeft);
        }
        let service = sessions::service_of_session(&verifying.directory, &session).await?;
        let ways = ways(&verifying.admission, service.clone(), number, &Ahead::default()).await?;
        if !session.allowed(ways.channels(number)).contains(&channel) {
            return Err(AdmissionError::ChannelOff(channel).into());
        }
        let request = StartRequest {
            channel: Some(channel),
            locale: session_locale(&verifying.directory, &service, &session, visitor.locale_hints)
                .map(str::to_owned),
            service: session.service.clone(),
            session: Some(session.id.clone()),
            address: visitor.address,
            captcha: visitor.captcha.cloned(),
            details: session.details.clone(),
            ..StartRequest::to(number.in_full())
        };
        // Whoever takes this step of this session a second time, at once or
        // after a fall, gets the verification of the first.
        // Once nobody can be under way any more, what was begun and not
        // written down is left to itself.
        let round = attempt / WAITS;
        let key = format!("{id}/{}/{}/{round}", session.starts, session.numbers);
        let kept = Idempotency { caller: CALLER.into(), key };
        let started = match start_as(verifying, &Profile::PAGES, &request, Some(kept)).await {
            // The first one chose otherwise, and is about to be written.
            Err(VerificationError::Admission(AdmissionError::KeyReused)) => {
                tokio::time::sleep(SHORTLY).await;
                continue;
            }
            started => started?.view.verification,
        };
        let standing = Standing { verification: started.id, to: started.to, status: Status::Pending };
        return session_started(&verifying.admission, id, browser, standing, session.starts).await;
    }
    Err(Fault::Contended.into())
}

/// The language of a session's messages. One that was asked for while there
/// were texts in it, and is gone since, is passed over: nobody is here to whom
/// that could be told.
fn session_locale<'a>(
    directory: &Directory,
    service: &Service,
    session: &'a Session,
    locale_hints: LocaleHints<'a>,
) -> Option<&'a str> {
    let set = session.details.template.as_deref();
    let wishes = [locale_hints.chosen, session.locale.as_deref(), locale_hints.guessed];
    wishes
        .into_iter()
        .flatten()
        .find(|locale| terms::refuse_unspoken(directory, service, set, Some(locale)).is_ok())
}

/// Hangs what was started on the session. If the person has gone on
/// meanwhile, nobody waits for its code, and it is called off.
async fn session_started(
    admission: &Admission,
    id: &SessionId,
    browser: &Secret,
    standing: Standing,
    starts: u8,
) -> Result<SessionView, SessionError> {
    let started = |_| Some(Input::Started { standing: standing.clone(), starts });
    let moved = move_session(admission, id, Who::Browser(browser), Look::Aside, started).await;
    let is_left_alone = match &moved {
        Ok(session) => session.verification.as_ref() != Some(&standing.verification),
        Err(error) => matches!(error, SessionError::Fault(Fault::NotFound) | SessionError::NoStartsLeft),
    };
    if is_left_alone {
        call_off(admission, standing).await?;
    }
    sessions::session_view(admission, moved?).await
}

/// Sends again, by this channel.
///
/// # Errors
/// A channel that may not be used, as [`verification::session`](crate::app::verification::session), and as
/// [`verification::resend`](crate::app::verification::resend).
pub async fn session_resend(
    verifying: &Verifying,
    id: &SessionId,
    browser: &Secret,
    channel: Channel,
    visitor: Visitor<'_>,
) -> Result<SessionView, SessionError> {
    let view = sessions::session(&verifying.admission, id, Some(browser)).await?;
    let Some(verification) = view.session.verification.clone().filter(|_| view.step == Step::Code) else {
        return Ok(view);
    };
    if !view.channels.contains(&channel) {
        return Err(AdmissionError::ChannelOff(channel).into());
    }
    let again = Again {
        channel: Some(channel),
        address: visitor.address,
        session: Some(id.clone()),
        captcha: visitor.captcha.cloned(),
        ..Again::default()
    };
    resend(verifying, &verification, &again, &|_| true).await?;
    sessions::session_view(&verifying.admission, view.session).await
}

/// Sends nothing more by itself: the person will ask for it. Where there is nothing that
/// could follow, nothing happens.
///
/// # Errors
/// As [`verification::session`](crate::app::verification::session).
pub async fn session_stay(
    admission: &Admission,
    id: &SessionId,
    browser: &Secret,
) -> Result<SessionView, SessionError> {
    let session = sessions::own_session(&admission.base, id, Some(browser)).await?.record;
    if let Some(verification) = session.verification.as_ref().filter(|_| session.end.is_none()) {
        match check::stay(admission, verification).await {
            Ok(_) | Err(VerificationError::Ended(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    sessions::session_view(admission, session).await
}

/// Offers the code that a person typed, or that stands in what they pasted.
/// `None` where there is nothing to offer it to.
///
/// # Errors
/// As [`verification::session`](crate::app::verification::session), as [`verification::check`](crate::app::verification::check), and
/// [`VerificationError::SeveralCodes`].
pub async fn session_check(
    verifying: &Verifying,
    id: &SessionId,
    browser: &Secret,
    code: &str,
) -> Result<Option<Checked>, SessionError> {
    let session = sessions::own_session(&verifying.base, id, Some(browser)).await?.record;
    let Some(verification) = session.verification.filter(|_| session.end.is_none()) else {
        return Ok(None);
    };
    let code = match happen::verification(&verifying.base, &verification).await?.record.code.find(code) {
        Found::One(code) => code,
        Found::Several => return Err(VerificationError::SeveralCodes.into()),
        // Refused as it is, by the same rule as everywhere.
        Found::Nothing => code.to_owned(),
    };
    let offer = Offer { code, amount: session.details.amount.clone(), payee: session.details.payee.clone() };
    Ok(Some(check(verifying, &verification, offer).await?))
}

/// Once more, after a failure.
///
/// # Errors
/// Not allowed by the service, too many starts, and as [`verification::session`](crate::app::verification::session).
pub async fn session_again(
    verifying: &Verifying,
    id: &SessionId,
    browser: &Secret,
    visitor: Visitor<'_>,
) -> Result<SessionView, SessionError> {
    let view = sessions::session(&verifying.admission, id, Some(browser)).await?;
    if view.step != Step::Done(End::Failed) {
        return Ok(view);
    }
    if !view.service.settings.pages.retry {
        let what = "the service does not let people begin anew: see pages.retry";
        return Err(AdmissionError::NotAllowed { field: "retry", what }.into());
    }
    let again = |standing: Option<Standing>| standing.map(Input::Again);
    let session = move_session(&verifying.admission, id, Who::Browser(browser), Look::Now, again).await?;
    session_advance(verifying, session, browser, visitor).await
}

/// Back to the application: the address with a result, which is shown here
/// once and kept as a hash. `cancel` ends what is under way; without it a
/// session that has not ended stays, and there is no address.
///
/// # Errors
/// As [`verification::session`](crate::app::verification::session).
pub async fn session_leave(
    admission: &Admission,
    id: &SessionId,
    browser: &Secret,
    cancel: bool,
) -> Result<Option<Secret>, SessionError> {
    let result = Secret::new(admission.base.entropy.hex::<32>());
    let hash = session::hash(result.expose());
    // Whoever turns back on the first page has taken no other step.
    if cancel {
        session_bound(admission, id, browser).await?;
    }
    let look = if cancel { Look::CalledOff } else { Look::Now };
    let leave = |standing| Some(Input::Leave { standing, cancel, result: hash.clone() });
    let session = move_session(admission, id, Who::Browser(browser), look, leave).await?;
    if session.result.as_ref() != Some(&hash) {
        return Ok(None);
    }
    tracing::info!(end = ?session.end, "session ended");
    let service = sessions::service_of_session(&admission.directory, &session).await?;
    Ok(session.way_back(&service.settings.pages, result.expose()).map(Secret::new))
}

/// Goes on by itself where one channel is left. That it will be a call the
/// first page has said where the application gave the number; else nobody
/// is called because a text is refused.
async fn session_advance(
    verifying: &Verifying,
    session: Session,
    browser: &Secret,
    visitor: Visitor<'_>,
) -> Result<SessionView, SessionError> {
    let view = sessions::session_view(&verifying.admission, session).await?;
    let session = &view.session;
    let ([channel], Some(number), Step::Channel) = (&view.channels[..], &session.number, view.step) else {
        return Ok(view);
    };
    let plan = session.allowed(view.service.settings.channels.clone());
    let ways = ways(&verifying.admission, view.service.clone(), number, &Ahead::default()).await?;
    if session.to.is_none() && ways.is_makeshift(*channel, &plan, number) {
        return Ok(view);
    }
    session_start_for(verifying, &session.id, browser, *channel, visitor, Some(number)).await
}

/// Lets a step happen to a session, as often as it takes to be first, and
/// gives the session as it stands then. The event is made anew from what is
/// known of the session's verification each time; without one, and where
/// the session no longer stands where the step begins, it stays as it is.
pub(super) async fn move_session(
    admission: &Admission,
    id: &SessionId,
    who: Who<'_>,
    look: Look,
    input: impl Fn(Option<Standing>) -> Option<Input>,
) -> Result<Session, SessionError> {
    let look = || async {
        let old = sessions::session_of(&admission.base, id, who).await?;
        let standing = match look {
            Look::Aside => None,
            Look::Now => standing(&admission.base, &old.record).await?,
            Look::CalledOff => standing_without(admission, &old.record, &input).await?,
        };
        let Some(input) = input(standing) else {
            return Ok(Draft::Settled(old.record));
        };
        let (new, outcome) = decide(&old.record, input, admission.base.now());
        match outcome {
            Outcome::Gone | Outcome::NoSuchResult => Err(Fault::NotFound.into()),
            Outcome::NoNumbersLeft => Err(SessionError::NoNumbersLeft),
            Outcome::NoStartsLeft => Err(SessionError::NoStartsLeft),
            // Whoever steps where the session no longer stands is shown
            // where it does.
            Outcome::NotNow => Ok(Draft::Settled(old.record)),
            Outcome::Done if new == old.record => Ok(Draft::Settled(new)),
            Outcome::Done => {
                let mut changes = vec![records::put(Some(&old), &new)];
                changes.extend(told::told_of_session(&admission.telling, &old.record, &new));
                Ok(Draft::Write(changes, new))
            }
            Outcome::Outdated => Ok(Draft::Again),
        }
    };
    transact(&admission.base, &transact::SESSION, look).await
}

/// Where the verification stands that a session knows.
pub(super) async fn standing(base: &Base, session: &Session) -> Result<Option<Standing>, SessionError> {
    let Some(id) = &session.verification else {
        return Ok(None);
    };
    let found = happen::verification(base, id).await?.record;
    let status = found.status_at(base.now());
    Ok(Some(Standing { verification: found.id, to: found.to, status }))
}

/// Where it stands once it was called off: only if the step then happens, for
/// a step that is refused must not cost the person their code.
async fn standing_without(
    admission: &Admission,
    session: &Session,
    input: &impl Fn(Option<Standing>) -> Option<Input>,
) -> Result<Option<Standing>, SessionError> {
    let standing = standing(&admission.base, session).await?;
    let Some(open) = standing.clone().filter(|standing| standing.status == Status::Pending) else {
        return Ok(standing);
    };
    let called_off = Standing { status: Status::Canceled, ..open.clone() };
    match input(Some(called_off)).map(|input| decide(session, input, admission.base.now()).1) {
        Some(Outcome::Done) => call_off(admission, open).await.map(Some),
        _ => Ok(standing),
    }
}

/// Calls a verification off that waits for its code, and says where it
/// stands then: somebody may have been faster.
async fn call_off(admission: &Admission, standing: Standing) -> Result<Standing, SessionError> {
    let status = match check::cancel(admission, &standing.verification).await {
        Ok(view) => view.status,
        Err(VerificationError::Ended(status)) => status,
        Err(error) => return Err(error.into()),
    };
    Ok(Standing { status, ..standing })
}

/// Ends a session for the application: what is under way in it is called off.
/// One that the person or the application has ended stays so.
///
/// # Errors
/// Not found, or no longer there; [`SessionError::Ended`] for one whose
/// number is proved or that has failed; or the store's.
pub async fn end_session(admission: &Admission, id: &SessionId) -> Result<Session, SessionError> {
    let call_off = |standing| Some(Input::CallOff(standing));
    let session = move_session(admission, id, Who::Application, Look::CalledOff, call_off).await?;
    let end = match session.end {
        Some(End::Canceled | End::CalledOff) => {
            tracing::info!(session = %id, "session ended by the application");
            return Ok(session);
        }
        Some(end) => end,
        None => End::Approved,
    };
    Err(SessionError::Ended(end))
}
