//! The Notifications resource: what Twilio's debugger shows, of an account or of
//! one call.

use crate::sandbox::alert::Alert;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::{Span, page};
use crate::sandbox::resource::rfc2822;
use serde_json::{Value, json};

/// `GET Notifications.json`: the account's alerts, newest first, filtered by `MessageDate` and `Log`.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    of(ask, |_| true)
}

/// `GET Calls/{CallSid}/Notifications.json`: the alerts of one call, newest first.
pub(super) fn of_call(ask: &Ask<'_>) -> Outcome {
    let call = ask.part("CallSid");
    if ask.world.with(|state| state.calls.its(ask.account, call).is_none()) {
        return Err(ask.missing());
    }
    of(ask, |alert| alert.sid == call)
}

fn of(ask: &Ask<'_>, wanted: impl Fn(&Alert) -> bool) -> Outcome {
    let query = ask.query();
    let date = Span::read(&query, "MessageDate")?;
    let log = query.get("Log");
    ask.world.with(|state| {
        let all = state.alerts.iter().rev().filter(|alert| alert.account == ask.account);
        let rows: Vec<&Alert> = all
            .filter(|alert| wanted(alert) && date.holds(Some(alert.at)))
            .filter(|alert| log.is_none_or(|log| log == level(alert)))
            .collect();
        page(ask.request, "notifications", &rows, |alert| alert.id.clone(), document).map(Done::Found)
    })
}

/// `GET Notifications/{Sid}.json`, and the same below a call
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let call = ask.part("CallSid");
    let found = ask.world.with(|state| {
        let mut all = state.alerts.iter();
        let is_it = |alert: &&Alert| {
            alert.account == ask.account && alert.id == ask.sid() && (call.is_empty() || alert.sid == call)
        };
        all.find(is_it).map(|alert| {
            let mut whole = document(alert);
            for name in ["request_variables", "response_body", "response_headers"] {
                whole[name] = "".into();
            }
            whole
        })
    });
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// 0 for an error, 1 for a warning.
fn level(alert: &Alert) -> &'static str {
    if alert.is_warning() { "1" } else { "0" }
}

fn document(alert: &Alert) -> Value {
    let account = &alert.account;
    let at = rfc2822(alert.at);
    json!({
        "account_sid": account,
        "api_version": "2010-04-01",
        "call_sid": alert.sid.starts_with("CA").then_some(&alert.sid),
        "date_created": at,
        "date_updated": at,
        "error_code": alert.code.to_string(),
        "log": level(alert),
        "message_date": at,
        "message_text": alert.message,
        "more_info": format!("https://www.twilio.com/docs/errors/{}", alert.code),
        "request_method": alert.url.as_ref().map(|_| "POST"),
        "request_url": alert.url,
        "sid": alert.id,
        "uri": format!("/2010-04-01/Accounts/{account}/Notifications/{}.json", alert.id),
    })
}
