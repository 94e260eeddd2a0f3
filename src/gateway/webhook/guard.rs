//! Where a request may lead whose address somebody wrote down: what is looked at is
//! exactly what is connected to.
//!
//! It refuses to know what is sent there.

use super::address::{is_link_local, is_metadata, is_public};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const LINK_LOCAL: &str =
    "the address is link-local, where clouds keep their machines' secrets: it is refused in any case";

/// Judges addresses that somebody wrote down.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    /// Whether private networks, and http, are allowed.
    pub allow_private: bool,
    /// What is said of an address that leads to a private network.
    pub private: &'static str,
}

impl Guard {
    /// A URL that may be called, as far as its text says.
    ///
    /// # Errors
    /// Why not, and what would be right; without the URL.
    pub fn url(&self, text: &str) -> Result<Url, &'static str> {
        let Ok(url) = Url::parse(text) else {
            return Err("the url is none: write it like https://example.com/hooks");
        };
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            _ => return Err("the url has to begin with https://"),
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("the url may have no user, password or fragment");
        }
        // Names are looked at when they are resolved; a number is no name.
        let literal = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        if !self.allow_private && literal.is_some_and(|ip| !is_public(ip)) {
            return Err(self.private);
        }
        if literal.is_some_and(is_link_local) || url.host_str().is_some_and(is_metadata) {
            return Err(LINK_LOCAL);
        }
        Ok(url)
    }

    /// Resolves names, and passes on the addresses it has looked at.
    pub fn resolver(self) -> Arc<impl Resolve + 'static> {
        Arc::new(Careful { allow_private: self.allow_private })
    }
}

/// Whether that was in the way: a name that leads to a private network.
pub fn leads_inside(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(here) = cause {
        if here.is::<LeadsInside>() {
            return true;
        }
        cause = here.source();
    }
    false
}

struct Careful {
    allow_private: bool,
}

/// A name has an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to a private network")]
struct LeadsInside;

impl Resolve for Careful {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addrs: Addrs = Box::new(looked_at(found, allow_private)?.into_iter());
            Ok(addrs)
        })
    }
}

/// All of them or none: a name with one private address among public ones is
/// somebody's trick.
fn looked_at(found: Vec<SocketAddr>, allow_private: bool) -> Result<Vec<SocketAddr>, LeadsInside> {
    let is_good = |addr: &SocketAddr| match allow_private {
        true => !is_link_local(addr.ip()),
        false => is_public(addr.ip()),
    };
    let good = found.iter().all(is_good);
    if good { Ok(found) } else { Err(LeadsInside) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_private_address_among_public_ones_spoils_a_name() {
        let addr = |text: &str| SocketAddr::new(text.parse().unwrap(), 0);
        assert!(looked_at(vec![addr("93.184.216.34"), addr("10.0.0.1")], false).is_err());
        assert!(looked_at(vec![addr("93.184.216.34")], false).is_ok());
        assert!(looked_at(vec![addr("10.0.0.1")], true).is_ok());
    }

    #[test]
    fn a_name_that_leads_to_a_cloud_s_secrets_is_none_anywhere() {
        let found = |text: &str| vec![text.parse().unwrap()];
        assert!(looked_at(found("169.254.169.254:80"), true).is_err());
        assert!(looked_at(found("127.0.0.1:80"), true).is_ok());
    }
}
