//! `/v1/keys`

use super::fields::{Field, Shape};
use super::operation::{Answer, Body, Call, Operation, Repeats};
use super::paging::{self, CURSOR, LIMIT};
use super::verifications::SERVICE;
use super::views::things::{Key, Keys, NewKey};
use super::words::ScopeWord;
use crate::app::admin;
use crate::http::context::CallContext;
use crate::http::error::Error;
use crate::http::{problem, reply};
use crate::model::id::ServiceId;
use crate::model::key::{Access, ApiKey, Scope, ServiceSet};
use std::collections::BTreeSet;
use warp::http::StatusCode;
use warp::reply::Response;

const TAG: &str = "Keys";
const ID: Field = Field::needed(
    "id",
    "The key's id: the 12 digits after `dbk_`.",
    Shape::Chars { class: "0-9a-f", least: 12, most: 12 },
);
const FROM_CREATE: &[(&str, &str, &str)] = &[("fetchKey", "id", "/id"), ("revokeKey", "id", "/id")];

/// `POST /v1/keys`: makes a key, which is shown this once.
pub const CREATE: Operation = Operation {
    method: "POST",
    id: "createKey",
    tag: TAG,
    summary: "Make an API key",
    about: "The answer is the only time that the key is shown: it is kept as a hash, and so an `Idempotency-Key` is not honoured here. A key whose answer was lost is in the list; revoke it.",
    scope: Scope::Admin,
    path: &[],
    query: &[],
    body: Body::Needed(&[
        Field::needed(
            "name",
            "What to call it, such as the application that will use it.",
            Shape::Text { least: 1, most: ApiKey::MAX_NAME },
        )
        .example("\"shop\""),
        Field::new(
            "scopes",
            "What it may do: `send` starts verifications and sends again, `check` offers codes, `approve` says of a code that the application chose that it was right (`Status=approved` of Twilio Verify), `read` sees verifications, deliveries and settings, `admin` does everything. Left out: `send`, `check` and `read`.",
            Shape::List { of: &Shape::Word(ScopeWord::all), least: 1, most: 5, distinct: true },
        ),
        Field::new(
            "services",
            "The services that it is for, by their ids, or by the names by which requests name them: what belongs to others is not there to it, and neither is what belongs to none. Left out: all services, those to come too.",
            Shape::List { of: &SERVICE.shape, least: 1, most: ServiceSet::MOST, distinct: true },
        ),
    ]),
    answer: Answer::json::<NewKey>(201, "It is made.").leading_to(FROM_CREATE),
    problems: &[&problem::SERVICE_NOT_FOUND],
    repeats: Repeats::Ignored,
};

/// Makes one: the one time that it is shown.
pub async fn create(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let name = call.body.needed("name")?;
    let scopes = match call.body.texts("scopes") {
        None => Scope::of_an_application(),
        Some(words) => scopes(&words),
    };
    let services = match call.body.texts("services") {
        None => ServiceSet::all(),
        Some(names) => ServiceSet::of(services(&context, names).await?),
    };
    let (key, shown) = admin::create_key(
        &context.app.whole()?.directory,
        context.app.actor(),
        &name,
        Access { scopes, services },
    )
    .await?;
    let path = format!("/v1/keys/{}", key.id);
    Ok(reply::created(&path, &NewKey { key: shown.expose().to_owned(), kept: (&key).into() }))
}

async fn services(context: &CallContext, names: Vec<String>) -> Result<BTreeSet<ServiceId>, Error> {
    // What is about the whole is refused before anything is looked for.
    context.app.whole()?;
    let mut ids = BTreeSet::new();
    for name in names {
        ids.extend(context.app.service_named(Some(name)).await?);
    }
    Ok(ids)
}

fn scopes(words: &[String]) -> BTreeSet<Scope> {
    Scope::ALL.into_iter().filter(|scope| words.iter().any(|word| word == scope.as_str())).collect()
}

/// `GET /v1/keys`: the keys of the store, without their secrets.
pub const LIST: Operation = Operation {
    method: "GET",
    id: "listKeys",
    tag: TAG,
    summary: "List API keys",
    about: "The newest first, without their secrets. Keys of the environment are not among them.",
    scope: Scope::Admin,
    path: &[],
    query: &[LIMIT, CURSOR],
    body: Body::None,
    answer: Answer::list::<Keys>("A page of them."),
    problems: &[],
    repeats: Repeats::OnlyReads,
};

/// Lists the keys, the newest first.
pub async fn list(context: CallContext, mut call: Call) -> Result<Response, Error> {
    let asked = paging::asked(&mut call)?;
    let page = admin::keys(&context.app.whole()?.base, &asked.window).await?;
    Ok(paging::answer(&call, &asked, page, |items, next_cursor| Keys {
        keys: items.iter().map(Key::from).collect(),
        next_cursor,
    }))
}

/// `GET /v1/keys/{id}`: one key, without its secret.
pub const FETCH: Operation = Operation {
    method: "GET",
    id: "fetchKey",
    tag: TAG,
    summary: "Look at an API key",
    about: "",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::json::<Key>(200, "It, without its secret."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::OnlyReads,
};

/// Shows one key, without its secret.
pub async fn fetch(context: CallContext, call: Call) -> Result<Response, Error> {
    let key = admin::key(&context.app.whole()?.base, call.name()).await?;
    Ok(reply::json(StatusCode::OK, &Key::from(&key)))
}

/// `DELETE /v1/keys/{id}`: lets nobody in by it any more.
pub const REVOKE: Operation = Operation {
    method: "DELETE",
    id: "revokeKey",
    tag: TAG,
    summary: "Revoke an API key",
    about: "It is deleted at once; the next request that shows it is refused.",
    scope: Scope::Admin,
    path: &[ID],
    query: &[],
    body: Body::None,
    answer: Answer::nothing("It is gone."),
    problems: &[&problem::NOT_FOUND],
    repeats: Repeats::Ignored,
};

/// Revokes a key, whether it is used or not.
pub async fn revoke(context: CallContext, call: Call) -> Result<Response, Error> {
    admin::revoke_key(&context.app.whole()?.base, context.app.actor(), call.name()).await?;
    Ok(reply::no_content())
}
