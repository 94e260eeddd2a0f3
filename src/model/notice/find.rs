//! What there is to tell of a change: old and new, side by side.

use super::{News, Reason, Topic};
use crate::model::address;
use crate::model::channel::DeliveryChannel;
use crate::model::delivery::Delivery;
use crate::model::opt_out::OptOut;
use crate::model::session::Session;
use crate::model::status::Status as Standing;
use crate::model::verification::{Send, SendState, Status, Verification};
use jiff::Timestamp;

/// The code of Twilio's by which a recipient has asked the sender to stop.
const OPTED_OUT: u32 = 21610;

/// What happened to a verification that becomes `new`, at `now`.
pub fn of_verification(old: Option<&Verification>, new: &Verification, now: Timestamp) -> Vec<News> {
    let tell = |topic| News {
        verification: Some(new.id.clone()),
        service: new.service.clone(),
        channel: Some(new.channel().into()),
        to: Some(new.to.in_full().to_owned()),
        status: Some(new.status.to_string()),
        test: new.test,
        ..News::new(topic, now).said_of(new)
    };
    let mut news = Vec::new();
    if old.is_none() {
        news.push(tell(Topic::Started));
    }
    let was = old.map_or(Status::Pending, |old| old.status);
    let changed =
        |send: &&Send| old.and_then(|old| old.send(send.number)).map(|send| &send.state) != Some(&send.state);
    let is_accepted = |send: &Send| send.state == SendState::Accepted;
    // Where a callback meets the end, it and the end are told, and not the other
    // sends that ended with it: a commit holds so many notices and no more.
    let is_told_already = was != new.status && new.sends.iter().filter(changed).any(is_accepted);
    for send in new.sends.iter().filter(changed) {
        if let Some(told) = of_send(send, &tell).filter(|_| !is_told_already || is_accepted(send)) {
            news.push(News { delivery: Some(new.delivery_id(send.number)), ..told });
        }
    }
    if was != new.status {
        news.extend(of_end(new.status, &tell));
    }
    news
}

fn of_send(send: &Send, tell: &impl Fn(Topic) -> News) -> Option<News> {
    let channel = Some(send.channel.into());
    match &send.state {
        SendState::Accepted => Some(News { channel, sid: send.sid.clone(), ..tell(Topic::Sent) }),
        SendState::Failed { code, reason } => Some(News {
            channel,
            reason: Some(reason_of(*code, Reason::SendFailed)),
            error_code: *code,
            detail: Some(reason.clone()),
            ..tell(Topic::Failed)
        }),
        SendState::Waiting | SendState::Sending | SendState::Dropped | SendState::Test => None,
    }
}

/// A person's wish is told apart from what went wrong: Twilio says so by a code,
/// and so do we. <https://www.twilio.com/docs/api/errors/21610>
fn reason_of(code: Option<u32>, otherwise: Reason) -> Reason {
    if code == Some(OPTED_OUT) { Reason::OptedOut } else { otherwise }
}

fn of_end(status: Status, tell: &impl Fn(Topic) -> News) -> Option<News> {
    match status {
        Status::Pending => None,
        Status::Approved => Some(tell(Topic::Approved)),
        Status::Canceled => Some(tell(Topic::Canceled)),
        Status::Expired => Some(tell(Topic::Expired)),
        Status::MaxAttemptsReached => {
            Some(News { reason: Some(Reason::TooManyChecks), ..tell(Topic::Failed) })
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
pub fn of_delivery(old: Option<&Delivery>, new: &Delivery, now: Timestamp) -> Vec<News> {
    let was = old.and_then(Delivery::status);
    let Some(status) = new.status() else {
        return Vec::new();
    };
    let tell = |topic| News {
        verification: new.id.as_ref().map(|id| id.parts().0),
        delivery: new.id.clone(),
        sid: Some(new.sid.clone()),
        channel: Some(new.channel()),
        to: new.about.to.clone(),
        status: Some(status.to_string()),
        // What had gone wrong before it arrived is no failure any more.
        error_code: new.error_code().filter(|_| status.is_failure()),
        detail: new.error_text().filter(|_| status.is_failure()).map(str::to_owned),
        ..News::new(topic, now)
    };
    let mut news = Vec::new();
    if was != Some(status) {
        news.push(tell(Topic::DeliveryUpdated));
    }
    let before = old.filter(|old| old.id.is_some());
    if new.id.is_some() {
        if arrived(new) && !before.is_some_and(arrived) {
            news.push(tell(Topic::Delivered));
        } else if status.is_failure() && !before.and_then(Delivery::status).is_some_and(Standing::is_failure)
        {
            let reason = reason_of(new.error_code(), Reason::NotDelivered);
            news.push(News { reason: Some(reason), ..tell(Topic::Failed) });
        }
        let was_unheard = before.is_some_and(|before| before.unheard().is_some());
        if let Some(why) = new.unheard().filter(|_| !was_unheard) {
            news.push(News { reason: Some(why.into()), ..tell(Topic::Unheard) });
        }
    }
    news
}

fn arrived(delivery: &Delivery) -> bool {
    let arrived = if delivery.sid.is_call() { delivery.is_heard() } else { delivery.is_delivered() };
    arrived == Some(true)
}

/// What happened to a session: it ended. The number is told that it was about,
/// which is proved where the status says so.
pub fn of_session(old: Option<&Session>, new: &Session, now: Timestamp) -> Option<News> {
    let end = new.end.filter(|_| old.and_then(|old| old.end).is_none())?;
    let to = new.number.as_ref().or(new.to.as_ref());
    Some(News {
        verification: new.verification.clone(),
        service: new.service.clone(),
        session: Some(new.id.clone()),
        user: new.details.user.clone(),
        tags: new.details.tags.clone(),
        to: to.map(|to| to.in_full().to_owned()),
        status: Some(end.as_str().to_owned()),
        ..News::new(Topic::SessionEnded, now)
    })
}

/// What happened to a wish not to be written to.
pub fn of_opt_out(old: Option<&OptOut>, new: &OptOut) -> Option<News> {
    let was = old.is_some_and(|old| old.opted_out);
    let topic = match (was, new.opted_out) {
        (false, true) => Topic::OptOutCreated,
        (true, false) => Topic::OptOutRemoved,
        _ => return None,
    };
    let channel = address::named_channel(&new.number).unwrap_or(DeliveryChannel::Sms);
    Some(News {
        channel: Some(channel),
        to: Some(new.number.clone()),
        sender: Some(new.sender.clone()),
        ..News::new(topic, new.at)
    })
}
