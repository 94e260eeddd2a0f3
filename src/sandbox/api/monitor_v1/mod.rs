//! `monitor.twilio.com`: what Twilio's debugger shows.

mod alerts;

use super::route::{Route, get};

const PRODUCT: &str = "monitor";

/// The operations on alerts, which can only be read.
pub(super) const ROUTES: &[Route] =
    &[get(PRODUCT, "/v1/Alerts", alerts::list), get(PRODUCT, "/v1/Alerts/{Sid}", alerts::fetch)];
