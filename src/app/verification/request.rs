//! What applications ask for, and what they get.

use crate::app::verification::View;
use crate::model::channel::Channel;
use crate::model::id::{ServiceId, SessionId};
use crate::model::verification::Details;
use crate::secret::Secret;
use jiff::SignedDuration;
use serde::Serialize;
use std::net::IpAddr;

/// What an application asks for.
#[derive(Clone, Serialize)]
pub struct StartRequest {
    /// The number, as the person wrote it.
    pub to: String,
    /// How; nothing for the service's preferred way to this number.
    pub channel: Option<Channel>,
    /// The language; one that there are texts in.
    pub locale: Option<String>,
    /// For which service; nothing for the one of the configuration's top level.
    pub service: Option<ServiceId>,
    /// The session of the pages, where it is begun in one.
    #[serde(skip)]
    pub session: Option<SessionId>,
    /// What else is said about it.
    pub details: Details,
    /// Who asks: the name of an API key. Nothing where nobody does who is known, and then
    /// each start is one of its own.
    #[serde(skip)]
    pub caller: Option<String>,
    /// The person's address: as the application says, or as it comes to the pages. What is
    /// kept of it in clear is what the application says.
    #[serde(skip)]
    pub address: Option<IpAddr>,
    /// The person's device, as the application names it: any text. It is kept as a
    /// pseudonym alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// A code that the application chose: 4 to 10 letters and digits. It is no
    /// part of what an `Idempotency-Key` is compared by, for that is at rest.
    #[serde(skip)]
    pub custom_code: Option<Secret>,
    /// A proof that a person is there. It is no part of what an `Idempotency-Key` is
    /// compared by: where one was asked for, the same request comes again with one.
    #[serde(skip)]
    pub captcha: Option<CaptchaOffer>,
}

/// What somebody brings as a proof that a person is there.
#[derive(Debug, Clone)]
pub struct CaptchaOffer {
    /// What the widget or the application gave.
    pub token: Secret,
    /// The name of the number and the session for which our page asked for it; nothing
    /// where that is not known.
    pub made_for: Option<String>,
}

impl StartRequest {
    /// The plainest request there is.
    pub fn to(number: impl Into<String>) -> Self {
        Self {
            to: number.into(),
            channel: None,
            locale: None,
            service: None,
            session: None,
            caller: None,
            address: None,
            device: None,
            details: Details::default(),
            custom_code: None,
            captcha: None,
        }
    }
}

/// What is asked for where one that was begun is sent again.
#[derive(Clone, Default)]
pub struct Again {
    /// How; nothing for the way of the last time.
    pub channel: Option<Channel>,
    /// Who asks: the name of an API key. Nothing at the pages.
    pub caller: Option<String>,
    /// The session of the pages, where it is asked there.
    pub session: Option<SessionId>,
    /// The person's address, where it is known.
    pub address: Option<IpAddr>,
    /// The person's device, as the application names it.
    pub device: Option<String>,
    /// A proof that a person is there.
    pub captcha: Option<CaptchaOffer>,
}

/// A key with which a request may be repeated without being done twice.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// Who asks: keys of different callers do not meet.
    pub caller: String,
    /// Their key: any text, compared byte by byte.
    pub key: String,
}

/// A verification that was started.
#[derive(Debug, Clone)]
pub struct Started {
    /// As it was when it started.
    pub view: View,
    /// True when this answer was given before.
    pub replayed: bool,
    /// True when it is one that stood open before this request.
    pub is_same: bool,
    /// Where this request came too soon, and nothing was sent for it: in how many whole
    /// seconds the next one may be.
    pub wait: Option<i64>,
}

/// What is asked at Verify's face, which has one verification for each number.
#[derive(Clone)]
pub struct Ask {
    /// What is to be begun, or sent again.
    pub request: StartRequest,
    /// The values to count by, with the names of their rate limits.
    pub limits: Vec<(String, String)>,
    /// Whether rules about countries are passed over.
    pub skip_risk_check: bool,
}

/// How long an answer is kept for its idempotency key.
pub(in crate::app) const KEPT: SignedDuration = SignedDuration::from_hours(24);
