//! Where events are sent to, under its id.

use super::super::records::Record;
use super::super::{Entry, Index, Kind};
use crate::model::endpoint::Endpoint;

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
