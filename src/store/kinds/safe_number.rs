//! A number that fraud rules let pass, under the number.

use super::super::Kind;
use super::super::records::Record;
use crate::model::safe_number::SafeNumber;

impl Record for SafeNumber {
    const KIND: Kind = Kind::SafeNumber;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.number.in_full().to_owned()
    }
}
