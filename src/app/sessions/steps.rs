//! The steps that a person takes in a session.
//!
//! Each is decided on the record that it is written to. What a step knows of the
//! session's verification it reads anew with every try and hands to the model by
//! name; whatever was seen before that decides nothing.

use super::{LocaleHints, SessionView, Who};
use crate::app::transact::{self, Draft, TRIES};
use crate::app::{App, AppError, Checked, Idempotency, Offer, StartRequest};
use crate::model::channel::Channel;
use crate::model::id::SessionId;
use crate::model::phone::PhoneNumber;
use crate::model::service::Service;
use crate::model::session::{self, End, Input, Outcome, Session, Standing, Step, decide};
use crate::model::typed::Found;
use crate::model::verification::Status;
use crate::secret::Secret;
use crate::store::records;
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
    /// Nothing.
    Aside,
    /// Where it stands.
    Now,
    /// Where it stands once it was called off, if the step happens then.
    CalledOff,
}

impl App {
    /// The first step: the session belongs to this browser from here on. Where
    /// nothing is left to choose, the code is sent.
    ///
    /// # Errors
    /// As [`App::session`], and as [`App::session_start`].
    pub async fn session_begin(
        &self,
        id: &SessionId,
        browser: &Secret,
        locale_hints: LocaleHints<'_>,
    ) -> Result<SessionView, AppError> {
        let session = self.session_bound(id, browser).await?;
        self.session_advance(session, browser, locale_hints).await
    }

    /// The session, as this browser's.
    async fn session_bound(&self, id: &SessionId, browser: &Secret) -> Result<Session, AppError> {
        let begin = Input::Begin(session::hash(browser.expose()));
        self.move_session(id, Who::Browser(browser), Look::Aside, |_| Some(begin.clone())).await
    }

    /// A number was entered, perhaps in the writing of a region, and perhaps as
    /// the first step. Where nothing is left to choose, the code is sent.
    ///
    /// # Errors
    /// A number that is none or that no channel reaches, too many numbers, and
    /// as [`App::session_start`].
    pub async fn session_number(
        &self,
        id: &SessionId,
        browser: &Secret,
        text: &str,
        region: Option<&str>,
        locale_hints: LocaleHints<'_>,
    ) -> Result<SessionView, AppError> {
        let number = self.number_in(text, region)?;
        let session = self.own_session(id, Some(browser)).await?.record;
        let service = self.service_of_session(&session).await?;
        let ways = self.ways(service.clone(), &number).await?;
        if session.allowed(ways.channels(&number)).is_empty() {
            let channel = service.settings.channels.first().copied().unwrap_or(Channel::Sms);
            let region = number.region().unwrap_or_else(|| "??".to_owned());
            return Err(AppError::CountryOff { channel, region });
        }
        if session.browser.is_none() {
            self.session_bound(id, browser).await?;
        }
        let entered = |_| Some(Input::Number(number.clone()));
        let session = self.move_session(id, Who::Browser(browser), Look::Aside, entered).await?;
        self.session_advance(session, browser, locale_hints).await
    }

    /// Another number is wanted: the code that is on its way is called off
    /// first. If it was right at that very moment, the number stays.
    ///
    /// # Errors
    /// As [`App::session`], too many numbers, or not from here.
    pub async fn session_change(&self, id: &SessionId, browser: &Secret) -> Result<SessionView, AppError> {
        let forget = |standing| Some(Input::ForgetNumber(standing));
        let session = self.move_session(id, Who::Browser(browser), Look::CalledOff, forget).await?;
        self.session_view(session).await
    }

    /// Sends the first code by a channel. Twice the same step sends one.
    ///
    /// # Errors
    /// A channel that may not be used, too many starts, as [`App::session`],
    /// and as [`App::start`].
    pub async fn session_start(
        &self,
        id: &SessionId,
        browser: &Secret,
        channel: Channel,
        locale_hints: LocaleHints<'_>,
    ) -> Result<SessionView, AppError> {
        self.session_start_for(id, browser, channel, locale_hints, None).await
    }

    /// The same, if the session's number is still the one that is meant.
    async fn session_start_for(
        &self,
        id: &SessionId,
        browser: &Secret,
        channel: Channel,
        locale_hints: LocaleHints<'_>,
        meant: Option<&PhoneNumber>,
    ) -> Result<SessionView, AppError> {
        for attempt in 0..TRIES {
            let session = self.own_session(id, Some(browser)).await?.record;
            let (Some(number), None, None) = (&session.number, &session.verification, session.end) else {
                return self.session_view(session).await;
            };
            if meant.is_some_and(|meant| meant != number) {
                return self.session_view(session).await;
            }
            if session.starts >= session::MOST_STARTS {
                return Err(AppError::NoStartsLeft);
            }
            let service = self.service_of_session(&session).await?;
            let ways = self.ways(service.clone(), number).await?;
            if !session.allowed(ways.channels(number)).contains(&channel) {
                return Err(AppError::ChannelOff(channel));
            }
            let request = StartRequest {
                channel: Some(channel),
                locale: self.session_locale(&service, &session, locale_hints).map(str::to_owned),
                service: session.service.clone(),
                session: Some(session.id.clone()),
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
                Err(AppError::KeyReused) => {
                    tokio::time::sleep(SHORTLY).await;
                    continue;
                }
                started => started?.view.verification,
            };
            let standing = Standing { verification: started.id, to: started.to, status: Status::Pending };
            return self.session_started(id, browser, standing, session.starts).await;
        }
        Err(AppError::Contended)
    }

    /// The language of a session's messages. One that was asked for while there
    /// were texts in it, and is gone since, is passed over: nobody is here to whom
    /// that could be told.
    fn session_locale<'a>(
        &self,
        service: &Service,
        session: &'a Session,
        locale_hints: LocaleHints<'a>,
    ) -> Option<&'a str> {
        let set = session.details.template.as_deref();
        let wishes = [locale_hints.chosen, session.locale.as_deref(), locale_hints.guessed];
        wishes.into_iter().flatten().find(|locale| self.refuse_unspoken(service, set, Some(locale)).is_ok())
    }

    /// Hangs what was started on the session. If the person has gone on
    /// meanwhile, nobody waits for its code, and it is called off.
    async fn session_started(
        &self,
        id: &SessionId,
        browser: &Secret,
        standing: Standing,
        starts: u8,
    ) -> Result<SessionView, AppError> {
        let started = |_| Some(Input::Started { standing: standing.clone(), starts });
        let moved = self.move_session(id, Who::Browser(browser), Look::Aside, started).await;
        let is_left_alone = match &moved {
            Ok(session) => session.verification.as_ref() != Some(&standing.verification),
            Err(error) => matches!(error, AppError::NotFound | AppError::NoStartsLeft),
        };
        if is_left_alone {
            self.call_off(standing).await?;
        }
        self.session_view(moved?).await
    }

    /// Sends again, by this channel.
    ///
    /// # Errors
    /// A channel that may not be used, as [`App::session`], and as
    /// [`App::resend`].
    pub async fn session_resend(
        &self,
        id: &SessionId,
        browser: &Secret,
        channel: Channel,
    ) -> Result<SessionView, AppError> {
        let view = self.session(id, Some(browser)).await?;
        let Some(verification) = view.session.verification.clone().filter(|_| view.step == Step::Code) else {
            return Ok(view);
        };
        if !view.channels.contains(&channel) {
            return Err(AppError::ChannelOff(channel));
        }
        self.resend(&verification, Some(channel)).await?;
        self.session_view(view.session).await
    }

    /// Offers the code that a person typed, or that stands in what they pasted.
    /// `None` where there is nothing to offer it to.
    ///
    /// # Errors
    /// As [`App::session`], as [`App::check`], and
    /// [`AppError::SeveralCodes`].
    pub async fn session_check(
        &self,
        id: &SessionId,
        browser: &Secret,
        code: &str,
    ) -> Result<Option<Checked>, AppError> {
        let session = self.own_session(id, Some(browser)).await?.record;
        let Some(verification) = session.verification.filter(|_| session.end.is_none()) else {
            return Ok(None);
        };
        let code = match self.verification(&verification).await?.record.code.find(code) {
            Found::One(code) => code,
            Found::Several => return Err(AppError::SeveralCodes),
            // Refused as it is, by the same rule as everywhere.
            Found::Nothing => code.to_owned(),
        };
        let offer =
            Offer { code, amount: session.details.amount.clone(), payee: session.details.payee.clone() };
        self.check(&verification, offer).await.map(Some)
    }

    /// Once more, after a failure.
    ///
    /// # Errors
    /// Not allowed by the service, too many starts, and as [`App::session`].
    pub async fn session_again(
        &self,
        id: &SessionId,
        browser: &Secret,
        locale_hints: LocaleHints<'_>,
    ) -> Result<SessionView, AppError> {
        let view = self.session(id, Some(browser)).await?;
        if view.step != Step::Done(End::Failed) {
            return Ok(view);
        }
        if !view.service.settings.pages.retry {
            let what = "the service does not let people begin anew: see pages.retry";
            return Err(AppError::NotAllowed { field: "retry", what });
        }
        let again = |standing: Option<Standing>| standing.map(Input::Again);
        let session = self.move_session(id, Who::Browser(browser), Look::Now, again).await?;
        self.session_advance(session, browser, locale_hints).await
    }

    /// Back to the application: the address with a result, which is shown here
    /// once and kept as a hash. `cancel` ends what is under way; without it a
    /// session that has not ended stays, and there is no address.
    ///
    /// # Errors
    /// As [`App::session`].
    pub async fn session_leave(
        &self,
        id: &SessionId,
        browser: &Secret,
        cancel: bool,
    ) -> Result<Option<Secret>, AppError> {
        let result = Secret::new(self.0.entropy.hex::<32>());
        let hash = session::hash(result.expose());
        // Whoever turns back on the first page has taken no other step.
        if cancel {
            self.session_bound(id, browser).await?;
        }
        let look = if cancel { Look::CalledOff } else { Look::Now };
        let leave = |standing| Some(Input::Leave { standing, cancel, result: hash.clone() });
        let session = self.move_session(id, Who::Browser(browser), look, leave).await?;
        if session.result.as_ref() != Some(&hash) {
            return Ok(None);
        }
        tracing::info!(end = ?session.end, "session ended");
        let service = self.service_of_session(&session).await?;
        Ok(session.way_back(&service.settings.pages, result.expose()).map(Secret::new))
    }

    /// Goes on by itself where one channel is left. That it will be a call the
    /// first page has said where the application gave the number; else nobody
    /// is called because a text is refused.
    async fn session_advance(
        &self,
        session: Session,
        browser: &Secret,
        locale_hints: LocaleHints<'_>,
    ) -> Result<SessionView, AppError> {
        let view = self.session_view(session).await?;
        let session = &view.session;
        let ([channel], Some(number), Step::Channel) = (&view.channels[..], &session.number, view.step)
        else {
            return Ok(view);
        };
        let plan = session.allowed(view.service.settings.channels.clone());
        let ways = self.ways(view.service.clone(), number).await?;
        if session.to.is_none() && ways.is_makeshift(*channel, &plan, number) {
            return Ok(view);
        }
        self.session_start_for(&session.id, browser, *channel, locale_hints, Some(number)).await
    }

    /// Lets a step happen to a session, as often as it takes to be first, and
    /// gives the session as it stands then. The event is made anew from what is
    /// known of the session's verification each time; without one, and where
    /// the session no longer stands where the step begins, it stays as it is.
    pub(super) async fn move_session(
        &self,
        id: &SessionId,
        who: Who<'_>,
        look: Look,
        input: impl Fn(Option<Standing>) -> Option<Input>,
    ) -> Result<Session, AppError> {
        let look = || async {
            let old = self.session_of(id, who).await?;
            let standing = match look {
                Look::Aside => None,
                Look::Now => self.standing(&old.record).await?,
                Look::CalledOff => self.standing_without(&old.record, &input).await?,
            };
            let Some(input) = input(standing) else {
                return Ok(Draft::Settled(old.record));
            };
            let (new, outcome) = decide(&old.record, input, self.now());
            match outcome {
                Outcome::Gone | Outcome::NoSuchResult => Err(AppError::NotFound),
                Outcome::NoNumbersLeft => Err(AppError::NoNumbersLeft),
                Outcome::NoStartsLeft => Err(AppError::NoStartsLeft),
                // Whoever steps where the session no longer stands is shown
                // where it does.
                Outcome::NotNow => Ok(Draft::Settled(old.record)),
                Outcome::Done if new == old.record => Ok(Draft::Settled(new)),
                Outcome::Done => {
                    let mut changes = vec![records::put(Some(&old), &new)];
                    changes.extend(self.told_of_session(&old.record, &new));
                    Ok(Draft::Write(changes, new))
                }
                Outcome::Outdated => Ok(Draft::Again),
            }
        };
        self.transact(&transact::SESSION, look).await
    }

    /// Where the verification stands that a session knows.
    pub(super) async fn standing(&self, session: &Session) -> Result<Option<Standing>, AppError> {
        let Some(id) = &session.verification else {
            return Ok(None);
        };
        let found = self.verification(id).await?.record;
        let status = found.status_at(self.now());
        Ok(Some(Standing { verification: found.id, to: found.to, status }))
    }

    /// Where it stands once it was called off: only if the step then happens, for
    /// a step that is refused must not cost the person their code.
    async fn standing_without(
        &self,
        session: &Session,
        input: &impl Fn(Option<Standing>) -> Option<Input>,
    ) -> Result<Option<Standing>, AppError> {
        let standing = self.standing(session).await?;
        let Some(open) = standing.clone().filter(|standing| standing.status == Status::Pending) else {
            return Ok(standing);
        };
        let called_off = Standing { status: Status::Canceled, ..open.clone() };
        match input(Some(called_off)).map(|input| decide(session, input, self.now()).1) {
            Some(Outcome::Done) => self.call_off(open).await.map(Some),
            _ => Ok(standing),
        }
    }

    /// Calls a verification off that waits for its code, and says where it
    /// stands then: somebody may have been faster.
    async fn call_off(&self, standing: Standing) -> Result<Standing, AppError> {
        let status = match self.cancel(&standing.verification).await {
            Ok(view) => view.status,
            Err(AppError::Ended(status)) => status,
            Err(error) => return Err(error),
        };
        Ok(Standing { status, ..standing })
    }
}
