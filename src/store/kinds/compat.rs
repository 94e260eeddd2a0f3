//! What Twilio Verify keeps with a service, under the service's id.

use super::super::Kind;
use super::super::records::Record;
use crate::model::compat::Compat;

impl Record for Compat {
    const KIND: Kind = Kind::Compat;
    const FORMAT: u32 = 1;

    fn id(&self) -> String {
        self.service.to_string()
    }
}
