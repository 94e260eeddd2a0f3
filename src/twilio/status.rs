//! Statuses of messages and calls in Twilio's words.
//!
//! It refuses to know which of two statuses holds: their order is the model's.
//!
//! Source: <https://www.twilio.com/docs/messaging/api/message-resource#message-status-values>,
//! <https://www.twilio.com/docs/voice/api/call-resource#call-status-values>.

use crate::model::status::Status;

const WORDS: [(Status, &str); 19] = [
    (Status::Scheduled, "scheduled"),
    (Status::Accepted, "accepted"),
    (Status::Queued, "queued"),
    (Status::Initiated, "initiated"),
    (Status::Ringing, "ringing"),
    (Status::InProgress, "in-progress"),
    (Status::Sending, "sending"),
    (Status::Sent, "sent"),
    (Status::Receiving, "receiving"),
    (Status::Received, "received"),
    // No longer used by Twilio.
    (Status::PartiallyDelivered, "partially_delivered"),
    (Status::Undelivered, "undelivered"),
    (Status::Failed, "failed"),
    (Status::Canceled, "canceled"),
    (Status::NoAnswer, "no-answer"),
    (Status::Busy, "busy"),
    (Status::Completed, "completed"),
    (Status::Delivered, "delivered"),
    (Status::Read, "read"),
];

/// The status that Twilio names; `None` for a word that it has not documented.
pub fn read(word: &str) -> Option<Status> {
    WORDS.iter().find(|(_, own)| *own == word).map(|(status, _)| *status)
}

/// Twilio's word for a status.
pub fn word(status: Status) -> &'static str {
    WORDS.iter().find(|(own, _)| *own == status).map_or("", |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_word_and_every_word_its_status() {
        for status in Status::all() {
            assert_eq!(read(word(status)), Some(status));
        }
        for odd in ["", "Delivered", "delivered ", "in_progress", "teleported"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
