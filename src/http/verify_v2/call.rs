//! A request to Verify, read: who, where, and the form's parameters.
//!
//! Parameters that Twilio has and we do not know are passed over, as Twilio
//! passes over what it does not know: a newer library must not break.

use super::auth::Caller;
use super::failure::Failure;
use crate::app::keyed;
use crate::app::services::ServiceError;
use crate::http::context::{CallContext, Sets};
use crate::http::reply;
use crate::http::request::Request;
use crate::model::compat::Compat;
use crate::model::id::ServiceId;
use crate::model::service::Service;
use crate::twilio::form::{self, Pairs, Params};
use crate::twilio::verify;
use jiff::Timestamp;
use std::str::FromStr;
use std::sync::Arc;
use warp::reply::Response;

/// A request to Verify's face, let in and read.
pub struct Call {
    /// The service as the caller may use it, and what the faces know.
    pub context: CallContext,
    /// The key that asks, with its scopes and services.
    pub caller: Caller,
    /// The names in the path, decoded.
    pub params: Vec<String>,
    /// The path as it came.
    pub path: String,
    /// The sets of texts that the caller may see and name.
    pub sets: Sets,
    /// The query's parameters, or the form's of a POST.
    pairs: Pairs,
}

impl Call {
    /// Reads a request whose caller is known.
    ///
    /// # Errors
    /// The body's.
    pub async fn read(context: CallContext, request: &mut Request, caller: Caller) -> Result<Self, Failure> {
        let settings = &context.settings;
        let form = request.form(settings.max_body, settings.body_timeout).await?;
        let pairs = match request.method.as_str() {
            "POST" => form::parse(&form),
            _ => form::parse(request.query().as_bytes()),
        };
        let raw = request.raw_path_and_query();
        let path = raw.split_once('?').map_or(raw, |(path, _)| path).to_owned();
        let decoded =
            |param: &String| percent_encoding::percent_decode_str(param).decode_utf8_lossy().into_owned();
        let params = request.params.iter().map(decoded).collect();
        let sets = context.sets().await?;
        Ok(Self { context, caller, params, path, sets, pairs })
    }

    /// A parameter that is there and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|text| !text.is_empty())
    }

    /// A parameter that is there; an empty one takes a setting away.
    pub fn given(&self, name: &str) -> Option<&str> {
        Params::new(&self.pairs).first(name)
    }

    /// Every value of a parameter.
    pub fn all(&self, name: &str) -> Vec<String> {
        Params::new(&self.pairs).all(name).map(str::to_owned).collect()
    }

    /// A parameter that has to be there.
    ///
    /// # Errors
    /// 20001.
    pub fn needed(&self, name: &'static str) -> Result<&str, Failure> {
        self.text(name).ok_or_else(|| Failure::missing(name))
    }

    /// A parameter that is a number, an id, …
    ///
    /// # Errors
    /// 60200, which names it.
    pub fn parsed<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, Failure> {
        self.text(name).map(|text| text.parse().map_err(|_| Failure::invalid(name))).transpose()
    }

    /// A parameter that says yes or no.
    ///
    /// # Errors
    /// 60200, which names it.
    pub fn flag(&self, name: &'static str) -> Result<Option<bool>, Failure> {
        self.text(name)
            .map(|text| match text.to_ascii_lowercase().as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(Failure::invalid(name)),
            })
            .transpose()
    }

    /// A parameter that is one of these words.
    ///
    /// # Errors
    /// 60200, which names it.
    pub fn word(&self, name: &'static str, words: &[&str]) -> Result<Option<&str>, Failure> {
        match self.text(name) {
            Some(text) if !words.contains(&text) => Err(Failure::invalid(name)),
            text => Ok(text),
        }
    }

    /// The query without what says which page is wanted.
    pub fn filters(&self) -> Vec<(&str, String)> {
        let is_filter = |name: &str| !matches!(name, "Page" | "PageSize" | "PageToken");
        let pairs = self.pairs.iter().filter(|(name, _)| is_filter(name));
        pairs.map(|(name, value)| (name.as_str(), value.clone())).collect()
    }

    /// A name in the path.
    pub fn param(&self, nth: usize) -> &str {
        self.params.get(nth).map_or("", String::as_str)
    }

    /// The service that the path begins with.
    ///
    /// # Errors
    /// 20404, or the store's.
    pub async fn service(&self) -> Result<Arc<Service>, Failure> {
        let id: ServiceId = self.param(0).parse().map_err(|_| self.not_found())?;
        keyed::service(&self.context.app, &id).await.map_err(|error| match error {
            ServiceError::NoSuchService => self.not_found(),
            error => error.into(),
        })
    }

    /// Changes what is kept with a service. The settings that nothing here goes by
    /// are written with it, set or not.
    ///
    /// # Errors
    /// What `change` refuses, or the store's.
    pub async fn change_compat<T>(
        &self,
        id: &ServiceId,
        change: impl Fn(&mut Compat, Timestamp) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let change = |compat: &mut Compat, now| {
            let done = change(compat, now)?;
            verify::fill(compat);
            Ok(done)
        };
        keyed::change_compat(&self.context.app, id, change).await
    }

    /// The service that the path names, and what is kept with it.
    ///
    /// # Errors
    /// As [`Call::service`].
    pub async fn kept(&self) -> Result<(Arc<Service>, Compat), Failure> {
        let service = self.service().await?;
        let compat = keyed::compat(&self.context.app, &service.id).await?.record;
        Ok((service, compat))
    }

    /// Takes something out of what is kept with the service, and answers 204.
    ///
    /// # Errors
    /// Those of `take`, and as [`Call::change_compat`].
    pub async fn take_out(
        &self,
        take: impl Fn(&mut Compat) -> Result<(), Failure>,
    ) -> Result<Response, Failure> {
        let service = self.service().await?;
        self.change_compat(&service.id, |compat, _| take(compat)).await?;
        Ok(reply::no_content())
    }

    /// 20404 with Twilio's sentence about this path.
    pub fn not_found(&self) -> Failure {
        Failure::not_found(&self.path)
    }

    /// An absolute URL of ours.
    pub fn url(&self, path: &str) -> String {
        self.context.settings.public_url.join(path)
    }
}

/// A time as Verify writes it: ISO 8601, whole seconds, UTC.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
