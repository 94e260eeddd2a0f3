//! What there is to tell of a change: old and new, side by side.

use super::{EventBody, EventType, Reason};
use crate::model::address;
use crate::model::channel::DeliveryChannel;
use crate::model::delivery::Delivery;
use crate::model::opt_out::OptOut;
use crate::model::session::Session;
use crate::model::status::Status as Standing;
use crate::model::verification::{Send, SendState, Status, Verification};
use jiff::Timestamp;

/// Whether an error code says that the recipient has asked the sender to stop. A
/// person's wish is told apart from what went wrong; which codes say so is the
/// provider's matter, and whoever knows it passes it in.
pub type IsOptOut = fn(u32) -> bool;

/// What happened to a verification that becomes `new`, at `now`.
pub fn of_verification(
    old: Option<&Verification>,
    new: &Verification,
    is_opt_out: IsOptOut,
    now: Timestamp,
) -> Vec<EventBody> {
    let tell = |event_type| EventBody {
        verification: Some(new.id.clone()),
        service: new.service.clone(),
        channel: Some(new.channel().into()),
        to: Some(new.to.in_full().to_owned()),
        status: Some(new.status.to_string()),
        test: new.test,
        ..EventBody::new(event_type, now).said_of(new)
    };
    let mut body = Vec::new();
    if old.is_none() {
        body.push(tell(EventType::Started));
    }
    let was = old.map_or(Status::Pending, |old| old.status);
    let changed =
        |send: &&Send| old.and_then(|old| old.send(send.number)).map(|send| &send.state) != Some(&send.state);
    let is_accepted = |send: &Send| send.state == SendState::Accepted;
    // Where a callback meets the end, it and the end are told, and not the other
    // sends that ended with it: a commit holds so many events and no more.
    let is_told_already = was != new.status && new.sends.iter().filter(changed).any(is_accepted);
    for send in new.sends.iter().filter(changed) {
        if let Some(told) = of_send(send, is_opt_out, &tell).filter(|_| !is_told_already || is_accepted(send))
        {
            body.push(EventBody { delivery: Some(new.delivery_id(send.number)), ..told });
        }
    }
    if was != new.status {
        body.extend(of_end(new.status, &tell));
    }
    body
}

fn of_send(send: &Send, is_opt_out: IsOptOut, tell: &impl Fn(EventType) -> EventBody) -> Option<EventBody> {
    let channel = Some(send.channel.into());
    match &send.state {
        SendState::Accepted => Some(EventBody { channel, sid: send.sid.clone(), ..tell(EventType::Sent) }),
        SendState::Failed { code, reason } => Some(EventBody {
            channel,
            reason: Some(reason_of(*code, is_opt_out, Reason::SendFailed)),
            error_code: *code,
            detail: Some(reason.clone()),
            ..tell(EventType::Failed)
        }),
        SendState::Waiting | SendState::Sending | SendState::Dropped | SendState::Test => None,
    }
}

pub(super) fn reason_of(code: Option<u32>, is_opt_out: IsOptOut, otherwise: Reason) -> Reason {
    if code.is_some_and(is_opt_out) { Reason::OptedOut } else { otherwise }
}

fn of_end(status: Status, tell: &impl Fn(EventType) -> EventBody) -> Option<EventBody> {
    match status {
        Status::Pending => None,
        Status::Approved => Some(tell(EventType::Approved)),
        Status::Canceled => Some(tell(EventType::Canceled)),
        Status::Expired => Some(tell(EventType::Expired)),
        Status::MaxAttemptsReached => {
            Some(EventBody { reason: Some(Reason::TooManyChecks), ..tell(EventType::Failed) })
        }
    }
}

/// What happened to a delivery that becomes `new`: its status changed, and
/// where it is one of a verification of ours, that it arrived or did not. A
/// call arrives when it has lasted one whole reading of the code; that it took
/// place says nothing.
///
/// What was said before a delivery was known to be ours is said again of the
/// verification once it is.
pub fn of_delivery(
    old: Option<&Delivery>,
    new: &Delivery,
    is_opt_out: IsOptOut,
    now: Timestamp,
) -> Vec<EventBody> {
    let was = old.and_then(Delivery::status);
    let Some(status) = new.status() else {
        return Vec::new();
    };
    let tell = |event_type| EventBody {
        verification: new.id.as_ref().and_then(|id| id.of_verification()).map(|(id, _)| id),
        message: new.id.as_ref().and_then(|id| id.of_message()).map(|(id, _)| id),
        delivery: new.id.clone(),
        sid: Some(new.sid.clone()),
        channel: Some(new.channel()),
        to: new.about.to.clone(),
        status: Some(status.to_string()),
        // What had gone wrong before it arrived is no failure any more.
        error_code: new.error_code().filter(|_| status.is_failure()),
        detail: new.error_text().filter(|_| status.is_failure()).map(str::to_owned),
        ..EventBody::new(event_type, now)
    };
    let mut body = Vec::new();
    if was != Some(status) {
        body.push(tell(EventType::DeliveryUpdated));
    }
    let before = old.filter(|old| old.id.is_some());
    // What became of a message of its own is told of that.
    if new.id.as_ref().is_some_and(|id| id.of_verification().is_some()) {
        if arrived(new) && !before.is_some_and(arrived) {
            body.push(tell(EventType::Delivered));
        } else if status.is_failure() && !before.and_then(Delivery::status).is_some_and(Standing::is_failure)
        {
            let reason = reason_of(new.error_code(), is_opt_out, Reason::NotDelivered);
            body.push(EventBody { reason: Some(reason), ..tell(EventType::Failed) });
        }
        let was_unheard = before.is_some_and(|before| before.unheard().is_some());
        if let Some(why) = new.unheard().filter(|_| !was_unheard) {
            body.push(EventBody { reason: Some(why.into()), ..tell(EventType::Unheard) });
        }
    }
    body
}

fn arrived(delivery: &Delivery) -> bool {
    let arrived = if delivery.sid.is_call() { delivery.is_heard() } else { delivery.is_delivered() };
    arrived == Some(true)
}

/// What happened to a session: it ended. The number is told that it was about,
/// which is proved where the status says so.
pub fn of_session(old: Option<&Session>, new: &Session, now: Timestamp) -> Option<EventBody> {
    let end = new.end.filter(|_| old.and_then(|old| old.end).is_none())?;
    let to = new.number.as_ref().or(new.to.as_ref());
    Some(EventBody {
        verification: new.verification.clone(),
        service: new.service.clone(),
        session: Some(new.id.clone()),
        user: new.details.user.clone(),
        tags: new.details.tags.clone(),
        to: to.map(|to| to.in_full().to_owned()),
        status: Some(end.as_str().to_owned()),
        ..EventBody::new(EventType::SessionEnded, now)
    })
}

/// What happened to a wish not to be written to.
pub fn of_opt_out(old: Option<&OptOut>, new: &OptOut) -> Option<EventBody> {
    let was = old.is_some_and(|old| old.opted_out);
    let event_type = match (was, new.opted_out) {
        (false, true) => EventType::OptOutCreated,
        (true, false) => EventType::OptOutRemoved,
        _ => return None,
    };
    let channel = address::named_channel(&new.number).unwrap_or(DeliveryChannel::Sms);
    Some(EventBody {
        channel: Some(channel),
        to: Some(new.number.clone()),
        sender: Some(new.sender.clone()),
        ..EventBody::new(event_type, new.at)
    })
}
