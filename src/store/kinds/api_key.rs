//! An API key, under its id.

use super::super::records::Record;
use super::super::{Entry, Index, Kind};
use crate::model::key::ApiKey;

impl Record for ApiKey {
    const KIND: Kind = Kind::ApiKey;
    // 2 since keys may be bound to services: a process that does not know that
    // must not take a bound key for one of all services.
    const FORMAT: u32 = 2;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn entries(&self) -> Vec<Entry> {
        vec![Entry { index: Index::ApiKeys, scope: String::new(), at: self.created_at, id: self.id.clone() }]
    }
}
