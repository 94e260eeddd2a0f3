//! What somebody did to keys, settings or a person's data, under its id.

use super::super::records::Record;
use super::super::{Entry, Index, Kind};
use crate::model::audit::AuditEntry;

impl Record for AuditEntry {
    const KIND: Kind = Kind::Audit;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |scope: &str| Entry {
            index: Index::Audit,
            scope: scope.to_owned(),
            at: self.at,
            id: Record::id(self),
        };
        vec![entry(""), entry(self.action.group())]
    }
}
