//! An erasure, and what it leaves of a delivery.

use super::{at, id, number};
use dialback::model::audit::Actor;
use dialback::model::delivery::{Delivery, Erased};
use dialback::model::erasure::{Erasure, Kept, Left, State};
use std::collections::BTreeMap;

/// An erasure that is under way.
pub fn erasure() -> Erasure {
    Erasure {
        id: id("ER", 1),
        number: Some(number(7)),
        masked: "+1*****0107".into(),
        opt_outs: true,
        delete_at_twilio: true,
        actor: Actor::operator(),
        asked_at: at(80),
        state: State::Running,
        attempts: 2,
        next_at: Some(at(85)),
        deleted: BTreeMap::from([("verification".to_owned(), 3)]),
        scrubbed: BTreeMap::from([("event".to_owned(), 1)]),
        redacted: 2,
        redacted_sids: vec![id("SM", 70)],
        kept: vec![Kept { what: "opt_out".into(), count: 1, why: "so that nothing is sent again".into() }],
        left: vec![Left {
            what: "SM00000000000000000000000000007100".into(),
            why: "still on its way".into(),
        }],
        place: None,
        finished_at: Some(at(90)),
    }
}

/// What is left of a delivery.
pub fn erased() -> Delivery {
    let erased = Erased { redacted: false, at: at(81), by: id("ER", 1), account: None };
    Delivery::erased(id("SM", 71), at(1), erased)
}
