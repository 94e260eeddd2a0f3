//! A path, the methods it knows, and who answers them.

use super::api::gate;
use super::api::operation::Call;
use super::api::operation::Operation;
use super::api::search::as_list;
use super::context::CallContext;
use super::context::Context;
use super::error::Error;
use super::request::Request;
use crate::telemetry::metrics::Meter;
use crate::telemetry::metrics::Place;
use crate::telemetry::metrics::meter;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use warp::reply::Response;

type Handler =
    Arc<dyn Fn(Arc<Context>, Request) -> BoxFuture<'static, Result<Response, Error>> + Send + Sync>;

/// The methods of a path.
#[derive(Clone, Default)]
pub struct Methods(BTreeMap<&'static str, MethodHandler>);

/// Who answers, and what is documented of it.
#[derive(Clone)]
pub(super) struct MethodHandler {
    pub(super) handler: Handler,
    /// Whether it only reads, so that HEAD asks it, too (RFC 9110 §9.3.2).
    reads: bool,
    operation: Option<&'static Operation>,
}

/// A path with its methods.
pub struct PathRoute {
    pub(super) pattern: &'static str,
    /// What comes before its first name: a path that begins otherwise is none of its own,
    /// which is seen at once.
    pub(super) prefix: &'static str,
    pub(super) methods: Methods,
    pub(super) meter: &'static Meter,
}

/// `{name}` in a pattern stands for one segment that is not empty.
pub fn route(pattern: &'static str, methods: Methods) -> PathRoute {
    let prefix = pattern.split_once('{').map_or(pattern, |(prefix, _)| prefix);
    PathRoute { pattern, prefix, methods, meter: meter(Place::Route, pattern) }
}

/// A path that knows GET.
pub fn get<F, Fut>(handler: F) -> Methods
where
    F: Fn(Arc<Context>, Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, Error>> + Send + 'static,
{
    Methods::default().with("GET", handler)
}

/// A path that knows POST.
pub fn post<F, Fut>(handler: F) -> Methods
where
    F: Fn(Arc<Context>, Request) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, Error>> + Send + 'static,
{
    Methods::default().with("POST", handler)
}

/// A path that takes GET and POST alike, as Twilio may be told to use either.
pub fn get_or_post<F, Fut>(handler: F) -> Methods
where
    F: Fn(Arc<Context>, Request) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, Error>> + Send + 'static,
{
    // Whichever Twilio uses, what it tells changes something: no HEAD asks that.
    let mut methods = get(handler.clone()).with("POST", handler);
    methods.0.values_mut().for_each(|endpoint| endpoint.reads = false);
    methods
}

/// A path of the API that knows this operation.
pub fn api<F, Fut>(operation: &'static Operation, handler: F) -> Methods
where
    F: Fn(CallContext, Call) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, Error>> + Send + 'static,
{
    Methods::default().and(operation, handler)
}

/// A path of the API that is a list's search, answered as the list is.
pub fn search<F, Fut>(operation: &'static Operation, list: F) -> Methods
where
    F: Fn(CallContext, Call) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Response, Error>> + Send + 'static,
{
    api(operation, move |context, call| list(context, as_list(call)))
}

impl Methods {
    /// And this operation of the API.
    pub fn and<F, Fut>(mut self, operation: &'static Operation, handler: F) -> Self
    where
        F: Fn(CallContext, Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |context, request| {
            Box::pin(gate::answer(operation, context, request, handler.clone()))
        });
        self.0.insert(
            operation.method,
            MethodHandler { handler, reads: operation.method == "GET", operation: Some(operation) },
        );
        self
    }

    /// Answers this method with this handler, too.
    pub(super) fn with<F, Fut>(mut self, method: &'static str, handler: F) -> Self
    where
        F: Fn(Arc<Context>, Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |context, request| Box::pin(handler(context, request)));
        self.0.insert(method, MethodHandler { handler, reads: method == "GET", operation: None });
        self
    }

    /// Who answers a method. Of HEAD's answer hyper sends the headers alone.
    pub(super) fn get(&self, method: &str) -> Option<&MethodHandler> {
        let head = || self.0.get("GET").filter(|endpoint| endpoint.reads && method == "HEAD");
        self.0.get(method).or_else(head)
    }

    /// The methods that it knows, as `Allow` has them.
    pub(super) fn allow(&self) -> String {
        let names = self.0.iter().flat_map(|(method, endpoint)| {
            let head = (*method == "GET" && endpoint.reads).then_some("HEAD");
            std::iter::once(*method).chain(head)
        });
        names.collect::<Vec<_>>().join(", ")
    }
}

impl PathRoute {
    /// Its path, with names in braces.
    pub fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// What is documented of it.
    pub fn operations(&self) -> impl Iterator<Item = &'static Operation> {
        self.methods.0.values().filter_map(|endpoint| endpoint.operation)
    }

    /// The methods that it knows.
    #[cfg(test)]
    pub fn methods(&self) -> impl Iterator<Item = &'static str> {
        self.methods.0.keys().copied()
    }
}
