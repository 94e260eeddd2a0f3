//! The way out for events: one signed POST to an address that somebody else
//! chose, after looking at where it leads.
//!
//! It refuses to know stores, retry schedules and who wants what. What it promises: it
//! connects to no address that it has not looked at, follows no redirect, and
//! is done within its deadline.

mod address;
mod guard;
mod signature;

pub use address::is_public;
pub use guard::{Guard, leads_inside};
pub use signature::{is_signed, new_secret, signature};

use super::http::{TlsError, client, retry_after};
use crate::model::event::{Event, Payload};
use crate::model::id::EventId;
use crate::secret::Secret;
use crate::telemetry::metrics::{Meter, Outcome, Place, meter};
use crate::trust::Trust;
use crate::twilio::errors;
use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Url;
use std::error::Error;
use std::sync::LazyLock;
use std::time::Duration;

static POSTS: LazyLock<&Meter> = LazyLock::new(|| meter(Place::Gateway, "endpoint POST"));

/// One event on its way to one endpoint.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The endpoint's address.
    pub url: String,
    /// The event's id: the same each time it is sent.
    pub id: EventId,
    /// The time of this attempt, for the signature: the receiver compares it with
    /// its own clock, so it is the system's, whatever time the body tells.
    pub at: Timestamp,
    /// The body, a JSON object.
    pub body: Vec<u8>,
    /// The secrets that sign it.
    pub secrets: Vec<Secret>,
}

impl Parcel {
    /// The body of an event.
    pub fn body(event: &Event, full_numbers: bool) -> Vec<u8> {
        // Plain data with text keys: writing it cannot fail.
        serde_json::to_vec(&Payload::new(event, full_numbers, errors::told)).unwrap_or_default()
    }
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The HTTP status, such as 200.
    pub status: u16,
    /// How long it asks to be left alone: `Retry-After`, in either form.
    pub wait: Option<Duration>,
}

/// Why nothing came back. The texts name neither address nor secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The address leads where nothing may be sent; nothing was.
    #[error("{0}")]
    Refused(&'static str),
    /// The network, or the other side.
    #[error("{0}")]
    Broken(String),
}

/// Carries events to endpoints.
#[async_trait]
pub trait Courier: Send + Sync + 'static {
    /// Whether an endpoint may have this address.
    ///
    /// # Errors
    /// Why not, and what would be right.
    fn look_at(&self, url: &str) -> Result<(), PostError>;

    /// Sends one event, within a deadline of its own.
    async fn post(&self, parcel: &Parcel) -> Result<Receipt, PostError>;
}

/// The courier over HTTP, as the service has it.
pub struct Messenger {
    client: reqwest::Client,
    guard: Guard,
}

/// How much of an answer is read, in bytes, so that its connection can be used
/// again; what it says is of no interest.
const MAX_ANSWER: usize = 64 * 1024;
/// Connections that are kept for the next event, to one host.
const MAX_IDLE: usize = 2;
const PRIVATE: &str =
    "the address leads to a private network: say in events.allow_private_addresses why to allow it";

impl Messenger {
    /// A messenger with rustls that believes `trust`, no redirects, no proxy, and
    /// a resolver that passes on public addresses only, unless private ones are
    /// allowed.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(
        connect: Duration,
        total: Duration,
        allow_private: bool,
        trust: &Trust,
    ) -> Result<Self, TlsError> {
        let guard = Guard { allow_private, private: PRIVATE };
        let client = client(trust)?
            .connect_timeout(connect)
            .timeout(total)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(MAX_IDLE)
            .dns_resolver(guard.resolver())
            .user_agent(concat!("dialback/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, guard })
    }

    fn url(&self, text: &str) -> Result<Url, PostError> {
        self.guard.url(text).map_err(PostError::Refused)
    }
}

#[async_trait]
impl Courier for Messenger {
    fn look_at(&self, url: &str) -> Result<(), PostError> {
        self.url(url).map(drop)
    }

    async fn post(&self, parcel: &Parcel) -> Result<Receipt, PostError> {
        let seconds = parcel.at.as_second();
        let request = self
            .client
            .post(self.url(&parcel.url)?)
            .header("content-type", "application/json")
            .header("webhook-id", parcel.id.as_str())
            .header("webhook-timestamp", seconds.to_string())
            .header(
                "webhook-signature",
                signature(parcel.id.as_str(), seconds, &parcel.body, &parcel.secrets),
            )
            .body(parcel.body.clone());
        let judged = |result: &Result<reqwest::Response, reqwest::Error>| match result {
            Ok(response) => Outcome::of_status(response.status().as_u16()),
            Err(_) => Outcome::Failed,
        };
        let span = tracing::debug_span!("gateway", to = "endpoint");
        let mut response = POSTS.observe(span, judged, request.send()).await.map_err(error)?;
        let receipt = Receipt { status: response.status().as_u16(), wait: wait(&response) };
        let mut read = 0;
        // The status is what was waited for: an answer that breaks off after it
        // is one all the same.
        while let Ok(Some(chunk)) = response.chunk().await {
            read += chunk.len();
            if read > MAX_ANSWER {
                break;
            }
        }
        Ok(receipt)
    }
}

fn wait(response: &reqwest::Response) -> Option<Duration> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    retry_after(header("retry-after")?, header("date")).map(Duration::from_secs)
}

fn error(error: reqwest::Error) -> PostError {
    let error = error.without_url();
    if leads_inside(&error) {
        return PostError::Refused(PRIVATE);
    }
    let mut last: &dyn Error = &error;
    while let Some(source) = last.source() {
        last = source;
    }
    let what = match &error {
        error if error.is_timeout() => "no answer in time",
        error if error.is_connect() => "cannot connect",
        _ => "the connection broke",
    };
    PostError::Broken(if error.is_timeout() { what.to_owned() } else { format!("{what}: {last}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::stage::{Authority, Valid};

    fn parcel(url: &str) -> Parcel {
        let (id, at) = (EventId::new(Timestamp::UNIX_EPOCH, 1), Timestamp::UNIX_EPOCH);
        Parcel { url: url.into(), id, at, body: Vec::new(), secrets: Vec::new() }
    }

    fn messenger(allow_private: bool) -> Messenger {
        let second = Duration::from_secs(1);
        Messenger::new(second, second, allow_private, &Trust::compiled_in()).unwrap()
    }

    #[test]
    fn where_clouds_keep_secrets_is_no_endpoint_even_where_private_ones_are() {
        for url in [
            "http://169.254.169.254/latest/meta-data/",
            "http://2852039166/",
            "http://0xA9.0xFE.0xA9.0xFE/",
            "http://[::ffff:169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://100.100.100.200/",
            "http://168.63.129.16/",
            "http://metadata.google.internal/",
            "http://Metadata.Google.Internal./",
        ] {
            let refused = messenger(true).look_at(url);
            assert!(matches!(refused, Err(PostError::Refused(_))), "{url}: {refused:?}");
        }
        for fine in ["http://127.0.0.1:9/", "http://10.0.0.7/", "http://[::1]:9/", "http://[fd12::1]/"] {
            messenger(true).look_at(fine).unwrap();
        }
    }

    #[test]
    fn an_address_that_leads_inside_is_no_endpoints() {
        for url in [
            "http://example.com/",
            "ftp://example.com/",
            "https://user@example.com/",
            "https://example.com/#x",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://017700000001/",
            "https://[::1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[64:ff9b::7f00:1]/",
            "https://169.254.169.254/latest/meta-data/",
            "example.com",
            "",
        ] {
            assert!(messenger(false).look_at(url).is_err(), "{url}");
        }
        assert_eq!(messenger(false).look_at("https://example.com/hooks?x=1"), Ok(()));
        assert_eq!(messenger(true).look_at("http://127.0.0.1:9000/"), Ok(()));
    }

    #[tokio::test]
    async fn an_authority_of_ones_own_is_believed_and_no_other() {
        let (own, other) = (Authority::new(), Authority::new());
        let (connect, total) = (Duration::from_secs(20), Duration::from_secs(30));
        let messenger = Messenger::new(connect, total, true, &Trust::of([own.der()])).unwrap();
        let answer = "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\
                      Date: Fri, 20 Nov 2026 09:30:00 GMT\r\nRetry-After: Fri, 20 Nov 2026 09:31:30 GMT\r\n\r\n";
        let post = async |authority: &Authority| {
            let port = authority.serve(&["localhost"], Valid::Now, answer);
            messenger.post(&parcel(&format!("https://localhost:{port}/"))).await
        };
        // By the clock of who asks for it, whatever ours says.
        assert_eq!(post(&own).await, Ok(Receipt { status: 503, wait: Some(Duration::from_secs(90)) }));
        let refused = post(&other).await.unwrap_err();
        assert!(refused.to_string().starts_with("cannot connect"), "{refused}");
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_never_connected_to() {
        let parcel = parcel("https://localhost:1/");
        assert_eq!(messenger(false).post(&parcel).await, Err(PostError::Refused(PRIVATE)));
        assert!(matches!(messenger(true).post(&parcel).await, Err(PostError::Broken(_))));
    }
}
