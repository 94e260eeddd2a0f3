//! A verification, under its id.

use super::super::records::Record;
use super::super::{Entry, Index, Key, Kind, Lane};
use crate::model::channel::Channel;
use crate::model::verification::{self, Verification};
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Record for Verification {
    const KIND: Kind = Kind::Verification;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn due(&self) -> Option<Timestamp> {
        Verification::due(self)
    }

    fn lane(&self) -> Lane {
        match self.is_only_redacting() {
            true => Lane::Long,
            false if self.outbox.is_empty() => Lane::Chore,
            false => Lane::Person,
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |index, scope, at| Entry { index, scope, at, id: self.id.to_string() };
        let number = || self.to.in_full().to_owned();
        let mut entries = vec![
            entry(Index::Verifications, String::new(), self.created_at),
            entry(Index::VerificationsTo, number(), self.created_at),
        ];
        // A send is listed here until its delivery is listed under Twilio's name.
        // One line stands for all of the same millisecond, for it is the same line.
        let unnamed = self.sends.iter().filter(|send| send.listed && send.sid.is_none());
        let times: BTreeMap<i64, Timestamp> =
            unnamed.map(|send| (send.asked_at.as_millisecond(), send.asked_at)).collect();
        for at in times.into_values() {
            entries.extend([entry(Index::Sends, String::new(), at), entry(Index::SendsTo, number(), at)]);
        }
        entries
    }

    fn refers(&self) -> Vec<(Key, Timestamp)> {
        // A message is settled and its delivery recorded in one commit. A call
        // is bound already when it asks for its code, which may be before
        // anything was reported of it.
        let messages = self.sends.iter().filter(|send| send.channel != Channel::Call);
        let delivery = |send: &verification::Send| {
            Some((Key::new(Kind::Delivery, send.sid.as_ref()?.as_str()), send.asked_at))
        };
        messages.filter_map(delivery).collect()
    }
}
