//! What a route of the REST API gives, and the faults that a telephone lets befall it.

use crate::sandbox::behaviour::{ApiFault, Timeout};
use crate::sandbox::grounds;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::world::World;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::time::Duration;

/// How long a time-out holds the answer back: longer than any SDK waits.
const HOLD_MS: u64 = 35_000;

/// What a route answers: a document with its status, or nothing at all.
pub(super) enum Done {
    /// 200 with a document.
    Found(Value),
    /// 201 with a document.
    Created(Value),
    /// 202 with a document.
    Accepted(Value),
    /// 200 with bytes.
    Content {
        /// What they are.
        content_type: String,
        /// The bytes.
        bytes: Bytes,
    },
    /// 204 without a document: something was taken away.
    Gone,
    /// No answer as long as a client would wait, and then 504.
    Silence(Duration),
}

/// What somebody proved who they are with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Proof {
    /// The account's token.
    Token,
    /// An API key.
    Key,
}

/// What a route gives.
pub(super) type Outcome = Result<Done, Refusal>;

/// Lets the phone's API fault, if it has one, befall a create request;
/// `accept` is run when the request is to be accepted.
pub(super) fn befall(world: &World, number: &str, accept: impl FnOnce() -> Outcome) -> Outcome {
    let Some(fault) = take_fault(world, number) else { return accept() };
    let held = Duration::from_millis(fault.hold_ms.unwrap_or(HOLD_MS));
    match (fault.status, fault.timeout) {
        (Some(429), _) => Err(grounds::too_much()),
        (Some(status), _) => {
            if fault.accepted {
                accept()?;
            }
            Err(Refusal::new(status, 20500, "Internal Server Error"))
        }
        (None, Some(Timeout::Before)) => Ok(Done::Silence(held)),
        (None, Some(Timeout::After)) => accept().map(|_| Done::Silence(held)),
        (None, None) => accept(),
    }
}

/// Until when a message or call has to have been made to be in a list for the
/// phone: Twilio's lists lag.
pub(super) fn listed_until(world: &World, number: &str) -> Timestamp {
    let lag = world.behaviour(number).api.and_then(|api| api.listed_after_ms).unwrap_or(0);
    let lag = SignedDuration::from_millis(i64::try_from(lag).unwrap_or(i64::MAX));
    world.clock.now().checked_sub(lag).unwrap_or(Timestamp::MIN)
}

fn take_fault(world: &World, number: &str) -> Option<ApiFault> {
    let fault = world.behaviour(number).api?;
    let seed = world.settings.seed;
    world.with(|state| {
        let phone = state.phone(number, seed);
        let befalls = fault.times.is_none_or(|times| phone.api_faults < times);
        phone.api_faults += u32::from(befalls);
        befalls.then_some(fault)
    })
}
