//! Deliveries of which little was told.

use super::{at, delivery, id};
use dialback::model::delivery::{About, Asking, Charge, Delivery};

/// One of which nothing is known but its name.
pub fn stranger() -> Delivery {
    Delivery {
        sid: id("CA", 99),
        id: None,
        first_seen: at(5),
        about: About::default(),
        events: Vec::new(),
        unproved: false,
        erased: None,
        asking: None,
    }
}

/// One of ours that is asked for, and whose price was told.
pub fn silent() -> Delivery {
    let known = delivery(3);
    let about = About { charge: Charge::new(7_900, "USD"), ..known.about };
    let events = known.events.into_iter().skip(1).collect();
    let asking = Asking { over: false, turn: 2, not_before: Some(at(2000)) };
    Delivery { about, events, asking: Some(asking), ..known }
}
