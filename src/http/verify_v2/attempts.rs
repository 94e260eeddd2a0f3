//! `/v2/Attempts`: the sends of all services, one by one, and how many of them
//! brought the right code.

use super::call::{Call, time};
use super::failure::Failure;
use super::paging::{self, Wanted};
use super::views;
use crate::app::admission::AdmissionError;
use crate::app::fault::Fault;
use crate::app::keyed;
use crate::app::verification::{Attempt, AttemptFilter, AttemptPlace, VerificationError};
use crate::http::reply;
use crate::model::channel::Channel;
use crate::model::delivery::Delivery;
use crate::model::id::{DeliveryId, VerificationId};
use crate::model::verification::{SendState, Status};
use crate::server::caller_gone;
use crate::twilio;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use warp::http::StatusCode;
use warp::reply::Response;

/// Channels of Twilio's by which nothing was ever sent here.
const NEVER_USED: [&str; 2] = ["email", "rbm"];
/// How long a summary may count, well within the time of a request.
const LONGEST_COUNT: Duration = Duration::from_secs(8);
/// How many pages a token leads back.
const MOST_STEPS_BACK: usize = 16;

/// Lists them, the newest first.
pub async fn list(call: Call) -> Result<Response, Failure> {
    let wanted = Wanted::of(&call)?;
    let trail = Trail::read(wanted.token.as_deref())?;
    let (mut items, mut next) = (Vec::new(), None);
    if let Some(filter) = filter(&call)? {
        let page = tokio::select! {
            biased;
            page = keyed::attempts(&call.context.app, &filter, trail.0.last().cloned(), wanted.size) => page,
            // Nobody hears it.
            () = caller_gone() => return Err(too_many()),
        };
        let page = page.map_err(number_of)?;
        items.extend(page.attempts.iter().map(|attempt| shown(&call, attempt)));
        next = page.next.map(|place| (wanted.page + 1, trail.onward(place).write()));
    }
    let previous = trail.back().map(|trail| (wanted.page.saturating_sub(1), trail.write()));
    Ok(paging::page(&call, "attempts", &wanted, items, previous, next))
}

/// Shows one attempt, by its SID.
pub async fn fetch(call: Call) -> Result<Response, Failure> {
    let name = call.param(0).strip_prefix("VL").map(|rest| format!("DL{rest}"));
    let id: Option<DeliveryId> = name.and_then(|name| name.parse().ok());
    let id = id.and_then(|id| id.of_verification());
    let (verification, number) = id.ok_or_else(|| call.not_found())?;
    match keyed::attempt(&call.context.app, &verification, number).await {
        Ok(attempt) => Ok(reply::json(StatusCode::OK, &shown(&call, &attempt))),
        Err(VerificationError::Fault(Fault::NotFound)) => Err(call.not_found()),
        Err(error) => Err(error.into()),
    }
}

/// Counts the attempts that the filter takes.
pub async fn summary(call: Call) -> Result<Response, Failure> {
    let count = match filter(&call)? {
        Some(filter) => tokio::select! {
            biased;
            count = keyed::count_attempts(&call.context.app, &filter, LONGEST_COUNT) => count.map_err(number_of)?,
            // Nobody hears it.
            () = caller_gone() => return Err(too_many()),
        },
        None => Default::default(),
    };
    if !count.is_whole {
        return Err(too_many());
    }
    Ok(reply::json(
        StatusCode::OK,
        &json!({
            "total_attempts": count.total,
            "total_converted": count.converted,
            "total_unconverted": count.total - count.converted,
            "conversion_rate_percentage": percentage(count.converted, count.total),
            "url": call.url("/v2/Attempts/Summary"),
        }),
    ))
}

/// A number that is not of all would be no summary.
fn too_many() -> Failure {
    let message = "There are too many attempts to count in one request: narrow it down with \
                   DateCreatedAfter and DateCreatedBefore, VerifyServiceSid or ChannelData.To";
    Failure::new(503, 20503, message)
}

/// With nine decimals at most, as text: `81.818181818`.
fn percentage(part: u64, whole: u64) -> String {
    const PLACES: u128 = 1_000_000_000;
    let scaled = match whole {
        0 => 0,
        whole => u128::from(part) * 100 * PLACES / u128::from(whole),
    };
    let (whole, rest) = (scaled / PLACES, scaled % PLACES);
    let decimals = format!("{rest:09}");
    match decimals.trim_end_matches('0') {
        "" => whole.to_string(),
        decimals => format!("{whole}.{decimals}"),
    }
}

/// The filter, or `None` when nothing can be found by it.
fn filter(call: &Call) -> Result<Option<AttemptFilter>, Failure> {
    let channel = match call.text("Channel").map(str::to_ascii_lowercase) {
        Some(never) if NEVER_USED.contains(&never.as_str()) => return Ok(None),
        Some(channel) => Some(channel.parse().map_err(|_| Failure::invalid("Channel"))?),
        None => None,
    };
    let converted = match call.text("Status").map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("converted") => Some(true),
        Some("unconverted") => Some(false),
        Some(_) => return Err(Failure::invalid("Status")),
    };
    Ok(Some(AttemptFilter {
        since: call.parsed("DateCreatedAfter")?,
        until: call.parsed("DateCreatedBefore")?,
        to: call.text("ChannelData.To").map(str::to_owned),
        prefix: call
            .text("DestinationPrefix")
            .map(|prefix| format!("+{}", prefix.trim().trim_start_matches('+'))),
        country: call.text("Country").map(str::to_ascii_uppercase),
        channel,
        service: call.parsed("VerifyServiceSid")?,
        verification: call.parsed("VerificationSid")?,
        converted,
    }))
}

/// Here the number is a filter's.
fn number_of(error: VerificationError) -> Failure {
    match error {
        VerificationError::Admission(AdmissionError::Number(why)) => {
            Failure::invalid_because("ChannelData.To", why)
        }
        error => error.into(),
    }
}

fn shown(call: &Call, attempt: &Attempt) -> Value {
    let (verification, send) = (&attempt.verification, &attempt.send);
    let sid = views::attempt_sid(&verification.id, send.number);
    let updated_at = attempt.delivery.as_ref().map_or(send.asked_at, Delivery::updated_at);
    json!({
        "sid": sid,
        "account_sid": call.caller.account,
        "service_sid": attempt.service,
        "verification_sid": verification.id,
        "date_created": time(send.asked_at),
        "date_updated": time(updated_at.max(send.asked_at)),
        "conversion_status": if attempt.is_converted() { "converted" } else { "unconverted" },
        "channel": send.channel,
        // What it costs is between the account and Twilio.
        "price": { "value": null, "currency": "usd" },
        "channel_data": channel_data(call, attempt),
        "url": call.url(&format!("/v2/Attempts/{sid}")),
    })
}

fn channel_data(call: &Call, attempt: &Attempt) -> Value {
    let (verification, send) = (&attempt.verification, &attempt.send);
    let status = match verification.status_at(call.context.app.now()) {
        _ if attempt.is_converted() => "confirmed",
        Status::Expired => "expired",
        _ => "unconfirmed",
    };
    let (standing, error) = standing(attempt);
    let mut data = json!({
        "verification_sid": verification.id,
        "to": verification.to,
        "status": status,
        "error_code": error.map(|code| code.to_string()),
        "country": verification.to.region(),
        "code_length": verification.code.length,
        "locale": verification.locale,
        "mcc": null,
        "mnc": null,
        "carrier": null,
    });
    let name = if send.channel == Channel::Call { "call_status" } else { "message_status" };
    data[name] = json!(standing);
    data
}

/// Twilio's word for where it stands, and its error code.
fn standing(attempt: &Attempt) -> (String, Option<u32>) {
    let delivery = attempt.delivery.as_ref();
    if let Some(status) = delivery.and_then(Delivery::status) {
        let code = delivery.and_then(Delivery::error_code).filter(|_| status.is_failure());
        return (twilio::status::word(status).to_owned(), code);
    }
    match &attempt.send.state {
        SendState::Failed { code, .. } => ("failed".to_owned(), *code),
        SendState::Dropped => ("canceled".to_owned(), None),
        _ => ("queued".to_owned(), None),
    }
}

/// Where the pages began, up to the one that is wanted: a list is walked one
/// way only, so its token remembers the way.
#[derive(Clone, Default)]
struct Trail(Vec<AttemptPlace>);

impl Trail {
    fn read(token: Option<&str>) -> Result<Self, Failure> {
        let Some(token) = token else { return Ok(Self::default()) };
        let places =
            token.strip_prefix("PA").map(|all| all.split('.').map(read_place).collect::<Option<Vec<_>>>());
        let places = places.flatten().filter(|places| places.len() <= MOST_STEPS_BACK);
        places.map(Self).ok_or_else(|| Failure::new(400, 20001, "Invalid PageToken"))
    }

    fn onward(&self, place: AttemptPlace) -> Self {
        let mut places = self.0.clone();
        places.push(place);
        let forgotten = places.len().saturating_sub(MOST_STEPS_BACK);
        Self(places.split_off(forgotten))
    }

    /// `None` on the first page.
    fn back(&self) -> Option<Self> {
        let (_, before) = self.0.split_last()?;
        Some(Self(before.to_vec()))
    }

    /// `None` for the first page.
    fn write(&self) -> Option<String> {
        let place = |(at, id, number): &AttemptPlace| {
            format!("{:x}-{}-{number:x}", at.as_millisecond(), &id.as_str()[2..])
        };
        let places: Vec<String> = self.0.iter().map(place).collect();
        (!places.is_empty()).then(|| format!("PA{}", places.join(".")))
    }
}

fn read_place(text: &str) -> Option<AttemptPlace> {
    let mut parts = text.split('-');
    let at = i64::from_str_radix(parts.next()?, 16).ok()?;
    let id: VerificationId = format!("VE{}", parts.next()?).parse().ok()?;
    let number = u8::from_str_radix(parts.next()?, 16).ok()?;
    Some((Timestamp::from_millisecond(at).ok()?, id, number)).filter(|_| parts.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_written_as_twilio_writes_it() {
        assert_eq!(percentage(9, 11), "81.818181818");
        assert_eq!(percentage(1, 2), "50");
        assert_eq!(percentage(3, 3), "100");
        assert_eq!(percentage(0, 0), "0");
        assert_eq!(percentage(1, 800), "0.125");
    }

    #[test]
    fn a_token_leads_on_and_back() {
        let place =
            |n: u8| (Timestamp::from_second(i64::from(n)).unwrap(), VerificationId::from_random([n; 15]), n);
        let second = Trail::default().onward(place(1));
        let third = second.onward(place(2));
        let read = Trail::read(third.write().as_deref()).unwrap();
        assert_eq!(read.0, third.0);
        assert_eq!(read.back().unwrap().write(), second.write());
        assert_eq!(second.back().unwrap().write(), None);
        assert!(Trail::default().back().is_none());
        assert!(Trail::read(Some("PA1-x-1")).is_err() && Trail::read(Some("x")).is_err());
        let long = (0..40).fold(Trail::default(), |trail, n| trail.onward(place(n)));
        assert_eq!(long.0.len(), MOST_STEPS_BACK);
    }
}
