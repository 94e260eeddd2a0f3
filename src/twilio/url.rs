//! URLs as Twilio signs them: text, taken apart and never normalised.
//!
//! This module refuses to know keys and to decode anything: a signature covers
//! the characters as written, so a URL that was parsed and printed is lost.

use std::fmt;

/// The largest `public_url` that Twilio takes, in bytes (error 21609).
const MAX_PUBLIC_URL: usize = 4000;

/// The fragment for status callbacks, which Twilio sends once and forgets
/// unless told otherwise: they are merged however often they come, so whatever
/// another try may mend is tried again, within the 15 seconds that it takes at
/// most. A refusal (4xx) stays one however often it is asked for.
/// <https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>
pub const CALLBACK_OVERRIDES: &str = "#rc=5&rp=5xx,ct,rt&ct=3000&rt=3000&tt=15000";

/// The fragment where a person waits for TwiML: fewer attempts, none after an
/// answer of ours.
pub const TWIML_OVERRIDES: &str = "#rc=2&rp=5xx,ct,rt&ct=2000&rt=4000&tt=12000";

/// Where Twilio reaches us: what is configured as `public_url`.
///
/// Userinfo and fragment (connection overrides) are dropped, because Twilio
/// neither sends nor signs them; a trailing slash is dropped too, because
/// paths bring their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    scheme: String,
    host: String,
    port: Option<u16>,
    prefix: String,
}

/// Why a text is no public URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// No `http://` or `https://` in front.
    #[error("must begin with https:// or http://")]
    Scheme,
    /// Nothing, or something impossible, where the host belongs.
    #[error("has no host name, or one that is impossible")]
    Host,
    /// Not a port number from 1 to 65535.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// A query in a base cannot have a path after it.
    #[error("must not have a query")]
    Query,
    /// White space or control characters.
    #[error("must not have white space or control characters")]
    Character,
    /// More than 4000 bytes.
    #[error("is longer than 4000 bytes")]
    Length,
}

impl PublicUrl {
    /// Reads what an operator wrote.
    ///
    /// # Errors
    /// [`InvalidUrl`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        if text.len() > MAX_PUBLIC_URL {
            return Err(InvalidUrl::Length);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(InvalidUrl::Character);
        }
        let parts = Parts::split(text).ok_or(InvalidUrl::Scheme)?;
        let scheme = parts.scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(InvalidUrl::Scheme);
        }
        check_host(parts.host)?;
        let port = parts.port.map(parse_port).transpose()?;
        let path = without_fragment(parts.rest);
        if path.contains('?') {
            return Err(InvalidUrl::Query);
        }
        let prefix = path.trim_end_matches('/').to_owned();
        Ok(Self { scheme, host: parts.host.to_owned(), port, prefix })
    }

    /// The full URL of a request: this base and the raw path and query of the
    /// request line, neither decoded nor tidied.
    pub fn join(&self, raw_path_and_query: &str) -> String {
        let slash = if raw_path_and_query.starts_with('/') { "" } else { "/" };
        format!("{self}{slash}{raw_path_and_query}")
    }

    /// The same place as a proxy names it: `X-Forwarded-Proto`, `-Host` and
    /// `-Port`. What a header does not say stays as configured; of a list the
    /// first entry counts, which is the one nearest to Twilio.
    ///
    /// The caller decides whether the peer may be believed: these headers are
    /// anybody's to write.
    ///
    /// # Errors
    /// [`InvalidUrl`] when a value is not what its header is for.
    pub fn forwarded(
        &self,
        proto: Option<&str>,
        host: Option<&str>,
        port: Option<&str>,
    ) -> Result<Self, InvalidUrl> {
        let first = |list: &str| list.split(',').next().unwrap_or_default().trim().to_owned();
        let scheme = proto.map_or_else(|| self.scheme.clone(), |list| first(list).to_ascii_lowercase());
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(InvalidUrl::Scheme);
        }
        let (host, named) = match host.map(first) {
            None => (self.host.clone(), if proto.is_some() { None } else { self.port }),
            Some(authority) => {
                let (host, port) = split_port(&authority);
                check_host(host)?;
                (host.to_owned(), port.map(parse_port).transpose()?)
            }
        };
        let port = port.map(|list| parse_port(&first(list))).transpose()?.or(named);
        // The default port is not written in URLs; its other spelling is tried in any case.
        let port = port.filter(|port| *port != default_port(&scheme));
        Ok(Self { scheme, host, port, prefix: self.prefix.clone() })
    }

    /// The path in front of every route, without a slash at its end; often empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether it is reached over TLS.
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Host name or address, an IPv6 one in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(&self.prefix)
    }
}

/// What a webhook is about; Twilio signs the port of the two differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// TwiML requests and status callbacks of calls.
    Voice,
    /// Messages and their status callbacks.
    Message,
}

/// The URL that Twilio signs for a URL that was configured: without userinfo
/// and fragment, and for voice over https without the port
/// (twilio.com/docs/usage/security).
pub fn signing_url(configured: &str, medium: Medium) -> String {
    let bare = without_fragment(configured);
    let Some(parts) = Parts::split(bare) else { return bare.to_owned() };
    let drop_port = medium == Medium::Voice && parts.scheme.eq_ignore_ascii_case("https");
    let port = parts.port.filter(|_| !drop_port);
    Parts { userinfo: None, port, ..parts }.to_string()
}

/// A URL's parts as written: nothing is decoded or checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub scheme: &'a str,
    pub userinfo: Option<&'a str>,
    pub host: &'a str,
    pub port: Option<&'a str>,
    /// Path, query and fragment.
    pub rest: &'a str,
}

impl<'a> Parts<'a> {
    pub fn split(url: &'a str) -> Option<Self> {
        let (scheme, after) = url.split_once("://")?;
        let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
        let (userinfo, place) = match authority.rsplit_once('@') {
            Some((userinfo, place)) => (Some(userinfo), place),
            None => (None, authority),
        };
        let (host, port) = split_port(place);
        Some(Self { scheme, userinfo, host, port, rest })
    }

    /// Path and query, the latter with its question mark where there is one.
    pub fn path_and_query(&self) -> (&'a str, &'a str) {
        self.rest.split_at(self.rest.find('?').unwrap_or(self.rest.len()))
    }
}

impl fmt::Display for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        if let Some(userinfo) = self.userinfo {
            write!(f, "{userinfo}@")?;
        }
        f.write_str(self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.rest)
    }
}

/// The two spellings a signature may be over, each as pieces of text: as
/// written, and with the port removed or the default one added. Which one
/// Twilio uses is not consistent; every official library tries both.
pub(crate) fn spellings(url: &str) -> [[&str; 3]; 2] {
    let written = [url, "", ""];
    let Some(parts) = Parts::split(url) else { return [written, written] };
    let tail_length = parts.rest.len() + parts.port.map_or(0, |port| port.len() + 1);
    let front = &url[..url.len() - tail_length];
    let port = match parts.port {
        Some(_) => "",
        None if parts.scheme.eq_ignore_ascii_case("https") => ":443",
        None => ":80",
    };
    [written, [front, port, parts.rest]]
}

/// The raw query, without its question mark and without a fragment.
pub(crate) fn query(url: &str) -> Option<&str> {
    without_fragment(url).split_once('?').map(|(_, query)| query)
}

pub(crate) fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(front, _)| front)
}

/// Whether a segment of a path has digits enough for somebody's number, and is not for a log.
pub(crate) fn may_name_a_number(segment: &str) -> bool {
    /// As many as the shortest number has.
    const LEAST: usize = 5;
    segment.bytes().filter(u8::is_ascii_digit).count() >= LEAST
}

/// `host[:port]`, mindful of the colons within an IPv6 literal's brackets.
pub(crate) fn split_port(place: &str) -> (&str, Option<&str>) {
    let after_literal = place.find(']').map_or(0, |end| end + 1);
    match place[after_literal..].rfind(':') {
        Some(colon) => {
            let (host, port) = place.split_at(after_literal + colon);
            (host, Some(&port[1..]))
        }
        None => (place, None),
    }
}

fn check_host(host: &str) -> Result<(), InvalidUrl> {
    let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fits = match name {
        Some(literal) => literal.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        }
    };
    if fits { Ok(()) } else { Err(InvalidUrl::Host) }
}

fn parse_port(text: &str) -> Result<u16, InvalidUrl> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0).ok_or(InvalidUrl::Port)
}

fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> PublicUrl {
        PublicUrl::parse(text).unwrap()
    }

    #[test]
    fn userinfo_fragment_and_last_slash_are_dropped() {
        let base = public("https://bob:s3cret@Hooks.example.org:8443/otp/#rc=2&rp=all");
        assert_eq!(base.to_string(), "https://Hooks.example.org:8443/otp");
        assert_eq!(base.join("/twilio/sms?x=%2b"), "https://Hooks.example.org:8443/otp/twilio/sms?x=%2b");
        assert_eq!(base.prefix(), "/otp");
    }

    #[test]
    fn what_is_no_base_is_refused() {
        let refused = [
            ("example.org", InvalidUrl::Scheme),
            ("ftp://example.org", InvalidUrl::Scheme),
            ("https://", InvalidUrl::Host),
            ("https://:80", InvalidUrl::Host),
            ("https://a b", InvalidUrl::Character),
            ("https://[::1", InvalidUrl::Host),
            ("https://münchen.example", InvalidUrl::Host),
            ("https://h:0", InvalidUrl::Port),
            ("https://h:", InvalidUrl::Port),
            ("https://h:+80", InvalidUrl::Port),
            ("https://h:70000", InvalidUrl::Port),
            ("https://h/?a=b", InvalidUrl::Query),
        ];
        for (text, why) in refused {
            assert_eq!(PublicUrl::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_proxy_names_scheme_host_and_port() {
        let base = public("http://127.0.0.1:8080/otp");
        let seen = |proto, host, port| base.forwarded(proto, host, port).map(|url| url.join("/a"));
        let https = seen(Some("https"), Some("otp.example.org"), None);
        assert_eq!(https, Ok("https://otp.example.org/otp/a".to_owned()));
        let default = seen(Some("HTTPS, http"), Some("h.example, 10.0.0.1"), Some("443"));
        assert_eq!(default, Ok("https://h.example/otp/a".to_owned()));
        assert_eq!(seen(None, Some("[::1]:99"), None), Ok("http://[::1]:99/otp/a".to_owned()));
        assert_eq!(seen(Some("https"), None, Some("8443")), Ok("https://127.0.0.1:8443/otp/a".to_owned()));
        assert_eq!(seen(None, None, None), Ok("http://127.0.0.1:8080/otp/a".to_owned()));
        assert_eq!(seen(Some("gopher"), None, None), Err(InvalidUrl::Scheme));
        assert_eq!(seen(None, Some("h/../x"), None), Err(InvalidUrl::Host));
        assert_eq!(seen(None, None, Some("x")), Err(InvalidUrl::Port));
    }

    #[test]
    fn only_voice_over_https_loses_its_port() {
        let configured = "https://u:p@h.example:8443/a?b#rc=2";
        assert_eq!(signing_url(configured, Medium::Voice), "https://h.example/a?b");
        assert_eq!(signing_url(configured, Medium::Message), "https://h.example:8443/a?b");
        assert_eq!(signing_url("http://u@h.example:80/a", Medium::Voice), "http://h.example:80/a");
    }

    #[test]
    fn both_spellings_of_the_port_are_named() {
        let other = |url| spellings(url)[1].concat();
        assert_eq!(other("https://h/a:1?b:2"), "https://h:443/a:1?b:2");
        assert_eq!(other("http://h?x"), "http://h:80?x");
        assert_eq!(other("https://u:p@[2001:db8::7]:8443/h"), "https://u:p@[2001:db8::7]/h");
        assert_eq!(other("https://[2001:db8::7]/h"), "https://[2001:db8::7]:443/h");
        assert_eq!(other("no url"), "no url");
    }
}
