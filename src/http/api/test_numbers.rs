//! `/v1/test-numbers`

use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::views::things::{TestNumberView, TestNumbers};
use crate::app::admin;
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::problem;
use crate::model::key::Scope;
use warp::reply::Response;

const TAG: &str = "Test numbers";

/// `GET /v1/test-numbers`: numbers to which nothing is sent, of the configuration.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listTestNumbers",
    tag: TAG,
    summary: "List test numbers",
    about: "They are in the configuration file, under `test_numbers`, and so are their codes.",
    scope: Scope::Read,
    path: &[],
    query: &[LIMIT, CURSOR],
    body: Body::None,
    answer: Answer::list::<TestNumbers>("A page of them."),
    problems: &[],
    repeats: Repeats::OnlyReads,
};

/// Lists the test numbers of the configuration.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let asked = paging::asked(&mut call)?;
    let (page, now) =
        (admin::test_numbers(&context.app.whole()?.admission, &asked.window), context.app.now());
    Ok(paging::answer(&call, &asked, page, |items, next_cursor| TestNumbers {
        test_numbers: items.iter().map(|test| TestNumberView::new(test, now)).collect(),
        next_cursor,
    }))
}

/// `POST /v1/test-numbers`: always refused, for they are the configuration's.
pub const CREATE: Operation = Operation {
    method: "POST",
    id: "createTestNumber",
    tag: TAG,
    summary: "Refused: test numbers are made in the configuration",
    about: "Always answers 409: a number with a known code is a door, and only who runs the server may open one.",
    scope: Scope::Admin,
    path: &[],
    query: &[],
    body: Body::None,
    answer: Answer::nothing("Never."),
    problems: &[&problem::TEST_NUMBERS_READ_ONLY],
    repeats: Repeats::Ignored,
};

/// Refuses to make one.
pub async fn refuse(context: CallContext, _: Call) -> Result<Response, Error> {
    context.app.whole()?;
    Err(Error::TestNumbersReadOnly)
}
