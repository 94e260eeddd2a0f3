//! Where people may be sent back to: the addresses that a service allows, and
//! whether one that an application names is among them.
//!
//! Both are read as browsers read them (the WHATWG URL standard, IDNA), and the
//! origins and the decoded paths are compared. What browsers and servers are
//! known to read in different ways is none of them, whatever it would match.
//! This module refuses to know sessions and who asks.

mod path;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// The longest address, in bytes.
pub const MOST: usize = 2048;
/// How many addresses a service may allow.
pub const MOST_ALLOWED: usize = 20;
/// How many of the allowed addresses a refusal names.
const NAMED: usize = 5;

/// An address that a service allows.
#[derive(Debug)]
pub struct Allowed {
    /// It, with plain things where the wildcards were.
    url: Url,
    /// Whether the leading label of its host is any.
    any_label: bool,
    /// Whether its port is.
    any_port: bool,
    /// Its path, decoded; with what it begins by where the rest is any.
    path: Vec<u8>,
    any_below: bool,
}

/// What differs, the worse first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Query,
    Path,
    Port,
    Scheme,
    Host,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Path => "path",
            Self::Port => "port",
            Self::Scheme => "scheme",
            Self::Host => "host",
        }
    }
}

impl Allowed {
    /// Reads an address that a service is to allow: exact, with `/*` at its end
    /// for everything below, `*.` before the host for one label of one's own
    /// domain, or `:*` for any port of one's own machine.
    ///
    /// # Errors
    /// What is wrong and what would be right; never the address.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("has addresses that begin with https://")?;
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        let (tail, any_below) = match tail.strip_suffix("/*") {
            Some(above) => (format!("{above}/"), true),
            None => (tail.to_owned(), false),
        };
        let (authority, any_port) = match authority.strip_suffix(":*") {
            Some(host) => (host, true),
            None => (authority, false),
        };
        let (authority, any_label) = match authority.strip_prefix("*.") {
            Some(domain) => (format!("x.{domain}"), true),
            None => (authority.to_owned(), false),
        };
        if authority.contains('*') || tail.contains('*') {
            return Err(
                "has * only for what is below a path (https://example.com/*), for one label before a \
                        domain (https://*.example.com), or for the port of one's own machine",
            );
        }
        let (url, path) = read(&format!("{scheme}://{authority}{tail}"))?;
        if any_below && url.query().is_some() {
            return Err("has no query where /* stands at the end");
        }
        if any_port && !is_own_machine(&url) {
            return Err("has :* for any port only on one's own machine, as in http://localhost:*/");
        }
        if any_label && !is_below_an_own_domain(&url) {
            return Err("has *. only before a domain that is one's own: not before a top-level domain, nor \
                        before one under which anybody gets a name (co.uk, github.io)");
        }
        Ok(Self { url, any_label, any_port, path, any_below })
    }

    /// In which parts an address differs from this one.
    fn differs(&self, url: &Url, path: &[u8]) -> Vec<Part> {
        let host = |url: &Url| match url.host() {
            Some(Host::Domain(name)) if self.any_label => {
                let label = name.split_once('.').filter(|(label, _)| !label.is_empty());
                label.map(|(_, domain)| domain.to_owned())
            }
            _ if self.any_label => None,
            host => host.map(|host| host.to_string()),
        };
        let is_below = match self.any_below {
            true => path.starts_with(&self.path),
            false => path == self.path,
        };
        let same_port = self.any_port || self.url.port_or_known_default() == url.port_or_known_default();
        let parts = [
            (Part::Host, host(&self.url) == host(url)),
            (Part::Scheme, self.url.scheme() == url.scheme()),
            // Another scheme has another port by itself.
            (Part::Port, same_port || self.url.scheme() != url.scheme()),
            (Part::Path, is_below),
            (Part::Query, self.any_below || self.url.query() == url.query()),
        ];
        parts.into_iter().filter(|(_, same)| !same).map(|(part, _)| part).collect()
    }
}

/// An address where people may be sent, as browsers write it.
///
/// # Errors
/// Which rule it breaks, or which addresses are allowed and what differs.
pub fn permit(allowed: &[String], text: &str) -> Result<String, String> {
    let (url, path) = read(text)?;
    // One from before there were rules for it allows nothing.
    let readable = || allowed.iter().filter_map(|own| Some((own, Allowed::read(own).ok()?)));
    let all: Vec<(&String, Vec<Part>)> =
        readable().map(|(text, own)| (text, own.differs(&url, &path))).collect();
    if all.iter().any(|(_, parts)| parts.is_empty()) {
        return Ok(url.into());
    }
    // The nearest is the one that differs in the least.
    let Some((nearest, parts)) = all.iter().min_by_key(|(_, parts)| parts.clone()) else {
        return Err("is not allowed: the service allows none yet; list it in pages.return_urls".into());
    };
    let names: Vec<&str> = parts.iter().map(|part| part.name()).collect();
    let mut told: Vec<&str> = all.iter().take(NAMED).map(|(text, _)| text.as_str()).collect();
    if all.len() > NAMED {
        told.push("…");
    }
    let (told, names) = (told.join(", "), names.join(" and "));
    Err(format!(
        "is none of the service's pages.return_urls ({told}): from {nearest} it differs in its {names}"
    ))
}

/// An address that is to be shown as it is, such as a service's own page.
///
/// # Errors
/// Which rule it breaks.
pub fn page(text: &str) -> Result<String, &'static str> {
    if text.contains('*') {
        return Err("is one address, without *");
    }
    read(text).map(|(url, _)| url.into())
}

/// An address as browsers read it, and its path without any encoding.
fn read(text: &str) -> Result<(Url, Vec<u8>), &'static str> {
    if text.len() > MOST {
        return Err("has 2048 bytes at most");
    }
    // What a parser passes over or repairs, another one does not.
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err("has neither spaces, line breaks nor backslashes");
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("is a whole address, like https://example.com/done");
    };
    if !["https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err("is a whole address, like https://example.com/done");
    }
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.is_empty() || authority.contains('@') {
        return Err("has a host, and neither user nor password before it");
    }
    if tail.contains('#') {
        return Err("has no fragment (#…), for nobody but the browser hears of it");
    }
    if path::is_malformed(tail) {
        return Err("has % only before two hexadecimal digits; a percent sign itself is %25");
    }
    let path = path::decoded(tail.split('?').next().unwrap_or_default())?;
    let url = Url::parse(text).map_err(|_| "is a whole address, like https://example.com/done")?;
    if url.scheme() == "http" && !is_own_machine(&url) {
        return Err("begins with https://; http:// is for one's own machine (localhost, 127.0.0.1, [::1])");
    }
    Ok((url, path))
}

/// Whether nobody else hears what is sent there (RFC 8252 §7.3, RFC 6761 §6.3).
fn is_own_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback() || address == Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Whether what follows the leading label is a domain that somebody has: by the
/// list of public suffixes, below one of them, and whatever the label is. Under
/// `sch.uk` or `compute-1.amazonaws.com` every label is a suffix of its own, by a
/// rule of the list with a wildcard, and leads to somebody else.
fn is_below_an_own_domain(url: &Url) -> bool {
    let Some(Host::Domain(name)) = url.host() else { return false };
    let name = name.trim_end_matches('.');
    let domain = name.split_once('.').map_or("", |(_, domain)| domain);
    let owner = |name: &str| psl::domain(name.as_bytes()).map(|owner| owner.as_bytes().to_vec());
    owner(domain).is_some_and(|own| owner(name) == Some(own))
}
