//! What goes out and what comes back: sends, callbacks, calls that ask what to say, and
//! texts that people write.

mod arrivals;
pub(in crate::app) mod callback;
pub(in crate::app) mod courtesy;
mod daily;
pub(in crate::app) mod deliveries;
mod error;
mod failover;
pub(in crate::app) mod health;
pub(in crate::app) mod holding;
pub(in crate::app) mod inbound;
pub(in crate::app) mod pace;
pub(in crate::app) mod parts;
mod provider;
pub(in crate::app) mod reconcile;
pub(in crate::app) mod redaction;
pub(in crate::app) mod reported;
pub(in crate::app) mod routing;
pub(in crate::app) mod sending;
pub(in crate::app) mod shadow;
mod sweep;
mod templates;
mod turns;
pub(in crate::app) mod voice;
mod words;

pub use self::arrivals::{LEAST_SILENCE, MOST_SILENCE, Silence, USUAL_SILENCE};
pub use self::callback::{Recorded, hear, record};
pub use self::daily::Daily;
pub use self::deliveries::{
    DeliveryFilter, Found, deliveries, delivery, find_delivery, is_shadow, list_deliveries,
};
pub use self::error::MessagingError;
pub use self::inbound::{keyword, wrote};
pub use self::parts::Messaging;
pub use self::provider::{ProviderError, judge_head as judge_provider_head, told as told_by_provider};
pub use self::reconcile::{MOST_ASKED, ask, defer_asking};
pub use self::redaction::redact_due;
pub use self::sending::tend_verification;
pub use self::sweep::{Changed, Counts, Sweep, SweepPlan, Swept};
pub use self::templates::Templates;
pub use self::turns::Turns;
pub use self::voice::{Said, Spoken, Step, VoiceRequest, speak, speak_noting};
pub use self::words::tend_message;
pub use crate::gateway::{CallbackHead, NotHeard};
