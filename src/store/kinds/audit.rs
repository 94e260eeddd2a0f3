//! What somebody did to keys, settings or a person's data, under its id.

use super::super::records::Record;
use super::super::{Entry, Index, Kind, Lane};
use super::{Declared, Kept, NEVER_DUE};
use crate::model::audit::AuditEntry;

pub(super) const DECLARED: Declared = Declared {
    name: "audit",
    export_place: 16,
    is_exported: true,
    shows_id: true,
    lanes: NEVER_DUE,
    early_lane: Lane::Person,
    kept: Kept::AsSet("retention.audit_days"),
};

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
