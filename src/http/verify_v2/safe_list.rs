//! `/v2/SafeList/Numbers`

use super::call::Call;
use super::failure::Failure;
use crate::app::admission::{self, AdmissionError};
use crate::app::fault::Fault;
use crate::http::reply;
use crate::model::safe_number::SafeNumber;
use serde_json::{Value, json};
use warp::http::StatusCode;
use warp::reply::Response;

/// Puts a number on it.
pub async fn create(call: Call) -> Result<Response, Failure> {
    let number = call.needed("PhoneNumber")?;
    match admission::add_safe_number(&call.context.app.whole()?.admission, call.context.app.actor(), number)
        .await
    {
        Ok(safe) => Ok(reply::json(StatusCode::CREATED, &shown(&call, &safe))),
        Err(AdmissionError::Number(why)) => Err(Failure::invalid_because("PhoneNumber", why)),
        Err(error) => Err(error.into()),
    }
}

/// Says whether a number is on it.
pub async fn fetch(call: Call) -> Result<Response, Failure> {
    match admission::safe_number(&call.context.app.whole()?.admission, call.param(0)).await {
        Ok(safe) => Ok(reply::json(StatusCode::OK, &shown(&call, &safe))),
        Err(AdmissionError::Fault(Fault::NotFound)) => Err(call.not_found()),
        Err(error) => Err(error.into()),
    }
}

/// Takes a number from it.
pub async fn delete(call: Call) -> Result<Response, Failure> {
    match admission::remove_safe_number(
        &call.context.app.whole()?.admission,
        call.context.app.actor(),
        call.param(0),
    )
    .await
    {
        Ok(()) => Ok(reply::no_content()),
        Err(AdmissionError::Fault(Fault::NotFound)) => Err(call.not_found()),
        Err(error) => Err(error.into()),
    }
}

fn shown(call: &Call, safe: &SafeNumber) -> Value {
    json!({
        "sid": safe.sid,
        "phone_number": safe.number,
        "url": call.url(&format!("/v2/SafeList/Numbers/{}", safe.number.in_full())),
    })
}
