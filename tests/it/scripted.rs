//! A gateway that answers by script.

use crate::reporting::report;
use crate::support::PERSON;
use async_trait::async_trait;
use dialback::gateway::{Carried, Gateway, ListPage, Listing, Redaction, SendError, SendRequest};
use dialback::gateway::{CodeOffer, Codes, NotCompared, Whose};
use dialback::model::channel::Channel;
use dialback::model::delivery::{Fact, Report, Source};
use dialback::model::id::{DeliveryId, Sid};
use dialback::model::message::Route;
use dialback::model::status::Status;
use dialback::model::verification::Answer;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// What the gateway answers to a request.
#[derive(Debug, Clone)]
pub enum Say {
    Taken,
    Refused(u32),
    NotProcessed(Duration),
    Unknown,
    /// Takes it, and answers nothing until released; then says unknown.
    Silence,
    /// A mistake in the program.
    Panic,
}

/// What a look-up finds.
#[derive(Debug, Clone)]
pub enum Find {
    It,
    Nothing,
    Refused,
    Unknown,
    /// The first of these that is not known to be another's, as in a list in which
    /// calls look alike.
    Among(Vec<String>),
}

/// A request as the gateway saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub id: DeliveryId,
    pub channel: Channel,
    pub to: String,
    /// The code, or what else it says.
    pub code: String,
    pub valid_for: Duration,
    pub route: Option<Route>,
}

/// A gateway that answers by script, and takes what the script does not mention.
#[derive(Default)]
pub struct Script {
    pub says: Mutex<VecDeque<Say>>,
    pub finds: Mutex<VecDeque<Find>>,
    /// What is found when the script of look-ups has ended.
    pub otherwise: Mutex<Option<(Say, Find)>>,
    pub orders: Mutex<Vec<Seen>>,
    pub look_ups: Mutex<Vec<Seen>>,
    /// What was to be redacted, and what is answered before all goes well.
    pub redacted: Mutex<Vec<Sid>>,
    pub redactions: Mutex<VecDeque<SendError>>,
    /// What is answered to who asks what became of something: its status, that there is no
    /// such thing, or an error. Who is not in the script hears that there is no such thing.
    pub fetches: Mutex<VecDeque<Result<Option<Status>, SendError>>>,
    /// What was asked for.
    pub fetched: Mutex<Vec<Sid>>,
    /// The pages of its lists, in the order in which they are read; behind them nobody keeps
    /// a list.
    pub pages: Mutex<VecDeque<Result<ListPage, SendError>>>,
    /// Which pages were read.
    pub read: Mutex<Vec<(Listing, Option<String>)>>,
    /// What it calls the verification and what the code of it is, where it makes codes itself.
    pub makes: Mutex<Option<(String, String)>>,
    /// How many codes it has compared; after the first right one it knows of none.
    pub compared: AtomicU32,
    pub is_over: AtomicBool,
    /// Ends a [`Say::Silence`].
    pub release: Notify,
    /// Calls under way, but for those that are silent.
    pub busy: AtomicU32,
    names: AtomicU32,
}

impl Script {
    fn seen(send_request: &SendRequest) -> Seen {
        Seen {
            id: send_request.id.clone(),
            channel: send_request.channel,
            to: send_request.to.in_full().to_owned(),
            code: match &send_request.content {
                Carried::Code { code, .. } => code.expose().to_owned(),
                Carried::Words(words) => words.text.clone(),
            },
            valid_for: send_request.valid_for,
            route: send_request.route.clone(),
        }
    }

    fn report(&self, send_request: &SendRequest) -> Report {
        let name = self.names.fetch_add(1, Ordering::SeqCst) + 1;
        let kind = if send_request.channel == Channel::Call { "CA" } else { "SM" };
        let mut report = report(
            &format!("{kind}{name:032x}"),
            Status::Queued,
            Some(&send_request.id),
            Some(send_request.to.in_full()),
        );
        report.about.reference = self.makes.lock().unwrap().clone().map(|makes| makes.0);
        report
    }

    pub fn orders(&self) -> Vec<Seen> {
        self.orders.lock().unwrap().clone()
    }

    /// How many orders were taken, or found to have been.
    pub fn taken(&self) -> u32 {
        self.names.load(Ordering::SeqCst)
    }

    pub fn look_ups(&self) -> Vec<Seen> {
        self.look_ups.lock().unwrap().clone()
    }

    fn otherwise(&self) -> (Say, Find) {
        self.otherwise.lock().unwrap().clone().unwrap_or((Say::Taken, Find::Nothing))
    }
}

#[async_trait]
impl Gateway for Script {
    async fn send(&self, send_request: &SendRequest) -> Result<Report, SendError> {
        self.orders.lock().unwrap().push(Self::seen(send_request));
        // A gateway takes its time, and others get theirs.
        let busy = Busy::new(&self.busy);
        tokio::task::yield_now().await;
        drop(busy);
        let say = self.says.lock().unwrap().pop_front().unwrap_or_else(|| self.otherwise().0);
        match say {
            Say::Taken => Ok(self.report(send_request)),
            Say::Refused(code) => Err(SendError::Refused { code: Some(code), reason: "scripted".into() }),
            Say::NotProcessed(after) => {
                Err(SendError::NotProcessed { code: None, reason: "scripted".into(), after })
            }
            Say::Unknown => Err(SendError::unknown("scripted")),
            Say::Panic => panic!("scripted, of {PERSON}"),
            Say::Silence => {
                self.release.notified().await;
                Err(SendError::unknown("scripted"))
            }
        }
    }

    async fn look_up(
        &self,
        send_request: &SendRequest,
        _since: Timestamp,
        others: &[Sid],
    ) -> Result<Option<Report>, SendError> {
        self.look_ups.lock().unwrap().push(Self::seen(send_request));
        let find = self.finds.lock().unwrap().pop_front().unwrap_or_else(|| self.otherwise().1);
        match find {
            Find::It => Ok(Some(self.report(send_request))),
            Find::Nothing => Ok(None),
            Find::Refused => Err(SendError::Refused { code: Some(20003), reason: "scripted".into() }),
            Find::Unknown => Err(SendError::unknown("scripted")),
            Find::Among(listed) => {
                let own = listed.iter().find(|sid| !others.iter().any(|other| other.as_str() == *sid));
                Ok(own.map(|sid| {
                    report(sid, Status::Queued, Some(&send_request.id), Some(send_request.to.in_full()))
                }))
            }
        }
    }

    async fn fetch(&self, sid: &Sid, _: Option<&str>) -> Result<Option<Report>, SendError> {
        self.fetched.lock().unwrap().push(sid.clone());
        let _busy = Busy::new(&self.busy);
        tokio::task::yield_now().await;
        let status = self.fetches.lock().unwrap().pop_front().unwrap_or(Ok(None))?;
        Ok(status.map(|status| {
            let told = report(sid.as_str(), status, None, Some(PERSON));
            Report { fact: Fact { source: Source::Reconciled, ..told.fact }, ..told }
        }))
    }

    async fn list(
        &self,
        listing: Listing,
        _since: Timestamp,
        page: Option<&str>,
    ) -> Result<Option<ListPage>, SendError> {
        self.read.lock().unwrap().push((listing, page.map(str::to_owned)));
        tokio::task::yield_now().await;
        self.pages.lock().unwrap().pop_front().transpose()
    }

    async fn redact(&self, sid: &Sid, _: Option<&str>, _: bool) -> Result<Redaction, SendError> {
        self.redacted.lock().unwrap().push(sid.clone());
        match self.redactions.lock().unwrap().pop_front() {
            Some(error) => Err(error),
            None => Ok(Redaction::Done),
        }
    }

    fn codes(&self) -> Option<&dyn Codes> {
        self.makes.lock().unwrap().as_ref().map(|_| self as &dyn Codes)
    }
}

#[async_trait]
impl Codes for Script {
    async fn check(&self, offer: &CodeOffer<'_>) -> Result<Answer, NotCompared> {
        self.compared.fetch_add(1, Ordering::SeqCst);
        let (name, code) = self.makes.lock().unwrap().clone().unwrap();
        let is_named = matches!(offer.whose, Whose::Named(named) if named == name);
        let is_right = is_named && offer.code == code && !self.is_over.load(Ordering::SeqCst);
        // Both of two at once are asked before either is told.
        tokio::task::yield_now().await;
        Ok(match () {
            () if is_right && !self.is_over.swap(true, Ordering::SeqCst) => Answer::Right,
            () if self.is_over.load(Ordering::SeqCst) || !is_named => Answer::Over,
            () => Answer::Wrong,
        })
    }

    async fn pretend_to_check(&self, _: &str) -> Result<(), NotCompared> {
        self.compared.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

/// Something under way, until it ends or whoever does it is killed.
pub struct Busy<'b>(&'b AtomicU32);

impl<'b> Busy<'b> {
    pub fn new(count: &'b AtomicU32) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
