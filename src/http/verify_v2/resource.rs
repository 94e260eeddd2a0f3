//! A path of Verify with its methods, and the way into each: who asks, may
//! they, what do they say; and on the way out Twilio's error documents.

use super::auth;
use super::call::Call;
use super::failure::Failure;
use crate::http::context::Context;
use crate::http::request::Request;
use crate::http::route::{Methods, PathRoute, route};
use crate::model::key::Scope;
use std::future::Future;
use std::sync::Arc;
use warp::reply::Response;

/// What a caller must be allowed.
pub enum Need {
    /// This one scope.
    One(Scope),
    /// One of several: which, the request says.
    Said(fn(&Call) -> Scope),
}

impl From<Scope> for Need {
    fn from(scope: Scope) -> Self {
        Self::One(scope)
    }
}

/// A path in the making.
pub struct Resource {
    pattern: &'static str,
    methods: Methods,
}

/// Begins the resource of a path, which has no methods yet.
pub fn at(pattern: &'static str) -> Resource {
    Resource { pattern, methods: Methods::default() }
}

impl Resource {
    /// Answers GET to who may do what is needed.
    pub fn get<F, Fut>(self, need: impl Into<Need>, handler: F) -> Self
    where
        F: Fn(Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Failure>> + Send + 'static,
    {
        self.on("GET", need.into(), handler)
    }

    /// Answers POST with this handler, too.
    pub fn post<F, Fut>(self, need: impl Into<Need>, handler: F) -> Self
    where
        F: Fn(Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Failure>> + Send + 'static,
    {
        self.on("POST", need.into(), handler)
    }

    /// Answers DELETE with this handler, too.
    pub fn delete<F, Fut>(self, need: impl Into<Need>, handler: F) -> Self
    where
        F: Fn(Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Failure>> + Send + 'static,
    {
        self.on("DELETE", need.into(), handler)
    }

    /// The route that it is.
    pub fn into_route(self) -> PathRoute {
        route(self.pattern, self.methods)
    }

    fn on<F, Fut>(self, method: &'static str, need: Need, handler: F) -> Self
    where
        F: Fn(Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Failure>> + Send + 'static,
    {
        let need = Arc::new(need);
        let handler = move |context: Arc<Context>, request: Request| {
            let (need, handler) = (need.clone(), handler.clone());
            async move {
                Ok(answer(context, request, &need, handler).await.unwrap_or_else(Failure::into_response))
            }
        };
        Self { methods: self.methods.with(method, handler), ..self }
    }
}

async fn answer<F, Fut>(
    context: Arc<Context>,
    mut request: Request,
    need: &Need,
    handler: F,
) -> Result<Response, Failure>
where
    F: Fn(Call) -> Fut,
    Fut: Future<Output = Result<Response, Failure>>,
{
    let caller = auth::caller(&context, &request).await?;
    if let Need::One(scope) = need {
        caller.must(*scope)?;
    }
    let seen = caller.sees(&context);
    let call = Call::read(seen, &mut request, caller).await?;
    if let Need::Said(scope) = need {
        call.caller.must(scope(&call))?;
    }
    handler(call).await
}
