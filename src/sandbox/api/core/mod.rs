//! `api.twilio.com`: the 2010 API.

mod accounts;
mod calls;
pub(super) mod keys;
mod messages;

use super::route::{Route, delete, get, post};

const PRODUCT: &str = "api";

/// The whole product on one screen.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/2010-04-01/Accounts.json", accounts::list),
    post(PRODUCT, "/2010-04-01/Accounts.json", accounts::create),
    get(PRODUCT, "/2010-04-01/Accounts/{Sid}.json", accounts::fetch),
    post(PRODUCT, "/2010-04-01/Accounts/{Sid}.json", accounts::update),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Keys.json", keys::list),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Keys.json", keys::create),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Keys/{Sid}.json", keys::fetch),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Keys/{Sid}.json", keys::update),
    delete(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Keys/{Sid}.json", keys::delete),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Messages.json", messages::list),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Messages.json", messages::create),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json", messages::fetch),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json", messages::update),
    delete(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json", messages::delete),
    post(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Feedback.json",
        messages::feedback,
    ),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Calls.json", calls::list),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Calls.json", calls::create),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json", calls::fetch),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json", calls::update),
    delete(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json", calls::delete),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}/Recordings.json", calls::recordings),
];
