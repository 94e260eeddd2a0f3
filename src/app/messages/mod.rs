//! Messages of their own: what an application sends to a person that is no code.
//!
//! They leave by the one way out that codes take (`messaging`), one send after the other by
//! the channels of their plan, and hear of their deliveries in the commit that records them.
//! By which rules they may be is asked of `admission`, as of codes; when they leave is for
//! `jobs`. This module refuses to know HTTP, and who sends.

pub(in crate::app) mod admit;
pub(in crate::app) mod alert;
mod count;
mod create;
mod error;
pub(in crate::app) mod follow;
pub(in crate::app) mod happen;
mod listed;
mod made;
pub(in crate::app) mod news;
mod parts;
mod request;
pub(in crate::app) mod settle;
mod statistics;

pub(in crate::app) use self::count::type_counter;
pub use self::create::send_message;
pub use self::error::MessageError;
pub use self::follow::{cancel_message, retry_message};
pub use self::listed::{MessageFilter, fetch_message, messages};
pub use self::parts::Messages;
pub use self::request::{LATEST_SEND, LEAST_LIFE, LONGEST_LIFE, MessageRequest, RetryRequest, USUAL_LIFE};
pub use self::statistics::{OfType, Statistics, StatisticsQuery, statistics};
