//! A number that fraud rules let pass, under the number.

use super::super::records::Record;
use super::super::{Kind, Lane};
use super::{Declared, Kept, NEVER_DUE};
use crate::model::safe_number::SafeNumber;

pub(super) const DECLARED: Declared = Declared {
    name: "safe_number",
    export_place: 4,
    is_exported: true,
    shows_id: false,
    lanes: NEVER_DUE,
    early_lane: Lane::Person,
    kept: Kept::UntilDeleted,
};

impl Record for SafeNumber {
    const KIND: Kind = Kind::SafeNumber;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.number.in_full().to_owned()
    }
}
