//! Who does a job that one process does for all, and until when, under the job.

use super::super::records::Record;
use super::super::{Kind, Lane};
use super::{Declared, Kept, NEVER_DUE};
use crate::model::lease::Lease;

pub(super) const DECLARED: Declared = Declared {
    name: "lease",
    export_place: 18,
    // It belongs to a process: taken along, it would keep work from being done where it
    // is taken.
    is_exported: false,
    shows_id: true,
    lanes: NEVER_DUE,
    early_lane: Lane::Person,
    kept: Kept::UntilDeleted,
};

impl Record for Lease {
    const KIND: Kind = Kind::Lease;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.name.clone()
    }
}
