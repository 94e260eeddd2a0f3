//! Several ways out, one behind the other: where the first is away, busy or cannot, the
//! next is asked at once.
//!
//! What a route has certainly not taken may be handed to another; what it may have taken is
//! not, and is looked up first. It refuses to know what each route speaks.

use super::breaker::{Breaker, Change, Ended};
use super::{
    Approval, Callbacks, Gateway, ListPage, Listing, Redaction, SendError, SendRequest, in_words, remedy,
};
use crate::model::channel::Channel;
use crate::model::delivery::Report;
use crate::model::id::Sid;
use crate::model::remedy::Remedy;
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One way out.
struct Route {
    /// What the configuration calls it.
    name: &'static str,
    gateway: Arc<dyn Gateway>,
    breaker: Mutex<Breaker>,
}

/// Several ways out, the preferred one first.
pub struct Routes(Vec<Route>);

impl Routes {
    /// Ways out by the names that logs give them, the preferred one first; one at least.
    pub fn new(routes: impl IntoIterator<Item = (&'static str, Arc<dyn Gateway>)>) -> Self {
        let route = |(name, gateway)| Route { name, gateway, breaker: Mutex::new(Breaker::new()) };
        Self(routes.into_iter().map(route).collect())
    }

    /// Those that know what an account has made; others have made nothing of it.
    fn reaching<'r>(&'r self, account: Option<&'r str>) -> impl Iterator<Item = &'r Route> {
        self.0.iter().filter(move |route| route.gateway.reaches(account))
    }

    fn carrying(&self, channel: Channel) -> impl Iterator<Item = &Route> {
        self.0.iter().filter(move |route| route.gateway.carries(channel))
    }
}

impl Route {
    fn ask(&self) -> Result<(), Duration> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).ask(Instant::now())
    }

    fn note(&self, ended: Ended) {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        match breaker.note(ended, Instant::now()) {
            Some(Change::Opened(rest)) => {
                tracing::warn!(
                    route = self.name,
                    seconds = rest.as_secs(),
                    "a route fails: it is left alone"
                );
            }
            Some(Change::Closed) => tracing::info!(route = self.name, "a route is back"),
            None => {}
        }
    }

    /// Hands a request on, unless the route is left alone.
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        if let Err(after) = self.ask() {
            let reason = format!("the route {} is left alone after failures", self.name);
            return Err(SendError::NotProcessed { code: None, reason, after });
        }
        let sent = self.gateway.send(request).await;
        self.note(ended(&sent));
        sent
    }
}

/// What an answer says of the route.
fn ended(sent: &Result<Report, SendError>) -> Ended {
    match sent {
        Ok(_) | Err(SendError::Refused { .. }) => Ended::Answered,
        Err(SendError::NotProcessed { after, .. } | SendError::Unknown { after, .. }) if !after.is_zero() => {
            Ended::Busy(*after)
        }
        Err(SendError::NotProcessed { .. } | SendError::Unknown { .. }) => Ended::Failed,
    }
}

/// Whether another route may be asked: this one certainly did not take it, and it is not
/// about the message that it did not.
fn leads_on(route: &Route, error: &SendError) -> bool {
    match error {
        SendError::NotProcessed { .. } => true,
        SendError::Unknown { .. } => false,
        SendError::Refused { code, .. } => match code.map(|code| (code, remedy(code))) {
            Some((_, remedy)) if remedy.is_next_sender() => true,
            Some((code, Remedy::StopAndAlert)) => {
                let (meaning, advice) = in_words(code);
                tracing::error!(route = route.name, code, meaning, advice, "a route refuses for its account");
                true
            }
            _ => false,
        },
    }
}

/// Of what several routes said, what is told: that it may be tried again, as soon as any of
/// them asks for it, before that it was refused.
fn told(one: SendError, other: SendError) -> SendError {
    match (one, other) {
        (SendError::NotProcessed { code, reason, after }, SendError::NotProcessed { after: sooner, .. }) => {
            SendError::NotProcessed { code, reason, after: after.min(sooner) }
        }
        (SendError::Refused { .. }, other) | (other, SendError::Refused { .. }) => other,
        (one, _) => one,
    }
}

#[async_trait]
impl Gateway for Routes {
    async fn send(&self, request: &SendRequest) -> Result<Report, SendError> {
        let mut said: Option<SendError> = None;
        for route in self.carrying(request.channel) {
            // What another job may have taken over by now is not begun by a second route.
            if said.is_some() && request.begin_by < Instant::now() {
                break;
            }
            match route.send(request).await {
                Ok(report) => return Ok(report),
                Err(error) if leads_on(route, &error) => {
                    tracing::info!(route = route.name, delivery = %request.id, %error, "the next route is asked");
                    said = Some(match said {
                        Some(before) => told(before, error),
                        None => error,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Err(said.unwrap_or_else(|| SendError::Refused {
            code: None,
            reason: format!("no route carries {}", request.channel),
        }))
    }

    fn carries(&self, channel: Channel) -> bool {
        self.carrying(channel).next().is_some()
    }

    fn reaches(&self, account: Option<&str>) -> bool {
        self.0.iter().any(|route| route.gateway.reaches(account))
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        self.0.iter().find_map(|route| route.gateway.callbacks())
    }

    fn pretend(&self, request: &SendRequest, sid: Sid) -> Result<Report, SendError> {
        match self.carrying(request.channel).next() {
            Some(route) => route.gateway.pretend(request, sid),
            None => Err(SendError::unknown("no route carries it")),
        }
    }

    fn ring(&self, request: &SendRequest) -> Duration {
        let first = self.carrying(request.channel).next();
        first.map_or(Duration::ZERO, |route| route.gateway.ring(request))
    }

    /// Whichever took it knows of it; that none did is certain once all have said so.
    async fn look_up(
        &self,
        request: &SendRequest,
        since: Timestamp,
        others: &[Sid],
    ) -> Result<Option<Report>, SendError> {
        let mut unknown = None;
        for route in self.carrying(request.channel) {
            match route.gateway.look_up(request, since, others).await {
                Ok(Some(report)) => return Ok(Some(report)),
                Ok(None) => {}
                Err(error) => unknown = unknown.or(Some(error)),
            }
        }
        unknown.map_or(Ok(None), Err)
    }

    /// Whichever took it knows of it; that none does is certain once all have said so.
    async fn fetch(&self, sid: &Sid, account: Option<&str>) -> Result<Option<Report>, SendError> {
        let mut unknown = None;
        for route in self.reaching(account) {
            match route.gateway.fetch(sid, account).await {
                Ok(Some(report)) => return Ok(Some(report)),
                Ok(None) => {}
                Err(error) => unknown = unknown.or(Some(error)),
            }
        }
        unknown.map_or(Ok(None), Err)
    }

    /// The list of the first that keeps one: a page says where to go on in that one's.
    async fn list(
        &self,
        listing: Listing,
        since: Timestamp,
        page: Option<&str>,
    ) -> Result<Option<ListPage>, SendError> {
        for route in &self.0 {
            if let Some(found) = route.gateway.list(listing, since, page).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What the first says that can say anything.
    async fn approval(&self, template: &str, account: Option<&str>) -> Result<Option<Approval>, SendError> {
        for route in &self.0 {
            if let Some(approval) = route.gateway.approval(template, account).await? {
                return Ok(Some(approval));
            }
        }
        Ok(None)
    }

    /// Only one of them has it; it is gone once all have said that they have not.
    async fn redact(&self, sid: &Sid, account: Option<&str>, delete: bool) -> Result<Redaction, SendError> {
        let mut failed = None;
        for route in self.reaching(account) {
            match route.gateway.redact(sid, account, delete).await {
                Ok(Redaction::Done) => return Ok(Redaction::Done),
                Ok(Redaction::Gone) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(Redaction::Gone), Err)
    }
}

#[cfg(test)]
mod tests;
