//! A delivery, under Twilio's SID.

use super::super::records::Record;
use super::super::{Entry, Index, Key, Kind};
use crate::model::delivery::Delivery;
use jiff::Timestamp;

impl Record for Delivery {
    const KIND: Kind = Kind::Delivery;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.sid.to_string()
    }

    fn due(&self) -> Option<Timestamp> {
        self.ask_at()
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |index, scope| Entry { index, scope, at: self.first_seen, id: self.sid.to_string() };
        // An address that cannot be a scope is not listed, or its delivery
        // could not be recorded at all.
        let to = self.about.to.as_ref().filter(|to| !to.contains('\0') && to.len() <= Key::MAX_ID);
        let mut entries = vec![entry(Index::Deliveries, String::new())];
        entries.extend(to.map(|to| entry(Index::DeliveriesTo, to.clone())));
        let at_work = self.erased.as_ref().filter(|erased| !erased.redacted);
        entries.extend(at_work.map(|erased| entry(Index::DeliveriesTo, erased.by.to_string())));
        entries
    }
}
