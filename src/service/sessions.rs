//! Sessions: the way through the hosted pages, step by step.
//!
//! A step is read, decided by the model and written against the version it was
//! read at, and what it begins or checks is a verification like any other. The
//! browser's secret and the result are made here and kept as hashes.

use super::{Checked, Idempotency, Service, ServiceError, StartRequest, TRIES, View};
use crate::model::brand::Brand;
use crate::model::channel::Channel;
use crate::model::id::{ServiceId, SessionId};
use crate::model::phone::{NumberPolicy, PhoneNumber};
use crate::model::session::{self, End, Event, MOST_STATE, Outcome, Session, Step, decide};
use crate::model::verification::{Details, Status};
use crate::secret::Secret;
use crate::store::CommitError;
use crate::store::records::{self, Versioned};
use std::sync::Arc;
use std::time::Duration;

/// Whose idempotency keys those of the pages are; no API key has this name.
const CALLER: &str = "pages";

/// How long a step waits for one that was taken at the same time and chose
/// otherwise, and how often before it goes its own way.
const SHORTLY: Duration = Duration::from_millis(30);
const WAITS: usize = 10;

/// What an application asks for.
#[derive(Clone, Default)]
pub struct NewSession {
    /// The number to be proved; without one the person enters it.
    pub to: Option<String>,
    /// The channels it may use; none for all of the service's.
    pub channels: Vec<Channel>,
    /// For which service; nothing for the one of the configuration's top level.
    pub service: Option<ServiceId>,
    /// Where the person goes in the end.
    pub return_url: String,
    /// The application's own word, given back as it came.
    pub state: Option<String>,
    /// The language.
    pub locale: Option<String>,
    /// What pages and messages say about it.
    pub details: Details,
}

/// The language that messages are to be in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tongue<'a> {
    /// What the person chose: before what the application asked for.
    pub chosen: Option<&'a str>,
    /// What the browser says: after it.
    pub guessed: Option<&'a str>,
}

/// A session as a page needs it.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// The record.
    pub session: Session,
    /// The service it belongs to.
    pub brand: Arc<Brand>,
    /// The page it is at.
    pub step: Step,
    /// The channels that may be used for its number, the preferred one first.
    pub channels: Vec<Channel>,
    /// Its verification, once one was started.
    pub verification: Option<View>,
}

impl Service {
    /// Makes a session.
    ///
    /// # Errors
    /// A number, channel, service or address that is refused, a payment that is
    /// missing, or the store's.
    pub async fn create_session(&self, request: NewSession) -> Result<Session, ServiceError> {
        let brand = self.brand(request.service.as_ref()).await?;
        // Here, for the person could not say what is paid.
        super::terms::refuse_unpaid(&brand, &request.details)?;
        let pages = &brand.settings.pages;
        if !session::may_return(pages, &request.return_url) {
            let what = "the service does not list this address in pages.return_urls";
            return Err(ServiceError::NotAllowed { field: "return_url", what });
        }
        if request.state.as_ref().is_some_and(|state| state.len() > MOST_STATE) {
            return Err(ServiceError::Malformed("state: 1024 bytes at most"));
        }
        if let Some(channel) = request.channels.iter().find(|it| !brand.settings.channels.contains(it)) {
            return Err(ServiceError::ChannelOff(*channel));
        }
        let to = match &request.to {
            Some(to) => Some(self.number_in(to, None)?),
            None if pages.register => None,
            None => {
                let what = "the service lets nobody enter a number: give one, or set pages.register";
                return Err(ServiceError::NotAllowed { field: "to", what });
            }
        };
        let now = self.now();
        let session = Session {
            id: SessionId::from_random(self.0.entropy.bytes()),
            service: Some(brand.id.clone()).filter(|id| *id != self.brands().default_brand().id),
            to,
            channels: request.channels,
            return_url: request.return_url,
            state: request.state,
            locale: request.locale,
            details: request.details,
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
            && session.allowed(brand.channels_for(to)).is_empty()
        {
            return Err(ServiceError::NoChannel);
        }
        records::save(self.store(), None, &session).await?;
        tracing::info!(service = %brand.id, "session created");
        Ok(session)
    }

    /// A session as a browser with that secret may see it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for one that is unknown, over or another
    /// browser's, or the store's.
    pub async fn session(
        &self,
        id: &SessionId,
        browser: Option<&Secret>,
    ) -> Result<SessionView, ServiceError> {
        let session = self.own_session(id, browser).await?.record;
        self.session_view(session).await
    }

    /// A secret by which a browser is known again.
    pub fn new_browser(&self) -> Secret {
        Secret::new(self.0.entropy.hex::<32>())
    }

    /// The first step: the session belongs to this browser from here on. Where
    /// nothing is left to choose, the code is sent.
    ///
    /// # Errors
    /// As [`Service::session`], and as [`Service::session_start`].
    pub async fn session_begin(
        &self,
        id: &SessionId,
        browser: &Secret,
        tongue: Tongue<'_>,
    ) -> Result<SessionView, ServiceError> {
        let begin = Event::Begin(session::hash(browser.expose()));
        let session = self.move_session(id, browser, |_| Ok(begin.clone())).await?;
        self.session_advance(session, browser, tongue).await
    }

    /// A number was entered, perhaps in the writing of a region. Where nothing
    /// is left to choose, the code is sent.
    ///
    /// # Errors
    /// A number that is none or that no channel reaches, too many numbers, and
    /// as [`Service::session_start`].
    pub async fn session_number(
        &self,
        id: &SessionId,
        browser: &Secret,
        text: &str,
        region: Option<&str>,
        tongue: Tongue<'_>,
    ) -> Result<SessionView, ServiceError> {
        let number = self.number_in(text, region)?;
        let session = self.own_session(id, Some(browser)).await?.record;
        let brand = self.brand_of_session(&session).await?;
        if session.allowed(brand.channels_for(&number)).is_empty() {
            let channel = brand.settings.channels.first().copied().unwrap_or(Channel::Sms);
            let region = number.region().unwrap_or_else(|| "??".to_owned());
            return Err(ServiceError::CountryOff { channel, region });
        }
        let session = self.move_session(id, browser, |_| Ok(Event::Number(number.clone()))).await?;
        self.session_advance(session, browser, tongue).await
    }

    /// Another number is wanted: the code that is on its way is called off.
    ///
    /// # Errors
    /// As [`Service::session`], too many numbers, or not from here.
    pub async fn session_change(
        &self,
        id: &SessionId,
        browser: &Secret,
    ) -> Result<SessionView, ServiceError> {
        let before = self.own_session(id, Some(browser)).await?.record;
        let session = self.move_session(id, browser, |_| Ok(Event::ForgetNumber)).await?;
        self.call_off(&before).await?;
        self.session_view(session).await
    }

    /// Sends the first code by a channel. Twice the same step sends one.
    ///
    /// # Errors
    /// A channel that may not be used, too many starts, as [`Service::session`],
    /// and as [`Service::start`].
    pub async fn session_start(
        &self,
        id: &SessionId,
        browser: &Secret,
        channel: Channel,
        tongue: Tongue<'_>,
    ) -> Result<SessionView, ServiceError> {
        for attempt in 0..TRIES {
            let session = self.own_session(id, Some(browser)).await?.record;
            let (Some(number), None) = (&session.number, &session.verification) else {
                return self.session_view(session).await;
            };
            if session.starts >= session::MOST_STARTS {
                return Err(ServiceError::NoStartsLeft);
            }
            let brand = self.brand_of_session(&session).await?;
            if !session.allowed(brand.channels_for(number)).contains(&channel) {
                return Err(ServiceError::ChannelOff(channel));
            }
            let request = StartRequest {
                channel: Some(channel),
                locale: tongue.chosen.or(session.locale.as_deref()).or(tongue.guessed).map(str::to_owned),
                service: session.service.clone(),
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
            let started = match self.start(request, Some(kept)).await {
                // The first one chose otherwise, and is about to be written.
                Err(ServiceError::KeyReused) => {
                    tokio::time::sleep(SHORTLY).await;
                    continue;
                }
                started => started?.view.verification.id,
            };
            let session = self.move_session(id, browser, |_| Ok(Event::Started(started.clone()))).await?;
            return self.session_view(session).await;
        }
        Err(ServiceError::Contended)
    }

    /// Sends again, by this channel.
    ///
    /// # Errors
    /// A channel that may not be used, as [`Service::session`], and as
    /// [`Service::resend`].
    pub async fn session_resend(
        &self,
        id: &SessionId,
        browser: &Secret,
        channel: Channel,
    ) -> Result<SessionView, ServiceError> {
        let view = self.session(id, Some(browser)).await?;
        let Some(verification) = view.session.verification.clone().filter(|_| view.step == Step::Code) else {
            return Ok(view);
        };
        if !view.channels.contains(&channel) {
            return Err(ServiceError::ChannelOff(channel));
        }
        self.resend(&verification, Some(channel)).await?;
        self.session_view(view.session).await
    }

    /// Offers a code. `None` where there is nothing to offer it to; whether that
    /// is because of time, number or kind is nothing that a page tells.
    ///
    /// # Errors
    /// As [`Service::session`], and as [`Service::check`].
    pub async fn session_check(
        &self,
        id: &SessionId,
        browser: &Secret,
        code: &str,
    ) -> Result<Option<Checked>, ServiceError> {
        let session = self.own_session(id, Some(browser)).await?.record;
        let Some(verification) = session.verification.filter(|_| session.end.is_none()) else {
            return Ok(None);
        };
        let offer = super::Offer {
            code: code.to_owned(),
            amount: session.details.amount.clone(),
            payee: session.details.payee.clone(),
        };
        self.check(&verification, offer).await.map(Some)
    }

    /// Once more, after a failure.
    ///
    /// # Errors
    /// Not allowed by the service, too many starts, and as [`Service::session`].
    pub async fn session_again(
        &self,
        id: &SessionId,
        browser: &Secret,
        tongue: Tongue<'_>,
    ) -> Result<SessionView, ServiceError> {
        let view = self.session(id, Some(browser)).await?;
        if view.step != Step::Done(End::Failed) {
            return Ok(view);
        }
        if !view.brand.settings.pages.retry {
            let what = "the service does not let people begin anew: see pages.retry";
            return Err(ServiceError::NotAllowed { field: "retry", what });
        }
        let session = self.move_session(id, browser, |_| Ok(Event::Again)).await?;
        self.session_advance(session, browser, tongue).await
    }

    /// Back to the application: the address with a result, which is shown here
    /// once and kept as a hash. `cancel` ends what is under way; without it a
    /// session that has not ended stays, and there is no address.
    ///
    /// # Errors
    /// As [`Service::session`].
    pub async fn session_leave(
        &self,
        id: &SessionId,
        browser: &Secret,
        cancel: bool,
    ) -> Result<Option<Secret>, ServiceError> {
        let view = self.session(id, Some(browser)).await?;
        let end = match view.step {
            Step::Done(end) => end,
            Step::Over => return Ok(None),
            _ if cancel => End::Canceled,
            _ => return Ok(None),
        };
        let result = Secret::new(self.0.entropy.hex::<32>());
        let leave = Event::Leave(end, session::hash(result.expose()));
        // Calling off comes first: what was approved meanwhile stays approved.
        if end == End::Canceled && self.call_off(&view.session).await? == Some(Status::Approved) {
            return Ok(None);
        }
        let session = self.move_session(id, browser, |_| Ok(leave.clone())).await?;
        tracing::info!(end = ?end, "session ended");
        Ok(Some(Secret::new(session.way_back(result.expose()))))
    }

    /// Exchanges a result, once.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchResult`] for anything that is not this session's
    /// result, or was exchanged before, or came too late.
    pub async fn session_result(&self, id: &SessionId, result: &str) -> Result<SessionView, ServiceError> {
        let hash = session::hash(result);
        for attempt in 0..TRIES {
            let Some(old) = records::get::<Session>(self.store(), id.as_str()).await? else {
                return Err(ServiceError::NoSuchResult);
            };
            let (new, outcome) = decide(&old.record, Event::Exchange(hash.clone()), self.now());
            if outcome != Outcome::Done {
                return Err(ServiceError::NoSuchResult);
            }
            match records::save(self.store(), Some(&old), &new).await {
                Ok(()) => return self.session_view(new).await,
                Err(CommitError::Conflict) => self.step_back(attempt).await,
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(ServiceError::Contended)
    }

    /// What a person or an application wrote, as a number.
    fn number_in(&self, text: &str, region: Option<&str>) -> Result<PhoneNumber, ServiceError> {
        if let Some((number, _)) = self.test_number(text) {
            return Ok(number);
        }
        let policy = match region {
            Some(region) => {
                NumberPolicy { default_region: Some(region.to_owned()), ..self.0.numbers.clone() }
            }
            None => self.0.numbers.clone(),
        };
        Ok(PhoneNumber::parse(text, &policy)?)
    }

    /// Goes on by itself where one channel is left.
    async fn session_advance(
        &self,
        session: Session,
        browser: &Secret,
        tongue: Tongue<'_>,
    ) -> Result<SessionView, ServiceError> {
        let view = self.session_view(session).await?;
        match (view.step, view.channels.as_slice()) {
            (Step::Channel, [channel]) => {
                self.session_start(&view.session.id, browser, *channel, tongue).await
            }
            _ => Ok(view),
        }
    }

    /// Calls off the verification that a session knows, if it waits for a code,
    /// and says where it stands.
    async fn call_off(&self, session: &Session) -> Result<Option<Status>, ServiceError> {
        let Some(verification) = &session.verification else {
            return Ok(None);
        };
        match self.cancel(verification).await {
            Ok(view) => Ok(Some(view.status)),
            Err(ServiceError::Ended(status)) => Ok(Some(status)),
            Err(ServiceError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn own_session(
        &self,
        id: &SessionId,
        browser: Option<&Secret>,
    ) -> Result<Versioned<Session>, ServiceError> {
        let hash = browser.map(|browser| session::hash(browser.expose()));
        let found = records::get::<Session>(self.store(), id.as_str()).await?;
        let is_own =
            |session: &Session| self.now() < session.expires_at && session.belongs_to(hash.as_deref());
        found.filter(|found| is_own(&found.record)).ok_or(ServiceError::NotFound)
    }

    async fn move_session(
        &self,
        id: &SessionId,
        browser: &Secret,
        event: impl Fn(&Session) -> Result<Event, ServiceError>,
    ) -> Result<Session, ServiceError> {
        for attempt in 0..TRIES {
            let old = self.own_session(id, Some(browser)).await?;
            let (new, outcome) = decide(&old.record, event(&old.record)?, self.now());
            match outcome {
                Outcome::Gone | Outcome::NoSuchResult => return Err(ServiceError::NotFound),
                Outcome::NoNumbersLeft => return Err(ServiceError::NoNumbersLeft),
                Outcome::NoStartsLeft => return Err(ServiceError::NoStartsLeft),
                // Whoever steps where the session no longer stands is shown
                // where it does.
                Outcome::NotNow => return Ok(old.record),
                Outcome::Done if new == old.record => return Ok(new),
                Outcome::Done => {}
            }
            match records::save(self.store(), Some(&old), &new).await {
                Ok(()) => return Ok(new),
                Err(CommitError::Conflict) => self.step_back(attempt).await,
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(ServiceError::Contended)
    }

    async fn session_view(&self, session: Session) -> Result<SessionView, ServiceError> {
        let brand = self.brand_of_session(&session).await?;
        let verification = match &session.verification {
            Some(id) => Some(self.fetch(id).await?),
            None => None,
        };
        let number = session.number.as_ref().or(session.to.as_ref());
        let channels = match (number, &verification) {
            (_, Some(view)) => session.allowed(view.channels_left.clone()),
            (Some(number), None) => session.allowed(brand.channels_for(number)),
            (None, None) => session.allowed(brand.settings.channels.clone()),
        };
        let step = session.step(verification.as_ref().map(|view| view.status));
        Ok(SessionView { session, brand, step, channels, verification })
    }

    /// The service of a session. One whose service was deleted goes on by the
    /// rules of the top level.
    async fn brand_of_session(&self, session: &Session) -> Result<Arc<Brand>, ServiceError> {
        match self.brand(session.service.as_ref()).await {
            Err(ServiceError::NoSuchService) => Ok(self.brands().default_brand().clone()),
            other => other,
        }
    }
}
