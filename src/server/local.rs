//! Whether a request was meant for this machine, by whoever is on it.
//!
//! A listener on loopback is reached by every page that a browser on the machine
//! has open: by another site's name that leads here (DNS rebinding), and by forms
//! and scripts of other sites. Who has controls there asks here first. It refuses
//! to know what the controls are.

use std::net::IpAddr;
use warp::http::{HeaderMap, Method, header};

/// Who was not meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// The request came by a name that is not this machine's.
    Name,
    /// Another site's page wants to change something.
    Page,
}

/// What is wrong with where a request came from, when it is not this machine.
/// `hosts` are the names besides loopback's that were allowed.
pub fn stranger(method: &Method, headers: &HeaderMap, hosts: &[String]) -> Option<Stranger> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST).unwrap_or_default();
    if !is_local(host, hosts) {
        return Some(Stranger::Name);
    }
    let is_safe = matches!(*method, Method::GET | Method::HEAD);
    let same = |origin: &str| origin.split_once("://").map(|(_, host)| host) == Some(host);
    let is_foreign = !is_safe && text(header::ORIGIN).is_some_and(|origin| !same(origin));
    is_foreign.then_some(Stranger::Page)
}

/// True for loopback by name or number, and for the names that were allowed.
pub fn is_local(host: &str, allowed: &[String]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_matches(['[', ']']);
    let loopback = bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    loopback
        || bare.eq_ignore_ascii_case("localhost")
        || allowed.iter().any(|host| host.eq_ignore_ascii_case(bare))
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::HeaderValue;

    #[test]
    fn other_names_and_other_sites_pages_are_strangers() {
        let seen = |method, host: &str, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            origin.map(|origin| headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap()));
            stranger(&method, &headers, &["10.0.0.7".to_owned()])
        };
        for host in ["127.0.0.1:99", "localhost", "LOCALHOST:1", "[::1]:99", "127.9.9.9", "10.0.0.7:99"] {
            assert_eq!(seen(Method::POST, host, None), None, "{host}");
            assert_eq!(seen(Method::POST, host, Some(&format!("http://{host}"))), None, "{host}");
            assert_eq!(seen(Method::POST, host, Some("http://evil.example")), Some(Stranger::Page));
            assert_eq!(seen(Method::POST, host, Some("null")), Some(Stranger::Page), "{host}");
            assert_eq!(seen(Method::GET, host, Some("http://evil.example")), None, "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "", "10.0.0.8"]
        {
            assert_eq!(seen(Method::GET, host, None), Some(Stranger::Name), "{host}");
        }
    }
}
