//! What Twilio Verify keeps with a service, under the service's id.

use super::super::records::Record;
use super::super::{Kind, Lane};
use super::{Declared, Kept, NEVER_DUE};
use crate::model::compat::Compat;

pub(super) const DECLARED: Declared = Declared {
    name: "service_compat",
    export_place: 2,
    is_exported: true,
    shows_id: true,
    lanes: NEVER_DUE,
    early_lane: Lane::Person,
    // With its service.
    kept: Kept::UntilDeleted,
};

impl Record for Compat {
    const KIND: Kind = Kind::Compat;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.service.to_string()
    }
}
