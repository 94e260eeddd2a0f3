//! The one way to the network: a method, so that tests can stand in for it.

use crate::secret::Secret;
use async_trait::async_trait;
use std::fmt;
use std::time::Duration;

/// A request to be made. Its `Debug` hides what it is about: the form holds a
/// code, and both the form and a query hold numbers.
#[derive(Clone)]
pub struct Outgoing {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// Absolute URL.
    pub url: String,
    /// Name and password of basic authentication.
    pub auth: (String, Secret),
    /// Form parameters of a `POST`.
    pub form: Vec<(&'static str, String)>,
}

/// What came back. Its `Debug` hides the body, which repeats what was sent.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After` in seconds, when it is a number.
    pub retry_after: Option<u64>,
    /// At most [`MAX_BODY`] bytes.
    pub body: Vec<u8>,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("Outgoing").field("method", &self.method).field("url", &url).finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, retry_after, body } = self;
        f.debug_struct("Answer")
            .field("status", status)
            .field("retry_after", retry_after)
            .field("bytes", &body.len())
            .finish()
    }
}

/// The longest answer that is read, in bytes: a page of 50 messages of 1600
/// characters with all their fields.
pub const MAX_BODY: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection came about: nothing was sent.
    #[error("cannot connect: {0}")]
    NotConnected(String),
    /// The request may have arrived.
    #[error("{0}")]
    Broken(String),
}

/// Makes one request.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Sends a request and reads the answer, within a deadline of its own.
    async fn call(&self, request: Outgoing) -> Result<Answer, TransportError>;
}

/// The real one.
pub struct Client {
    client: reqwest::Client,
}

impl Client {
    /// A client with rustls, no redirects, no proxy, and deadlines.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(connect: Duration, total: Duration) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(connect)
            .timeout(total)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("dialback/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Transport for Client {
    async fn call(&self, request: Outgoing) -> Result<Answer, TransportError> {
        let method = match request.method {
            "POST" => reqwest::Method::POST,
            "DELETE" => reqwest::Method::DELETE,
            _ => reqwest::Method::GET,
        };
        let mut builder = self
            .client
            .request(method, &request.url)
            .basic_auth(&request.auth.0, Some(request.auth.1.expose()));
        if request.method == "POST" {
            let body = serde_urlencoded::to_string(&request.form)
                .map_err(|error| TransportError::NotConnected(format!("form: {error}")))?;
            builder = builder.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        }
        // Errors of reqwest name the URL, and the URL of a list names a number.
        let mut response = builder.send().await.map_err(|error| transport_error(error.without_url()))?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get("Retry-After")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| transport_error(error.without_url()))?
        {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(TransportError::Broken("the answer is too long".into()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after, body })
    }
}

fn transport_error(error: reqwest::Error) -> TransportError {
    let text = match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    if error.is_connect() { TransportError::NotConnected(text) } else { TransportError::Broken(text) }
}
