//! A message of its own, under its id.

use super::super::records::Record;
use super::super::{Entry, Index, Key, Kind, Lane};
use crate::model::message::{Message, Priority};
use jiff::Timestamp;

impl Record for Message {
    const KIND: Kind = Kind::Message;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn due(&self) -> Option<Timestamp> {
        Message::due(self)
    }

    fn lane(&self) -> Lane {
        match (self.is_at_work(), self.priority) {
            (false, _) => Lane::Chore,
            (true, Priority::High) => Lane::Person,
            (true, Priority::Normal) => Lane::Bulk,
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |index, scope| Entry { index, scope, at: self.created_at, id: self.id.to_string() };
        vec![entry(Index::Messages, String::new()), entry(Index::MessagesTo, self.to.in_full().to_owned())]
    }

    fn refers(&self) -> Vec<(Key, Timestamp)> {
        // It is settled and its delivery recorded in one commit.
        let delivery = |sid: &str| Key::new(Kind::Delivery, sid);
        let named = self.sends.iter().filter_map(|send| Some((send.sid.as_ref()?, send.asked_at)));
        named.map(|(sid, at)| (delivery(sid.as_str()), at)).collect()
    }
}
