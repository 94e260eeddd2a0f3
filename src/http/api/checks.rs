//! `/v1/verifications/{id}/check`
//!
//! A caller that may check and nothing else is told yes or no, on the beat
//! (`app/verification/verdict`).

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::verifications::{AMOUNT, ID, PAYEE, TAG};
use super::views::verification::{CheckAnswer, Checked, Verdict};
use crate::app::fault::Fault;
use crate::app::keyed;
use crate::app::verification::{self, Offer, VerificationError};
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::id::VerificationId;
use crate::model::key::Scope;
use warp::http::StatusCode;
use warp::reply::Response;

/// `POST /v1/verifications/{id}/check`: offers a code.
pub const CHECK: Operation = Operation {
    method: "POST",
    id: "checkVerification",
    tag: TAG,
    summary: "Check a code",
    about: "Each check counts, right or wrong; the right code ends the verification.\n\nA key with the scope `read` is told why not: a wrong code is an answer with `valid: false`, and what has ended, what does not exist and what cannot be a code are problems, and so is a code that is not compared because its number has had too many wrong ones: beyond the first five checks of a verification, and with `psd2` after five wrong codes in a row. A key with the scope `check` alone gets `valid: false` for all of them, in the same form and after the same time.",
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
    problems: &[
        &problem::NOT_FOUND,
        &problem::VERIFICATION_ENDED,
        &problem::INVALID_CODE,
        &problem::LIMIT_REACHED,
        &problem::CHECK_UNAVAILABLE,
    ],
    repeats: Repeats::Kept,
};

/// Checks a code.
pub async fn check(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let offer = Offer {
        code: call.body.needed("code")?,
        amount: call.body.text("amount"),
        payee: call.body.text("payee"),
    };
    if !call.caller.may(Scope::Read) {
        return verdict(&context, &call, offer).await;
    }
    let verification::Checked { valid, view } = keyed::check(&context.app, &call.id()?, offer).await?;
    Ok(reply::json(StatusCode::OK, &Checked { valid, verification: (&view).into() }))
}

async fn verdict(context: &CallContext, call: &Call, offer: Offer) -> Result<Response, Error> {
    let named = async {
        call.name().parse::<VerificationId>().map_err(|_| VerificationError::Fault(Fault::NotFound))
    };
    let approved = keyed::verdict(&context.app, named, offer).await?;
    let verdict = Verdict {
        valid: approved.is_some(),
        id: call.name().to_owned(),
        status: approved.as_ref().map(|view| view.status.into()),
        test: approved.as_ref().map(|view| view.verification.test),
        to: approved.map(|view| view.verification.to.in_full().to_owned()),
    };
    Ok(reply::json(StatusCode::OK, &verdict))
}
