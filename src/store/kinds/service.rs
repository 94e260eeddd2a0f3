//! A service that was made through the API, under its id.

use super::super::records::Record;
use super::super::{Entry, Index, Kind};
use crate::model::service::Service;

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
