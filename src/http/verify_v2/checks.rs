//! `/v2/Services/{service}/VerificationCheck`

use super::call::Call;
use super::failure::Failure;
use super::{request, verifications, views};
use crate::app::fault::Fault;
use crate::app::keyed;
use crate::app::verification::{Offer, VerificationError};
use crate::http::reply;
use crate::model::id::VerificationId;
use crate::model::key::Scope;
use crate::model::typed;
use crate::model::verification::Status;
use warp::http::StatusCode;
use warp::reply::Response;

/// Compares a code. A wrong one is an answer like the right one. To a caller
/// that may not read, every no is the same, as at `/v1`.
pub async fn create(call: Call) -> Result<Response, Failure> {
    let service = call.service().await?;
    let name = match (call.text("VerificationSid"), call.text("To")) {
        (Some(sid), _) => sid.to_owned(),
        // What is no number is refused as where a verification begins.
        (None, Some(to)) if to.parse::<VerificationId>().is_err() => {
            call.context.app.number_of_form(to)?.in_full().to_owned()
        }
        (None, Some(to)) => to.to_owned(),
        (None, None) => return Err(Failure::new(400, 60221, "No target verification specified")),
    };
    let code = call.needed("Code")?;
    if !(4..=10).contains(&typed::code(code).len()) {
        return Err(Failure::invalid_because("Code", "4 to 10 characters"));
    }
    let (amount, payee) = request::payment(&call, &service)?;
    if service.settings.psd2 && (amount.is_none() || payee.is_none()) {
        return Err(Failure::payment_missing());
    }
    let app = &call.context.app;
    if !call.caller.may(Scope::Read) {
        let offer = Offer { code: code.to_owned(), amount, payee };
        let named = verifications::named(&call, &service, &name);
        let approved = keyed::verdict_of(app, &service, named, offer).await?;
        let shown = match approved {
            Some(view) => views::check(&call, &service, &view),
            None => views::no(&call, &service),
        };
        return Ok(reply::json(StatusCode::CREATED, &shown));
    }
    let offer = Offer { code: code.to_owned(), amount, payee };
    let named = verifications::named(&call, &service, &name).await;
    let id = named.map_err(|error| verifications::not_there(&call, error))?;
    let view = match keyed::check_of(app, &service, &id, offer).await {
        Ok(checked) => checked.view,
        Err(VerificationError::Fault(Fault::NotFound)) => return Err(call.not_found()),
        // What it is now says why; what is not there any more has no other reason.
        Err(error) => {
            let view = verifications::found(&call, &service, id.as_str()).await?;
            match error {
                _ if view.status == Status::MaxAttemptsReached => {
                    return Err(Failure::checks_used_up(app.seconds_left(&view.verification)));
                }
                // It cannot be the code, and spends no check.
                VerificationError::NotACode { .. } => view,
                VerificationError::Ended(_) => return Err(call.not_found()),
                error => return Err(error.into()),
            }
        }
    };
    Ok(reply::json(StatusCode::CREATED, &views::check(&call, &service, &view)))
}
