//! What applications are told of: which events are written beside a change, who is
//! told of them, and how what is sent fares.

pub(in crate::app) mod dispatches;
pub(in crate::app) mod endpoints;
pub(in crate::app) mod error;
pub(in crate::app) mod feed;
pub(in crate::app) mod seats;
pub(in crate::app) mod telling;
pub(in crate::app) mod told;
pub(in crate::app) mod watermarks;

pub use self::dispatches::{
    defer, dispatches, most_dispatches, most_dispatches_to_one, redrive_endpoint, redrive_event,
    tend_dispatch,
};
pub use self::endpoints::{
    EndpointChange, Trial, change_endpoint, create_endpoint, endpoint, endpoints, keep_endpoints,
    learn_endpoints, remove_endpoint, rotate_endpoint, try_endpoint,
};
pub use self::error::EventError;
pub use self::feed::{EventQuery, Feed, event, events, feed};
pub use self::telling::{EventSettings, Events, Telling};
