//! What somebody wants who asks for a code, before anything is known of it.

use crate::app::admission::profile::Profile;
use crate::app::admission::request::Who;
use crate::app::verification::kept::Kept;
use crate::app::verification::request::{Again, CaptchaOffer, StartRequest};
use crate::model::id::VerificationId;
use crate::model::verification::{Send, Verification};

/// What is wanted, by whichever face.
pub(in crate::app) struct CodeRequest<'w> {
    /// How the face differs.
    pub(in crate::app) profile: &'w Profile,
    /// A code for whom.
    pub(in crate::app) target: Target<'w>,
}

/// A code for whom.
pub(in crate::app) enum Target<'w> {
    /// For a number.
    Number {
        /// What is asked for.
        request: &'w StartRequest,
        /// The values to count by, with the names of their rate limits.
        limits: &'w [(String, String)],
        /// Whether rules about countries are passed over.
        passes_countries: bool,
        /// The idempotency key.
        kept: Option<Kept>,
    },
    /// For one that was begun, if it is the caller's; any other is not there.
    Verification {
        /// Which.
        id: &'w VerificationId,
        /// By which channel, and who asks.
        again: &'w Again,
        /// Whether it is the caller's.
        is_own: &'w (dyn Fn(&Verification) -> bool + Sync),
    },
    /// For one whose last send did not arrive: nobody asks for it.
    Following {
        /// Which.
        id: &'w VerificationId,
        /// The number of the send that did not arrive.
        number: u8,
    },
}

impl Target<'_> {
    /// Who asks for it, as far as the face knows.
    pub(in crate::app) fn who(&self) -> Who<'_> {
        match self {
            Self::Number { request, .. } => Who {
                caller: request.caller.as_deref(),
                session: request.session.as_ref(),
                address: request.address.map(|address| address.to_canonical()),
                device: request.device.as_deref(),
            },
            Self::Verification { again, .. } => Who {
                caller: again.caller.as_deref(),
                session: again.session.as_ref(),
                address: again.address.map(|address| address.to_canonical()),
                device: again.device.as_deref(),
            },
            // Whoever asked before is known of the verification.
            Self::Following { .. } => Who::default(),
        }
    }

    /// Whether somebody named the channel of this send: now, or when the last one was asked
    /// for, which this one follows.
    pub(in crate::app) fn names_channel(&self, last: Option<&Send>) -> bool {
        match self {
            Self::Number { request, .. } => request.channel.is_some(),
            Self::Verification { again, .. } => {
                again.channel.is_some() || last.is_none_or(|last| !last.unasked)
            }
            Self::Following { .. } => false,
        }
    }

    /// Whether it is a number, and no verification.
    pub(in crate::app) fn is_number(&self) -> bool {
        matches!(self, Self::Number { .. })
    }

    /// What is brought as a proof that a person is asking.
    pub(in crate::app) fn captcha(&self) -> Option<&CaptchaOffer> {
        match self {
            Self::Number { request, .. } => request.captcha.as_ref(),
            Self::Verification { again, .. } => again.captcha.as_ref(),
            Self::Following { .. } => None,
        }
    }

    /// Its idempotency key.
    pub(in crate::app) fn kept(&self) -> Option<&Kept> {
        match self {
            Self::Number { kept, .. } => kept.as_ref(),
            Self::Verification { .. } | Self::Following { .. } => None,
        }
    }
}
