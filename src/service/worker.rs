//! Does what stands in the outboxes, and lets verifications end in time.
//!
//! A send is claimed by a write before it is made, and settled by a write
//! after. Between the two lies the only moment whose outcome can be unknown;
//! whoever finds such a send later looks it up before anybody sends again.

use super::{Service, ServiceError, TRIES};
use crate::gateway::{Order, SendError};
use crate::model::answer::Answer;
use crate::model::delivery::{Delivery, Report};
use crate::model::id::{Sid, VerificationId};
use crate::model::verification::{Effect, Event, Outcome, Send, Verification, decide};
use crate::store::records::{self, Versioned};
use crate::store::{CommitError, Key, Kind};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

/// The worker's limits.
#[derive(Debug, Clone, Copy)]
pub struct WorkerLimits {
    /// Errands under way at once.
    pub concurrency: usize,
    /// How long errands under way may take after the stop.
    pub drain: Duration,
    /// How often an order that was certainly not taken is tried.
    pub most_attempts: u32,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self { concurrency: 32, drain: Duration::from_secs(20), most_attempts: 4 }
    }
}

/// How long to wait when the store cannot say what is due.
const RECOVERY: Duration = Duration::from_secs(1);
/// The longest sleep: another process may have written something due.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_secs(30);
/// How long after an unknown outcome the list is asked: Twilio's lists lag.
const LOOK_UP_AFTER: SignedDuration = SignedDuration::from_secs(5);

impl Service {
    /// Works until `stop`, then finishes what is under way.
    pub async fn work(self, limits: WorkerLimits, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut tasks = JoinSet::new();
        let under_way: Arc<Mutex<HashSet<Key>>> = Arc::default();
        loop {
            let sleep = self.hand_out(limits, &mut tasks, &under_way).await;
            tokio::select! {
                () = &mut stop => break,
                () = self.0.wake.notified() => {}
                () = sleep => {}
                Some(_) = tasks.join_next() => {}
            }
        }
        let rest = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.drain, rest).await.is_err() {
            tracing::warn!("errands under way were left to the next start");
        }
    }

    /// Starts what is due and returns the wait until something else is.
    async fn hand_out(
        &self,
        limits: WorkerLimits,
        tasks: &mut JoinSet<()>,
        under_way: &Arc<Mutex<HashSet<Key>>>,
    ) -> impl Future<Output = ()> + use<> {
        let now = self.now();
        let free = limits.concurrency.saturating_sub(tasks.len());
        // What is under way is still due in the store, so ask for that many more.
        let due = match self.store().due(Timestamp::MAX, limits.concurrency + 1).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "cannot read what is due");
                return self.wait(now, RECOVERY.try_into().unwrap_or_default());
            }
        };
        let mut next = LONGEST_SLEEP;
        let mut started = 0;
        for (key, at) in due {
            if at > now {
                next = next.min(at.duration_since(now));
                break;
            }
            let is_new = || under_way.lock().unwrap_or_else(|broken| broken.into_inner()).insert(key.clone());
            if started < free && is_new() {
                started += 1;
                let (service, under_way, key) = (self.clone(), under_way.clone(), key.clone());
                tasks.spawn(async move {
                    let _leave = Leave { under_way, key: key.clone() };
                    if let Err(error) = service.errand(&key, limits).await {
                        tracing::error!(kind = ?key.kind, id = key.id, %error, "an errand failed");
                        tokio::time::sleep(RECOVERY).await;
                    }
                });
            }
        }
        self.wait(now, next)
    }

    fn wait(&self, now: Timestamp, span: SignedDuration) -> impl Future<Output = ()> + use<> {
        let (clock, at) = (self.0.clock.clone(), now.checked_add(span).unwrap_or(Timestamp::MAX));
        async move { clock.sleep_until(at).await }
    }

    async fn errand(&self, key: &Key, limits: WorkerLimits) -> Result<(), ServiceError> {
        match key.kind {
            Kind::Verification => {
                let id = key.id.parse::<VerificationId>().map_err(|_| ServiceError::NotFound)?;
                self.errand_of(&id, limits).await
            }
            Kind::Answer => self.forget(&key.id).await,
            Kind::Delivery | Kind::ApiKey | Kind::OptOut => Ok(()),
        }
    }

    /// Forgets an answer that was kept long enough.
    async fn forget(&self, id: &str) -> Result<(), ServiceError> {
        let Some(answer) = records::get::<Answer>(self.store(), id).await? else {
            return Ok(());
        };
        match self.store().commit(vec![records::delete(&answer)]).await {
            Ok(()) | Err(CommitError::Conflict) => Ok(()),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }

    async fn errand_of(&self, id: &VerificationId, limits: WorkerLimits) -> Result<(), ServiceError> {
        let verification = self.verification(id).await?.record;
        let now = self.now();
        let Some(errand) = verification.outbox.iter().find(|errand| errand.due <= now) else {
            self.happen(id, |_| Ok(Event::Deadline)).await?;
            return Ok(());
        };
        let number = errand.number();
        let decision = self.happen(id, |_| Ok(Event::Claim { number })).await?;
        match decision.outcome {
            Outcome::Done => self.carry(decision.verification, number, limits).await,
            Outcome::Dropped => {
                tracing::warn!(verification = %id, number, "not sent: the code would arrive dead");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Makes a claimed send, or looks it up, and writes down what came of it.
    async fn carry(
        &self,
        verification: Verification,
        number: u8,
        limits: WorkerLimits,
    ) -> Result<(), ServiceError> {
        let id = verification.id.clone();
        let (Some(send), Some(errand)) =
            (verification.send(number), verification.outbox.iter().find(|errand| errand.number() == number))
        else {
            return Ok(());
        };
        let order = self.order(&verification, send)?;
        let outcome = match errand.effect {
            Effect::Send { .. } => self.0.gateway.send(&order).await.map(Some),
            Effect::LookUp { .. } => {
                let others: Vec<Sid> =
                    verification.sends.iter().filter_map(|send| send.sid.clone()).collect();
                self.0.gateway.look_up(&order, send.asked_at, &others).await
            }
        };
        let attempts = errand.attempts;
        match outcome {
            Ok(Some(report)) => self.accepted(&id, number, report).await,
            Ok(None) => {
                tracing::info!(verification = %id, number, "the send never reached the other side");
                self.again(&id, Event::NotTaken { number, retry_at: self.now() }).await
            }
            Err(SendError::Unknown { reason }) => {
                tracing::warn!(verification = %id, number, reason, "outcome of a send unknown, will be looked up");
                let retry_at = self.now().checked_add(LOOK_UP_AFTER).unwrap_or(Timestamp::MAX);
                self.again(&id, Event::Unknown { number, retry_at }).await
            }
            Err(SendError::NotTaken { code, reason, after }) if attempts < limits.most_attempts => {
                tracing::warn!(verification = %id, number, code, reason, "send not taken, will be repeated");
                let after = SignedDuration::try_from(after).unwrap_or(LOOK_UP_AFTER);
                let retry_at = self.now().checked_add(after).unwrap_or(Timestamp::MAX);
                let event = match errand.effect {
                    Effect::Send { .. } => Event::NotTaken { number, retry_at },
                    // It is the look-up that was not taken; the send is as unknown as before.
                    Effect::LookUp { .. } => Event::Unknown { number, retry_at },
                };
                self.again(&id, event).await
            }
            Err(SendError::NotTaken { code, reason, .. } | SendError::Refused { code, reason }) => {
                tracing::warn!(verification = %id, number, code, reason, "send refused");
                self.again(&id, Event::Refused { number, code, reason }).await
            }
        }
    }

    async fn again(&self, id: &VerificationId, event: Event) -> Result<(), ServiceError> {
        self.happen(id, |_| Ok(event.clone())).await?;
        self.0.wake.notify_one();
        Ok(())
    }

    fn order(&self, verification: &Verification, send: &Send) -> Result<Order, ServiceError> {
        let left = verification.expires_at.duration_since(self.now());
        Ok(Order {
            id: verification.delivery_id(send.number),
            channel: send.channel,
            to: verification.to.clone(),
            code: self
                .0
                .codes
                .derive(&verification.id, &verification.code)
                .ok_or(ServiceError::CodeKeyGone)?,
            locale: verification.locale.clone(),
            valid_for: Duration::try_from(left).unwrap_or_default(),
        })
    }

    /// Settles a send and records what is known of its delivery, in one write.
    async fn accepted(&self, id: &VerificationId, number: u8, report: Report) -> Result<(), ServiceError> {
        let sid = report.sid.clone();
        for attempt in 0..TRIES {
            let old = self.verification(id).await?;
            let event = Event::Accepted { number, sid: sid.clone() };
            let decision = decide(&self.0.policy, &old.record, event, self.now());
            let mut changes = Vec::with_capacity(2);
            if decision.verification != old.record {
                changes.push(records::put(Some(&old), &decision.verification));
            }
            let known: Option<Versioned<Delivery>> = records::get(self.store(), sid.as_str()).await?;
            let delivery = match &known {
                None => Some(Delivery::new(report.clone(), self.now())),
                Some(known) => known.record.merge(report.clone(), self.now()),
            };
            changes.extend(delivery.map(|delivery| records::put(known.as_ref(), &delivery)));
            match self.store().commit(changes).await {
                Ok(()) => {
                    tracing::info!(verification = %id, number, %sid, "send accepted");
                    return Ok(());
                }
                Err(CommitError::Conflict) => self.step_back(attempt).await,
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(ServiceError::Contended)
    }
}

/// Takes a key out of the set when its task ends, however it ends.
struct Leave {
    under_way: Arc<Mutex<HashSet<Key>>>,
    key: Key,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.under_way.lock().unwrap_or_else(|broken| broken.into_inner()).remove(&self.key);
    }
}
