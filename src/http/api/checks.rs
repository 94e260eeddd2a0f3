//! `/v1/verifications/{id}/check`
//!
//! A caller that may check and nothing else is told yes or no: wrong, expired,
//! used up and unknown look alike to it and take the same time, so that what it
//! passes on to a person tells nobody which numbers are being verified.

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::verifications::{AMOUNT, ID, PAYEE, TAG};
use super::views::verification::{CheckAnswer, Checked, Verdict};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::problem;
use crate::http::reply;
use crate::model::id::VerificationId;
use crate::model::key::Scope;
use crate::service::{self, Offer, ServiceError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use warp::http::StatusCode;
use warp::reply::Response;

/// A `no` to a caller that may only check comes at the next multiple of this
/// after its request: whatever was looked up, compared or written meanwhile
/// cannot be told from outside.
const BEAT: Duration = Duration::from_millis(50);

/// `POST /v1/verifications/{id}/check`
pub const CHECK: Operation = Operation {
    method: "POST",
    id: "checkVerification",
    tag: TAG,
    summary: "Check a code",
    about: "Each check counts, right or wrong; the right code ends the verification.\n\nA key with the scope `read` is told why not: a wrong code is an answer with `valid: false`, and what has ended, what does not exist and what cannot be a code are problems. A key with the scope `check` alone gets `valid: false` for all of them, in the same form and after the same time.",
    scope: Scope::Check,
    path: &[ID],
    query: &[],
    body: Body::Needed(&[
        Field::needed(
            "code",
            "What the person typed, with or without spaces and dashes. Text, for leading zeros are digits too.",
            Shape::Typed { least: 0, most: 32 },
        )
        .example("\"012345\""),
        AMOUNT,
        PAYEE,
    ]),
    answer: Answer::json::<CheckAnswer>(200, "Whether it was the code."),
    problems: &[&problem::NOT_FOUND, &problem::VERIFICATION_ENDED, &problem::INVALID_CODE],
    repeats: Repeats::Kept,
};

/// Checks a code.
pub async fn check(context: Arc<Context>, mut call: Call) -> Result<Response, Error> {
    let offer = Offer {
        code: call.body.needed("code")?,
        amount: call.body.text("amount"),
        payee: call.body.text("payee"),
    };
    if !call.caller.may(Scope::Read) {
        return verdict(&context, &call, offer).await;
    }
    let service::Checked { valid, view } = context.service.check(&call.id()?, offer).await?;
    Ok(reply::json(StatusCode::OK, &Checked { valid, verification: (&view).into() }))
}

async fn verdict(context: &Context, call: &Call, offer: Offer) -> Result<Response, Error> {
    let begun = Instant::now();
    let checked = match call.id::<VerificationId>() {
        Ok(id) => context.service.check(&id, offer.clone()).await,
        Err(_) => Err(ServiceError::NotFound),
    };
    let approved = match checked {
        Ok(checked) if checked.valid => Some(checked.view),
        Ok(_) => None,
        Err(ServiceError::NotFound | ServiceError::Ended(_) | ServiceError::NotACode { .. }) => {
            // The same work as for a code that could have been right.
            context.service.pretend_to_check(&offer);
            None
        }
        Err(error) => return Err(error.into()),
    };
    if approved.is_none() {
        sleep_until(next_beat(begun, Instant::now())).await;
    }
    let verdict = Verdict {
        valid: approved.is_some(),
        id: call.name().to_owned(),
        status: approved.as_ref().map(|view| view.status.into()),
        to: approved.map(|view| view.verification.to.in_full().to_owned()),
    };
    Ok(reply::json(StatusCode::OK, &verdict))
}

fn next_beat(begun: Instant, now: Instant) -> Instant {
    let beats = now.duration_since(begun).as_millis() / BEAT.as_millis() + 1;
    begun + BEAT * u32::try_from(beats).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_comes_on_the_beat() {
        let begun = Instant::now();
        for (millis, beats) in [(0, 1), (1, 1), (49, 1), (50, 2), (130, 3)] {
            assert_eq!(next_beat(begun, begun + Duration::from_millis(millis)), begun + BEAT * beats);
        }
    }
}
