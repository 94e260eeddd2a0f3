//! What goes out and what comes back: sends, callbacks, calls that ask what to say, and
//! texts that people write.

mod callback;
mod deliveries;
mod inbound;
mod sending;
mod voice;
mod written;

pub use self::callback::Recorded;
pub use self::deliveries::{DeliveryFilter, Found, find_delivery, list_deliveries};
pub use self::voice::{Said, Spoken, Step, VoiceRequest};
