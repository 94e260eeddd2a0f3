//! The files that pages name, as they are served: for ever, since each has a hash of
//! what is in it in its name.

use super::astray::{is_page, nowhere};
use crate::http::context::Context;
use crate::http::error::Error;
use crate::http::pages::assets;
use crate::http::request::Request;
use std::sync::Arc;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use warp::http::{HeaderName, HeaderValue};
use warp::reply::Response;

/// `GET /verify/static/{file}`: a style sheet, script or picture of the pages.
pub async fn serve(context: Arc<Context>, request: Request) -> Result<Response, Error> {
    let name = request.params.first().map(String::as_str).unwrap_or_default();
    match assets::find(name) {
        Some((kind, text)) => Ok(kept(kind, text)),
        None if is_page(request.path(), &request.headers) => Ok(nowhere(&context, &request)),
        None => Err(Error::NoRoute),
    }
}

fn kept(kind: &'static str, text: String) -> Response {
    let mut response = Response::new(text.into());
    let headers: [(HeaderName, &'static str); 4] = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
