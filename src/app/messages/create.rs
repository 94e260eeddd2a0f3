//! A message of its own is taken: judged by the rules, counted, and written in one commit.

use super::admit::{Asked, want_way, way_of};
use super::count::{self, Full};
use super::happen;
use super::made::{made, wrong};
use super::request::{LATEST_SEND, LEAST_LIFE, LONGEST_LIFE, USUAL_LIFE};
use crate::app::admission::{AdmissionError, numbers};
use crate::app::fraud::lines::Lines;
use crate::app::hash::hash;
use crate::app::messages::Messages;
use crate::app::messages::{MessageError, MessageRequest};
use crate::app::services::find;
use crate::app::transact::{self, Draft, transact};
use crate::model::channel::Channel;
use crate::model::id::MessageId;
use crate::model::message::{Message, MessageStatus};
use crate::model::service::{BadSetting, Service};
use crate::store::Commit;
use crate::store::records::{self, Ahead};
use jiff::{SignedDuration, Timestamp};

/// Takes a message of its own, if the rules admit it. It leaves later. True beside one that
/// was taken before by the same request.
///
/// # Errors
/// Why it may not be; what cannot be of it; or the store's. Nothing was written then.
pub async fn send_message(
    messages: &Messages,
    request: MessageRequest,
) -> Result<(Message, bool), MessageError> {
    let (base, admission) = (&messages.admission.base, &messages.admission);
    if !messages.has_words {
        let what = "the gateway sends codes alone, which it makes itself, and no messages: see gateway.kind";
        return Err(AdmissionError::NotAllowed { field: "channel", what }.into());
    }
    let number = numbers::read(admission, &request.to);
    let own_id = own_id(&request);
    let request_hash = request.idempotency.as_ref().map(|(_, whole)| hash(&[whole]));
    let look = || async {
        let now = base.now();
        if let Some(id) = &own_id
            && let Some(found) = records::get::<Message>(base.store(), id.as_str()).await?
        {
            return match found.record.request == request_hash {
                true => Ok(Draft::Settled(Ok((found.record, true)))),
                false => Err(AdmissionError::KeyReused.into()),
            };
        }
        let service = find::service(&messages.admission.directory, request.service.as_ref()).await?;
        let (to, test) = number.clone()?;
        let (content, name, message_type) = made(&service, &request, &to)?;
        let plan = plan(&service, request.channel)?;
        let asked = Asked {
            service: service.clone(),
            number: Ok(&to),
            plan: &plan,
            message_type: (&name, &message_type),
            is_test: test.is_some(),
        };
        let mut ahead = Ahead::default();
        want_way(admission, &asked, &mut ahead);
        ahead.read(base.store()).await?;
        let (sending, channel) = way_of(admission, &asked, &ahead).await?;
        let (send_at, expires_at) = times(&request, now)?;
        let default = &messages.admission.directory.services.default_service().id;
        let mut message = Message {
            id: own_id.clone().unwrap_or_else(|| MessageId::from_random(base.entropy.bytes())),
            service: Some(service.id.clone()).filter(|id| id != default),
            to: to.clone(),
            content,
            message_type: name.clone(),
            priority: request.priority,
            plan: plan.clone(),
            created_at: now,
            send_at,
            expires_at,
            status: MessageStatus::Queued,
            failure: None,
            ended_at: None,
            forget_at: None,
            user: request.user.clone(),
            tags: request.tags.clone(),
            test: test.is_some(),
            round: 0,
            turn: None,
            turn_of: None,
            failures: Vec::new(),
            request: request_hash.clone(),
            arrived: None,
            called_off: false,
            counted_at: None,
            has_left: false,
            admitted: Some(count::asked_by(request.caller.as_deref())).filter(|_| test.is_none()),
            sends: Vec::new(),
            outbox: Vec::new(),
        };
        message.ask(channel, send_at, now);
        let standing = to.standing();
        let additions = count::count(admission, &sending, &mut message, &message_type);
        let message = message.begun(messages.keep, now);
        Ok::<_, MessageError>(Draft::Counted {
            commit: Commit {
                changes: happen::written(&messages.admission.telling, None, &message),
                additions: additions.countings,
            },
            tickets: additions.tickets,
            lines: Lines::default(),
            done: Ok((message, false)),
            refused: Box::new(move |limited| Err(Box::new(Full::of(limited, &standing, &sending.id, now)))),
        })
    };
    let (message, is_replayed) = match transact(base, &transact::MESSAGE, look).await? {
        Ok(taken) => taken,
        Err(full) => return Err(full.told(admission).await),
    };
    if !is_replayed {
        happen::wake_for(base, &message);
        tracing::info!(message = %message.id, to = %message.to, message_type = message.message_type, "message taken");
    }
    Ok((message, is_replayed))
}

/// The id of a message whose request has a name: always the same, so that whoever died
/// between the message and its answer has taken it, and nobody takes it twice.
fn own_id(request: &MessageRequest) -> Option<MessageId> {
    let (key, _) = request.idempotency.as_ref()?;
    let name = hash(&["message", request.caller.as_deref().unwrap_or_default(), key]);
    let mut bytes = [0; 15];
    hex::decode_to_slice(&name[..30], &mut bytes).ok()?;
    Some(MessageId::from_random(bytes))
}

/// The channels to try: the service's that carry words, in their order, or the one that was
/// named.
///
/// # Errors
/// A channel that reads codes alone, or that the service does not have.
pub(super) fn plan(service: &Service, channel: Option<Channel>) -> Result<Vec<Channel>, MessageError> {
    let own = service.settings.channels.iter().copied().filter(|channel| channel.is_message());
    match channel {
        Some(Channel::Call) => {
            let what = "a call reads codes aloud, and no messages: name sms or whatsapp";
            Err(AdmissionError::NotAllowed { field: "channel", what }.into())
        }
        Some(channel) => Ok(vec![channel]),
        None => match own.collect::<Vec<_>>() {
            plan if plan.is_empty() => Err(AdmissionError::NoChannel.into()),
            plan => Ok(plan),
        },
    }
}

/// When it leaves at the soonest, and when it is worth nothing any more.
fn times(request: &MessageRequest, now: Timestamp) -> Result<(Timestamp, Timestamp), BadSetting> {
    let send_at = request.send_at.unwrap_or(now).max(now);
    if send_at.duration_since(now) > LATEST_SEND {
        return Err(wrong("send_at", "is at most 35 days ahead"));
    }
    Ok((send_at, end_of(request.expires_at, send_at)?))
}

/// When a message that leaves then is worth nothing any more.
///
/// # Errors
/// Too soon after that for anything to leave, or too late.
pub(super) fn end_of(asked: Option<Timestamp>, send_at: Timestamp) -> Result<Timestamp, BadSetting> {
    let expires_at = asked.unwrap_or_else(|| send_at.checked_add(USUAL_LIFE).unwrap_or(Timestamp::MAX));
    let life: SignedDuration = expires_at.duration_since(send_at);
    match (LEAST_LIFE..=LONGEST_LIFE).contains(&life) {
        true => Ok(expires_at),
        false => {
            let what = "is a minute to 24 hours after send_at, or after now where that is not given";
            Err(wrong("expires_at", what))
        }
    }
}
