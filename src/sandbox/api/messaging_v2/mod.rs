//! `messaging.twilio.com`, version 2: the senders of channels.

mod channel_senders;

use super::route::{Route, delete, get, post};

const PRODUCT: &str = "messaging";

/// The operations on senders, which are made and changed in JSON rather than by forms.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/v2/Channels/Senders", channel_senders::list),
    post(PRODUCT, "/v2/Channels/Senders", channel_senders::create),
    get(PRODUCT, "/v2/Channels/Senders/{Sid}", channel_senders::fetch),
    post(PRODUCT, "/v2/Channels/Senders/{Sid}", channel_senders::update),
    delete(PRODUCT, "/v2/Channels/Senders/{Sid}", channel_senders::delete),
];
