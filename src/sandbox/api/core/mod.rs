//! `api.twilio.com`: the 2010 API.

pub(super) mod accounts;
mod applications;
mod available_phone_numbers;
mod balance;
mod call_events;
mod calls;
mod empty_lists;
mod incoming_phone_numbers;
pub(super) mod keys;
mod media;
mod messages;
mod notifications;
mod outgoing_caller_ids;
mod recordings;
mod short_codes;
mod usage_records;

use super::route::{Route, delete, get, post, public};
use available_phone_numbers as available;
use incoming_phone_numbers as incoming;

const PRODUCT: &str = "api";

/// The whole product on one screen.
pub(super) const ROUTES: &[Route] = &[
    get(PRODUCT, "/2010-04-01/Accounts.json", accounts::list),
    post(PRODUCT, "/2010-04-01/Accounts.json", accounts::create),
    get(PRODUCT, "/2010-04-01/Accounts/{Sid}.json", accounts::fetch),
    post(PRODUCT, "/2010-04-01/Accounts/{Sid}.json", accounts::update),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Balance.json", balance::fetch),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Usage/Records.json", usage_records::all),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Usage/Records/AllTime.json", usage_records::all),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Usage/Records/Daily.json", usage_records::daily),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Usage/Records/LastMonth.json", usage_records::last_month),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Usage/Records/Monthly.json", usage_records::monthly),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Usage/Records/ThisMonth.json", usage_records::this_month),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Usage/Records/Today.json", usage_records::today),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Usage/Records/Yearly.json", usage_records::yearly),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Usage/Records/Yesterday.json", usage_records::yesterday),
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
    // Records: media, recordings, events and notifications.
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media.json", media::list),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media/{Sid}.json", media::fetch),
    delete(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media/{Sid}.json",
        media::delete,
    ),
    public(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media/{Sid}", media::content),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}/Events.json", call_events::list),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}/Notifications.json",
        notifications::of_call,
    ),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}/Notifications/{Sid}.json",
        notifications::fetch,
    ),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}/Recordings.json", recordings::of_call),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}/Recordings.json", recordings::create),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}/Recordings/{Sid}.json",
        recordings::fetch_of_call,
    ),
    post(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}/Recordings/{Sid}.json",
        recordings::update,
    ),
    delete(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}/Recordings/{Sid}.json",
        recordings::delete,
    ),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Notifications.json", notifications::list),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Notifications/{Sid}.json", notifications::fetch),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Recordings.json", recordings::list),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Recordings/{Sid}.json", recordings::fetch),
    delete(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Recordings/{Sid}.json", recordings::delete),
    public(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Recordings/{Sid}.wav", recordings::wav),
    public(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Recordings/{Sid}.mp3", recordings::mp3),
    public(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Recordings/{Sid}", recordings::wav),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Transcriptions.json", empty_lists::transcriptions),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/Recordings/{RecordingSid}/Transcriptions.json",
        empty_lists::transcriptions,
    ),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Conferences.json", empty_lists::conferences),
    // TwiML applications.
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Applications.json", applications::list),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Applications.json", applications::create),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Applications/{Sid}.json", applications::fetch),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Applications/{Sid}.json", applications::update),
    delete(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/Applications/{Sid}.json", applications::delete),
    // Numbers.
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers.json", available::all),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}.json",
        available::country,
    ),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}/Local.json",
        available::local,
    ),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}/Mobile.json",
        available::mobile,
    ),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}/National.json",
        available::national,
    ),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}/SharedCost.json",
        available::shared_cost,
    ),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}/TollFree.json",
        available::toll_free,
    ),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/AvailablePhoneNumbers/{CountryCode}/Voip.json",
        available::voip,
    ),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json", incoming::list),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json", incoming::create),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/Local.json", incoming::list_local),
    post(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/Local.json",
        incoming::create_local,
    ),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/Mobile.json", incoming::list_mobile),
    post(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/Mobile.json",
        incoming::create_mobile,
    ),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/TollFree.json",
        incoming::list_toll_free,
    ),
    post(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/TollFree.json",
        incoming::create_toll_free,
    ),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json", incoming::fetch),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json", incoming::update),
    delete(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json", incoming::delete),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds.json", outgoing_caller_ids::list),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds.json", outgoing_caller_ids::create),
    get(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds/{Sid}.json",
        outgoing_caller_ids::fetch,
    ),
    post(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds/{Sid}.json",
        outgoing_caller_ids::update,
    ),
    delete(
        PRODUCT,
        "/2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds/{Sid}.json",
        outgoing_caller_ids::delete,
    ),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/SMS/ShortCodes.json", short_codes::list),
    get(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/SMS/ShortCodes/{Sid}.json", short_codes::fetch),
    post(PRODUCT, "/2010-04-01/Accounts/{AccountSid}/SMS/ShortCodes/{Sid}.json", short_codes::update),
];
