//! Where events are sent to, under its id.

use super::super::records::Record;
use super::super::{Entry, Index, Kind, Lane};
use super::{Declared, Kept, NEVER_DUE};
use crate::model::endpoint::Endpoint;

pub(super) const DECLARED: Declared = Declared {
    name: "endpoint",
    export_place: 6,
    is_exported: true,
    shows_id: true,
    lanes: NEVER_DUE,
    early_lane: Lane::Person,
    kept: Kept::UntilDeleted,
};

impl Record for Endpoint {
    const KIND: Kind = Kind::Endpoint;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn entries(&self) -> Vec<Entry> {
        let (at, id) = (self.created_at, self.id.to_string());
        vec![Entry { index: Index::Endpoints, scope: String::new(), at, id }]
    }
}
