//! Why there was no answer: what the network said, as Twilio's error code.
//!
//! The client's errors are nested, and what is at their heart decides. Source of
//! the codes: <https://www.twilio.com/docs/api/errors>. This module refuses to
//! know what was asked.

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::CertificateError;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Why there was no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trouble {
    /// Nobody has this name.
    NoSuchHost,
    /// Nobody accepted the connection, or not in time.
    Connect,
    /// No whole answer in time.
    Timeout,
    /// The answer broke off or was no HTTP.
    Broken,
    /// There was no TLS to be spoken, or not of the same kind.
    Handshake,
    /// The certificate is another name's.
    WrongName,
    /// The certificate is over, or not valid yet.
    Expired,
    /// Nobody who is believed stands behind the certificate.
    Untrusted,
    /// It is not on this machine, and the sandbox was not allowed to leave it.
    Remote,
}

impl Trouble {
    /// Twilio's error code for it. A time that ran out is a failed connection,
    /// whichever of Twilio's two times it was.
    pub fn code(self) -> u32 {
        match self {
            Self::Remote => 11100,
            Self::Connect | Self::Timeout => 11205,
            Self::Broken => 11206,
            Self::NoSuchHost => 11210,
            Self::Handshake => 11220,
            Self::WrongName => 11235,
            Self::Expired => 11236,
            Self::Untrusted => 11237,
        }
    }

    /// The same in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoSuchHost => "there is no host of this name",
            Self::Connect => "could not connect",
            Self::Timeout => "no answer in time",
            Self::Broken => "the answer broke off or was no HTTP",
            Self::Handshake => "the TLS handshake failed: is https spoken on this port?",
            Self::WrongName => "the certificate is for another name than the URL's",
            Self::Expired => "the certificate has expired or is not valid yet",
            Self::Untrusted => {
                "no path from the certificate to an authority that is believed: name your own in SSL_CERT_FILE"
            }
            Self::Remote => "not called: not on this machine, and remote callbacks are not allowed",
        }
    }

    /// What the client's error comes down to.
    pub fn of(error: &reqwest::Error) -> Self {
        let https = error.url().is_some_and(|url| url.scheme() == "https");
        let mut broke_off = false;
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(at) = cause {
            if at.is::<NoSuchHost>() {
                return Self::NoSuchHost;
            }
            if let Some(tls) = at.downcast_ref() {
                return Self::of_tls(tls);
            }
            broke_off |= at.downcast_ref().is_some_and(is_end);
            cause = inside(at);
        }
        match () {
            () if error.is_connect() && https && broke_off => Self::Handshake,
            () if error.is_connect() => Self::Connect,
            () if error.is_timeout() => Self::Timeout,
            () => Self::Broken,
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        use CertificateError as Bad;
        match error {
            rustls::Error::InvalidCertificate(bad) => match bad {
                Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Self::WrongName,
                Bad::Expired
                | Bad::ExpiredContext { .. }
                | Bad::NotValidYet
                | Bad::NotValidYetContext { .. } => Self::Expired,
                _ => Self::Untrusted,
            },
            _ => Self::Handshake,
        }
    }
}

/// What an error holds. An `io::Error` that was made of another one names that
/// one's cause as its own, and passes over the one itself.
fn inside<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// The other side put down, rather than not being there.
fn is_end(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// True for what may be called without leaving this machine: its own addresses,
/// and names that never lead elsewhere, or anywhere (RFC 6761).
pub(super) fn keeps_to_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    is_localhost(host) || is_invalid(host) || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_localhost(name: &str) -> bool {
    is_below(name, "localhost")
}

fn is_invalid(name: &str) -> bool {
    is_below(name, "invalid")
}

fn is_below(name: &str, top: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(top))
}

/// Finds addresses: `localhost` and what ends in it are this machine, whatever
/// the system says; of others, it says who they are.
pub(super) struct Names;

/// Nobody has the name.
#[derive(Debug, thiserror::Error)]
#[error("there is no host of this name")]
struct NoSuchHost;

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = addresses(name.as_str()).await;
            if found.is_empty() {
                return Err(NoSuchHost.into());
            }
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

async fn addresses(name: &str) -> Vec<SocketAddr> {
    if is_localhost(name) {
        let own: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return own.map(|ip| SocketAddr::new(ip, 0)).into();
    }
    if is_invalid(name) {
        return Vec::new();
    }
    tokio::net::lookup_host((name, 0)).await.map(Iterator::collect).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_called_without_leave() {
        let keeps = |text: &str| keeps_to_this_machine(&Url::parse(text).unwrap());
        for text in [
            "http://127.0.0.1:8080/",
            "http://127.1.2.3/",
            "http://[::1]/",
            "http://localhost/",
            "https://shop.localhost:8443/",
            "https://SHOP.Localhost./",
            "http://nowhere.invalid/",
        ] {
            assert!(keeps(text), "{text}");
        }
        for text in [
            "http://example.com/",
            "http://10.0.0.1/",
            "http://localhost.example.com/",
            "http://notlocalhost/",
            "http://[::2]/",
        ] {
            assert!(!keeps(text), "{text}");
        }
    }

    #[test]
    fn every_trouble_has_a_code_that_is_known() {
        use Trouble::*;
        for one in [NoSuchHost, Connect, Timeout, Broken, Handshake, WrongName, Expired, Untrusted, Remote] {
            assert!(crate::twilio::errors::lookup(one.code()).known, "{one:?}");
        }
    }
}
