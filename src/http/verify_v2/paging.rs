//! Pages as Verify has them: `meta` with absolute URLs of our own, which the
//! libraries follow.

use super::call::Call;
use super::failure::Failure;
use crate::http::reply;
use serde_json::{Map, Value, json};
use warp::http::StatusCode;
use warp::reply::Response;

/// Resources on a page unless asked otherwise.
const DEFAULT_SIZE: usize = 50;
/// Most resources on a page.
const MOST: usize = 1_000;
/// Most pages of a list that is cut from memory.
const LAST_PAGE: usize = 1_000_000;

/// Which page is wanted.
pub struct Wanted {
    /// Its number, from 0; with a token it only counts.
    pub page: usize,
    /// How many items it has at most.
    pub size: usize,
    /// Where it begins, in a list that is not counted.
    pub token: Option<String>,
}

impl Wanted {
    /// Reads `Page`, `PageSize` and `PageToken`.
    ///
    /// # Errors
    /// 20007 for a size that is too large, 20001 for what is no number.
    pub fn of(call: &Call) -> Result<Self, Failure> {
        let number = |name: &'static str| {
            let text = call.text(name);
            text.map(|text| {
                text.parse::<usize>().map_err(|_| Failure::new(400, 20001, format!("Invalid {name}")))
            })
            .transpose()
        };
        let size = number("PageSize")?.unwrap_or(DEFAULT_SIZE);
        if size > MOST {
            return Err(Failure::new(400, 20007, "Page size too large"));
        }
        let page = number("Page")?.unwrap_or(0).min(LAST_PAGE);
        Ok(Self { page, size: size.max(1), token: call.text("PageToken").map(str::to_owned) })
    }
}

/// A page of a list that is whole in memory.
///
/// # Errors
/// As [`Wanted::of`].
pub fn cut(call: &Call, key: &str, items: Vec<Value>) -> Result<Response, Failure> {
    let wanted = Wanted::of(call)?;
    let start = wanted.page.saturating_mul(wanted.size);
    let is_more = items.len() > start.saturating_add(wanted.size);
    let items: Vec<Value> = items.into_iter().skip(start).take(wanted.size).collect();
    let previous = wanted.page.checked_sub(1).map(|page| (page, None));
    let next = is_more.then_some((wanted.page + 1, None));
    Ok(page(call, key, &wanted, items, previous, next))
}

/// A page, with the number and the token of the ones beside it.
pub fn page(
    call: &Call,
    key: &str,
    wanted: &Wanted,
    items: Vec<Value>,
    previous: Option<(usize, Option<String>)>,
    next: Option<(usize, Option<String>)>,
) -> Response {
    let url = |(page, token): (usize, Option<String>)| {
        let mut pairs: Vec<(&str, String)> = call.filters();
        pairs.extend([("PageSize", wanted.size.to_string()), ("Page", page.to_string())]);
        pairs.extend(token.map(|token| ("PageToken", token)));
        let path =
            crate::twilio::form::append_to_query(&call.path, &pairs, crate::twilio::form::Space::Percent);
        call.url(&path)
    };
    let meta = json!({
        "page": wanted.page,
        "page_size": wanted.size,
        "first_page_url": url((0, None)),
        "previous_page_url": previous.map(url),
        "url": url((wanted.page, wanted.token.clone())),
        "next_page_url": next.map(url),
        "key": key,
    });
    let mut body = Map::new();
    body.insert(key.to_owned(), Value::Array(items));
    body.insert("meta".to_owned(), meta);
    reply::json(StatusCode::OK, &Value::Object(body))
}
