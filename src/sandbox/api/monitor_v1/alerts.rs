//! The Alerts resource: what the sandbox itself noted of an account's messages and calls.

use crate::sandbox::alert::Alert;
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::{self, Span};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::iso8601;
use serde_json::{Value, json};

/// The levels that there are. Nothing here is of the last two.
const LEVELS: [&str; 4] = ["error", "warning", "notice", "debug"];

/// `GET Alerts`: the account's own, newest first, of the dates and the level that are asked for.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let dates = Span::between(&query, "StartDate", "EndDate")?;
    let wanted = query.get("LogLevel");
    if let Some(unknown) = wanted.filter(|level| !LEVELS.contains(level)) {
        return Err(Refusal::bad(20001, format!("Invalid parameter value for LogLevel: {unknown}")));
    }
    ask.world.with(|state| {
        let all = state.alerts.iter().rev().filter(|alert| alert.account == ask.account);
        let rows: Vec<&Alert> = all
            .filter(|alert| dates.holds(Some(alert.at)))
            .filter(|alert| wanted.is_none_or(|wanted| wanted == level(alert)))
            .collect();
        paging::list(ask.request, "alerts", &rows, |alert| alert.id.clone(), |alert| document(ask, alert))
            .map(Done::Found)
    })
}

/// `GET Alerts/{Sid}`: one, and the details of its request and answer, which are empty here.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let found = ask.world.with(|state| {
        let is_it = |alert: &&Alert| alert.account == ask.account && alert.id == ask.sid();
        state.alerts.iter().find(is_it).map(|alert| document(ask, alert))
    });
    let mut whole = found.ok_or_else(|| ask.missing())?;
    for name in ["request_variables", "request_headers", "response_body", "response_headers"] {
        whole[name] = "".into();
    }
    Ok(Done::Found(whole))
}

fn level(alert: &Alert) -> &'static str {
    if alert.is_warning() { "warning" } else { "error" }
}

fn document(ask: &Ask<'_>, alert: &Alert) -> Value {
    let at = iso8601(alert.at);
    json!({
        "account_sid": alert.account,
        "alert_text": alert.message,
        "api_version": "2010-04-01",
        "date_created": at,
        "date_generated": at,
        "date_updated": at,
        "error_code": alert.code.to_string(),
        "log_level": level(alert),
        "more_info": format!("https://www.twilio.com/docs/errors/{}", alert.code),
        "request_method": alert.url.as_ref().map(|_| "POST"),
        "request_url": alert.url,
        "resource_sid": alert.sid,
        "service_sid": null,
        "sid": alert.id,
        "url": format!("{}/v1/Alerts/{}", ask.request.base(), alert.id),
    })
}
