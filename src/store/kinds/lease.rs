//! Who does a job that one process does for all, and until when, under the job.

use super::super::Kind;
use super::super::records::Record;
use crate::model::lease::Lease;

impl Record for Lease {
    const KIND: Kind = Kind::Lease;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.name.clone()
    }
}
