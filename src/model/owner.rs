//! Whose a record is: what keys of some services may see is decided by it, so
//! each record that such a key can come across says it here. This module
//! refuses to know keys and stores.

use crate::model::delivery::Delivery;
use crate::model::event::Event;
use crate::model::id::{MessageId, SentFor, ServiceId, VerificationId};
use crate::model::message::Message;
use crate::model::service::Service;
use crate::model::session::Session;
use crate::model::verification::Verification;

/// Whose a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A service's; nothing for that of the configuration's top level.
    Service(Option<ServiceId>),
    /// That of this verification's service, which the record does not know.
    Verification(VerificationId),
    /// That of this message's service, which the record does not know.
    Message(MessageId),
    /// No service's: it is about the whole.
    Nobody,
}

/// A record that belongs to a service, or to none.
pub trait Owned {
    /// Whose it is.
    fn owner(&self) -> Owner;
}

impl Owned for Verification {
    fn owner(&self) -> Owner {
        Owner::Service(self.service.clone())
    }
}

impl Owned for Message {
    fn owner(&self) -> Owner {
        Owner::Service(self.service.clone())
    }
}

impl Owned for Session {
    fn owner(&self) -> Owner {
        Owner::Service(self.service.clone())
    }
}

impl Owned for Service {
    fn owner(&self) -> Owner {
        Owner::Service(Some(self.id.clone()))
    }
}

/// One of ours leads back to its verification or message; anybody else's on the account is
/// no service's.
impl Owned for Delivery {
    fn owner(&self) -> Owner {
        match self.id.as_ref().map(|id| id.parts().0) {
            None => Owner::Nobody,
            Some(SentFor::Verification(id)) => Owner::Verification(id),
            Some(SentFor::Message(id)) => Owner::Message(id),
        }
    }
}

/// What is told of opt-outs, endpoints and foreign deliveries is no service's.
impl Owned for Event {
    fn owner(&self) -> Owner {
        match (&self.body.service, &self.body.verification, &self.body.message) {
            (Some(service), ..) => Owner::Service(Some(service.clone())),
            (None, Some(verification), _) => Owner::Verification(verification.clone()),
            (None, None, Some(message)) => Owner::Message(message.clone()),
            (None, None, None) => Owner::Nobody,
        }
    }
}
