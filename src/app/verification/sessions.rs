//! Sessions: the way through the hosted pages, from an application and back.
//!
//! A step ([`steps`]) is read, decided by the model and written against the
//! version it was read at, and what it begins or checks is a verification like
//! any other. The browser's secret and the result are made here and kept as
//! hashes.

mod error;
mod steps;

pub use self::error::SessionError;
pub use self::steps::{
    end_session, session_again, session_begin, session_change, session_check, session_leave, session_number,
    session_resend, session_start, session_stay,
};

use crate::app::admission::ways::ways;
use crate::app::admission::{Admission, AdmissionError, numbers, terms};
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::services::{Directory, ServiceError, find};
use crate::app::transact::{self, Draft, transact};
use crate::app::verification::{CaptchaOffer, View, check};
use crate::model::channel::Channel;
use crate::model::id::{ServiceId, SessionId};
use crate::model::phone::{NumberPolicy, PhoneNumber};
use crate::model::return_url;
use crate::model::service::Service;
use crate::model::session::{self, Input, MOST_STATE, Outcome, Session, Standing, Step, decide};
use crate::model::verification::Details;
use crate::secret::Secret;
use crate::store::records::{self, Ahead, Versioned};
use std::net::IpAddr;
use std::sync::Arc;

/// What an application asks for.
#[derive(Clone, Default)]
pub struct NewSession {
    /// The number to be proved; without one the person enters it.
    pub to: Option<String>,
    /// The channels it may use; none for all of the service's.
    pub channels: Vec<Channel>,
    /// For which service; nothing for the one of the configuration's top level.
    pub service: Option<ServiceId>,
    /// Where the person goes in the end; nothing for the service's own page.
    pub return_url: Option<String>,
    /// The application's own word, given back as it came.
    pub state: Option<String>,
    /// The language of its pages; nothing for the browser's.
    pub locale: Option<String>,
    /// What pages and messages say about it.
    pub details: Details,
}

/// The language that messages are to be in.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocaleHints<'a> {
    /// What the person chose: before what the application asked for.
    pub chosen: Option<&'a str>,
    /// What the browser says: after it.
    pub guessed: Option<&'a str>,
}

/// Who comes to the pages.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visitor<'a> {
    /// The language that messages are to be in.
    pub locale_hints: LocaleHints<'a>,
    /// The address that they come from.
    pub address: Option<IpAddr>,
    /// What they bring as a proof that a person is there.
    pub captcha: Option<&'a CaptchaOffer>,
}

/// Who moves a session.
#[derive(Debug, Clone, Copy)]
enum Who<'b> {
    /// The person, with the secret of their browser.
    Browser(&'b Secret),
    /// The application that began it.
    Application,
}

/// A session as a page needs it.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// The record, as it stands at this moment.
    pub session: Session,
    /// The service it belongs to.
    pub service: Arc<Service>,
    /// The page it is at.
    pub step: Step,
    /// The channels that may be used for its number, the preferred one first.
    pub channels: Vec<Channel>,
    /// Its verification, once one was started.
    pub verification: Option<View>,
    /// What is about to follow by itself, by which channel, and whether it was asked for
    /// already; what follows silence alone is not told where `hides_arrival`.
    pub follows: Option<(Channel, bool)>,
    /// Whether its pages keep to themselves that a message has arrived: some that the
    /// service is asked for never leave, and nobody is to tell these by that.
    pub hides_arrival: bool,
}

/// Makes a session.
///
/// # Errors
/// A number, channel, service or address that is refused, a payment that is
/// missing, or the store's.
pub async fn create_session(admission: &Admission, request: NewSession) -> Result<Session, SessionError> {
    let service = find::service(&admission.directory, request.service.as_ref()).await?;
    // Here, for the person could not say what is paid.
    let details = terms::worded(&service, &request.details)?;
    terms::refuse_unpaid(&service, &details)?;
    let (set, locale) = (details.template.as_deref(), request.locale.as_deref());
    terms::refuse_unspoken(&admission.directory, &service, set, locale).map_err(AdmissionError::from)?;
    let pages = &service.settings.pages;
    let return_url = match &request.return_url {
        Some(url) => Some(return_url::permit(&pages.return_urls, url).map_err(SessionError::ReturnUrl)?),
        None if pages.success_url.is_some() => None,
        None => {
            let what = "is missing: say where people go back to, or set the service's pages.success_url";
            return Err(SessionError::ReturnUrl(what.to_owned()));
        }
    };
    if request.state.as_ref().is_some_and(|state| state.len() > MOST_STATE) {
        return Err(AdmissionError::Malformed("state: 1024 bytes at most").into());
    }
    if let Some(channel) = request.channels.iter().find(|it| !service.settings.channels.contains(it)) {
        return Err(AdmissionError::ChannelOff(*channel).into());
    }
    let to = match &request.to {
        Some(to) => Some(number_in(admission, to, None)?),
        None if pages.register => None,
        None => {
            let what = "the service lets nobody enter a number: give one, or set pages.register";
            return Err(AdmissionError::NotAllowed { field: "to", what }.into());
        }
    };
    let now = admission.base.now();
    let session = Session {
        id: SessionId::from_random(admission.base.entropy.bytes()),
        service: Some(service.id.clone())
            .filter(|id| *id != admission.directory.services.default_service().id),
        to,
        channels: request.channels,
        return_url,
        state: request.state,
        locale: request.locale,
        details,
        created_at: now,
        expires_at: now.checked_add(session::LIFETIME).unwrap_or(now),
        browser: None,
        number: None,
        numbers: 0,
        verification: None,
        starts: 0,
        end: None,
        result: None,
        exchanged_at: None,
    };
    if let Some(to) = &session.to
        && session
            .allowed(ways(admission, service.clone(), to, &Ahead::default()).await?.channels(to))
            .is_empty()
    {
        return Err(AdmissionError::NoChannel.into());
    }
    records::save(admission.base.store(), None, &session).await?;
    tracing::info!(service = %service.id, "session created");
    Ok(session)
}

/// A session as a browser with that secret may see it.
///
/// # Errors
/// [`Fault::NotFound`] for one that is unknown, over or another
/// browser's, or the store's.
pub async fn session(
    admission: &Admission,
    id: &SessionId,
    browser: Option<&Secret>,
) -> Result<SessionView, SessionError> {
    let session = own_session(&admission.base, id, browser).await?.record;
    session_view(admission, session).await
}

/// A secret by which a browser is known again.
pub fn new_browser(base: &Base) -> Secret {
    Secret::new(base.entropy.hex::<32>())
}

/// Exchanges a result, once.
///
/// # Errors
/// [`SessionError::NoSuchResult`] for anything that is not this session's
/// result, or was exchanged before, or came too late.
pub async fn session_result(
    admission: &Admission,
    id: &SessionId,
    result: &str,
) -> Result<SessionView, SessionError> {
    let hash = session::hash(result);
    let look = || async {
        let Some(old) = records::get::<Session>(admission.base.store(), id.as_str()).await? else {
            return Err(SessionError::NoSuchResult);
        };
        let (new, outcome) = decide(&old.record, Input::Exchange(hash.clone()), admission.base.now());
        if outcome != Outcome::Done {
            return Err(SessionError::NoSuchResult);
        }
        Ok(Draft::Write(vec![records::put(Some(&old), &new)], new))
    };
    let session = transact(&admission.base, &transact::SESSION, look).await?;
    session_view(admission, session).await
}

/// What a person or an application wrote, as a number.
fn number_in(admission: &Admission, text: &str, region: Option<&str>) -> Result<PhoneNumber, SessionError> {
    let policy = match region {
        Some(region) => NumberPolicy { default_region: Some(region.to_owned()), ..admission.numbers.clone() },
        None => admission.numbers.clone(),
    };
    Ok(numbers::number_by(admission, text, &policy)?.0)
}

async fn session_of(base: &Base, id: &SessionId, who: Who<'_>) -> Result<Versioned<Session>, SessionError> {
    match who {
        Who::Browser(browser) => own_session(base, id, Some(browser)).await,
        Who::Application => {
            let found = records::get::<Session>(base.store(), id.as_str()).await?;
            let is_there = |found: &Versioned<Session>| base.now() < found.record.expires_at;
            found.filter(is_there).ok_or(Fault::NotFound.into())
        }
    }
}

async fn own_session(
    base: &Base,
    id: &SessionId,
    browser: Option<&Secret>,
) -> Result<Versioned<Session>, SessionError> {
    let hash = browser.map(|browser| session::hash(browser.expose()));
    let found = records::get::<Session>(base.store(), id.as_str()).await?;
    let is_own = |session: &Session| base.now() < session.expires_at && session.belongs_to(hash.as_deref());
    found.filter(|found| is_own(&found.record)).ok_or(Fault::NotFound.into())
}

async fn session_view(admission: &Admission, session: Session) -> Result<SessionView, SessionError> {
    let service = service_of_session(&admission.directory, &session).await?;
    let verification = match &session.verification {
        Some(id) => Some(check::fetch(admission, id).await?),
        None => None,
    };
    let number = session.number.as_ref().or(session.to.as_ref());
    let channels = match (number, &verification) {
        (_, Some(view)) => session.allowed(view.channels_left.clone()),
        (Some(number), None) => session
            .allowed(ways(admission, service.clone(), number, &Ahead::default()).await?.channels(number)),
        (None, None) => session.allowed(service.settings.channels.clone()),
    };
    let standing = verification.as_ref().map(|view| Standing {
        verification: view.verification.id.clone(),
        to: view.verification.to.clone(),
        status: view.status,
    });
    let step = session.step(standing.as_ref());
    let never_left = |view: &View| view.verification.sends.iter().any(|send| send.shadow);
    let hides_arrival =
        admission.fraud.may_shadow(&service.settings.fraud) || verification.as_ref().is_some_and(never_left);
    let policy = service.policy(&admission.directory.policy);
    let follows = verification.as_ref().and_then(|view| {
        let usable = session.allowed(policy.channels.clone());
        let about_to = view.verification.about_to_follow(&policy, &usable)?;
        // What arrived is looked at once more when the time comes, and not followed.
        let is_told = about_to.1 || (!hides_arrival && !view.has_arrived());
        is_told.then_some(about_to)
    });
    Ok(SessionView { session, service, step, channels, verification, follows, hides_arrival })
}

/// The service of a session. One whose service was deleted goes on by the
/// rules of the top level.
async fn service_of_session(directory: &Directory, session: &Session) -> Result<Arc<Service>, SessionError> {
    match find::service(directory, session.service.as_ref()).await {
        Err(ServiceError::NoSuchService) => Ok(directory.services.default_service().clone()),
        other => Ok(other?),
    }
}
