//! The service as a key may use it: what belongs to other services is not there.
//!
//! The faces of keys are given this and nothing else, so no operation of theirs
//! can forget whose a thing is. Each one here either asks that, or demands a key
//! of all services ([`Narrowed::whole`]). What is no service's (opt-outs, keys,
//! endpoints, the audit log, foreign deliveries, …) belongs to the whole.

mod happened;
mod messages;
mod narrowed;
mod services;
mod sessions;
mod verifications;

pub use self::happened::{
    attempt, attempts, count_attempts, decision, decisions, deliveries, delivery, event, events, feed,
    is_shadow, report,
};
pub use self::messages::{
    cancel_message, fetch_message, message_statistics, messages, retry_message, send_message,
};
pub use self::narrowed::{KeyBound, Narrowed};
pub use self::services::{
    change_compat, change_service, compat, compats, delete_service, offers, service, services, templates,
};
pub use self::sessions::{create_session, end_session, session_result};
pub use self::verifications::{
    approve, ask, cancel, check, check_of, fetch, last_asked, release, resend, start, stay, verdict,
    verdict_of, verifications,
};
