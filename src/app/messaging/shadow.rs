//! Sends that never leave, and are told as if they had.
//!
//! Nothing here speaks to anybody outside. What is written is what would be written of a
//! real one, as late as it would be: that it was taken, and what became of it. A text
//! arrives as others do; a call is not answered. That no page and no event says that it
//! arrived is for those who speak to people. This module refuses to know why.

use crate::app::messaging::pace::Leg;
use crate::app::messaging::{Messaging, MessagingError, callback};
use crate::gateway::{SendError, SendRequest};
use crate::model::channel::Channel;
use crate::model::delivery::{About, Fact, Report, Source};
use crate::model::id::{DeliveryId, Sid};
use crate::model::status::Status;
use crate::model::verification::Send;
use jiff::Timestamp;
use std::time::Duration;

/// What would be said of a request if it were made; as late as that.
///
/// # Errors
/// Why it would not be made.
pub(in crate::app) async fn send(messaging: &Messaging, request: &SendRequest) -> Result<Report, SendError> {
    let kind = if request.channel == Channel::Call { "CA" } else { "SM" };
    let sid: Sid = format!("{kind}{}", messaging.base.entropy.hex::<16>())
        .parse()
        .map_err(|_| SendError::Refused { code: None, reason: "no sid could be made".to_owned() })?;
    let report = messaging.gateway.pretend(request, sid)?;
    tokio::time::sleep(messaging.pace.draw(Leg::Taken(request.channel), &messaging.base.entropy)).await;
    Ok(report)
}

/// Tells it as often as a provider would whose report is not taken.
async fn told(messaging: &Messaging, report: &Report) -> Result<(), MessagingError> {
    let mut waits = [1, 2, 4, 8].map(Duration::from_secs).into_iter();
    loop {
        match (callback::merge(messaging, report).await, waits.next()) {
            (Err(_), Some(wait)) => tokio::time::sleep(wait).await,
            (told, _) => return told.map(drop),
        }
    }
}

/// A send that never left, once it is told to have been taken.
pub(in crate::app) struct Pretended {
    sid: Sid,
    id: Option<DeliveryId>,
    about: About,
    channel: Channel,
    asked_at: Timestamp,
    /// How long its call rings.
    ring: Duration,
}

/// When something is told.
enum When {
    /// When a leg is over.
    Leg(Leg),
    /// So long after what was told before.
    After(Duration),
}

impl Pretended {
    /// That of a send, after what was said of it.
    pub(in crate::app) fn of(send: &Send, report: &Report, ring: Duration) -> Self {
        let Report { sid, id, about, .. } = report.clone();
        let about = About { encoding: None, counted_segments: None, num_segments: None, ..about };
        Self { sid, id, about, channel: send.channel, asked_at: send.asked_at, ring }
    }

    /// Tells in its time what becomes of it. When the process ends before, nothing more is
    /// told, as where a provider's reports are lost.
    pub(in crate::app) fn go_on(self, messaging: &Messaging) {
        let messaging = messaging.clone();
        tokio::spawn(async move {
            for (sequence, (status, when)) in (0..).zip(self.way()) {
                tokio::time::sleep(self.until(&when, &messaging)).await;
                let report = self.reported(status, sequence, &messaging);
                if let Err(error) = told(&messaging, &report).await {
                    tracing::debug!(sid = %self.sid, %error, "what never left is told no further");
                    return;
                }
            }
        });
    }

    /// How long to wait now for what is told then.
    fn until(&self, when: &When, messaging: &Messaging) -> Duration {
        let entropy = &messaging.base.entropy;
        match when {
            When::Leg(leg) => {
                let age = Duration::try_from(messaging.base.now().duration_since(self.asked_at));
                messaging.pace.draw(*leg, entropy).saturating_sub(age.unwrap_or_default())
            }
            // The exchange takes a moment to notice.
            When::After(span) => *span + Duration::from_millis(entropy.below(1_000)),
        }
    }

    /// What is told of it after the answer to the request.
    fn way(&self) -> Vec<(Status, When)> {
        let of = |status, leg| (status, When::Leg(leg));
        let way = match self.channel {
            Channel::Call => vec![
                of(Status::Initiated, Leg::Initiated),
                of(Status::Ringing, Leg::Ringing),
                (Status::NoAnswer, When::After(self.ring)),
            ],
            Channel::Sms => vec![
                of(Status::Sending, Leg::Sending),
                of(Status::Sent, Leg::Sent),
                of(Status::Delivered, Leg::Delivered),
            ],
            Channel::Whatsapp => vec![of(Status::Sent, Leg::Sent), of(Status::Delivered, Leg::Delivered)],
        };
        // Of what was taken before a sender was found for it, that is told first.
        let is_pooled = self.about.messaging_service_sid.is_some();
        is_pooled.then(|| of(Status::Queued, Leg::Queued)).into_iter().chain(way).collect()
    }

    /// As a callback would say it.
    fn reported(&self, status: Status, sequence: u32, messaging: &Messaging) -> Report {
        let is_call = self.channel == Channel::Call;
        let is_unanswered = status == Status::NoAnswer;
        let is_receipt = self.channel == Channel::Sms && status == Status::Delivered;
        let now = messaging.base.now();
        let fact = Fact {
            status: Some(status),
            // The carrier's clock, which is behind by a moment and by nobody knows what zone.
            carrier_time: is_receipt.then(|| now.strftime("%y%m%d%H%M").to_string()),
            source: Source::StatusCallback,
            sequence: is_call.then_some(sequence),
            // Twilio tells it in whole seconds.
            carrier_at: Timestamp::from_second(now.as_second()).ok().filter(|_| is_call),
            // As Twilio ends a call that rang in vain (RFC 3261, 487).
            sip_code: is_unanswered.then_some(487),
            duration_seconds: is_unanswered.then_some(0),
            billed_minutes: is_unanswered.then_some(0),
            ..Fact::default()
        };
        Report { sid: self.sid.clone(), id: self.id.clone(), about: self.about.clone(), fact }
    }
}
