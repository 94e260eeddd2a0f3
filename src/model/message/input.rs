//! What happens to a message of its own, as whoever saw it tells.

use super::{Failure, Jitter, Route};
use crate::model::channel::Channel;
use crate::model::id::Sid;
use crate::model::remedy::Remedy;
use jiff::Timestamp;

/// What happens to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageInput {
    /// A job takes a step that is due.
    Claim {
        /// The send's number.
        number: u8,
        /// By whom it may leave, the best first; empty where there is no choice.
        routes: Vec<Route>,
    },
    /// The sender of a send refused it, or could not take it now, and another one may.
    NextSender {
        /// The send's number.
        number: u8,
        /// The job's claim.
        claim: u32,
        /// Why it was not taken.
        failure: Failure,
        /// Senders that are not asked again about it.
        spent: Vec<String>,
    },
    /// There is no other sender that could take the place of a send that failed.
    NoOtherSender {
        /// The number of the send that failed.
        number: u8,
    },
    /// It is not its sender's turn: it is put off until then, and the turn is its own.
    PutOff {
        /// The send's number.
        number: u8,
        /// When it is its turn.
        until: Timestamp,
        /// Whose turn that is, of several senders.
        sender: Option<String>,
    },
    /// The job that is at it goes on.
    Hold {
        /// The send's number.
        number: u8,
        /// The job's claim.
        claim: u32,
    },
    /// The provider has taken it.
    Accepted {
        /// The send's number.
        number: u8,
        /// The provider's name for it.
        sid: Sid,
    },
    /// The provider has refused it for good.
    Refused {
        /// The send's number.
        number: u8,
        /// The job's claim.
        claim: u32,
        /// The provider's error code.
        code: Option<u32>,
        /// Why, in words without numbers or secrets.
        reason: String,
        /// What is done about that.
        remedy: Remedy,
    },
    /// It was certainly not processed.
    NotProcessed {
        /// The send's number.
        number: u8,
        /// The job's claim.
        claim: u32,
        /// What happened.
        failure: Failure,
        /// The chance in the wait.
        jitter: Jitter,
    },
    /// Nobody knows whether it was taken.
    Unknown {
        /// The send's number.
        number: u8,
        /// The job's claim.
        claim: u32,
        /// What happened.
        failure: Failure,
        /// The chance in the wait.
        jitter: Jitter,
    },
    /// It was looked up, and is not there.
    NotFound {
        /// The send's number.
        number: u8,
        /// The job's claim.
        claim: u32,
        /// The chance in the wait.
        jitter: Jitter,
    },
    /// The provider says that it arrived.
    Arrived {
        /// The send's number.
        number: u8,
    },
    /// The provider says that it did not.
    NotArrived {
        /// The send's number.
        number: u8,
        /// The provider's error code.
        code: Option<u32>,
        /// Why, in words without numbers or secrets.
        reason: String,
        /// What is done about that.
        remedy: Remedy,
    },
    /// Another send takes the place of one that failed.
    Follow {
        /// The number of the send that failed.
        number: u8,
        /// By which channel.
        channel: Channel,
    },
    /// Nothing takes its place.
    NotFollowed {
        /// The number of the send that failed.
        number: u8,
        /// Why not, in words.
        why: Option<String>,
    },
    /// The application calls it off.
    Cancel,
    /// It failed, and somebody has it sent again.
    Retry {
        /// By which channel first.
        channel: Channel,
        /// It is worth nothing any more then.
        expires_at: Timestamp,
    },
}
