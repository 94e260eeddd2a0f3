//! A page of the log of what was decided about requests for codes, under its id.

use super::super::records::Record;
use super::super::{Entry, Index, Kind};
use crate::model::fraud::Page;

impl Record for Page {
    const KIND: Kind = Kind::Traffic;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |index: Index, scope: String| Entry { index, scope, at: self.at, id: self.id.clone() };
        let of_numbers = self.numbers().into_iter().map(|number| entry(Index::TrafficOf, number.to_string()));
        std::iter::once(entry(Index::Traffic, String::new())).chain(of_numbers).collect()
    }
}
