//! Pages of lists, the same for every list: `limit`, an opaque `cursor`, and
//! where the next page is, in the body and in a `Link` header (RFC 8288).
//!
//! A cursor is the place of the last thing that was shown, so nothing comes
//! twice and nothing is left out, whatever is added meanwhile. It also names
//! its list and its filters, so that one that strayed is told apart.

use super::fields::{Field, Shape};
use super::operation::Call;
use crate::app::{Page, Place, Window};
use crate::http::error::Error;
use crate::http::reply;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use warp::http::header::LINK;
use warp::http::{HeaderValue, StatusCode};
use warp::reply::Response;

/// Things on a page unless asked otherwise, and at most.
const DEFAULT_LIMIT: u64 = 50;
const MAX_LIMIT: u64 = 100;
/// The longest cursor, in bytes: a place's id has at most 256.
pub const MAX_CURSOR: usize = 600;

/// The parameter `limit` of every list.
pub const LIMIT: Field = Field::new(
    "limit",
    "How many to show on a page; 50 unless asked otherwise. A page may be shorter, even empty, while there are more.",
    Shape::Number { least: 1, most: MAX_LIMIT },
);
/// The parameter `cursor` of every list.
pub const CURSOR: Field = Field::new(
    "cursor",
    "Where to go on: `next_cursor` of the page before, as it was given, with the same filters.",
    Shape::Text { least: 1, most: MAX_CURSOR },
);

/// A list's page that was asked for.
pub struct Asked {
    /// What to hand to the service.
    pub window: Window,
    list: String,
}

/// Reads which page is wanted. The cursor is taken out of the query first, so
/// call this before the filters are.
///
/// # Errors
/// [`Error::Cursor`].
pub fn asked(call: &mut Call) -> Result<Asked, Error> {
    let limit = call.query.number("limit").unwrap_or(DEFAULT_LIMIT);
    let cursor = call.query.text("cursor");
    let list = name_of(call);
    let after = cursor.map(|cursor| read(&cursor, &list)).transpose()?;
    Ok(Asked { window: Window { limit: usize::try_from(limit).unwrap_or(1), after }, list })
}

/// Answers with a page: `shown` makes the body of the items and the cursor.
pub fn answer<T, V: Serialize>(
    call: &Call,
    asked: &Asked,
    page: Page<T>,
    shown: impl FnOnce(Vec<T>, Option<String>) -> V,
) -> Response {
    let next = page.next.as_ref().map(|place| write(place, &asked.list));
    let link = next.as_deref().filter(|_| call.is_linked).and_then(|cursor| link(call, cursor));
    let mut response = reply::json(StatusCode::OK, &shown(page.items, next));
    if let Some(link) = link {
        response.headers_mut().insert(LINK, link);
    }
    response
}

/// The list with its filters, in a few letters.
fn name_of(call: &Call) -> String {
    let mut filters: Vec<String> =
        call.query.as_map().iter().map(|(name, value)| format!("{name}={value}")).collect();
    filters.sort();
    short(&format!("{}?{}", call.path, filters.join("&")))
}

/// A list's name in a few letters.
pub fn short(list: &str) -> String {
    hex::encode(&Sha256::digest(list)[..6])
}

/// The cursor of a place in a list.
pub fn write((at, id): &Place, list: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}.{}.{id}", at.as_millisecond()))
}

/// The place of a cursor.
///
/// # Errors
/// [`Error::Cursor`] for none, and for another list's.
pub fn read(cursor: &str, list: &str) -> Result<Place, Error> {
    let parse = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (list, place) = text.split_once('.')?;
        let (at, id) = place.split_once('.')?;
        let at = Timestamp::from_millisecond(at.parse().ok()?).ok()?;
        Some((list.to_owned(), (at, id.to_owned())))
    };
    let none = "this is no cursor: use the next_cursor of the page before, as it was given";
    let (own, place) = parse().ok_or(Error::Cursor(none))?;
    if own != list {
        return Err(Error::Cursor("this cursor belongs to another list, or to other filters"));
    }
    Ok(place)
}

/// The next page's address, relative to this one's.
fn link(call: &Call, cursor: &str) -> Option<HeaderValue> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&call.raw_query).ok()?;
    let mut pairs: Vec<(String, String)> = pairs.into_iter().filter(|(name, _)| name != "cursor").collect();
    pairs.push(("cursor".into(), cursor.to_owned()));
    let query = serde_urlencoded::to_string(pairs).ok()?;
    HeaderValue::from_str(&format!("<{}?{query}>; rel=\"next\"", call.path)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_to_its_own_list_alone() {
        let place = (Timestamp::from_millisecond(1_763_631_000_123).unwrap(), "+14155550123|MG.1".to_owned());
        let cursor = write(&place, "0123456789ab");
        assert_eq!(read(&cursor, "0123456789ab").unwrap(), place);
        assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        let told = read(&cursor, "ba9876543210").unwrap_err().to_string();
        assert!(told.contains("another list"), "{told}");
        for wrong in ["x", "e30", "", "AAAA", &cursor[1..]] {
            assert!(matches!(read(wrong, "0123456789ab"), Err(Error::Cursor(_))), "{wrong}");
        }
    }
}
