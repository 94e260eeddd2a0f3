//! A service that was made through the API, under its id.

use super::super::records::Record;
use super::super::{Entry, Index, Kind, Lane};
use super::{Declared, Kept, NEVER_DUE};
use crate::model::service::Service;

pub(super) const DECLARED: Declared = Declared {
    name: "service",
    export_place: 1,
    is_exported: true,
    shows_id: true,
    lanes: NEVER_DUE,
    early_lane: Lane::Person,
    kept: Kept::UntilDeleted,
};

impl Record for Service {
    const KIND: Kind = Kind::Service;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn entries(&self) -> Vec<Entry> {
        let (at, id) = (self.created_at, self.id.to_string());
        vec![Entry { index: Index::Services, scope: String::new(), at, id }]
    }
}
