//! Verifications: begun, sent again, checked, ended, listed; and the ways of persons
//! through the pages, which lead to them.

pub(in crate::app) mod attempts;
pub(in crate::app) mod begin;
pub(in crate::app) mod brought;
pub(in crate::app) mod captcha;
pub(in crate::app) mod check;
pub(in crate::app) mod code_request;
mod elsewhere;
pub(in crate::app) mod error;
pub(in crate::app) mod happen;
pub(in crate::app) mod kept;
pub(in crate::app) mod limits;
pub(in crate::app) mod listed;
pub(in crate::app) mod made;
pub(in crate::app) mod parts;
pub(in crate::app) mod pending;
pub(in crate::app) mod repeats;
pub(in crate::app) mod request;
pub(in crate::app) mod seen;
pub(in crate::app) mod sessions;
pub(in crate::app) mod settled;
pub(in crate::app) mod start;
pub(in crate::app) mod trial;
pub(in crate::app) mod verdict;
pub(in crate::app) mod view;

pub use self::attempts::{
    Attempt, AttemptCount, AttemptFilter, AttemptPage, AttemptPlace, attempt, attempts, count_attempts,
};
pub use self::captcha::captcha_of;
pub use self::check::{Checked, Offer, cancel, check, fetch, stay};
pub use self::error::VerificationError;
pub use self::listed::{VerificationFilter, verifications};
pub use self::parts::Verifying;
pub use self::pending::{belongs, last_asked, release, seconds_left};
pub use self::repeats::{Claim, Repeat, claim, settle_claim};
pub use self::request::{Again, Ask, CaptchaOffer, Idempotency, StartRequest, Started};
pub use self::sessions::{
    LocaleHints, NewSession, SessionError, SessionView, Visitor, create_session, end_session, new_browser,
    session, session_again, session_begin, session_change, session_check, session_leave, session_number,
    session_resend, session_result, session_start, session_stay,
};
pub use self::start::{ask, resend, start};
pub use self::verdict::verdict;
pub use self::view::View;
