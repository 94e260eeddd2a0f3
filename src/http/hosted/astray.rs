//! Who is below the pages' address where no page is: a browser is shown one in
//! the person's language, a program is answered as everywhere else.

use super::page_request::PageRequest;
use super::show::{base, gone};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::request::Request;
use warp::http::header::{ACCEPT, ALLOW, LOCATION};
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode};
use warp::reply::Response;

/// Whether it is a page that is asked for, below the pages' address.
pub fn is_page(path: &str, headers: &HeaderMap) -> bool {
    let is_below = path.strip_prefix("/verify").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let accepts = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    is_below && accepts.into_iter().any(|accepts| accepts.to_ascii_lowercase().contains("text/html"))
}

/// Where nothing is.
pub fn nowhere(context: &Context, request: &Request) -> Response {
    gone(context, &PageRequest::of(context, request), None).unwrap_or_else(Error::into_response)
}

/// Where a form would be taken and none was sent. Somebody who looks at a
/// step's address is shown the page that the session is at.
pub fn no_form(context: &Context, request: &Request, allow: &str) -> Response {
    let page_request = PageRequest::of(context, request);
    let mut response = nowhere(context, request);
    match &page_request.id {
        Some(id) if matches!(request.method, Method::GET | Method::HEAD) => {
            response = Response::default();
            *response.status_mut() = StatusCode::SEE_OTHER;
            super::guard::dress(&mut response, None, None);
            put(&mut response, LOCATION, &base(context, id));
        }
        _ => {
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            put(&mut response, ALLOW, allow);
        }
    }
    response
}

fn put(response: &mut Response, name: warp::http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
