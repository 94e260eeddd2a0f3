//! What a call of ours is to hear.

use super::{Service, ServiceError};
use crate::model::account::Proof;
use crate::model::brand::Brand;
use crate::model::code::Code;
use crate::model::delivery::Delivery;
use crate::model::id::{Sid, VerificationId};
use crate::model::status::Status;
pub use crate::model::verification::Step;
use crate::model::verification::{Details, Event, Outcome, Verification};
use crate::store::records;
use std::sync::Arc;

/// A call that asks what to say.
#[derive(Debug, Clone)]
pub struct VoiceRequest {
    /// From the path.
    pub verification: VerificationId,
    /// The delivery's number, from the path.
    pub number: u8,
    /// The call.
    pub sid: Sid,
    /// Whether a machine answered, as far as detection said.
    pub machine: bool,
    /// What the request is for.
    pub step: Step,
}

/// What the call is to hear.
#[derive(Debug, Clone)]
pub enum Spoken {
    /// The invitation to press a key, and which one if it is named.
    Gate {
        /// The key, 1 to 9.
        key: Option<u8>,
        /// True when a wrong one was pressed before.
        wrong: bool,
    },
    /// The code, digit by digit.
    Code {
        /// The code.
        code: Code,
        /// Whether it may be asked for again.
        again: bool,
    },
    /// A goodbye.
    Goodbye,
    /// That the code is no longer good.
    Ended,
    /// Nothing secret: a machine answered.
    Machine,
}

/// What a call hears, from whom, and in which language.
#[derive(Debug, Clone)]
pub struct Said {
    /// What.
    pub spoken: Spoken,
    /// The service's name, as it is spoken.
    pub name: String,
    /// The language that was asked for.
    pub locale: Option<String>,
    /// The number's country.
    pub country: Option<String>,
    /// What the application said about the verification.
    pub details: Details,
    /// The service.
    pub brand: Arc<Brand>,
}

impl Service {
    /// Decides what a call hears.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for whatever is not exactly a call of ours:
    /// another verification, number, SID or account gives nothing away.
    pub async fn speak(&self, proof: &Proof, request: VoiceRequest) -> Result<Said, ServiceError> {
        if !self.0.accounts.is_main(proof) {
            return Err(ServiceError::NotFound);
        }
        let VoiceRequest { verification, number, sid, machine, step } = request;
        if self.is_over(&sid).await? {
            return Err(ServiceError::NotFound);
        }
        let decision = self
            .happen(&verification, |_| {
                Ok(Event::CallAsks { number, sid: sid.clone(), machine, step: step.clone() })
            })
            .await?;
        let record = decision.verification;
        let key = record.send(number).and_then(|send| send.gate_key);
        let spoken = match decision.outcome {
            Outcome::SayGate => Spoken::Gate { key, wrong: false },
            Outcome::SayGateAgain => Spoken::Gate { key, wrong: true },
            Outcome::SayCode { again } => {
                let code = self.0.codes.derive(&record.id, &record.code).ok_or(ServiceError::CodeKeyGone)?;
                Spoken::Code { code, again }
            }
            Outcome::SayGoodbye => Spoken::Goodbye,
            Outcome::SayEnded => Spoken::Ended,
            Outcome::SayNothing => Spoken::Machine,
            _ => return Err(ServiceError::NotFound),
        };
        let brand = self.brand_of(&record).await?;
        let name = record.details.friendly_name.clone().unwrap_or_else(|| brand.spoken_name().to_owned());
        let Verification { to, locale, details, .. } = record;
        Ok(Said { spoken, name, locale, country: to.region(), details, brand })
    }

    /// Whether a call has ended: whoever asks for it then has a copy of what
    /// Twilio once asked.
    async fn is_over(&self, call: &Sid) -> Result<bool, ServiceError> {
        let delivery = records::get::<Delivery>(self.store(), call.as_str()).await?;
        let status =
            delivery.filter(|delivery| !delivery.record.unproved).and_then(|known| known.record.status());
        Ok(status.is_some_and(Status::is_final))
    }
}
