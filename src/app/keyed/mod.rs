//! The service as a key may use it: what belongs to other services is not there.
//!
//! The faces of keys are given this and nothing else, so no operation of theirs
//! can forget whose a thing is. Each one here either asks that, or demands a key
//! of all services ([`Narrowed::whole`]). What is no service's (opt-outs, keys,
//! endpoints, the audit log, foreign deliveries, …) belongs to the whole.

use crate::app::{
    App, AppError, Ask, AskError, Attempt, AttemptCount, AttemptFilter, AttemptPage, AttemptPlace, By,
    Checked, DeliveryFilter, EventQuery, Feed, Found, Idempotency, NewSession, Offer, Page, SessionView,
    StartRequest, Started, VerificationFilter, View, Window,
};
use crate::model::audit::Actor;
use crate::model::channel::Channel;
use crate::model::compat::Compat;
use crate::model::event::{Event, EventFilter};
use crate::model::id::{EventId, ServiceId, SessionId, VerificationId};
use crate::model::key::ServiceSet;
use crate::model::owner::Owned;
use crate::model::phone::PhoneNumber;
use crate::model::policy::Gate;
use crate::model::service::Service;
use crate::model::session::Session;
use crate::model::verification::Verification;
use crate::store::records::{self, Versioned};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The service, as somebody with a key may use it.
#[derive(Clone)]
pub struct Narrowed {
    all: App,
    services: ServiceSet,
    actor: Actor,
}

impl App {
    /// The service as somebody may use it who is let to these services.
    pub fn seen_by(&self, services: ServiceSet, actor: Actor) -> Narrowed {
        Narrowed { all: self.clone(), services, actor }
    }
}

/// Whose things are.
impl Narrowed {
    /// The service without bounds, for what is about the whole.
    ///
    /// # Errors
    /// [`AppError::KeyBound`] for a key of some services.
    pub fn whole(&self) -> Result<By<'_>, AppError> {
        match self.services.is_all() {
            true => Ok(self.all.by(self.actor.clone())),
            false => Err(AppError::KeyBound),
        }
    }

    /// The service that a request names. One that names none means the default
    /// one, or the only one that the key is for.
    ///
    /// # Errors
    /// [`AppError::NoSuchService`], also for one that the key is not for.
    fn named(&self, service: Option<ServiceId>) -> Result<Option<ServiceId>, AppError> {
        let default = &self.all.directory().default_service().id;
        match service.or_else(|| self.services.only().cloned()) {
            None if self.services.has(default) => Ok(None),
            Some(service) if self.services.has(&service) => Ok(Some(service)),
            _ => Err(AppError::NoSuchService),
        }
    }

    /// The id of the service that a request names: see [`App::service`] for
    /// what becomes of it.
    ///
    /// # Errors
    /// [`AppError::NoSuchService`], also for one that the key is not for;
    /// several of one name; or the store's.
    pub async fn service_named(&self, name: Option<String>) -> Result<Option<ServiceId>, AppError> {
        match name {
            Some(name) => self.all.service_named(&self.services, &name).await.map(Some),
            None => Ok(None),
        }
    }

    /// A thing, if it belongs to the key's services.
    ///
    /// # Errors
    /// Not found, or the store's.
    async fn own<T: Owned>(&self, thing: T) -> Result<T, AppError> {
        match self.all.is_among(&self.services, thing.owner()).await? {
            true => Ok(thing),
            false => Err(AppError::NotFound),
        }
    }

    /// Refuses the verification of another service.
    ///
    /// # Errors
    /// Not found, or the store's.
    async fn refuse_foreign(&self, id: &VerificationId) -> Result<(), AppError> {
        // A verification never changes its service: reading it before it is
        // changed is as good as reading it in the same write.
        if !self.services.is_all() {
            let found = records::get::<Verification>(self.all.store(), id.as_str()).await?;
            self.own(found.ok_or(AppError::NotFound)?.record).await?;
        }
        Ok(())
    }
}

/// What is nobody's.
impl Narrowed {
    /// The time, as the `App` sees it.
    pub fn now(&self) -> Timestamp {
        self.all.now()
    }

    /// See [`App::number_of_form`].
    ///
    /// # Errors
    /// What is no number.
    pub fn number_of_form(&self, text: &str) -> Result<PhoneNumber, AppError> {
        self.all.number_of_form(text)
    }

    /// See [`App::new_sid`].
    pub fn new_sid(&self, prefix: &str) -> String {
        self.all.new_sid(prefix)
    }

    /// See [`App::seconds_left`].
    pub fn seconds_left(&self, verification: &Verification) -> i64 {
        self.all.seconds_left(verification)
    }

    /// See [`App::belongs`].
    pub fn belongs(&self, service: &Service, verification: &Verification) -> bool {
        self.all.belongs(service, verification)
    }

    /// Whether a service is the one for requests that name none.
    pub fn is_default(&self, service: &Service) -> bool {
        self.all.directory().default_service().id == service.id
    }

    /// Since when the process runs.
    pub fn since(&self) -> Timestamp {
        self.all.directory().default_service().created_at
    }

    /// What a call of a new service waits for.
    pub fn default_gate(&self) -> Gate {
        self.all.directory().default_service().settings.gate
    }
}

/// Verifications.
impl Narrowed {
    /// See [`App::start`].
    ///
    /// # Errors
    /// As there.
    pub async fn start(
        &self,
        request: StartRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<Started, AppError> {
        let service = self.named(request.service.clone())?;
        self.all.start(StartRequest { service, ..request }, idempotency).await
    }

    /// See [`App::ask`].
    ///
    /// # Errors
    /// As there.
    pub async fn ask(&self, ask: &Ask) -> Result<View, AskError> {
        let mut ask = ask.clone();
        ask.request.service = self.named(ask.request.service)?;
        self.all.ask(&ask).await
    }

    /// See [`App::last_asked`].
    ///
    /// # Errors
    /// As there.
    pub async fn last_asked(&self, service: &Service, to: &str) -> Result<VerificationId, AppError> {
        let id = self.all.last_asked(service, to).await?;
        self.refuse_foreign(&id).await?;
        Ok(id)
    }

    /// See [`App::fetch`].
    ///
    /// # Errors
    /// As there.
    pub async fn fetch(&self, id: &VerificationId) -> Result<View, AppError> {
        self.own(self.all.fetch(id).await?).await
    }

    /// See [`App::verifications`].
    ///
    /// # Errors
    /// As there.
    pub async fn verifications(
        &self,
        filter: &VerificationFilter,
        window: &Window,
    ) -> Result<Page<View>, AppError> {
        self.all.verifications_among(&self.services, filter, window).await
    }

    /// See [`App::check`].
    ///
    /// # Errors
    /// As there.
    pub async fn check(&self, id: &VerificationId, offer: Offer) -> Result<Checked, AppError> {
        self.refuse_foreign(id).await?;
        self.all.check(id, offer).await
    }

    /// See [`App::verdict`].
    ///
    /// # Errors
    /// As there.
    pub async fn verdict(
        &self,
        found: impl Future<Output = Result<VerificationId, AppError>>,
        offer: Offer,
    ) -> Result<Option<View>, AppError> {
        let own = async {
            let id = found.await?;
            self.refuse_foreign(&id).await?;
            Ok(id)
        };
        self.all.verdict(own, offer).await
    }

    /// See [`App::resend`].
    ///
    /// # Errors
    /// As there.
    pub async fn resend(&self, id: &VerificationId, channel: Option<Channel>) -> Result<View, AppError> {
        self.refuse_foreign(id).await?;
        self.all.resend(id, channel).await
    }

    /// See [`App::cancel`].
    ///
    /// # Errors
    /// As there.
    pub async fn cancel(&self, id: &VerificationId) -> Result<View, AppError> {
        self.refuse_foreign(id).await?;
        self.all.cancel(id).await
    }

    /// See [`App::approve`].
    ///
    /// # Errors
    /// As there.
    pub async fn approve(&self, id: &VerificationId) -> Result<View, AppError> {
        self.refuse_foreign(id).await?;
        self.all.approve(id).await
    }

    /// See [`App::release`].
    ///
    /// # Errors
    /// As there.
    pub async fn release(&self, service: &Service, verification: &Verification) -> Result<(), AppError> {
        self.refuse_foreign(&verification.id).await?;
        self.all.release(service, verification).await
    }
}

/// Sessions of the pages, as the application sees them.
impl Narrowed {
    /// See [`App::create_session`].
    ///
    /// # Errors
    /// As there.
    pub async fn create_session(&self, request: NewSession) -> Result<Session, AppError> {
        let service = self.named(request.service.clone())?;
        self.all.create_session(NewSession { service, ..request }).await
    }

    /// See [`App::end_session`].
    ///
    /// # Errors
    /// As there; another service's session is not there.
    pub async fn end_session(&self, id: &SessionId) -> Result<Session, AppError> {
        if !self.services.is_all() {
            let found = records::get::<Session>(self.all.store(), id.as_str()).await?;
            self.own(found.ok_or(AppError::NotFound)?.record).await?;
        }
        self.all.end_session(id).await
    }

    /// See [`App::session_result`].
    ///
    /// # Errors
    /// As there; another service's session has no such result.
    pub async fn session_result(&self, id: &SessionId, result: &str) -> Result<SessionView, AppError> {
        if !self.services.is_all() {
            let found = records::get::<Session>(self.all.store(), id.as_str()).await?;
            let session = found.ok_or(AppError::NoSuchResult)?.record;
            self.own(session).await.map_err(|error| match error {
                AppError::NotFound => AppError::NoSuchResult,
                error => error,
            })?;
        }
        self.all.session_result(id, result).await
    }
}

/// What was sent, and what happened.
impl Narrowed {
    /// See [`App::delivery`].
    ///
    /// # Errors
    /// As there.
    pub async fn delivery(&self, name: &str) -> Result<Found, AppError> {
        self.own(self.all.delivery(name).await?).await
    }

    /// See [`App::deliveries`].
    ///
    /// # Errors
    /// As there.
    pub async fn deliveries(
        &self,
        filter: &DeliveryFilter,
        window: &Window,
    ) -> Result<Page<Found>, AppError> {
        self.all.deliveries_among(&self.services, filter, window).await
    }

    /// See [`App::attempt`].
    ///
    /// # Errors
    /// As there.
    pub async fn attempt(&self, id: &VerificationId, number: u8) -> Result<Attempt, AppError> {
        self.refuse_foreign(id).await?;
        self.all.attempt(id, number).await
    }

    /// See [`App::attempts`].
    ///
    /// # Errors
    /// As there.
    pub async fn attempts(
        &self,
        filter: &AttemptFilter,
        after: Option<AttemptPlace>,
        limit: usize,
    ) -> Result<AttemptPage, AppError> {
        self.all.attempts_among(&self.services, filter, after, limit).await
    }

    /// See [`App::count_attempts`].
    ///
    /// # Errors
    /// As there.
    pub async fn count_attempts(
        &self,
        filter: &AttemptFilter,
        longest: Duration,
    ) -> Result<AttemptCount, AppError> {
        self.all.count_attempts_among(&self.services, filter, longest).await
    }

    /// See [`App::event`].
    ///
    /// # Errors
    /// As there.
    pub async fn event(&self, id: &EventId) -> Result<Event, AppError> {
        self.own(self.all.event(id).await?).await
    }

    /// See [`App::events`].
    ///
    /// # Errors
    /// As there.
    pub async fn events(&self, filter: &EventQuery, window: &Window) -> Result<Page<Event>, AppError> {
        self.all.events_among(&self.services, filter, window).await
    }

    /// See [`App::feed`].
    pub fn feed(&self, after: Option<EventId>, filters: BTreeSet<EventFilter>) -> Option<Feed> {
        self.all.feed_among(&self.actor, self.services.clone(), after, filters)
    }
}

/// The services themselves, and what is kept with them.
impl Narrowed {
    /// The service of that id.
    ///
    /// # Errors
    /// [`AppError::NoSuchService`], or the store's.
    pub async fn service(&self, id: &ServiceId) -> Result<Arc<Service>, AppError> {
        match self.services.has(id) {
            true => self.all.service(Some(id)).await,
            false => Err(AppError::NoSuchService),
        }
    }

    /// See [`App::services`].
    ///
    /// # Errors
    /// As there.
    pub async fn services(&self, window: &Window) -> Result<Page<Arc<Service>>, AppError> {
        self.all.services_among(&self.services, window).await
    }

    /// The sets of texts that the key's services name; nothing where all sets
    /// are the caller's to see. The shipped one is everybody's.
    ///
    /// # Errors
    /// The store's.
    pub async fn templates(&self) -> Result<Option<BTreeSet<String>>, AppError> {
        let Some(bound) = self.services.bound() else {
            return Ok(None);
        };
        let mut names = BTreeSet::new();
        for id in bound {
            match self.all.service(Some(id)).await {
                Ok(service) => names.extend(service.settings.template.clone()),
                Err(AppError::NoSuchService) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(names))
    }

    /// See [`By::change_service`].
    ///
    /// # Errors
    /// As there.
    pub async fn change_service(
        &self,
        id: &ServiceId,
        changes: Map<String, Value>,
    ) -> Result<Arc<Service>, AppError> {
        self.refuse_foreign_service(id)?;
        self.all.by(self.actor.clone()).change_service(id, changes).await
    }

    /// See [`By::delete_service`].
    ///
    /// # Errors
    /// As there.
    pub async fn delete_service(&self, id: &ServiceId) -> Result<(), AppError> {
        self.refuse_foreign_service(id)?;
        self.all.by(self.actor.clone()).delete_service(id).await
    }

    /// See [`App::compat`].
    ///
    /// # Errors
    /// As there; not found for another service's.
    pub async fn compat(&self, id: &ServiceId) -> Result<Versioned<Compat>, AppError> {
        self.refuse_foreign_service(id)?;
        self.all.compat(id).await
    }

    /// See [`By::change_compat`].
    ///
    /// # Errors
    /// As there; not found for another service's.
    pub async fn change_compat<T, E: From<AppError>>(
        &self,
        id: &ServiceId,
        change: impl Fn(&mut Compat, Timestamp) -> Result<T, E>,
    ) -> Result<T, E> {
        self.refuse_foreign_service(id)?;
        self.all.by(self.actor.clone()).change_compat(id, change).await
    }

    fn refuse_foreign_service(&self, id: &ServiceId) -> Result<(), AppError> {
        if self.services.has(id) { Ok(()) } else { Err(AppError::NotFound) }
    }
}

impl Owned for View {
    fn owner(&self) -> crate::model::owner::Owner {
        self.verification.owner()
    }
}
