//! Does what stands in the outboxes, and lets verifications end in time.
//!
//! A send is claimed by a write before it is made, and settled by a write
//! after. Between the two lies the only moment whose outcome can be unknown;
//! whoever finds such a send later looks it up before anybody sends again. When
//! it is tried and looked up again is the model's to say.

use super::{App, AppError, TRIES};
use crate::gateway::{SendError, SendRequest};
use crate::model::active_verification::ActiveVerification;
use crate::model::channel::Channel;
use crate::model::code::CodeSeed;
use crate::model::counter::Counter;
use crate::model::delivery::{Delivery, Report};
use crate::model::event::Event;
use crate::model::id::{Sid, VerificationId};
use crate::model::idempotency::IdempotencyRecord;
use crate::model::service::Service;
use crate::model::session::Session;
use crate::model::session_window::SessionWindow;
use crate::model::verification::retry::Jitter;
use crate::model::verification::{
    Decision, Effect, Failure, Input, OutboxStep, Outcome, Send, SendState, Verification, decide,
};
use crate::store::records::{self, Record, Versioned};
use crate::store::{CommitError, Key, Kind, Lane};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The worker's limits.
#[derive(Debug, Clone, Copy)]
pub struct WorkerLimits {
    /// Outbox steps under way at once.
    pub concurrency: usize,
    /// How long sends under way may take after the stop.
    pub drain: Duration,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self { concurrency: 32, drain: Duration::from_secs(20) }
    }
}

/// How many messages or calls that may be a send in doubt, and are another's, are
/// passed over in one look-up.
const MOST_CANDIDATES: usize = 8;
/// How long to wait when the store cannot say what is due, and before an outbox step
/// that failed is tried again.
const RECOVERY: Duration = Duration::from_secs(1);
/// How long until a record that was just listed can be read.
const SHORTLY: Duration = Duration::from_millis(10);
/// Failed outbox steps that are remembered; what fails beyond that is tried at once.
const MOST_RESTING: usize = 1000;
/// When so many are under way or rest, they are in the way of others.
const CROWD: usize = MOST_RESTING / 2;
/// The longest sleep where nobody else writes something due.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_secs(30);
/// The longest sleep where another process may, and may have died since.
const SHARED_SLEEP: SignedDuration = SignedDuration::from_secs(2);

impl App {
    /// Works until `stop`, then finishes what is under way.
    pub async fn work(self, limits: WorkerLimits, stop: impl Future<Output = ()>) {
        let stop = stop.shared();
        let back = WorkerLimits { concurrency: self.0.events.settings.max_in_flight, ..limits };
        tokio::join!(
            self.work_in(Lane::Front, limits, stop.clone()),
            self.work_in(Lane::Back, back, stop.clone()),
            self.keep_endpoints(stop.clone()),
            self.keep_swept(stop),
        );
    }

    async fn work_in(&self, lane: Lane, limits: WorkerLimits, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut tasks = JoinSet::new();
        let in_flight: Arc<Mutex<InFlight>> = Arc::default();
        let wake = match lane {
            Lane::Front => &self.0.wake,
            Lane::Back => self.0.events.wake(),
        };
        loop {
            let sleep = self.hand_out(lane, limits, &mut tasks, &in_flight).await;
            tokio::select! {
                () = &mut stop => break,
                () = wake.notified() => {}
                () = sleep => {}
                Some(_) = tasks.join_next() => {}
            }
        }
        let rest = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.drain, rest).await.is_err() {
            tracing::warn!("jobs under way were left to the next start");
        }
    }

    /// Starts what is due and returns the wait until something else is.
    async fn hand_out(
        &self,
        lane: Lane,
        limits: WorkerLimits,
        tasks: &mut JoinSet<()>,
        in_flight: &Arc<Mutex<InFlight>>,
    ) -> impl Future<Output = ()> + use<> {
        let now = self.now();
        let free = limits.concurrency.saturating_sub(tasks.len());
        // What is under way or rests is still due in the store, so ask for that
        // many more.
        let known = open(in_flight).known();
        let crowded = known >= CROWD;
        let due = match self.store().due_in(lane, Timestamp::MAX, known + limits.concurrency + 1).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "cannot read what is due");
                return self.wait(now, LONGEST_SLEEP, Some(Instant::now() + RECOVERY));
            }
        };
        let mut next = if self.store().is_shared() { SHARED_SLEEP } else { LONGEST_SLEEP };
        let mut started = 0;
        for (key, at) in due {
            if at > now {
                next = next.min(at.duration_since(now));
                break;
            }
            if started < free && open(in_flight).take(&key) {
                started += 1;
                let (app, leave) = (self.clone(), Leave { in_flight: in_flight.clone(), key });
                tasks.spawn(async move {
                    match app.outbox_step(&leave.key, crowded).await {
                        Ok(None) => {}
                        Ok(Some(rest)) => open(&leave.in_flight).rest(&leave.key, rest),
                        // What is due may be listed a moment before its record
                        // can be read: the group is on its way to the disk.
                        Err(AppError::NotFound) => open(&leave.in_flight).rest(&leave.key, SHORTLY),
                        Err(error) => {
                            tracing::error!(record = %leave.key, %error, "an job failed");
                            open(&leave.in_flight).rest(&leave.key, RECOVERY);
                        }
                    }
                });
            }
        }
        let rested = open(in_flight).resting.values().min().copied();
        self.wait(now, next, rested)
    }

    /// Until a span of the service's time has passed, or the real time has come:
    /// a clock that was stopped stops no recovery.
    fn wait(
        &self,
        now: Timestamp,
        span: SignedDuration,
        real: Option<Instant>,
    ) -> impl Future<Output = ()> + use<> {
        let (clock, at) = (self.0.clock.clone(), now.checked_add(span).unwrap_or(Timestamp::MAX));
        async move {
            match real {
                None => clock.sleep_until(at).await,
                Some(real) => tokio::select! {
                    () = clock.sleep_until(at) => {}
                    () = tokio::time::sleep_until(real.into()) => {}
                },
            }
        }
    }

    /// Does what is due about a record; answers how long it is to rest, when it
    /// cannot be done now.
    async fn outbox_step(&self, key: &Key, crowded: bool) -> Result<Option<Duration>, AppError> {
        match key.kind {
            Kind::Verification => {
                let id = key.id.parse::<VerificationId>().map_err(|_| AppError::NotFound)?;
                self.outbox_step_of(&id).await?;
            }
            Kind::IdempotencyRecord => self.forget_due::<IdempotencyRecord>(&key.id).await?,
            Kind::SessionWindow => self.forget_due::<SessionWindow>(&key.id).await?,
            Kind::ActiveVerification => self.forget_due::<ActiveVerification>(&key.id).await?,
            Kind::Session => self.forget_due::<Session>(&key.id).await?,
            Kind::Counter => self.forget_due::<Counter>(&key.id).await?,
            Kind::Event => self.forget_due::<Event>(&key.id).await?,
            Kind::Dispatch => return self.tend_dispatch(&key.id, crowded).await,
            Kind::Erasure => self.tend_erasure(&key.id).await?,
            _ => {}
        }
        Ok(None)
    }

    /// Forgets a record whose time is over, by its own due date.
    async fn forget_due<T: Record>(&self, id: &str) -> Result<(), AppError> {
        let found = records::get::<T>(self.store(), id).await?;
        // It may have been renewed meanwhile.
        let Some(found) = found.filter(|found| found.record.due().is_some_and(|due| due <= self.now()))
        else {
            return Ok(());
        };
        match self.store().commit(vec![records::delete(&found)]).await {
            Ok(()) | Err(CommitError::Conflict) => Ok(()),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }

    async fn outbox_step_of(&self, id: &VerificationId) -> Result<(), AppError> {
        let verification = self.verification(id).await?.record;
        let now = self.now();
        let Some(outbox_step) = verification.outbox.iter().find(|outbox_step| outbox_step.due <= now) else {
            self.happen(id, |_| Ok(Input::Deadline)).await?;
            return Ok(());
        };
        let number = outbox_step.number();
        // Measured from before the claim, and not by a clock that may be set.
        let begin_by = Instant::now() + self.policy_of(&verification).await?.time_to_begin();
        let decision = self.happen(id, |_| Ok(Input::Claim { number })).await?;
        match decision.outcome {
            Outcome::Done => self.carry(decision.verification, number, begin_by).await,
            Outcome::Dropped => {
                tracing::warn!(verification = %id, number, "not sent: the code would arrive dead");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Makes a claimed send, or looks it up, and writes down what came of it.
    async fn carry(&self, verification: Verification, number: u8, begin_by: Instant) -> Result<(), AppError> {
        let id = verification.id.clone();
        let (Some(send), Some(outbox_step)) = (
            verification.send(number),
            verification.outbox.iter().find(|outbox_step| outbox_step.number() == number),
        ) else {
            return Ok(());
        };
        let service = self.service_of(&verification).await?;
        let service = self.sending_to(service, &verification.to).await?;
        let window_open =
            send.channel == Channel::Whatsapp && self.window_open(&service, &verification.to).await?;
        let request = self.request(service, &verification, send, begin_by, window_open);
        let outcome = match (request, &outbox_step.effect) {
            // Nobody can derive the code, so nobody can send it, now or later.
            (Err(error), _) => Err(SendError::Refused { code: None, reason: error.to_string() }),
            // What was promised may leave much later: people change their wish.
            (Ok(request), Effect::Send { .. }) => {
                match self.refuse_opted_out(&request.service, &verification.to, send.channel).await {
                    Ok(()) => self.0.gateway.send(&request).await.map(Some),
                    Err(AppError::OptedOut) => Err(opted_out()),
                    Err(error) => return Err(error),
                }
            }
            (Ok(request), Effect::LookUp { .. }) => self.look_up(&request, &verification, number).await?,
        };
        let claim = outbox_step.attempts;
        let input = match outcome {
            Ok(Some(report)) => return self.accepted(&id, number, report).await,
            Ok(None) => Input::NotFound { number, claim, jitter: self.jitter() },
            Err(error) => {
                tracing::warn!(verification = %id, number, attempts = send.attempts.made, %error, "send not accepted");
                self.failed(outbox_step, error)
            }
        };
        let decision = self.happen(&id, |_| Ok(input.clone())).await?;
        if matches!(input, Input::NotFound { .. }) {
            log_not_found(&decision, number);
        }
        if let Some(SendState::Failed { reason, .. }) =
            decision.verification.send(number).map(|send| &send.state)
            && decision.outcome == Outcome::Done
        {
            tracing::warn!(verification = %id, number, reason, "send given up");
        }
        self.0.wake.notify_one();
        Ok(())
    }

    /// Looks a send up in the other side's list. What is known to be another
    /// send's is not it, though it may look like it: a call shows no code.
    async fn look_up(
        &self,
        request: &SendRequest,
        verification: &Verification,
        number: u8,
    ) -> Result<Result<Option<Report>, SendError>, AppError> {
        let policy = self.policy_of(verification).await?;
        let since = verification.look_up_since(&policy, number).unwrap_or(verification.created_at);
        let mut others: Vec<Sid> = verification.sends.iter().filter_map(|send| send.sid.clone()).collect();
        for _ in 0..MOST_CANDIDATES {
            let found = self.0.gateway.look_up(request, since, &others).await;
            let Ok(Some(report)) = &found else { return Ok(found) };
            let known = records::get::<Delivery>(self.store(), report.sid.as_str()).await?;
            if known.and_then(|known| known.record.id).is_none_or(|id| id == request.id) {
                return Ok(found);
            }
            others.push(report.sid.clone());
        }
        Ok(Err(SendError::unknown("twilio's list has too many that may be it")))
    }

    /// What an attempt without success means for the send.
    fn failed(&self, outbox_step: &OutboxStep, error: SendError) -> Input {
        let (number, claim, jitter) = (outbox_step.number(), outbox_step.attempts, self.jitter());
        let failure = |code, reason, after: Duration| Failure {
            code,
            reason,
            after: SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX),
        };
        match error {
            // The send is as unknown as before, and stays so: its callback may
            // tell yet.
            SendError::Refused { code, reason } if outbox_step.is_look_up() => {
                let reason = format!("whether twilio took it cannot be looked up: {reason}");
                Input::Refused { number, claim, code, reason }
            }
            SendError::Refused { code, reason } => Input::Refused { number, claim, code, reason },
            SendError::NotTaken { code, reason, after } => {
                Input::NotTaken { number, claim, failure: failure(code, reason, after), jitter }
            }
            SendError::Unknown { code, reason, after } => {
                Input::Unknown { number, claim, failure: failure(code, reason, after), jitter }
            }
        }
    }

    fn jitter(&self) -> Jitter {
        Jitter(u32::from_be_bytes(self.0.entropy.bytes()))
    }

    fn request(
        &self,
        service: Arc<Service>,
        verification: &Verification,
        send: &Send,
        begin_by: Instant,
        window_open: bool,
    ) -> Result<SendRequest, AppError> {
        let left = verification.expires_at.duration_since(self.now());
        // The code of this send, which a newer one may have replaced meanwhile.
        let seed = CodeSeed { generation: send.generation, ..verification.code.clone() };
        Ok(SendRequest {
            id: verification.delivery_id(send.number),
            channel: send.channel,
            to: verification.to.clone(),
            code: self.0.codes.derive(&verification.id, &seed).ok_or(AppError::CodeKeyGone)?,
            locale: verification.locale.clone(),
            details: verification.details.clone(),
            begin_by,
            window_open,
            service,
            valid_for: Duration::try_from(left).unwrap_or_default(),
        })
    }

    /// Settles a send and records what is known of its delivery, in one write.
    async fn accepted(&self, id: &VerificationId, number: u8, mut report: Report) -> Result<(), AppError> {
        // What we send is the main account's, also where the answer does not say so.
        if let Some(main) = &self.0.accounts.main {
            report.about.account_sid.get_or_insert_with(|| main.to_string());
        }
        let sid = report.sid.clone();
        for attempt in 0..TRIES {
            let old = self.verification(id).await?;
            let input = Input::Accepted { number, sid: sid.clone() };
            let decision = decide(&self.policy_of(&old.record).await?, &old.record, input, self.now());
            let mut changes = Vec::with_capacity(2);
            if decision.verification != old.record {
                changes.extend(self.written(Some(&old), &decision.verification));
            }
            let known: Option<Versioned<Delivery>> = records::get(self.store(), sid.as_str()).await?;
            let delivery = match &known {
                None => Some(Delivery::new(report.clone(), self.now())),
                // The API is asked with the account's own credentials: what it
                // says of a message holds against whoever spoke of it before.
                Some(known) if self.is_anothers(&known.record, &report) => {
                    Some(Delivery::new(report.clone(), self.now()))
                }
                Some(known) => known.record.merge(report.clone(), self.now()),
            };
            let send = decision.verification.send(number).filter(|send| send.sid.as_ref() == Some(&sid));
            if let Some(delivery) = delivery {
                let delivery = match send {
                    Some(send) => delivery.asked_at(send.asked_at),
                    None => delivery,
                };
                changes.extend(self.written_delivery(known.as_ref(), &delivery).await?);
            }
            match self.store().commit(changes).await {
                Ok(()) => {
                    let is_new = decision.outcome == Outcome::Done;
                    tracing::info!(verification = %id, number, %sid, is_new, "send accepted");
                    return Ok(());
                }
                Err(CommitError::Conflict) => self.step_back(attempt).await,
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(AppError::Contended)
    }
}

/// As Twilio says it where it keeps the list itself.
/// <https://www.twilio.com/docs/api/errors/21610>
fn opted_out() -> SendError {
    let reason = "the recipient has opted out of messages from this sender".to_owned();
    SendError::Refused { code: Some(21610), reason }
}

fn log_not_found(decision: &Decision, number: u8) {
    let id = &decision.verification.id;
    match decision.verification.send(number).map(|send| &send.state) {
        Some(SendState::Sending) => {
            tracing::debug!(verification = %id, number, "not found, and looked up once more: lists lag");
        }
        _ if decision.outcome == Outcome::Done => {
            tracing::info!(verification = %id, number, "the other side lists no such send: it was not made there");
        }
        _ => {}
    }
}

/// Which outbox steps are under way, and which failed and rest, so that what cannot
/// be done does not keep everything else from being done.
#[derive(Default)]
struct InFlight {
    under_way: HashSet<Key>,
    resting: HashMap<Key, Instant>,
}

impl InFlight {
    /// How many there are, when those that have rested are forgotten.
    fn known(&mut self) -> usize {
        self.resting.retain(|_, until| *until > Instant::now());
        self.under_way.len() + self.resting.len()
    }

    /// True when nobody has it and it does not rest.
    fn take(&mut self, key: &Key) -> bool {
        let rests = self.resting.get(key).is_some_and(|until| *until > Instant::now());
        !rests && self.under_way.insert(key.clone())
    }

    fn rest(&mut self, key: &Key, span: Duration) {
        if self.resting.len() < MOST_RESTING {
            self.resting.insert(key.clone(), Instant::now() + span);
        }
    }
}

fn open(in_flight: &Mutex<InFlight>) -> MutexGuard<'_, InFlight> {
    // Nothing is ever half-changed under this lock.
    in_flight.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Takes a key off the desk when its task ends, however it ends.
struct Leave {
    in_flight: Arc<Mutex<InFlight>>,
    key: Key,
}

impl Drop for Leave {
    fn drop(&mut self) {
        open(&self.in_flight).under_way.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_rests_and_what_is_under_way_is_not_taken_twice() {
        let (good, bad) = (Key::new(Kind::Verification, "good"), Key::new(Kind::Verification, "bad"));
        let in_flight = Arc::new(Mutex::new(InFlight::default()));
        assert!(open(&in_flight).take(&good) && !open(&in_flight).take(&good));
        drop(Leave { in_flight: in_flight.clone(), key: good.clone() });
        open(&in_flight).rest(&bad, RECOVERY);
        assert!(open(&in_flight).take(&good) && !open(&in_flight).take(&bad));
        open(&in_flight).resting.insert(bad.clone(), Instant::now());
        assert!(open(&in_flight).take(&bad), "it has rested");
        let known = open(&in_flight).known();
        assert_eq!(known, 2, "and is forgotten");
    }
}
