//! What left by one of several senders.

use super::{at, id, verification};
use crate::message_samples::failing;
use dialback::model::delivery::{Delivery, Erased};
use dialback::model::message::{Message, Route};
use dialback::model::verification::{Effect, OutboxStep, Status, Verification};

/// A verification whose send goes on by the next sender.
pub fn routed() -> Verification {
    let mut routed =
        Verification { id: id("VE", 6), status: Status::Pending, ended_at: None, ..verification(2) };
    let account = Some("AC0000000000000000000000000000000b".to_owned());
    routed.sends.truncate(1);
    routed.sends[0].route = Some(Route { sender: "+15005550002".into(), account });
    routed.sends[0].not_by = vec!["+15005550001".into()];
    let effect = Effect::FailOver { number: 1, again: false, next_sender: true };
    routed.outbox = vec![OutboxStep::new(effect, at(70))];
    routed
}

/// A message that has the turn of its sender.
pub fn turned() -> Message {
    Message { id: id("OM", 6), turn: Some(1), turn_of: Some("+15005550002".into()), ..failing() }
}

/// What is left of a delivery of another account.
pub fn erased() -> Delivery {
    let account = Some("AC0000000000000000000000000000000b".to_owned());
    Delivery::erased(id("SM", 72), at(1), Erased { redacted: false, at: at(81), by: id("ER", 1), account })
}
