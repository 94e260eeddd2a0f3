//! Proofs that a person is there, as far as everybody has to agree on them: who gives
//! them, and what is asked for. It refuses to know how one is looked at.

use crate::model::channel::Channel;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Who says that a person is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptchaProvider {
    /// Cloudflare's service Turnstile.
    Turnstile,
    /// The service hCaptcha.
    Hcaptcha,
    /// Google reCAPTCHA, version 2 on our pages, 2 or 3 where an application shows it.
    Recaptcha,
    /// The application itself, by a word that it signs.
    Signed,
}

/// A text that names none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is one of turnstile, hcaptcha, recaptcha and signed")]
pub struct NoSuchProvider;

impl CaptchaProvider {
    /// Every one there is.
    pub const ALL: [Self; 4] = [Self::Turnstile, Self::Hcaptcha, Self::Recaptcha, Self::Signed];

    /// As it is written in the configuration and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Turnstile => "turnstile",
            Self::Hcaptcha => "hcaptcha",
            Self::Recaptcha => "recaptcha",
            Self::Signed => "signed",
        }
    }
}

impl fmt::Display for CaptchaProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CaptchaProvider {
    type Err = NoSuchProvider;

    fn from_str(text: &str) -> Result<Self, NoSuchProvider> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == text).ok_or(NoSuchProvider)
    }
}

/// Whose proofs count, and how they are looked at.
#[derive(Debug, Clone)]
pub struct CaptchaSettings {
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

/// What is asked for where a proof is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptchaDemand {
    /// Whose proof is wanted.
    pub provider: CaptchaProvider,
    /// The public key of the widget; nothing for a word that the application signs.
    pub site_key: Option<String>,
    /// The action that the widget has to name; nothing for any.
    pub action: Option<String>,
    /// A name for the number together with the session, or else the caller, in 32
    /// hexadecimal digits, that tells nobody which they are. A proof that names another
    /// one is worth nothing.
    pub bound_to: String,
    /// The channel by which the code is to go, where one was asked for.
    pub channel: Option<Channel>,
    /// What was wrong with the proof that came along, where one did.
    pub why: Option<CaptchaFault>,
}

/// What is wrong with a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptchaFault {
    /// It cannot be one, or whoever gives them does not know it.
    Invalid,
    /// It is too old.
    Expired,
    /// It has been used.
    Used,
    /// It was given for another number, session, caller, site or action.
    Elsewhere,
}

impl CaptchaFault {
    /// As it is written in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "captcha_invalid",
            Self::Expired => "captcha_expired",
            Self::Used => "captcha_used",
            Self::Elsewhere => "captcha_elsewhere",
        }
    }
}

impl fmt::Display for CaptchaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "the proof is none",
            Self::Expired => "the proof is too old",
            Self::Used => "the proof has been used",
            Self::Elsewhere => "the proof was given for something else",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_is_read_as_it_is_written() {
        for provider in CaptchaProvider::ALL {
            assert_eq!(provider.as_str().parse(), Ok(provider));
        }
        assert_eq!("Turnstile".parse::<CaptchaProvider>(), Err(NoSuchProvider));
    }
}
