//! Does what stands in a verification's outbox, and lets verifications end in time.
//!
//! A send is claimed by a write before it is made, and settled by a write
//! after. Between the two lies the only moment whose outcome can be unknown;
//! whoever finds such a send later looks it up before anybody sends again. When
//! it is tried and looked up again is the model's to say, and who does it when is
//! for `jobs`.

use crate::app::admission::ways;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::messages::news;
use crate::app::messaging::holding::{Claim, Renewed};
use crate::app::messaging::pace::Leg;
use crate::app::messaging::{
    Messaging, MessagingError, callback, failover, holding, inbound, reported, routing, shadow,
};
use crate::app::services::{compat, find};
use crate::app::transact::{self, Draft, transact};
use crate::app::verification::happen::{self, happen};
use crate::app::verification::settled::{Settled, settled};
use crate::app::verification::{VerificationError, Verifying};
use crate::gateway::{Carried, SendError, SendRequest, opted_out};
use crate::model::account::AccountSid;
use crate::model::channel::Channel;
use crate::model::code::CodeSeed;
use crate::model::delivery::{Delivery, Report};
use crate::model::id::{Sid, VerificationId};
use crate::model::message::{Route, look_up_since};
use crate::model::phone::PhoneNumber;
use crate::model::remedy::Remedy;
use crate::model::service::Service;
use crate::model::verification::{
    Decision, Effect, Failure, Input, Jitter, OutboxStep, Outcome, Send, SendState, Verification,
};
use crate::store::Commit;
use crate::store::records::{self, Ahead, Record};
use jiff::{SignedDuration, Timestamp};
use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many messages or calls that may be a send in doubt, and are another's, are
/// passed over in one look-up.
const MOST_CANDIDATES: usize = 8;

/// Does what is due about a verification: a send, a look-up, or its end.
///
/// # Errors
/// Not found, or the store's.
pub async fn tend_verification(messaging: &Messaging, id: &str) -> Result<(), MessagingError> {
    let id = id.parse::<VerificationId>().map_err(|_| Fault::NotFound)?;
    do_step_of(messaging, &id).await
}

async fn do_step_of(messaging: &Messaging, id: &VerificationId) -> Result<(), MessagingError> {
    let verification = happen::verification(&messaging.base, id).await?.record;
    let now = messaging.base.now();
    let Some(step) = verification.outbox.iter().find(|step| step.due <= now && !step.is_redaction()) else {
        happen(&messaging.admission, id, |_| Ok(Input::Deadline)).await?;
        return Ok(());
    };
    let number = step.number();
    if step.is_failover() {
        return failover::fail_over(messaging, id, number).await;
    }
    let service = find::service_of(&messaging.directory, &verification).await?;
    let routes = match verification.send(number).filter(|_| !step.is_look_up()) {
        Some(send) => {
            let in_own_words = service.settings.whatsapp_content_sid.is_none();
            routing::routes_of(messaging, &service, (&verification.to, send), in_own_words).await?
        }
        None => Vec::new(),
    };
    let policy = service.policy(&messaging.directory.policy);
    // Measured from before the claim, and not by a clock that may be set.
    let claimed = Instant::now();
    let decision =
        happen(&messaging.admission, id, |_| Ok(Input::Claim { number, routes: routes.clone() })).await?;
    match decision.outcome {
        Outcome::Done => {
            let claim = Claim::of(&decision.verification.outbox, number, claimed, policy.hold());
            let begin_by = claimed + policy.longest_send;
            let carried = carry(messaging, decision.verification, (number, &routes), begin_by);
            let renew = |number, claim| async move {
                let held = happen(&messaging.admission, id, |_| Ok(Input::Hold { number, claim })).await?;
                Ok(Renewed::of(held.outcome == Outcome::Done, &held.verification.outbox, number))
            };
            holding::held(id, &claim, renew, carried).await
        }
        Outcome::Dropped => {
            tracing::warn!(verification = %id, number, "not sent: the code would arrive dead");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Makes a claimed send, or looks it up, and writes down what came of it.
async fn carry(
    messaging: &Messaging,
    verification: Verification,
    (number, routes): (u8, &[Route]),
    begin_by: Instant,
) -> Result<(), MessagingError> {
    let id = verification.id.clone();
    let (Some(send), Some(step)) =
        (verification.send(number), verification.outbox.iter().find(|step| step.number() == number))
    else {
        return Ok(());
    };
    let service = find::service_of(&messaging.directory, &verification).await?;
    let ahead = known_of(messaging, service.clone(), &verification, send.channel, &step.effect).await?;
    let service = compat::sending_to(&messaging.directory, service, &verification.to, &ahead).await?;
    let window_open = send.channel == Channel::Whatsapp
        && matches!(step.effect, Effect::Send { .. })
        && inbound::window_open(&messaging.admission, &service, (&verification.to, send), &ahead).await?;
    let request = request(&messaging.verifying, service.clone(), &verification, send, begin_by, window_open);
    // Of what is only pretended there is a ring, and of nothing else; none where nothing more
    // is told of what is sent, either.
    let is_told = send.shadow && messaging.gateway.codes().is_none();
    let ring = request.as_ref().ok().filter(|_| is_told).map(|request| messaging.gateway.ring(request));
    let outcome = match (request, &step.effect) {
        // Nobody can derive the code, so nobody can send it, now or later.
        (Err(error), _) => Err(SendError::Refused { code: None, reason: error.to_string() }),
        // What was promised may leave much later: people change their wish.
        (Ok(request), Effect::Send { .. }) => {
            let (service, to) = (&request.service, &verification.to);
            let admission = &messaging.admission;
            let refusal = match ways::is_unwanted(admission, service, to, send.channel, &ahead).await? {
                true => Some(opted_out()),
                false => routing::refusal(admission, to, send, &ahead).await?,
            };
            match refusal {
                Some(refusal) => Err(refusal),
                None if send.shadow => shadow::send(messaging, &request).await.map(Some),
                None => {
                    let sender = paced_sender(messaging, (service, to), send);
                    messaging.turns.take(sender.as_deref(), 1, messaging.base.now());
                    let begun = Instant::now();
                    routing::asked(messaging, send);
                    let sent = messaging.gateway.send(&request).await;
                    routing::ended(messaging, (to, send), &sent).await?;
                    if sent.is_ok() {
                        messaging.pace.learn(Leg::Taken(send.channel), begun.elapsed());
                    }
                    sent.map(Some)
                }
            }
        }
        // It is on nobody's list.
        (Ok(_), Effect::LookUp { .. }) if send.shadow => Ok(None),
        // It is no try of a send.
        (Ok(_), Effect::FailOver { .. } | Effect::Redact { .. }) => return Ok(()),
        (Ok(request), Effect::LookUp { .. }) => {
            let policy = find::policy_of(&messaging.directory, &verification).await?;
            let all = (&*verification.sends, &*verification.outbox);
            let since = look_up_since(all, &policy, number).unwrap_or(verification.created_at);
            look_up(messaging, &request, since, &verification.sends).await?
        }
    };
    let claim = step.attempts;
    let input = match outcome {
        Ok(Some(report)) => {
            let pretended = ring.map(|ring| shadow::Pretended::of(send, &report, ring));
            accepted(messaging, &id, send, report).await?;
            if let Some(pretended) = pretended {
                pretended.go_on(messaging);
            }
            return Ok(());
        }
        Ok(None) => Input::NotFound { number, claim, jitter: jitter(&messaging.base, &id, step) },
        Err(error) => {
            tracing::warn!(verification = %id, number, attempts = send.attempts.made, %error, "send not accepted");
            let jitter = jitter(&messaging.base, &id, step);
            not_accepted(messaging, (&service, send, routes), (step, jitter), error)
        }
    };
    let decision = happen(&messaging.admission, &id, |_| Ok(input.clone())).await?;
    if matches!(input, Input::NotFound { .. }) {
        log_not_found(&decision, number);
    }
    if let Some(SendState::Failed { reason, .. }) = decision.verification.send(number).map(|send| &send.state)
        && decision.outcome == Outcome::Done
    {
        tracing::warn!(verification = %id, number, reason, "send given up");
    }
    messaging.base.board.wake();
    Ok(())
}

/// What a step goes by, read at once: the service's senders, and for a send what the person
/// wishes of them, and on WhatsApp when they wrote last.
async fn known_of(
    messaging: &Messaging,
    service: Arc<Service>,
    verification: &Verification,
    channel: Channel,
    effect: &Effect,
) -> Result<Ahead, MessagingError> {
    let (to, mut ahead) = (&verification.to, Ahead::default());
    let service = compat::want_sending_to(&messaging.directory, service, to, &mut ahead);
    match (effect, channel) {
        // Nobody opts out of calls.
        (Effect::LookUp { .. } | Effect::FailOver { .. } | Effect::Redact { .. }, _)
        | (Effect::Send { .. }, Channel::Call) => {}
        (Effect::Send { .. }, Channel::Sms) => {
            ways::want_ways(&messaging.admission, service, to, &mut ahead);
        }
        (Effect::Send { .. }, Channel::Whatsapp) => {
            inbound::want_window(&messaging.admission, &service, to, &mut ahead);
            ways::want_ways(&messaging.admission, service, to, &mut ahead);
        }
    }
    ahead.read(messaging.base.store()).await?;
    Ok(ahead)
}

/// Looks a send up in the other side's list. What is known to be another
/// send's is not it, though it may look like it: a call shows no code.
pub(in crate::app) async fn look_up(
    messaging: &Messaging,
    request: &SendRequest,
    since: Timestamp,
    sends: &[Send],
) -> Result<Result<Option<Report>, SendError>, MessagingError> {
    let mut others: Vec<Sid> = sends.iter().filter_map(|send| send.sid.clone()).collect();
    for _ in 0..MOST_CANDIDATES {
        let found = messaging.gateway.look_up(request, since, &others).await;
        let Ok(Some(report)) = &found else { return Ok(found) };
        let known = records::get::<Delivery>(messaging.base.store(), report.sid.as_str()).await?;
        if known.and_then(|known| known.record.id).is_none_or(|id| id == request.id) {
            return Ok(found);
        }
        others.push(report.sid.clone());
    }
    Ok(Err(SendError::unknown("the other side's list has too many that may be it")))
}

/// What an attempt without success means for the send; how long it waits is decided in
/// `model::message::retry`.
fn not_accepted(
    messaging: &Messaging,
    (service, send, routes): (&Service, &Send, &[Route]),
    (step, jitter): (&OutboxStep, Jitter),
    error: SendError,
) -> Input {
    let (number, claim) = (step.number(), step.attempts);
    if !step.is_look_up()
        && let Some((failure, spent)) = routing::next_after(messaging, service, (send, routes), &error)
    {
        return Input::NextSender { number, claim, failure, spent };
    }
    match error {
        // The send is as unknown as before, and stays so: its callback may
        // tell yet.
        SendError::Refused { code, reason } if step.is_look_up() => {
            let reason = not_looked_up(&reason);
            Input::Refused { number, claim, code, reason, remedy: Remedy::Stop }
        }
        SendError::Refused { code, reason } => {
            let remedy = news::remedy_of_refusal(&messaging.admission, service, send, code);
            Input::Refused { number, claim, code, reason, remedy }
        }
        SendError::NotProcessed { code, reason, after } => {
            Input::NotProcessed { number, claim, failure: failure(code, reason, after), jitter }
        }
        SendError::Unknown { code, reason, after } => {
            Input::Unknown { number, claim, failure: failure(code, reason, after), jitter }
        }
    }
}

/// What an attempt without success has brought.
pub(in crate::app) fn failure(code: Option<u32>, reason: String, after: Duration) -> Failure {
    Failure { code, reason, after: SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX) }
}

/// Why nobody will know whether a send was taken.
pub(in crate::app) fn not_looked_up(reason: &str) -> String {
    format!("whether it was taken cannot be looked up: {reason}")
}

/// The chance in how long is waited after a try: of each its own, so that whoever repeats
/// chance finds the same waits, in whatever order tries end.
pub(in crate::app) fn jitter(base: &Base, id: impl Display, step: &OutboxStep) -> Jitter {
    let name = format!("{id} {} {}", step.number(), step.attempts);
    Jitter(u32::from_be_bytes(base.entropy.apart(&name).bytes()))
}

fn request(
    verifying: &Verifying,
    service: Arc<Service>,
    verification: &Verification,
    send: &Send,
    begin_by: Instant,
    window_open: bool,
) -> Result<SendRequest, MessagingError> {
    let left = verification.expires_at.duration_since(verifying.base.now());
    // The code of this send, which a newer one may have replaced meanwhile.
    let seed = CodeSeed { generation: send.generation, ..verification.code.clone() };
    Ok(SendRequest {
        id: verification.delivery_id(send.number),
        channel: send.channel,
        to: verification.to.clone(),
        content: Carried::Code {
            code: verifying.codes.derive(&verification.id, &seed).ok_or(VerificationError::CodeKeyGone)?,
            details: verification.details.clone(),
        },
        locale: verification.locale.clone(),
        begin_by,
        window_open,
        route: send.route.clone(),
        service,
        valid_for: Duration::try_from(left).unwrap_or_default(),
    })
}

/// Settles a send and records what is known of its delivery, in one write.
async fn accepted(
    messaging: &Messaging,
    id: &VerificationId,
    send: &Send,
    mut report: Report,
) -> Result<(), MessagingError> {
    own(messaging, Some(send), &mut report);
    let (report, sid, number) = (&report, &report.sid, send.number);
    let look = || async {
        let (store, mut ahead) = (messaging.base.store(), Ahead::default());
        ahead.want::<Verification>(id.as_str());
        ahead.want::<Delivery>(sid.as_str());
        ahead.read(store).await?;
        let old = ahead.get::<Verification>(store, id.as_str()).await?.ok_or(Fault::NotFound)?;
        let service = find::service_of(&messaging.directory, &old.record).await?;
        let known = ahead.get::<Delivery>(store, sid.as_str()).await?;
        let before = known.as_ref().map(|known| &known.record);
        let delivery = taken(messaging, before, report);
        let becomes = (before, delivery.as_ref());
        let decision = failover::settled_by(messaging, &service, &old.record, (number, sid), becomes);
        let mut changes = Vec::with_capacity(2);
        if decision.verification != old.record {
            changes.extend(happen::written(&messaging.telling, Some(&old), &decision.verification));
        }
        let both = (&old.record, &decision.verification);
        let now = messaging.base.now();
        let Settled { additions, mut lines } = settled(&messaging.admission, &service, both, now);
        let send = decision.verification.send(number).filter(|send| send.sid.as_ref() == Some(sid));
        if let Some(delivery) = delivery {
            let delivery = match send {
                Some(send) => delivery.asked_at(send.asked_at),
                None => delivery,
            };
            // Who makes codes itself keeps no list of what it has sent.
            let delivery = match messaging.gateway.codes() {
                Some(_) => delivery.not_asked_again(),
                None => delivery,
            };
            let (more, told) = reported::written(&messaging.admission, known.as_ref(), &delivery).await?;
            changes.extend(more);
            lines = lines.and(told);
        }
        let is_new = decision.outcome == Outcome::Done;
        let has_more = !decision.verification.outbox.is_empty();
        let next = has_more.then(|| Record::lane(&decision.verification));
        Ok(Draft::Tracked(Commit { changes, additions }, lines, (is_new, next)))
    };
    let (is_new, next) =
        transact::<_, MessagingError, _>(&messaging.base, &transact::VERIFICATION, look).await?;
    tracing::info!(verification = %id, number, %sid, is_new, "send accepted");
    // Whoever did this looks for nothing else by itself.
    if let Some(lane) = next {
        messaging.base.board.wake_lane(lane);
    }
    Ok(())
}

/// Who a message comes from, as far as there is a rate for that; nothing of a call.
pub(in crate::app) fn paced_sender(
    messaging: &Messaging,
    (service, to): (&Service, &PhoneNumber),
    send: &Send,
) -> Option<String> {
    let of_route = send.route.as_ref().map(|route| route.sender.clone());
    let first = || messaging.admission.senders.first(service, send.channel, to);
    of_route.or_else(first).filter(|_| send.channel.is_message())
}

/// What we send is the account's by which it left, also where the answer does not say so.
pub(in crate::app) fn own(messaging: &Messaging, send: Option<&Send>, report: &mut Report) {
    let main = messaging.accounts.main.as_ref().map(AccountSid::as_str);
    if let Some(account) = send.and_then(Send::account).or(main) {
        report.about.account_sid.get_or_insert_with(|| account.to_owned());
    }
}

/// What a delivery becomes by what the provider answered to our own request; nothing where
/// all of that was known.
pub(in crate::app) fn taken(
    messaging: &Messaging,
    known: Option<&Delivery>,
    report: &Report,
) -> Option<Delivery> {
    let now = messaging.base.now();
    match known {
        // The API is asked with the account's own credentials: what it says of a message
        // holds against whoever spoke of it before.
        Some(known) if !callback::is_anothers(messaging, known, report) => known.merge(report.clone(), now),
        _ => Some(Delivery::new(report.clone(), now)),
    }
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
