//! The one way to the network: a method, so that tests can stand in for it.

use crate::secret::Secret;
use crate::telemetry::metrics::{Meter, Outcome, Place, meter};
use crate::trust::Trust;
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;
use std::time::Duration;

/// A request to be made. Its `Debug` hides what it is about: the form holds a
/// code, and both the form and a query hold numbers.
#[derive(Clone)]
pub struct Outgoing {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// The absolute URL, with its query.
    pub url: String,
    /// Name and password of basic authentication.
    pub auth: (String, Secret),
    /// Form parameters of a `POST`.
    pub form: Vec<(&'static str, String)>,
}

/// What came back. Its `Debug` hides the body, which repeats what was sent.
#[derive(Clone)]
pub struct Answer {
    /// The HTTP status, such as 201.
    pub status: u16,
    /// `Retry-After` in seconds, in whichever form it came.
    pub retry_after: Option<u64>,
    /// As much as is read of it at most: of Twilio's [`MAX_BODY`] bytes.
    pub body: Vec<u8>,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of Lookup the path has the number.
        let url = self.url.split(['?', '%']).next().unwrap_or_default();
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

/// The transport over HTTP, as the service has it.
pub struct Client {
    client: reqwest::Client,
    meters: [&'static Meter; 3],
}

impl Client {
    /// A client with rustls that believes `trust`, no redirects, no proxy, and
    /// deadlines.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(connect: Duration, total: Duration, trust: &Trust) -> Result<Self, TlsError> {
        let client = client(trust)?
            .connect_timeout(connect)
            .timeout(total)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("dialback/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let meters =
            ["twilio POST", "twilio DELETE", "twilio GET"].map(|method| meter(Place::Gateway, method));
        Ok(Self { client, meters })
    }
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// By the authorities that were given.
    #[error(transparent)]
    Trust(#[from] rustls::Error),
    /// By the client.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

/// A client to be, that believes `trust`.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client(trust: &Trust) -> Result<reqwest::ClientBuilder, TlsError> {
    let builder = reqwest::Client::builder();
    Ok(match trust.tls(&["h2", "http/1.1"])? {
        Some(tls) => builder.use_preconfigured_tls(tls),
        None => builder,
    })
}

#[async_trait]
impl Transport for Client {
    async fn call(&self, request: Outgoing) -> Result<Answer, TransportError> {
        let span = tracing::debug_span!("gateway", to = "twilio", method = request.method);
        let judged = |result: &Result<Answer, TransportError>| match result {
            Ok(answer) => Outcome::of_status(answer.status),
            Err(_) => Outcome::Failed,
        };
        self.meter_of(&request).observe(span, judged, self.ask(request)).await
    }
}

impl Client {
    /// By what is done: making, taking away, or looking.
    fn meter_of(&self, request: &Outgoing) -> &'static Meter {
        match request.method {
            "POST" => self.meters[0],
            "DELETE" => self.meters[1],
            _ => self.meters[2],
        }
    }

    async fn ask(&self, request: Outgoing) -> Result<Answer, TransportError> {
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
        let response = builder.send().await.map_err(transport_error)?;
        read_answer(response, MAX_BODY).await
    }
}

/// The whole of an answer, of `most` bytes at most.
pub(super) async fn read_answer(
    mut response: reqwest::Response,
    most: usize,
) -> Result<Answer, TransportError> {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let retry_after = header("Retry-After").and_then(|text| retry_after(text, header("Date")));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(transport_error)? {
        if body.len() + chunk.len() > most {
            return Err(TransportError::Broken("the answer is too long".into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, retry_after, body })
}

/// `Retry-After` (RFC 9110 §10.2.3) in seconds: a number of them, or a date, which
/// is read against the `Date` of the answer, for our clocks may differ.
pub(super) fn retry_after(text: &str, date: Option<&str>) -> Option<u64> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(seconds);
    }
    let read = |text: &str| Some(jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp());
    let now = date.and_then(read).unwrap_or_else(Timestamp::now);
    u64::try_from(read(text)?.duration_since(now).as_secs()).ok()
}

/// Whatever there is no answer for by reason of the connection was not sent:
/// names that do not resolve and certificates that prove nothing among it.
pub(super) fn transport_error(error: reqwest::Error) -> TransportError {
    // Errors of reqwest name the URL, and the URL of a list names a number.
    let error = error.without_url();
    let mut last: &dyn std::error::Error = &error;
    while let Some(source) = last.source() {
        last = source;
    }
    match () {
        () if error.is_connect() && error.is_timeout() => TransportError::NotConnected("time ran out".into()),
        () if error.is_connect() => TransportError::NotConnected(last.to_string()),
        () if error.is_timeout() => TransportError::Broken("time ran out".into()),
        () => TransportError::Broken(last.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::stage::{Authority, Valid};

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let date = Some("Fri, 20 Nov 2026 09:30:00 GMT");
        assert_eq!(retry_after("7", None), Some(7));
        assert_eq!(retry_after(" 120 ", date), Some(120));
        assert_eq!(retry_after("Fri, 20 Nov 2026 09:31:30 GMT", date), Some(90), "whatever our clock says");
        assert_eq!(retry_after("Fri, 20 Nov 2026 09:29:00 GMT", date), None, "that is over");
        assert_eq!(retry_after("soon", date), None);
        assert!(retry_after("Wed, 20 Nov 2999 09:31:30 GMT", None) > Some(1_000_000));
    }

    fn client() -> Client {
        client_for(Duration::from_millis(500))
    }

    fn client_for(patience: Duration) -> Client {
        Client::new(patience.max(Duration::from_secs(5)), patience, &Trust::compiled_in()).unwrap()
    }

    async fn asked(client: Client, url: String) -> TransportError {
        let auth = ("AC1".to_owned(), Secret::new("secret"));
        client.call(Outgoing { method: "POST", url, auth, form: Vec::new() }).await.unwrap_err()
    }

    #[tokio::test]
    async fn what_was_never_sent_is_told_from_what_may_have_been() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let silent = asked(client(), format!("http://{address}/?To=%2B14155550123")).await;
        assert_eq!(silent, TransportError::Broken("time ran out".into()));
        // A port that is taken, and on which nobody listens.
        let deaf = tokio::net::TcpSocket::new_v4().unwrap();
        deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = deaf.local_addr().unwrap();
        let patient = || client_for(Duration::from_secs(60));
        let dead = asked(patient(), format!("http://{address}/?To=%2B14155550123")).await;
        let TransportError::NotConnected(why) = &dead else { panic!("{dead:?}") };
        assert!(why.contains("refused") && !why.contains("4155550123"), "{why}");
        let nowhere = asked(patient(), "http://nowhere.invalid/".into()).await;
        assert!(matches!(nowhere, TransportError::NotConnected(_)), "{nowhere:?}");
    }

    const ANSWER: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";

    #[tokio::test]
    async fn an_authority_of_ones_own_is_believed_and_no_other() {
        let (own, other) = (Authority::new(), Authority::new());
        let (connect, total) = (Duration::from_secs(20), Duration::from_secs(30));
        let client = Client::new(connect, total, &Trust::of([own.der()])).unwrap();
        let ask = async |authority: &Authority| {
            let url = format!("https://localhost:{}/", authority.serve(&["localhost"], Valid::Now, ANSWER));
            let auth = ("AC1".to_owned(), Secret::new("secret"));
            client.call(Outgoing { method: "POST", url, auth, form: Vec::new() }).await
        };
        assert_eq!(ask(&own).await.unwrap().body, b"hi");
        let refused = ask(&other).await.unwrap_err();
        assert!(matches!(refused, TransportError::NotConnected(_)), "{refused:?}");
    }

    #[tokio::test]
    async fn a_server_that_speaks_no_tls_was_sent_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        });
        let error = asked(client(), format!("https://{address}/")).await;
        assert!(matches!(error, TransportError::NotConnected(_)), "{error:?}");
        server.await.unwrap();
    }
}
