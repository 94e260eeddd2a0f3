//! What is offered as a proof, by whose it counts, and why there is none. It refuses to know
//! how one is looked at.

use crate::model::captcha::CaptchaFault;
use crate::secret::Secret;
use std::net::IpAddr;

/// What is offered as a proof, and what it has to be about.
#[derive(Debug, Clone)]
pub struct Offered {
    /// What the widget or the application gave.
    pub token: Secret,
    /// The name of the number and the session or caller that it has to be for.
    pub bound_to: String,
    /// The person's address, where it is known.
    pub address: Option<IpAddr>,
}

/// Why there is no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptchaError {
    /// It is none.
    #[error("{0}")]
    Wrong(CaptchaFault),
    /// Nobody can say: the provider is away, or does not take our key. The text has
    /// neither.
    #[error("{0}")]
    Away(String),
}
