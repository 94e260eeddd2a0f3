//! Twilio's protocol, pure: bytes and texts in, values out.
//!
//! This folder refuses to know sockets, stores and HTTP status codes.

pub mod api_key;
pub mod callback;
pub mod documents;
pub mod errors;
pub mod explain;
pub mod form;
mod mac;
pub mod remedies;
pub mod request;
pub mod response;
pub mod segments;
pub mod signature;
pub mod status;
pub mod stream;
pub mod twiml;
pub mod url;
pub mod verify;
pub mod voice_request;
pub mod voices;
pub mod words;
