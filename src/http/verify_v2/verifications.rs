//! `/v2/Services/{service}/Verifications`

use super::call::Call;
use super::failure::Failure;
use super::{request, views};
use crate::app::fault::Fault;
use crate::app::keyed;
use crate::app::verification::{VerificationError, View};
use crate::http::reply;
use crate::model::id::VerificationId;
use crate::model::key::Scope;
use crate::model::service::Service;
use crate::model::verification::Status;
use warp::http::StatusCode;
use warp::reply::Response;

/// Begins one, or sends again by the one that stands open for the number.
pub async fn create(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let ask = request::ask(&call, &service)?;
    let view = keyed::ask(&call.context.app, &ask).await?;
    let shown = match call.caller.may(Scope::Read) {
        true => views::verification(&call, &service, &view),
        false => views::begun(&call, &service, &view),
    };
    Ok(reply::json(StatusCode::CREATED, &shown))
}

/// Looks at one, by its name or its number.
pub async fn fetch(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let view = found(&call, &service, call.param(1)).await?;
    Ok(reply::json(StatusCode::OK, &views::verification(&call, &service, &view)))
}

/// What it takes to give one this status: another scope than to send, for who
/// may approve needs no code.
pub fn needed(call: &Call) -> Scope {
    if call.text("Status") == Some("approved") { Scope::Approve } else { Scope::Send }
}

/// Calls one off, or approves one whose code the application chose and checked
/// itself.
pub async fn update(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let status = call.word("Status", &["canceled", "approved"])?.ok_or_else(|| Failure::missing("Status"))?;
    // Who may not read names what it began by the name that it was given: asking
    // number by number would tell which of them are being verified.
    if !call.caller.may(Scope::Read) && call.param(1).parse::<VerificationId>().is_err() {
        return Err(call.not_found());
    }
    let view = found(&call, &service, call.param(1)).await?;
    let (app, id) = (&call.context.app, &view.verification.id);
    let done = match status {
        // One whose codes were all wrong has ended; its number may begin anew.
        "canceled" if view.status == Status::MaxAttemptsReached => {
            keyed::release(app, &service, &view.verification).await?;
            Ok(view)
        }
        "canceled" => keyed::cancel(app, id).await,
        _ => keyed::approve(app, id).await,
    };
    match done {
        Ok(view) => Ok(reply::json(StatusCode::OK, &views::verification(&call, &service, &view))),
        Err(VerificationError::Ended(_)) => Err(call.not_found()),
        // To who may not read, what is there and cannot be approved is not there.
        Err(VerificationError::CodeNotChosen) if !call.caller.may(Scope::Read) => Err(call.not_found()),
        Err(error) => Err(error.into()),
    }
}

/// A verification of the service, by its name or its number, that has not
/// ended. One whose codes were all wrong is there until its time is over.
///
/// # Errors
/// 20404, alike for what never was and what has ended; or the store's.
pub async fn found(call: &Call, service: &Service, name: &str) -> Result<View, Failure> {
    match looked_up(call, service, name).await {
        Ok(view) if is_there(call, &view) => Ok(view),
        Ok(_) => Err(call.not_found()),
        Err(error) => Err(not_there(call, error)),
    }
}

/// The id of a verification, by its name or its number. Whether it is one of the
/// service's is asked by who reads it.
///
/// # Errors
/// Not found, or the store's.
pub async fn named(call: &Call, service: &Service, name: &str) -> Result<VerificationId, VerificationError> {
    match name.parse() {
        Ok(id) => Ok(id),
        Err(_) => keyed::last_asked(&call.context.app, service, name).await,
    }
}

async fn looked_up(call: &Call, service: &Service, name: &str) -> Result<View, VerificationError> {
    let app = &call.context.app;
    let view = keyed::fetch(app, &named(call, service, name).await?).await?;
    match app.belongs(service, &view.verification) {
        true => Ok(view),
        false => Err(VerificationError::Fault(Fault::NotFound)),
    }
}

/// 20404 for what is not there, and what else went wrong as it is.
pub fn not_there(call: &Call, error: VerificationError) -> Failure {
    match error {
        VerificationError::Fault(Fault::NotFound) => call.not_found(),
        error => error.into(),
    }
}

fn is_there(call: &Call, view: &View) -> bool {
    match view.status {
        Status::Pending => true,
        Status::MaxAttemptsReached => call.context.app.now() < view.verification.expires_at,
        _ => false,
    }
}
