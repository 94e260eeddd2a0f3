//! All routes as one service: which of them a request is for, what is answered where
//! none is, and the line about each in the log.

use super::context::Context;
use super::error::Error;
use super::hosted;
use super::near::{NearMisses, near};
use super::request::Request;
use super::route::PathRoute;
use super::verify_v2;
use crate::server::{Incoming, stranger};
use crate::telemetry::metrics::{Meter, Outcome};
use bytes::Buf;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::{Duration, Instant};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, Method};
use warp::reply::Response;

/// All routes as one filter, which looks a path up once. A chain of filters
/// would ask each in turn, on the way in and at every wake-up.
/// With `hosts` it answers to this machine's names, and these, alone.
pub fn service(
    table: Vec<PathRoute>,
    context: Arc<Context>,
    hosts: Option<Vec<String>>,
) -> BoxedFilter<(Response,)> {
    let table: Arc<[PathRoute]> = table.into();
    let misses = Arc::new(NearMisses::default());
    warp::method()
        .and(warp::ext::get())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |method: Method, incoming: Incoming, headers, body| {
            let uri = incoming.uri.clone();
            let stranger = hosts.as_ref().and_then(|hosts| stranger(&method, &headers, hosts));
            let answer = match stranger {
                Some(stranger) => Err(Box::new(Error::Stranger(stranger).into_response())),
                None => begin(&table, &context, method.clone(), incoming, headers, body),
            };
            if answer.is_err()
                && let patterns = table.iter().map(PathRoute::pattern)
                && let Some(near) = near(patterns, uri.path(), method == Method::POST)
            {
                misses.tell(&near, &context.settings.public_url, Instant::now());
            }
            async move {
                match answer {
                    Ok((route, meter, answer)) => logged(method, route, meter, answer).await,
                    Err(nowhere) => *nowhere,
                }
            }
        })
        .boxed()
}

type Answer = BoxFuture<'static, Result<Response, Error>>;

/// The route of a request, and its answer in the making; or what is answered
/// where no route is.
fn begin<S, B>(
    table: &[PathRoute],
    context: &Arc<Context>,
    method: Method,
    incoming: Incoming,
    headers: HeaderMap,
    body: S,
) -> Result<(&'static str, &'static Meter, Answer), Box<Response>>
where
    S: Stream<Item = Result<B, warp::Error>> + Send + Sync + 'static,
    B: Buf,
{
    let Some((PathRoute { pattern, methods, meter, .. }, params)) = find(table, incoming.uri.path()) else {
        return Err(Box::new(nowhere(context, method, incoming, headers, body)));
    };
    let answer = match methods.get(method.as_str()) {
        Some(endpoint) => {
            (endpoint.handler)(context.clone(), Request::new(params, method, incoming, headers, body))
        }
        None => {
            let allow = methods.allow();
            let answer = match pattern.starts_with(verify_v2::PREFIX) {
                true => Ok(verify_v2::wrong_method(&allow)),
                false if hosted::is_page(incoming.uri.path(), &headers) => {
                    let request = Request::new(params, method, incoming, headers, body);
                    Ok(hosted::no_form(context, &request, &allow))
                }
                false => Err(Error::MethodNotAllowed { allow }),
            };
            Box::pin(std::future::ready(answer))
        }
    };
    Ok((*pattern, *meter, answer))
}

/// What takes longer is told though it succeeds.
const SLOW: Duration = Duration::from_secs(1);

/// Counts and times every answer. What succeeds is told at the level of debug alone:
/// what it has changed has lines of its own.
async fn logged(method: Method, route: &'static str, meter: &'static Meter, answer: Answer) -> Response {
    let start = Instant::now();
    let method = known(&method);
    let span = tracing::debug_span!("route", method, route);
    let judged = |response: &Response| Outcome::of_status(response.status().as_u16());
    let answer = async { answer.await.unwrap_or_else(Error::into_response) };
    let response = meter.observe(span, judged, answer).await;
    let (status, took) = (response.status().as_u16(), start.elapsed());
    let micros = took.as_micros();
    if status < 400 && took < SLOW {
        tracing::debug!(method, route, status, micros, "request");
    } else {
        tracing::info!(method, route, status, micros, "request");
    }
    response
}

/// A method as the log has it: what is none of HTTP's is anybody's text, as a path is.
fn known(method: &Method) -> &'static str {
    const ALL: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    ALL.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

fn find<'t>(table: &'t [PathRoute], path: &str) -> Option<(&'t PathRoute, Vec<String>)> {
    let mut near = table.iter().filter(|route| path.starts_with(route.prefix));
    near.find_map(|route| Some((route, matches(route.pattern, path)?)))
}

/// What is answered where no route is. The path is not logged: it is anybody's
/// text, and may hold a number.
fn nowhere<S, B>(
    context: &Context,
    method: Method,
    incoming: Incoming,
    headers: HeaderMap,
    body: S,
) -> Response
where
    S: Stream<Item = Result<B, warp::Error>> + Send + Sync + 'static,
    B: Buf,
{
    let path = incoming.uri.path();
    let response = match path.starts_with(verify_v2::PREFIX) {
        true => verify_v2::nowhere(path),
        false if hosted::is_page(path, &headers) => {
            let params = path.split('/').skip(2).map(str::to_owned).collect();
            hosted::nowhere(context, &Request::new(params, method.clone(), incoming, headers, body))
        }
        false => Error::NoRoute.into_response(),
    };
    let method = known(&method);
    tracing::info!(method, route = "none", status = response.status().as_u16(), "request");
    response
}

/// The values of a pattern's names, when the path fits it.
fn matches(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut segments = path.split('/');
    for part in pattern.split('/') {
        let segment = segments.next()?;
        if part.starts_with('{') {
            if segment.is_empty() {
                return None;
            }
            params.push(segment.to_owned());
        } else if part != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::super::route::{Methods, route};
    use super::{find, matches};

    #[test]
    fn a_path_fits_only_exactly() {
        let pattern = "/v1/verifications/{id}/check";
        assert_eq!(matches(pattern, "/v1/verifications/VE1/check"), Some(vec!["VE1".to_owned()]));
        for path in [
            "/v1/verifications//check",
            "/v1/verifications/VE1/check/",
            "/v1/verifications/VE1",
            "/V1/verifications/VE1/check",
        ] {
            assert_eq!(matches(pattern, path), None, "{path}");
        }
        assert_eq!(matches("/healthz", "/healthz"), Some(vec![]));
    }

    #[test]
    fn the_first_that_fits_is_found_with_its_names() {
        let patterns = ["/v1/keys", "/v1/keys/{id}", "/v1/{kind}/search", "/{all}"];
        let table = patterns.map(|pattern| route(pattern, Methods::default()));
        let found = |path| find(&table, path).map(|(route, params)| (route.pattern, params.join(" ")));
        for (path, wanted) in [
            ("/v1/keys", Some(("/v1/keys", ""))),
            ("/v1/keys/search", Some(("/v1/keys/{id}", "search"))),
            ("/v1/blocks/search", Some(("/v1/{kind}/search", "blocks"))),
            ("/v1", Some(("/{all}", "v1"))),
            ("/v1/keysearch", None),
            ("/v1/keys/", None),
            ("/", None),
        ] {
            assert_eq!(found(path), wanted.map(|(pattern, names)| (pattern, names.to_owned())), "{path}");
        }
    }
}
