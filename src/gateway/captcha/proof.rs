//! What is offered as a proof, by whose it counts, and why there is none. It refuses to know
//! how one is looked at.

use crate::model::captcha::{CaptchaFault, CaptchaProvider};
use crate::secret::Secret;
use std::net::IpAddr;
use std::time::Duration;

/// Whose proofs count, and how they are looked at.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who gives them.
    pub provider: CaptchaProvider,
    /// The public key of the widget; empty for a word that the application signs.
    pub site_key: String,
    /// The key that goes with it, or that the application signs with.
    pub secret: Secret,
    /// Where a proof is looked at; nothing for the provider's own address.
    pub verify_url: Option<String>,
    /// The hosts of the pages on which one may be made; none for any.
    pub hostnames: Vec<String>,
    /// The action that one has to name where the provider tells of one; nothing for any.
    pub action: Option<String>,
    /// The least score where reCAPTCHA tells of one: from 0, a machine, to 1.
    pub min_score: f64,
    /// To connect to the provider.
    pub connect_timeout: Duration,
    /// For a whole request to it.
    pub request_timeout: Duration,
}

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
