//! `/v2/Services/{service}/Verifications`

use super::call::Call;
use super::failure::Failure;
use super::{request, views};
use crate::http::reply;
use crate::model::brand::Brand;
use crate::model::key::Scope;
use crate::model::verification::Status;
use crate::service::{ServiceError, View};
use warp::http::StatusCode;
use warp::reply::Response;

/// Begins one, or sends again by the one that stands open for the number.
pub async fn create(call: Call) -> Result<Response, Failure> {
    let brand = call.service().await?;
    let ask = request::ask(&call, &brand)?;
    let view = call.context.service.ask(&ask).await?;
    Ok(reply::json(StatusCode::CREATED, &views::verification(&call, &brand, &view)))
}

/// Looks at one, by its name or its number.
pub async fn fetch(call: Call) -> Result<Response, Failure> {
    let brand = call.service().await?;
    let view = found(&call, &brand, call.param(1)).await?;
    Ok(reply::json(StatusCode::OK, &views::verification(&call, &brand, &view)))
}

/// Calls one off, or approves one whose code the application checked itself.
pub async fn update(call: Call) -> Result<Response, Failure> {
    let brand = call.service().await?;
    let status = call.word("Status", &["canceled", "approved"])?.ok_or_else(|| Failure::missing("Status"))?;
    let view = found(&call, &brand, call.param(1)).await?;
    let (service, id) = (&call.context.service, &view.verification.id);
    let done = match status {
        // One whose codes were all wrong has ended; its number may begin anew.
        "canceled" if view.status == Status::MaxAttemptsReached => {
            service.release(&brand, &view.verification).await?;
            Ok(view)
        }
        "canceled" => service.cancel(id).await,
        _ => {
            call.caller.must(Scope::Check)?;
            service.approve(id).await
        }
    };
    match done {
        Ok(view) => Ok(reply::json(StatusCode::OK, &views::verification(&call, &brand, &view))),
        Err(ServiceError::Ended(_)) => Err(call.not_found()),
        Err(error) => Err(error.into()),
    }
}

/// A verification of the service, by its name or its number, that has not
/// ended. One whose codes were all wrong is there until its time is over.
///
/// # Errors
/// 20404, alike for what never was and what has ended; or the store's.
pub async fn found(call: &Call, brand: &Brand, name: &str) -> Result<View, Failure> {
    let service = &call.context.service;
    let found = async {
        let id = match name.parse() {
            Ok(id) => id,
            Err(_) => service.last_asked(brand, name).await?,
        };
        service.fetch(&id).await
    };
    match found.await {
        Ok(view) if service.belongs(brand, &view.verification) && is_there(call, &view) => Ok(view),
        Ok(_) | Err(ServiceError::NotFound) => Err(call.not_found()),
        Err(error) => Err(error.into()),
    }
}

fn is_there(call: &Call, view: &View) -> bool {
    match view.status {
        Status::Pending => true,
        Status::MaxAttemptsReached => call.context.service.now() < view.verification.expires_at,
        _ => false,
    }
}
