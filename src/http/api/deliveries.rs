//! `/v1/deliveries`

use super::{query, views};
use crate::http::auth::caller;
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::reply;
use crate::http::request::Request;
use crate::service::{DeliveryFilter, ServiceError};
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;
use warp::http::StatusCode;
use warp::reply::Response;

const PARAMETERS: [&str; 7] = ["to", "status", "channel", "since", "until", "cursor", "limit"];

/// `GET /v1/deliveries/{sid}`: Twilio's name or ours.
pub async fn fetch(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let name = request.params.first().ok_or(ServiceError::NotFound)?;
    let found = context.service.delivery(name).await?;
    Ok(reply::json(StatusCode::OK, &views::found(&found)))
}

/// `GET /v1/deliveries`
pub async fn list(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    caller(&context, &request).await?;
    let filter = filter(&query(&request, &PARAMETERS)?)?;
    let page = context.service.deliveries(&filter).await?;
    let deliveries: Vec<_> = page.deliveries.iter().map(views::delivery).collect();
    Ok(reply::json(StatusCode::OK, &json!({ "deliveries": deliveries, "next_cursor": page.next })))
}

fn filter(pairs: &[(String, String)]) -> Result<DeliveryFilter, Error> {
    let mut filter = DeliveryFilter::default();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            // As in a time, a plus that was meant as itself.
            "to" => filter.to = Some(value.strip_prefix(' ').map_or(value.clone(), |to| format!("+{to}"))),
            "cursor" => filter.cursor = Some(value.clone()),
            "since" => filter.since = Some(time("since", value)?),
            "until" => filter.until = Some(time("until", value)?),
            "status" => {
                let status = value.parse().map_err(|_| {
                    Error::field("status", "a status is one of Twilio's words, like delivered or no-answer")
                })?;
                filter.status = Some(status);
            }
            "channel" => {
                let channel =
                    value.parse().map_err(|_| Error::field("channel", "the channel is sms or call"))?;
                filter.channel = Some(channel);
            }
            _ => {
                let limit =
                    value.parse().ok().filter(|limit| (1..=DeliveryFilter::MAX_LIMIT).contains(limit));
                filter.limit = limit.ok_or_else(|| {
                    Error::field(
                        "limit",
                        format!("the limit is a number from 1 to {}", DeliveryFilter::MAX_LIMIT),
                    )
                })?;
            }
        }
    }
    Ok(filter)
}

fn time(field: &'static str, text: &str) -> Result<Timestamp, Error> {
    // A plus in a query means a space, and is easily meant as itself.
    text.replace(' ', "+")
        .parse()
        .map_err(|_| Error::field(field, "a time is written as in RFC 3339, like 2026-11-20T09:30:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_that_was_not_encoded_is_a_plus() {
        for query in [
            "to=+14155550123&since=2026-11-20T09:30:00+01:00",
            "to=%2B14155550123&since=2026-11-20T08:30:00Z",
        ] {
            let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
            let filter = filter(&pairs).unwrap();
            assert_eq!(filter.to.as_deref(), Some("+14155550123"));
            assert_eq!(filter.since.unwrap().to_string(), "2026-11-20T08:30:00Z");
        }
    }

    #[test]
    fn a_filter_that_means_nothing_is_refused() {
        for (name, value) in [
            ("limit", "0"),
            ("limit", "201"),
            ("limit", "x"),
            ("status", "lost"),
            ("channel", "fax"),
            ("since", "now"),
        ] {
            assert!(filter(&[(name.to_owned(), value.to_owned())]).is_err(), "{name}={value}");
        }
    }
}
