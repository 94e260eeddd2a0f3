//! What is happening with the message or call right now, and which ways are
//! offered to a person who waits: read off the delivery's own story.

use super::note::joined;
use crate::app::verification::SessionView;
use crate::http::pages::words::{Words, fill};
use crate::model::channel::Channel;
use crate::model::delivery::Delivery;
use crate::model::status::Status;
use crate::model::verification::{Send, SendState};
use crate::twilio::errors::is_opt_out;
use jiff::Timestamp;
use serde::Serialize;

/// Twilio's codes for a number that is not on WhatsApp.
const NO_WHATSAPP: [u32; 2] = [63003, 63024];
/// Below a minute, spans are told in steps of so many seconds.
const STEP: i64 = 5;

/// What is happening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Now {
    /// A word for it, for programs.
    pub state: &'static str,
    /// In the person's language.
    pub text: String,
    /// Whether the code will not come this way.
    pub failed: bool,
}

/// A way to get the code once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// The channel that it takes.
    pub channel: Channel,
    /// Whether it is the way of the last time.
    pub again: bool,
    /// Whether it is shown. Every way is, from the first message on.
    pub offered: bool,
    /// Whether it is open now, though another send by the last way has to wait.
    pub at_once: bool,
}

/// What is happening with the last message or call.
pub fn now(view: &SessionView, words: &Words, at: Timestamp) -> Option<Now> {
    let verification = view.verification.as_ref()?;
    let (send, delivery) = verification.last_delivery()?;
    let delivery = delivery.as_ref();
    let status = delivery.and_then(Delivery::status);
    let error = error_of(send, delivery);
    let is_missing = send.channel == Channel::Whatsapp && error.is_some_and(|it| NO_WHATSAPP.contains(&it));
    let state = match (&send.state, status) {
        (SendState::Test, _) => "test",
        _ if error.is_some_and(is_opt_out) => "opted_out",
        _ if is_missing => "no_whatsapp",
        (_, Some(Status::Delivered | Status::Read)) if view.hides_arrival => {
            state_of(send.channel, Status::Sent)
        }
        (_, Some(status)) => state_of(send.channel, status),
        (SendState::Failed { .. } | SendState::Dropped, None) => failed(send.channel),
        (SendState::Accepted, None) if send.channel.is_message() => "queued",
        // Twilio has not taken it, or has not said so, and it is tried again.
        (SendState::Waiting | SendState::Sending, None) if send.attempts.last_error.is_some() => {
            if send.channel.is_message() { "delayed" } else { "call_delayed" }
        }
        (_, None) if send.channel.is_message() => "preparing",
        (_, None) => "calling",
    };
    let since = delivery.map_or(send.asked_at, Delivery::updated_at);
    let text = fill(self::text(words, state), &[("time", &span(words, at.duration_since(since).as_secs()))]);
    let text = match view.follows {
        Some((Channel::Call, false)) if !is_over(&send.state, status) => joined(&text, &words.now.then_call),
        Some((_, false)) if !is_over(&send.state, status) => joined(&text, &words.now.then_message),
        _ => text,
    };
    let text = match followed(view, send).map(|before| self::text(words, before)) {
        Some(before) => joined(before, &text),
        None => text,
    };
    let failed =
        matches!(state, "failed" | "no_whatsapp" | "call_failed" | "busy" | "no_answer" | "opted_out");
    Some(Now { state, text, failed })
}

/// Whether a send that is followed did not arrive: else it may yet.
fn is_over(state: &SendState, status: Option<Status>) -> bool {
    matches!(state, SendState::Failed { .. } | SendState::Dropped) || status.is_some_and(Status::is_failure)
}

/// What calls off what is about to follow by itself, on a button; nothing where nothing is.
pub fn stop<'a>(view: &SessionView, words: &'a Words) -> Option<&'a str> {
    view.follows.map(|(channel, _)| match channel {
        Channel::Call => words.code.no_call.as_str(),
        Channel::Sms | Channel::Whatsapp => words.code.no_message.as_str(),
    })
}

/// How the send ended whose place this one took by itself; nothing where nobody knows that
/// it did.
fn followed(view: &SessionView, send: &Send) -> Option<&'static str> {
    let sends = &view.verification.as_ref()?.deliveries;
    let (before, delivery) = sends.iter().find(|(before, _)| Some(before.number) == send.follows)?;
    match (delivery.as_ref().and_then(Delivery::status), &before.state) {
        (Some(status), _) if status.is_failure() => Some(state_of(before.channel, status)),
        (None, SendState::Failed { .. }) => Some(failed(before.channel)),
        _ => None,
    }
}

/// Why a send did not succeed, in Twilio's code.
fn error_of(send: &Send, delivery: Option<&Delivery>) -> Option<u32> {
    match &send.state {
        SendState::Failed { code, .. } => *code,
        _ => delivery.and_then(Delivery::error_code),
    }
}

/// Whether the last send ended because the recipient had told the sender to stop.
pub fn is_opted_out(view: &SessionView) -> bool {
    let last = view.verification.as_ref().and_then(|verification| verification.last_delivery());
    last.is_some_and(|(send, delivery)| error_of(send, delivery.as_ref()).is_some_and(is_opt_out))
}

/// The channels of a person who told the sender of messages to stop: the ways that
/// still work stand first.
pub fn behind_calls(mut channels: Vec<Channel>) -> Vec<Channel> {
    channels.sort_by_key(|channel| channel.is_message());
    channels
}

/// The ways that are left, the one of the last time first; messages last where
/// they were `refused`.
pub fn ways(view: &SessionView, refused: bool) -> Vec<Way> {
    let Some(verification) = &view.verification else {
        return Vec::new();
    };
    let last = verification.verification.channel();
    let open = verification.ways_out();
    let way = |channel: &Channel| Way {
        channel: *channel,
        again: *channel == last,
        offered: true,
        at_once: open.contains(channel),
    };
    let mut ways: Vec<Way> = view.channels.iter().map(way).collect();
    ways.sort_by_key(|way| (refused && way.channel.is_message(), !way.again));
    ways
}

fn state_of(channel: Channel, status: Status) -> &'static str {
    use Status::{Busy, Completed, Delivered, InProgress, NoAnswer, Read, Ringing, Sent};
    match (channel.is_message(), status) {
        (_, status) if status.is_failure() => match status {
            Busy => "busy",
            NoAnswer => "no_answer",
            _ => failed(channel),
        },
        (true, Delivered | Read | Status::PartiallyDelivered) => "delivered",
        // No carrier takes part in WhatsApp that could confirm it.
        (true, Sent) if channel == Channel::Sms => "sent",
        (true, _) => "queued",
        (false, Ringing) => "ringing",
        (false, InProgress) => "talking",
        (false, Completed) => "called",
        (false, _) => "calling",
    }
}

fn failed(channel: Channel) -> &'static str {
    if channel.is_message() { "failed" } else { "call_failed" }
}

fn text<'a>(words: &'a Words, state: &str) -> &'a str {
    let now = &words.now;
    match state {
        "preparing" => &now.preparing,
        "queued" => &now.queued,
        "delayed" => &now.delayed,
        "call_delayed" => &now.call_delayed,
        "no_whatsapp" => &now.no_whatsapp,
        // What is wrong, and what to do, as where it is refused at once.
        "opted_out" => &words.errors.opted_out,
        "sent" => &now.sent,
        "delivered" => &now.delivered,
        "calling" => &now.calling,
        "ringing" => &now.ringing,
        "talking" => &now.talking,
        "called" => &now.called,
        "busy" => &now.busy,
        "no_answer" => &now.no_answer,
        "call_failed" => &now.call_failed,
        "test" => &now.test,
        _ => &now.failed,
    }
}

/// A span, roughly: `20 sec`, `3 min`, `5 hr`.
fn span(words: &Words, seconds: i64) -> String {
    match seconds {
        ..60 => fill(
            &words.common.seconds,
            &[("n", &(seconds.max(1).div_euclid(STEP) * STEP).max(1).to_string())],
        ),
        60..3600 => fill(&words.common.minutes, &[("n", &(seconds / 60).to_string())]),
        _ => fill(&words.common.hours, &[("n", &(seconds / 3600).to_string())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_says_something_of_its_own_kind() {
        let words = &crate::http::pages::words::all()[0];
        for status in Status::all() {
            let (message, call) = (state_of(Channel::Sms, status), state_of(Channel::Call, status));
            assert!(!text(words, message).contains("call") || status.is_failure(), "{status}: {message}");
            assert!(!text(words, call).contains("message"), "{status}: {call}");
        }
        assert_eq!(state_of(Channel::Whatsapp, Status::Read), "delivered");
        assert_eq!(state_of(Channel::Sms, Status::Undelivered), "failed");
        assert_eq!(state_of(Channel::Call, Status::Canceled), "call_failed");
        for status in Status::all() {
            let said = text(words, state_of(Channel::Whatsapp, status));
            assert!(!said.contains("carrier"), "{status}: {said}");
        }
    }

    #[test]
    fn a_span_is_told_roughly() {
        let words = &crate::http::pages::words::all()[0];
        for (seconds, told) in [
            (-3, "1 sec"),
            (0, "1 sec"),
            (4, "1 sec"),
            (19, "15 sec"),
            (59, "55 sec"),
            (130, "2 min"),
            (3599, "59 min"),
            (86_399, "23 hr"),
        ] {
            assert_eq!(span(words, seconds), told);
        }
    }
}
