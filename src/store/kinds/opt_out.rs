//! Who opted out of which sender, under both.

use super::super::records::Record;
use super::super::{Entry, Index, Kind};
use crate::model::opt_out::OptOut;

impl Record for OptOut {
    const KIND: Kind = Kind::OptOut;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        OptOut::key(&self.number, &self.sender)
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |scope| Entry { index: Index::OptOuts, scope, at: self.at, id: self.id() };
        // As with deliveries: an address that cannot be a scope is listed under
        // none.
        let number = Some(self.number.clone()).filter(|number| !number.is_empty() && !number.contains('\0'));
        std::iter::once(entry(String::new())).chain(number.map(entry)).collect()
    }
}
