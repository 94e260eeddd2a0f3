//! A verification whose person wants nothing to follow by itself.

use super::{at, id, verification};
use dialback::model::channel::Channel;
use dialback::model::verification::{Send, SendState, Status, Verification};

/// One whose call would have taken the place of a text, and was dropped for that.
pub fn stays() -> Verification {
    let dropped = Send {
        state: SendState::Dropped,
        follows: Some(1),
        listed: true,
        ..Send::new(2, Channel::Call, 2, at(9))
    };
    let failed = SendState::Failed { code: Some(30003), reason: "unreachable".into() };
    let first = Send { state: failed, listed: true, ..Send::new(1, Channel::Sms, 2, at(0)) };
    Verification {
        id: id("VE", 7),
        status: Status::Pending,
        ended_at: None,
        stays: true,
        sends: vec![first, dropped],
        ..verification(2)
    }
}
